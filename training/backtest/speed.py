"""What a backtest cost beside the same hours one by one, measured on a handful of them, which must say the same."""

from dataclasses import dataclass
from functools import partial
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from training.backtest.hourly import Hourly, differing
from training.backtest.run import Backtest, month_key
from wattahead.domain.hours import iso
from wattahead.storage.tables import INSTANT, read_parquet

NOT_THE_SAME: Final = "not the rows of live scoring, perhaps because data came in meanwhile"
HOURS: Final = 6  # scored one by one; the first is not timed, since it opens the models


@dataclass(frozen=True)
class OneByOne:
    """Some hours of the last model, through the jobs that score live."""

    tried: int
    hours: int  # that were timed
    seconds: float  # CPU
    differs: tuple[str, ...]  # hours and columns in which the backtest's rows are others


def compared(job: Backtest) -> tuple[list[str], bool]:
    """Return in words what the backtest cost beside the same hours one by one, and whether both gave the same."""
    zones, done = len(job.catalog.pools[job.asked.pool].zones), job.done
    if not done.origins:
        return ["every month was there: nothing was done"], True
    alone = one_by_one(job)
    fast, slow = done.origins * zones / done.scoring, alone.hours * zones / alone.seconds
    lines = [
        f"{done.origins:,} origins x {zones} zones, CPU s: {done.scoring:.1f} scoring, {done.training:.1f} training",
        f"{fast:,.0f} origins x zones per CPU second, {fast / slow:.0f} times the {slow:,.1f} of one hour at a time",
    ]
    if alone.differs:
        return [*lines, f"{NOT_THE_SAME}: {'; '.join(alone.differs)}"], False
    return [*lines, f"the last month's rows are those of live scoring, tried in {alone.tried} hours"], True


def one_by_one(job: Backtest) -> OneByOne:
    """Score some hours of the last month's last model again, each by itself, and compare every column."""
    month = job.asked.months[-1]
    leg = max(month.legs, key=lambda one: len(one.issue_times))
    hourly = Hourly.over(job.bucket, job.catalog, job.asked, job.model(leg.until).held)
    chosen = np.unique(np.linspace(0, len(leg.issue_times) - 1, HOURS).astype(int))
    key = month_key(job.asked, month)
    ours = job.bucket.read(key, partial(read_parquet, where=key))
    differs: list[str] = []
    opening = 0.0
    for number, at in enumerate(leg.issue_times[chosen].tolist()):
        rows = hourly.rows(at)
        here = ours.filter(pc.equal(ours["issue_time"], pa.scalar(at, INSTANT)))
        differs += [f"{iso(at)} {column}" for column in differing(here, rows)]
        opening = opening or (hourly.seconds if len(chosen) > 1 and not number else 0.0)
    return OneByOne(len(chosen), max(len(chosen) - 1, 1), hourly.seconds - opening, tuple(differs))
