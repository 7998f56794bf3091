"""`python -m training.evaluate`: how good forecasts were, beside both baselines and an external forecast."""

import argparse
import os
import sys
import time
from typing import Final

import numpy as np
import pyarrow as pa
from rich.box import SIMPLE
from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from training.judged import Judged, judge, origins, rows
from training.parsing import Parser, code_of, opened
from training.report.saved import located, save_page
from training.report.words import number, ranged
from training.scores import Asked, collect
from wattahead.domain.errors import Refused, WattaheadError
from wattahead.domain.hours import instant, iso
from wattahead.evaluation.measures import Measured
from wattahead.evaluation.scored import Scored
from wattahead.storage.measures import save_metrics
from wattahead.storage.objects import Bucket

EXIT_CODES: Final = """\
exit codes:
  0    the measures are printed and saved, or printed where they may not be saved
  1    the storage failed; the same command may do
  64   the question was wrong, or there is nothing to judge
"""
WIDTH = 250  # at most, of the table where the output is not a terminal
KINDS = ("live", "backfill", "backtest", "shadow")


def main(arguments: list[str] | None = None) -> int:
    """Print one row per series and save all measures; return one of EXIT_CODES."""
    said, now = parser().parse_args(arguments), time.time_ns() // 1000
    try:
        evaluate(opened(said.bucket), _asked(said, now), now=now, origin=said.origin, report=said.report)
    except WattaheadError as error:
        sys.stderr.write(f"{error}\n")
        return code_of(error)
    return 0


def evaluate(bucket: Bucket, asked: Asked, *, now: int, origin: str = "", report: bool = False) -> None:
    """Print one row per series and save all measures, with a page where a `report` is wanted.

    `origin` is where the data comes from; empty: what the zones tell. Truth as known at `now` [µs]. Raises as `collect`
    does, and `E_FEAT_NO_ROWS` behind the table where nothing of the forecasts has come true.
    """
    console, aside = Console(width=None if sys.stdout.isatty() else WIDTH), Console(stderr=True, soft_wrap=True)
    with Progress(console=aside) as progress:
        task = progress.add_task("reading", total=None)
        scored = collect(
            bucket, asked, now=now, tell=lambda done, total: progress.update(task, completed=done, total=total)
        )
        judged = judge(progress.track(scored, description="judging"))
    console.print(table(judged, asked.external, origin))
    _save(bucket, rows(judged, split=asked.kind, run_kind=asked.kind, run=asked.run, said=origin), aside)
    if report:
        aside.print(f"report: {_report(bucket, judged, asked, origin)}", highlight=False)


def parser() -> argparse.ArgumentParser:
    """Return the command line."""
    made = Parser(
        prog="python -m training.evaluate",
        description="How good the forecasts of a run were, beside both baselines.",
        epilog=EXIT_CODES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    made.add_argument("--bucket", default=os.environ.get("WATTAHEAD_BUCKET", "bucket"))
    made.add_argument("--kind", choices=("", *KINDS), default="", help="default: backfill with --run, live without")
    made.add_argument("--run", default="", help="name of a run that is not live")
    made.add_argument("--from", dest="first", default="", help="first issue time, 2021-01-02T00:00Z")
    made.add_argument("--to", dest="last", default="", help="last issue time, included")
    made.add_argument("--external", default="", help="put the forecasts of this provider beside ours")
    made.add_argument("--origin", default="", help="where the data comes from (default: what the zones tell)")
    made.add_argument("--report", action="store_true", help="write a page with plots")
    return made


def _asked(said: argparse.Namespace, now: int) -> Asked:
    kind = said.kind or ("backfill" if said.run else "live")
    first, last = instant(said.first) if said.first else 0, instant(said.last) if said.last else now
    return Asked(kind, said.run, first, last, said.external)


def _save(bucket: Bucket, found: pa.Table, aside: Console) -> None:
    try:
        aside.print(f"{found.num_rows} measures: {save_metrics(bucket, found)}", highlight=False)
    except Refused as error:
        if error.code != "E_S3_DENIED":
            raise
        aside.print(f"the measures were not saved: {error}", highlight=False)  # who may only read may look


def _report(bucket: Bucket, judged: Judged, asked: Asked, said: str) -> str:
    """Write the page and return where it is."""
    from training.report.page import page, span  # noqa: PLC0415 - matplotlib takes a second

    html = page(f"Evaluation of {asked.named} forecasts", span(judged), said or origins(judged), judged)
    return located(bucket, save_page(bucket, "evaluation", max(int(one.issue_times[-1]) for one, _ in judged), html))


def table(judged: Judged, external: str, said: str) -> Table:
    """Return the table: MAE beside baselines, skill with its interval, relative errors, loss, coverage."""
    said = said or origins(judged)
    times = np.concatenate([one.issue_times for one, _ in judged])
    made = Table(
        title=f"{said + ': ' if said else ''}issue times {iso(int(times.min()))} to {iso(int(times.max()))}; "
        "skill over seasonal naive with its 95 % interval",
        title_justify="left",
        box=SIMPLE,
        pad_edge=False,
        padding=(0, 1, 0, 0),
    )
    for name in (
        "series",
        "unit",
        "hours",
        "MAE",
        "naive",
        "climatology",
        *([external, f"over {external}"] if external else []),
        "skill",
        "nMAE %",
        "MAPE %",
        "pinball",
        "rCRPS %",
        "covers",
        "by day",
        "fallback %",
    ):
        made.add_column(name, justify="left" if name in ("series", "unit") else "right", no_wrap=True)
    for one, found in judged:
        made.add_row(*_row(one, found, external))
    return made


def _row(one: Scored, found: Measured, external: str) -> list[str]:
    def plain(metric: str, digits: int | None = None, times: float = 1) -> str:
        return number(times * found.of(metric).value, digits)

    beside = [plain(f"mae_{external}"), ranged(found.of(f"skill_{external}"), 2)] if external else []
    sunny = number(found.of("coverage", "light", "day").value, 3) if one.signal.night_zero else ""
    return [
        str(one.series),
        one.signal.unit,
        str(found.of("mae").n),
        plain("mae"),
        plain("mae_seasonal_naive"),
        plain("mae_climatology"),
        *beside,
        ranged(found.of("skill_seasonal_naive"), 2),
        plain("nmae_mean", 1, 100),
        plain("mape", 1) if found.by("mape", "all") else "",
        plain("pinball"),
        plain("rcrps", 1, 100),
        plain("coverage", 3),
        sunny,
        number(100 * float((one.level > 0).mean()), 1),
    ]


if __name__ == "__main__":
    sys.exit(main())
