"""The plan: one object that pins an hour, and the event that names a piece of it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Literal

from wattahead.domain.bundle import Rung
from wattahead.domain.catalog import Pool, Signal, Zone
from wattahead.domain.errors import Refused
from wattahead.domain.grid import GridPool, Network
from wattahead.domain.hours import DAY, HOUR, MINUTE, iso

RunKind = Literal["live", "backfill", "backtest", "shadow"]

LIVE_WINDOW: Final = 7 * DAY  # later events end as too_old and may run as backfill
AHEAD: Final = 5 * MINUTE


@dataclass(frozen=True)
class HourEvent:
    """What every function is asked: an hour, perhaps one batch of it."""

    issue_time: int
    run_kind: RunKind = "live"
    run: str = ""  # names a backfill or backtest; empty for live
    batch: str = ""  # one batch; empty for the whole hour
    final_attempt: bool = False
    looked_at: int = 0  # [µs] when the pass that this event ends began; 0: now

    def __post_init__(self) -> None:
        if self.issue_time % HOUR:
            raise Refused(
                "E_EVENT_ALIGN", f"issue time {iso(self.issue_time)} is not on the hour", fix="floor it to the hour"
            )
        if (self.run_kind == "live") == bool(self.run):
            raise Refused(
                "E_EVENT_SHAPE",
                f"run kind {self.run_kind} with run {self.run!r}",
                fix="name a run for a backfill or backtest, and none for live",
            )


@dataclass(frozen=True)
class PlannedPool:
    """All that features and score need to know about a pool of forecasts for one hour."""

    name: str
    workload: str
    pool: Pool
    signal: Signal
    zones: Mapping[str, Zone]
    features: tuple[str, ...]  # union over the ladder, in a fixed order
    ladder: tuple[Rung, ...]  # best first
    decided_at: int = 0  # [µs] when the registry last decided on this ladder; 0 before the first training
    others: Mapping[str, Signal] = field(default_factory=dict)  # the other signals that its features read, by name
    # Pools of this plan that forecast another signal for zones of this one. A zone's forecast is in the batch that
    # holds its series; a signal that features read and that is not here has none.
    forecasters: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    @property
    def reads(self) -> frozenset[str]:
        """The pools of the plan that are scored before it."""
        return frozenset(one for makers in self.forecasters.values() for one in makers)


@dataclass(frozen=True)
class PlannedGrids:
    """All that features and score need to know about a pool of grids for one hour."""

    name: str
    workload: str
    pool: GridPool
    network: Network
    features: tuple[str, ...]  # columns of a feature object
    ladder: tuple[Rung, ...]  # best first
    decided_at: int = 0  # [µs] when the registry last decided on this ladder; 0 before the first training

    @property
    def reads(self) -> frozenset[str]:
        """The pools of the plan that are scored before it."""
        return frozenset()


Planned = PlannedPool | PlannedGrids  # the rails read what both have


@dataclass(frozen=True)
class Batch:
    """Up to 1,000 series of a pool, scored together."""

    name: str
    pool: str
    stage: int  # batches are scored stage after stage: a later one reads the rows of those before it
    series: tuple[str, ...]


@dataclass(frozen=True)
class Plan:
    """One hour, pinned: whatever changes later, workers see only this."""

    issue_time: int
    run_kind: RunKind
    run: str
    catalog: int  # sequence of the catalog entry
    pools: Mapping[str, Planned]
    batches: tuple[Batch, ...]

    def batch(self, name: str) -> Batch:
        """Return the batch called `name`."""
        for batch in self.batches:
            if batch.name == name:
                return batch
        raise Refused(
            "E_BATCH_UNKNOWN",
            f"plan of {iso(self.issue_time)} has no batch {ascii(name)[:60]}",
            fix=f"use one of its {len(self.batches)} batches",
        )


def too_old(issue_time: int, now: int) -> bool:
    """Return whether a live hour is closed at `now`."""
    return issue_time < now - LIVE_WINDOW


def admit(event: HourEvent, now: int) -> None:
    """Refuse an hour that has not begun: more than 5 minutes ahead of `now`."""
    if event.issue_time > now + AHEAD:
        raise Refused(
            "E_EVENT_FUTURE",
            f"issue time {iso(event.issue_time)} is ahead of the clock ({iso(now)})",
            fix="wait for the hour, or check the clock",
        )
