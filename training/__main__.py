"""`python -m training`: the entry point of the container and of `wattahead train`. One pool after another."""

import argparse
import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import NoReturn

from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from training.attempts import Attempt
from training.stopping import CODE, Stop, Stopped
from training.train import Trained, train
from wattahead.domain.catalog import Catalog
from wattahead.domain.errors import Refused, WattaheadError
from wattahead.domain.hours import floor_hour, instant
from wattahead.domain.series import origin
from wattahead.storage.catalogs import latest_catalog
from wattahead.storage.objects import Bucket, open_bucket

USAGE, FAILED = 64, 1
EXIT_CODES = """\
exit codes:
  0    every pool was trained, promoted or not
  1    a pool failed, or the storage did; the ledger says which and why
  64   the question was wrong: an option, a pool, the bucket; nothing was trained
  143  stopped by SIGTERM: the pool in training keeps its registry as it was, and the ledger says so
  137  from outside, for a process killed for memory or for not ending in time: it can write nothing
"""


@dataclass(frozen=True)
class Question:
    """What is trained on what. `until` in µs since 1970, UTC."""

    bucket: Bucket
    catalog: Catalog
    pools: tuple[str, ...]
    until: int
    seed: int


def main(arguments: list[str] | None = None) -> int:
    """Train the chosen pools; return one of EXIT_CODES."""
    console, stop = Console(stderr=True), Stop()
    try:
        with stop.listening():
            return train_all(question(arguments), console, stop)
    except WattaheadError as error:
        _red(console, str(error))
        return USAGE if isinstance(error, Refused) else FAILED
    except Stopped:
        _red(console, "stopped by SIGTERM; the ledger says what was done")
        return CODE


def question(arguments: list[str] | None) -> Question:
    """Return what the command line asks for; raise `Refused` where it cannot be answered."""
    asked = parser().parse_args(arguments)
    bucket = _opened(asked.bucket)
    _, catalog = latest_catalog(bucket)
    until = instant(asked.until) if asked.until else floor_hour(time.time_ns() // 1000)
    return Question(bucket, catalog, tuple(chosen(catalog, asked.pools)), until, asked.seed)


def _opened(url: str) -> Bucket:
    try:
        return open_bucket(url)
    except OSError as error:  # such as the default folder, in a container that cannot write
        fix = "use s3://bucket, or a folder that may be written"
        raise Refused("E_CONFIG", f"bucket {url!r} cannot be opened: {error}", fix=fix) from error


def train_all(asked: Question, console: Console, stop: Stop) -> int:
    """Train one pool after another; one pool's bad data does not keep the others from training."""
    failed = 0
    for name in asked.pools:
        try:
            done = train_one(asked, name, console, stop)
        except WattaheadError as error:
            _red(console, f"{name}: {error}")
            failed += 1
        else:
            report(console, name, done, asked.catalog)
        stop.release()
    return FAILED if failed else 0


def train_one(asked: Question, name: str, console: Console, stop: Stop) -> Trained:
    """Train one pool and leave one entry in the ledger, whatever ends it. `stop` is held off behind it."""
    attempt = Attempt(asked.bucket, name, asked.until, asked.seed, started_at=time.time_ns() // 1000)
    try:
        with _progress(console, name, stop) as say:
            done = train(asked.bucket, asked.catalog, name, until=asked.until, seed=asked.seed, progress=say, stop=stop)
            say("promoted" if done.promoted else "kept as it was")
        attempt.trained(asked.catalog, done)
    except BaseException as error:  # a fault in the code and Ctrl-C are attempts too
        stop.hold()
        attempt.failed(error)
        raise
    return done


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        self.print_usage(sys.stderr)
        self.exit(USAGE, f"{self.prog}: {message}\n")


def parser() -> argparse.ArgumentParser:
    """Return the command line of the container."""
    made = _Parser(
        prog="python -m training",
        description="Train pools and let the registry decide.",
        epilog=EXIT_CODES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    made.add_argument(
        "--bucket",
        default=os.environ.get("WATTAHEAD_BUCKET", "bucket"),
        help="s3://bucket or a folder (default: $WATTAHEAD_BUCKET, or ./bucket)",
    )
    made.add_argument("--pools", default="", help="comma-separated; all pools of the catalog by default")
    made.add_argument(
        "--until", default="", help="use only what was known before this time, e.g. 2021-01-01T00:00Z (default: now)"
    )
    made.add_argument("--seed", type=int, default=1)
    return made


def chosen(catalog: Catalog, pools: str) -> list[str]:
    """Return the pools that a comma-separated list names; an unknown one is answered with the known ones."""
    names = [name.strip() for name in pools.split(",") if name.strip()] or sorted(catalog.pools)
    unknown = [name for name in names if name not in catalog.pools]
    if unknown:
        raise Refused("E_CONFIG", f"there is no pool {unknown[0]!r}", fix=f"use {', '.join(sorted(catalog.pools))}")
    return names


def report(console: Console, name: str, done: Trained, catalog: Catalog) -> None:
    """Print the out-of-time table of one pool."""
    unit = catalog.signals[catalog.pools[name].signal].unit
    console.print(f"  {done.entry.reason}", highlight=False, soft_wrap=True)
    for zone, models in done.table.items():
        told = ", ".join(f"{model} {measures['mae']:.4g}" for model, measures in models.items() if "mae" in measures)
        covers = models["candidate"].get("coverage", float("nan"))
        line = f"  {zone}: MAE [{unit}] {told}; covers {covers:.2f} {origin(zone)}".rstrip()
        console.print(line, highlight=False, markup=False, soft_wrap=True)


def _red(console: Console, said: str) -> None:
    console.print(said, style="red", markup=False, highlight=False, soft_wrap=True)


@contextmanager
def _progress(console: Console, name: str, stop: Stop) -> Iterator[Callable[[str], None]]:
    """Give the callback that says how far a pool is: a bar on a terminal, lines in a container's log."""
    with Progress(
        SpinnerColumn(),
        TextColumn("{task.description:<16}"),
        BarColumn(bar_width=20),
        TimeElapsedColumn(),
        TextColumn("{task.fields[said]}"),
        console=console,
        disable=not console.is_terminal,
    ) as bar:
        task = bar.add_task(name, total=None, said="")

        def say(said: str) -> None:
            stop.check()
            bar.update(task, said=said)
            if not console.is_terminal:
                console.print(f"{name}: {said}", highlight=False, markup=False, soft_wrap=True)

        yield say
        bar.update(task, total=1, completed=1)


if __name__ == "__main__":
    sys.exit(main())
