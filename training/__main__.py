"""`python -m training`: the entry point of the container and of `wattahead train`. One pool after another."""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib import import_module

if __name__ == "__main__" and sys.argv[1:2] == ["grid"]:  # another workload, which needs nothing of what follows
    sys.exit(import_module("training.grid.commands").main(sys.argv[2:]))

from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from training.attempts import Attempt
from training.parsing import FAILED, code_of
from training.question import Question, question
from training.report.saved import located
from training.stopping import CODE, Stop, Stopped
from training.train import Trained, train
from training.validating import validate_one
from wattahead.domain.errors import WattaheadError
from wattahead.domain.series import origin

WIDTH = 200  # at most, of a table where the output is not a terminal


def main(arguments: list[str] | None = None) -> int:
    """Train the chosen pools; return one of `training.question.EXIT_CODES`."""
    console, stop = Console(stderr=True), Stop()
    try:
        with stop.listening():
            return train_all(question(arguments), console, stop)
    except WattaheadError as error:
        _red(console, str(error))
        return code_of(error)
    except Stopped:
        _red(console, "stopped by SIGTERM; the ledger says what was done")
        return CODE


def train_all(asked: Question, console: Console, stop: Stop) -> int:
    """Train one pool after another; one pool's bad data does not keep the others from training."""
    for note in asked.notes:
        _plain(console, note)
    failed = 0
    for name in asked.pools:
        try:
            if asked.validate:
                show_validation(asked, name, console, stop)
            else:
                report(console, name, train_one(asked, name, console, stop), asked)
        except Exception as error:  # noqa: BLE001 - a fault of the code is told too, and other pools go on
            if not isinstance(error, WattaheadError):
                console.print_exception()
            _red(console, f"{name}: {error}")
            failed += 1
        stop.release()
    return FAILED if failed else 0


def train_one(asked: Question, name: str, console: Console, stop: Stop) -> Trained:
    """Train one pool and leave one entry in the ledger, whatever ends it. `stop` is held off behind it."""
    now = time.time_ns() // 1000
    attempt = Attempt(asked.bucket, name, asked.until, asked.seed, started_at=now, trainer=asked.trainer)
    try:
        with _progress(console, name, stop) as say:
            done = train(
                asked.bucket,
                asked.catalog,
                name,
                until=asked.until,
                seed=asked.seed,
                progress=say,
                stop=stop,
                report=asked.report,
            )
            say("promoted" if done.promoted else "kept as it was")
        series = tuple(str(one) for one in asked.catalog.series(name))
        attempt.trained(series, promoted=done.promoted, reason=done.entry.reason, report=done.left.page)
    except BaseException as error:  # a fault in the code and Ctrl-C are attempts too
        stop.hold()
        attempt.failed(error)
        raise
    return done


def show_validation(asked: Question, name: str, console: Console, stop: Stop) -> None:
    """Validate one pool and print its table; nothing is saved but the measures."""
    with _progress(console, name, stop) as say:
        table, key = validate_one(asked, name, say)
    (console if console.is_terminal else Console(stderr=True, width=WIDTH)).print(table)
    _plain(console, f"  all measures: {key}")


def report(console: Console, name: str, done: Trained, asked: Question) -> None:
    """Print the out-of-time table of one pool, what its data should be looked at for, and where its page is."""
    unit = asked.catalog.signals[asked.catalog.pools[name].signal].unit
    _plain(console, f"  {done.entry.reason}")
    for zone, models in done.table.items():
        told = ", ".join(f"{model} {measures['mae']:.4g}" for model, measures in models.items() if "mae" in measures)
        covers = models["candidate"].get("coverage", float("nan"))
        line = f"  {zone}: MAE [{unit}] {told}; covers {covers:.2f} {origin(zone)}".rstrip()
        _plain(console, line)
    for one in done.findings:
        if one.fix or not one.zone:
            _plain(console, f"  {one.sentence}" + (f". To mend it: {one.fix}" if one.fix else ""))
    if done.left.page:
        _plain(console, f"  report: {located(asked.bucket, done.left.page)}")


def _plain(console: Console, said: str) -> None:
    console.print(said, highlight=False, markup=False, soft_wrap=True)


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
                _plain(console, f"{name}: {said}")

        yield say
        bar.update(task, total=1, completed=1)


if __name__ == "__main__":
    sys.exit(main())
