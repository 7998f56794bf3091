"""`python -m training.evaluate`: how good forecasts were, beside both baselines and an external forecast."""

import argparse
import os
import sys
import time

import numpy as np
from numpy.typing import NDArray
from rich.box import SIMPLE
from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from training.scores import Scored, collect
from wattahead.domain.errors import WattaheadError
from wattahead.domain.hours import instant, iso
from wattahead.domain.series import origin
from wattahead.evaluation import metrics
from wattahead.models.baseline import level
from wattahead.storage.objects import open_bucket

USAGE = 64
WIDTH = 150  # of the table where the output is not a terminal


def main(arguments: list[str] | None = None) -> int:
    """Print one row per series; return 0, or 64 when there is nothing to judge."""
    asked = parser().parse_args(arguments)
    console = Console(width=None if sys.stdout.isatty() else WIDTH)
    now = time.time_ns() // 1000
    try:
        first = instant(asked.first) if asked.first else 0
        last = instant(asked.last) if asked.last else now
        with Progress(console=Console(stderr=True)) as progress:
            task = progress.add_task("reading", total=None)
            scored = collect(
                open_bucket(asked.bucket),
                asked.run,
                first,
                last,
                asked.external,
                now=now,
                tell=lambda done, total: progress.update(task, completed=done, total=total),
            )
    except WattaheadError as error:
        sys.stderr.write(f"{error}\n")
        return USAGE
    console.print(table(scored, asked.external, asked.origin))
    return 0


def parser() -> argparse.ArgumentParser:
    """Return the command line."""
    made = argparse.ArgumentParser(
        prog="python -m training.evaluate", description="How good the forecasts of a run were."
    )
    made.add_argument("--bucket", default=os.environ.get("WATTAHEAD_BUCKET", "bucket"))
    made.add_argument("--run", default="")
    made.add_argument("--from", dest="first", default="")
    made.add_argument("--to", dest="last", default="")
    made.add_argument("--external", default="")
    made.add_argument("--origin", default="")
    return made


def table(scored: list[Scored], external: str, said: str) -> Table:
    """Return the table: MAE beside baselines, relative error, pinball loss, coverage of the outer quantiles."""
    said = said or ", ".join(sorted({origin(one.series.zone) for one in scored} - {""}))
    times = np.concatenate([one.issue_times for one in scored])
    made = Table(
        title=f"{said + ': ' if said else ''}issue times {iso(int(times.min()))} to {iso(int(times.max()))}",
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
        *([external] if external else []),
        "skill",
        "nMAE %",
        "MAPE %",
        "pinball",
        "covers",
        "by day",
        "fallback %",
    ):
        made.add_column(name, justify="left" if name in ("series", "unit") else "right", no_wrap=True)
    for one in scored:
        made.add_row(*_row(one, external))
    return made


def _row(one: Scored, external: str) -> list[str]:
    median, truth = one.quantiles["p50"], one.truth
    naive, climate = (one.baselines[name] for name in ("seasonal_naive", "climatology"))
    error, reference = metrics.mae(truth, median), metrics.mae(truth, naive)
    loss = metrics.mean_pinball(truth, np.stack(list(one.quantiles.values())), [level(name) for name in one.quantiles])
    outer = (one.quantiles[min(one.quantiles)], one.quantiles[max(one.quantiles)])
    day = one.daylight
    sunny = _plain(metrics.coverage(truth[day], outer[0][day], outer[1][day]), 3) if one.signal.night_zero else ""
    beside = [_plain(metrics.mae(truth, one.external)) if one.external is not None else "-"] if external else []
    return [
        str(one.series),
        one.signal.unit,
        str(int(np.isfinite(truth).sum())),
        _plain(error),
        _plain(reference),
        _plain(metrics.mae(truth, climate)),
        *beside,
        _plain(metrics.skill(error, reference), 2),
        _plain(100 * error / _mean(truth), 1),
        _plain(metrics.mape(truth, median), 1) if _far_from_zero(truth) else "",
        _plain(loss),
        _plain(metrics.coverage(truth, *outer), 3),
        sunny,
        _plain(100 * float((one.level > 0).mean()), 1),
    ]


def _far_from_zero(truth: NDArray[np.float64]) -> bool:
    """Return whether percentages mean something: no hour below a tenth of the mean."""
    return bool(np.nanmin(truth) > _mean(truth) / 10) if np.isfinite(truth).any() else False


def _mean(truth: NDArray[np.float64]) -> float:
    known = truth[np.isfinite(truth)]
    return float(known.mean()) if len(known) and known.mean() else float("nan")


def _plain(value: float, digits: int | None = None) -> str:
    """Write a number; without `digits`, with about four significant ones."""
    if digits is None:
        digits = 0 if abs(value) >= 100 else 1 if abs(value) >= 10 else 2  # noqa: PLR2004 - four digits are plenty
    return f"{value:,.{digits}f}" if np.isfinite(value) else "-"


if __name__ == "__main__":
    sys.exit(main())
