"""Simulate states of a grid under stress and solve every action in each; or read them where this was done before."""

import argparse
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.table import Table

from training.grid.commands import plain
from training.grid.commands.asking import add_bucket, add_environment, add_states, question
from training.grid.simulation.question import Question
from training.grid.simulation.sampling import NONE, SHIFTS
from training.grid.simulation.simulate import Simulated, simulate
from training.grid.simulation.words import SUMMARY, written
from training.parsing import opened
from training.stopping import Stop
from wattahead.storage.objects import Bucket

WIDTH: Final = 100


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add which states of which environment."""
    add_environment(parser)
    add_states(parser)
    shifts = "; ".join(f"{name}: {what}" for name, what in SHIFTS.items())
    parser.add_argument("--shift", choices=tuple(SHIFTS), default=NONE, help=shifts)
    add_bucket(parser)


def run(asked: argparse.Namespace, console: Console, stop: Stop) -> int:
    """Simulate or read, and print what the set is like."""
    done = made(opened(asked.bucket), question(asked, asked.shift), asked.states, asked.processes, console, stop)
    (console if console.is_terminal else Console(stderr=True, width=WIDTH)).print(table(done))
    return 0


def made(bucket: Bucket, about: Question, states: int, processes: int, console: Console, stop: Stop) -> Simulated:
    """Return a set, simulated or read, and say which."""
    with _progress(console, about, states, stop) as progress:
        done = simulate(bucket, about, states, processes=processes, progress=progress)
    how = "read from the cache" if done.cached else "simulated"
    plain(console, f"{how}: {done.folder}, {states:,} states")
    return done


def table(done: Simulated) -> Table:
    """Return a set's summary for people."""
    drawn = Table("", done.network, box=None)
    for name, value in written(done.summary, SUMMARY).items():
        drawn.add_row(name, value)
    return drawn


@contextmanager
def _progress(console: Console, asked: Question, states: int, stop: Stop) -> Iterator[Callable[[int], None]]:
    """Give the callback that is told how many states there are: a bar on a terminal, a line each tenth elsewhere."""
    columns = (TextColumn("{task.description}"), BarColumn(bar_width=24), MofNCompleteColumn())
    times = (TimeElapsedColumn(), TextColumn("left"), TimeRemainingColumn())
    with Progress(*columns, *times, console=console, disable=not console.is_terminal, transient=True) as bar:
        task = bar.add_task(asked.environment, total=states)
        told = 0

        def progress(done: int) -> None:
            nonlocal told
            stop.check()
            bar.update(task, completed=done)
            if not console.is_terminal and done * 10 // states > told:
                told = done * 10 // states
                plain(console, f"{asked.environment}: {done:,} of {states:,} states")

        yield progress
