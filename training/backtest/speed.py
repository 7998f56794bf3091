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
from wattahead.storage import keys
from wattahead.storage.documents import decode, encode
from wattahead.storage.tables import INSTANT, read_parquet

NOT_THE_SAME: Final = "not the rows of live scoring, perhaps because data came in meanwhile; another --run begins anew"
HOURS: Final = 6  # scored one by one; the first is not timed, since it opens the models


@dataclass(frozen=True)
class Check:
    """What came of trying some hours again; kept in the bucket, so that no later call forgets it."""

    tried: int
    differs: tuple[str, ...]  # hours and columns in which the backtest's rows are others

    @property
    def told(self) -> str:
        """The outcome in words."""
        if self.differs:
            return f"{NOT_THE_SAME}: {'; '.join(self.differs)}"
        return f"the last month's rows are those of live scoring, tried in {self.tried} hours"


@dataclass(frozen=True)
class OneByOne:
    """Some hours of the last model, through the jobs that score live."""

    check: Check
    hours: int  # that were timed
    seconds: float  # CPU


def compared(job: Backtest) -> tuple[list[str], bool]:
    """Return in words what the backtest cost beside the same hours one by one, and whether both gave the same.

    Hours are tried where this process scored some, or where no earlier one lived to try them.
    """
    lines = [] if job.done.origins else ["every month was there: nothing was done"]
    check = None if job.done.origins else checked(job)
    if check is None:
        alone = one_by_one(job)
        lines += _speed(job, alone) if job.done.origins else []
        check = _kept(job, alone.check)
    return [*lines, check.told], not check.differs


def checked(job: Backtest) -> Check | None:
    """Return what an earlier process found when it tried some hours of the run again, if one did."""
    key = keys.backtest_check(job.asked.run, job.asked.pool)
    there = job.bucket.keys(key.rpartition("/")[0])
    return job.bucket.read(key, partial(decode, Check, where=key)) if key in there else None


def _kept(job: Backtest, found: Check) -> Check:
    """Write the outcome; of two processes at one run, the first is right."""
    key = keys.backtest_check(job.asked.run, job.asked.pool)
    return decode(Check, job.bucket.create(key, encode(found)).body, where=key)


def _speed(job: Backtest, alone: OneByOne) -> list[str]:
    zones, done = len(job.catalog.pools[job.asked.pool].zones), job.done
    fast, slow = done.origins * zones / done.scoring, alone.hours * zones / alone.seconds
    return [
        f"{done.origins:,} origins x {zones} zones, CPU s: {done.scoring:.1f} scoring, {done.training:.1f} training",
        f"{fast:,.0f} origins x zones per CPU second, {fast / slow:.0f} times the {slow:,.1f} of one hour at a time",
    ]


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
    check = Check(len(chosen), tuple(differs))
    return OneByOne(check, max(len(chosen) - 1, 1), hourly.seconds - opening)
