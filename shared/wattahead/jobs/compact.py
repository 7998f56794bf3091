"""Compact: copies of days with many parts, so that whoever looks back weeks reads a handful of objects."""

from dataclasses import dataclass, field
from typing import Final

from wattahead.domain.errors import Damaged, Refused
from wattahead.domain.hours import DAY, date_of
from wattahead.domain.plan import HourEvent
from wattahead.jobs.hour import Answer, Attempt, closed, refuse_closed
from wattahead.storage.catalogs import latest_catalog
from wattahead.storage.compaction import copy_days, due, lengths, spans
from wattahead.storage.copies import Days
from wattahead.storage.ledger import Outcome
from wattahead.storage.objects import Bucket
from wattahead.storage.timeseries import Root, listed
from wattahead.workloads import WORKLOADS, workload

WINDOW: Final = 70  # days back: as far as an hour looks, and some more
ENOUGH: Final = 3  # days too large for one object, until a signal is left as it is
MOST_READS: Final = 6_000  # objects that one call reads: with 16 at a time, a minute at 0.1 s each


@dataclass
class Work:
    """What one call has done so far."""

    copies: int = 0
    rows: int = 0
    reads: int = 0
    left: bool = False  # the call has done its share, and there is more: the next one goes on
    refused: dict[str, str] = field(default_factory=dict)  # days that could not be read -> sentence


def compact(bucket: Bucket, event: HourEvent, *, now: int) -> Answer:
    """Copy the days of the last `WINDOW` days that take more than one request to read, and spans of such days.

    These are the rows that the catalog's pools of any workload read. What is copied already changes nothing.
    """
    if closed(event, now):
        return refuse_closed(bucket, "compact", event, now)
    attempt, work = Attempt(bucket, "compact", event, now), Work()
    _, catalog = latest_catalog(bucket)
    for root in (root for kind in map(workload, WORKLOADS) for root in kind.roots(catalog)):
        _compact(bucket, root, now // DAY, work)
    outcome: Outcome = "degraded" if work.refused else "ok" if work.copies else "duplicate"
    attempt.record(outcome, rows=work.rows, errors=work.refused)
    facts = {"copies": work.copies, "left": work.left, "refused": work.refused}
    return Answer("compact", event, outcome, rows=work.rows, facts=facts)


def _compact(bucket: Bucket, root: Root, today: int, work: Work) -> None:
    """Copy what is due of one root: days before pairs of them, so that a copy is made from few objects."""
    found = list(spans(today - WINDOW, today, lengths(root)))
    there = listed(bucket, root, min(first for first, _ in found), today)
    copies = dict(there.copies)
    too_large: list[int] = []  # days that do not fit into one object, and no span with them does
    for first, last in found:
        if any(first <= day <= last for day in too_large):
            continue
        asked = Days(there.first, there.last, there.parts, copies).within(first, last)
        if not due(asked, today):
            continue
        if work.reads + asked.reads > MOST_READS:
            work.left = True
            return
        work.reads += asked.reads
        try:
            made = copy_days(bucket, root, asked)
        except (Refused, Damaged) as error:  # one bad part does not keep other days waiting
            if error.code == "E_S3_DENIED":
                raise
            work.refused[f"{root.prefix} {date_of(first * DAY)}"] = str(error)
            continue
        if made:
            copies[first, last] = made
            work.copies, work.rows = work.copies + 1, work.rows + made.rows
        elif len(too_large := [*too_large, first]) == ENOUGH:
            return  # a signal of large days: reading them all would only find that again, every hour
