"""`python -m training.tune`: search a trainer's parameters for one pool, within a number of trials and a time."""

import argparse
import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from typing import Final

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from training.candidate import material
from training.parsing import INTERRUPTED, Parser, code_of, known_by, opened
from training.question import find_trainer, taught_by
from training.stopping import CODE, Stop, Stopped
from training.trainers import known, trainer
from training.tuned import lines, number
from training.tuning import STRATEGIES, Question, Study, TimeIsOver, Trial, begun, digest, pinned
from training.tuning_samplers import SAMPLERS
from wattahead.domain.catalog import Catalog
from wattahead.domain.errors import Refused, WattaheadError
from wattahead.domain.hours import duration, floor_hour, iso
from wattahead.storage.catalogs import latest_catalog

TIMEOUT: Final = (
    "such as PT2H: a trial that is not over by then is lost, and what was found is not compared on later days; "
    "a fit that is under way is left only when it tells how far it is"
)
EXIT_CODES: Final = """\
exit codes:
  0    the trials that were asked for are there, or the time is over
  1    the storage failed; the same command goes on where it was
  64   the question was wrong, or there is nothing to search
  130  interrupted, 143 stopped by SIGTERM: the same command goes on where it was
"""


def main(arguments: list[str] | None = None) -> int:
    """Search, print the best parameters as a line for the catalog, and return one of EXIT_CODES."""
    console, stop = Console(stderr=True), Stop()
    said = parser().parse_args(arguments)
    try:
        with stop.listening():
            ends = time.monotonic() + duration(said.timeout) / 1e6 if said.timeout else float("inf")
            study = study_of(said, time.time_ns() // 1000)
            _plain(console, f"study {study.name}: data until {iso(study.asked.until)}")
            searched(study, said.trials, ends, console, stop)
            for line in lines(study, partial(_go_on, stop, ends)):
                _plain(console, line)
    except WattaheadError as error:
        console.print(str(error), style="red", markup=False, highlight=False, soft_wrap=True)
        return code_of(error)
    except (Stopped, KeyboardInterrupt) as ended:
        console.print("stopped; the same command goes on where it was", style="red", highlight=False)
        return CODE if isinstance(ended, Stopped) else INTERRUPTED
    return 0


def study_of(said: argparse.Namespace, now: int) -> Study:
    """Return the study that the command line names, with the data that it was begun with."""
    bucket = opened(said.bucket)
    catalog = _catalog(latest_catalog(bucket)[1], said)
    taught = catalog.pools[said.pool].trainer
    if not trainer(taught).SPACE:
        raise Refused("E_CONFIG", f"trainer {taught} has nothing to search", fix=f"use one of {', '.join(known())}")
    name = said.study or "-".join((taught, said.sampler, said.strategy, str(said.seed))).replace("_", "-")
    before = begun(bucket, said.pool, name)
    until = known_by(said.until, now) if said.until else before.until if before else floor_hour(now)
    told = material(bucket, catalog, said.pool, until=until)
    asked = Question(said.pool, taught, said.sampler, said.strategy, said.seed, until)
    asked = replace(asked, digest=digest(told, trainer(taught).SPACE))
    return Study(bucket, told, pinned(bucket, asked, name), name)


def _catalog(catalog: Catalog, said: argparse.Namespace) -> Catalog:
    if said.pool not in catalog.pools:
        raise Refused("E_CONFIG", f"there is no pool {said.pool!a}", fix=f"use {', '.join(sorted(catalog.pools))}")
    return taught_by(catalog, find_trainer(said.trainer)) if said.trainer else catalog


def searched(study: Study, trials: int, ends: float, console: Console, stop: Stop) -> None:
    """Run trials until there are enough of them or the time is over."""
    with _progress(console, study, trials, ends, stop) as (say, done):
        try:
            study.go_on(trials, say, done)
        except TimeIsOver:
            _plain(console, f"the time is over after {max(len(study.trials) - 1, 0)} trials; more: the same command")


# --- the command line ------------------------------------------------------------------------------------------------


def parser() -> argparse.ArgumentParser:
    """Return the command line."""
    made = Parser(
        prog="python -m training.tune",
        description="Search a trainer's parameters for one pool; the registry and the catalog stay as they are.",
        epilog=EXIT_CODES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    made.add_argument("pool", help="a pool of the catalog")
    made.add_argument("--bucket", default=os.environ.get("WATTAHEAD_BUCKET", "bucket"))
    made.add_argument("--trials", type=count, default=20, help="in all, those of earlier calls included")
    made.add_argument("--sampler", choices=SAMPLERS, default="bayesian")
    made.add_argument("--strategy", choices=STRATEGIES, default="out_of_time", help="what is held back of the samples")
    made.add_argument("--seed", type=int, default=1)
    made.add_argument("--timeout", default="", help=TIMEOUT)
    made.add_argument("--trainer", default="", help="this one, not the catalog's")
    made.add_argument("--until", default="", help="use only what was known before (default: now, or as begun)")
    made.add_argument("--study", default="", help="name of the search (default: trainer, sampler, strategy, seed)")
    return made


def count(text: str) -> int:
    """Return a number of trials; argparse tells of one that is none."""
    if not (text.isdecimal() and int(text)):
        raise argparse.ArgumentTypeError(f"{text} is no number of trials, ask for 1 or more")
    return int(text)


def _plain(console: Console, said: str) -> None:
    console.print(said, markup=False, highlight=False, soft_wrap=True)


def _go_on(stop: Stop, ends: float, _said: str) -> None:
    stop.check()
    if time.monotonic() > ends:
        raise TimeIsOver


@contextmanager
def _progress(
    console: Console, study: Study, trials: int, ends: float, stop: Stop
) -> Iterator[tuple[Callable[[str], None], Callable[[Trial], None]]]:
    columns = (BarColumn(bar_width=24), MofNCompleteColumn(), TimeElapsedColumn(), TextColumn("{task.fields[said]}"))
    with Progress(*columns, console=console, disable=not console.is_terminal) as bar:
        task = bar.add_task(study.asked.pool, total=trials, said="")

        def say(said: str) -> None:
            _go_on(stop, ends, said)
            bar.update(task, said=said, completed=max(len(study.trials) - 1, 0))

        def done(trial: Trial) -> None:
            told = ", ".join(f"{name} {number(value)}" for name, value in trial.parameters.items())
            _plain(console, f"trial {trial.number}: loss {trial.loss:.5f} {told or 'as in the catalog'}")
            bar.update(task, completed=trial.number)

        yield say, done


if __name__ == "__main__":
    sys.exit(main())
