"""`python -m training.backtest`: a rolling-origin backtest of one pool, resumable, with what it found and its speed."""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from training import scores
from training.backtest.question import Question, question
from training.backtest.run import Backtest
from training.backtest.speed import compared
from training.evaluate import evaluate
from training.parsing import FAILED, INTERRUPTED, code_of
from training.stopping import CODE, Stop, Stopped
from wattahead.domain.errors import Refused, WattaheadError
from wattahead.storage.objects import Bucket


def main(arguments: list[str] | None = None) -> int:
    """Run a backtest; return one of `training.backtest.question.EXIT_CODES`."""
    console, stop = Console(stderr=True), Stop()
    try:
        with stop.listening():
            asked = question(arguments)
            _plain(console, f"run {asked.plain.run}: {len(asked.plain.months)} months")
            job = Backtest(asked.bucket, asked.catalog, asked.plain, once=asked.once, stop=stop)
            with _progress(console, asked.plain, job):
                job.run()
            lines, same = compared(job)
            for line in lines:
                _plain(console, line)
            _judged(asked.bucket, asked.plain, console)
    except WattaheadError as error:
        console.print(str(error), style="red", markup=False, highlight=False, soft_wrap=True)
        return code_of(error)
    except (Stopped, KeyboardInterrupt) as ended:
        console.print("stopped; the same command goes on where it was", style="red", highlight=False)
        return CODE if isinstance(ended, Stopped) else INTERRUPTED
    return 0 if same else FAILED


def _judged(bucket: Bucket, asked: Question, console: Console) -> None:
    """Print and save how good the run was, or say why nothing can be told of it yet."""
    now = time.time_ns() // 1000
    try:
        evaluate(bucket, scores.Asked("backtest", asked.run, 0, now), now=now)
    except Refused as error:
        if error.code != "E_FEAT_NO_ROWS":
            raise
        _plain(console, f"every month is there, but {error.fact}: --kind backtest --run {asked.run} evaluates it later")


def _plain(console: Console, said: str) -> None:
    console.print(said, markup=False, highlight=False, soft_wrap=True)


@contextmanager
def _progress(console: Console, asked: Question, job: Backtest) -> Iterator[None]:
    """Show how far `job` is: a bar with the time left on a terminal, lines elsewhere."""
    columns = (
        TextColumn("{task.description:<12}"),
        BarColumn(bar_width=24),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
        TextColumn("{task.fields[said]}"),
    )
    with Progress(*columns, console=console, disable=not console.is_terminal) as bar:
        task = bar.add_task(asked.pool, total=sum(month.count for month in asked.months), said="")

        def say(said: str) -> None:
            bar.update(task, said=said)
            if not console.is_terminal:
                _plain(console, f"{asked.pool}: {said}")

        job.say, job.advance = say, lambda count: bar.advance(task, count)
        yield


if __name__ == "__main__":
    sys.exit(main())
