"""A range of hours as executions of the deployed hour machine, each started once however often it is asked for."""

import json
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from wattahead.control.executions import RUNNING, start, status
from wattahead.domain.errors import Refused
from wattahead.domain.hours import iso, to_datetime
from wattahead.domain.names import checked
from wattahead.domain.plan import HourEvent, admit, too_old
from wattahead.storage.objects import sha256

CHUNK: Final = 200  # hours an execution, well under its 25,000 events and 256 KB of input
PAUSE: Final = 20.0  # seconds between two looks at an execution
_LONGEST_RUN: Final = 43  # letters of a run in a name of at most 80


@dataclass(frozen=True)
class Chunk:
    """Hours that one execution runs: issue times in µs since 1970; `run` is empty for live hours."""

    issue_times: tuple[int, ...]
    run: str

    @property
    def name(self) -> str:
        """The execution's name: the same hours of the same run have the same, and no others."""
        run = self.run if len(self.run) <= _LONGEST_RUN else f"{self.run[:26]}-{sha256(self.run.encode())[:16]}"
        ends = (to_datetime(self.issue_times[end]).strftime("%Y%m%dT%H") for end in (0, -1))
        return "-".join([*(("backfill", run) if run else ("live",)), *ends, str(len(self.issue_times))])

    @property
    def text(self) -> str:
        """The execution's input."""
        about = {"run_kind": "backfill", "run": self.run} if self.run else {}
        return json.dumps({"hours": [{"issue_time": iso(at), **about} for at in self.issue_times]})


def chunks(first: int, last: int, every: int, run: str, *, now: int) -> list[Chunk]:
    """Return the hours from `first` to `last` [µs, both included] in chunks; what the hours would refuse is refused."""
    if every <= 0 or first > last:
        raise Refused("E_CONFIG", f"{iso(first)} to {iso(last)} holds no hour", fix="use --from A --to B --every PT1H")
    times = range(first, last + 1, every)
    for at in (*times[:2], times[-1]):  # a step off the hour shows in the second
        _check(at, run, now)
    return [Chunk(tuple(times[at : at + CHUNK]), run) for at in range(0, len(times), CHUNK)]


def run_chunks(machine: str, wanted: list[Chunk]) -> Iterator[tuple[Chunk, str]]:
    """Start one execution after another; yield each chunk with `started`, or the status of the one that has its name.

    The next one starts when the one before has ended: a year at once would take all of the account's functions, and
    the present hour's with them.
    """
    for chunk in wanted:
        yield chunk, start(machine, chunk.name, chunk.text)
        while chunk is not wanted[-1] and status(machine, chunk.name) == RUNNING:
            time.sleep(PAUSE)


def _check(at: int, run: str, now: int) -> None:
    event = HourEvent(at, "backfill", checked("run", run)) if run else HourEvent(at)
    admit(event, now)
    if not run and too_old(at, now):
        raise Refused(
            "E_CONFIG", f"live hours close after 7 days, and {iso(at)} is older", fix="name a backfill: --run NAME"
        )
