"""What the jobs of an hour share: its plan, its answer, and the ledger entry of one attempt."""

import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import TypeVar

from wattahead.domain.errors import Refused
from wattahead.domain.hours import iso
from wattahead.domain.plan import Batch, HourEvent, Plan, admit, too_old
from wattahead.storage import keys, ledger
from wattahead.storage.documents import canonical, decode
from wattahead.storage.objects import Bucket, sha256

T = TypeVar("T")

SEVERITY: tuple[ledger.Outcome, ...] = ("failed", "waiting", "degraded", "too_old", "ok", "duplicate")  # worst first


@dataclass(frozen=True)
class Answer:
    """What a job says of an hour: small, plain, and the same for every caller."""

    job: str
    event: HourEvent
    outcome: ledger.Outcome
    batches: Mapping[str, str] = field(default_factory=dict)
    rows: int = 0
    facts: Mapping[str, object] = field(default_factory=dict)
    measures: Mapping[str, float] = field(default_factory=dict)  # what alarms watch

    def summary(self) -> dict[str, object]:
        """Return the answer as plain values for a log line or a Lambda response."""
        about = {
            "job": self.job,
            "issue_time": iso(self.event.issue_time),
            "run_kind": self.event.run_kind,
            "run": self.event.run,
        }
        return {**about, "outcome": self.outcome, "rows": self.rows, "batches": dict(self.batches), **self.facts}


@dataclass
class Attempt:
    """Measures one attempt and writes its ledger entry."""

    bucket: Bucket
    job: str
    event: HourEvent
    now: int
    batch: str = ""
    seconds: dict[str, float] = field(default_factory=dict)
    began: float = field(default_factory=time.perf_counter)
    before: Counter[str] = field(init=False)

    def __post_init__(self) -> None:
        self.before = Counter(self.bucket.traffic)

    def timed(self, phase: str, work: Callable[[], T]) -> T:
        """Run `work` and add its duration to `phase`."""
        start = time.perf_counter()
        try:
            return work()
        finally:
            self.seconds[phase] = round(self.seconds.get(phase, 0.0) + time.perf_counter() - start, 6)

    def record(
        self,
        outcome: ledger.Outcome,
        *,
        run_id: str = "",
        rows: int = 0,
        outcomes: Mapping[str, tuple[str, ...]] | None = None,
        errors: Mapping[str, str] | None = None,
    ) -> None:
        """Write the ledger entry of this attempt."""
        took = time.perf_counter() - self.began
        spent = Counter(self.bucket.traffic)
        spent.subtract(self.before)
        requests = {name: spent[name] for name in ("gets", "puts", "lists")}
        moved = {name: spent[name] for name in ("read", "written")}
        entry = ledger.Entry(
            job=self.job,
            run_id=run_id or _hour_id(self.event),
            issue_time=self.event.issue_time,
            started_at=self.now,
            finished_at=self.now + int(took * 1e6),
            outcome=outcome,
            run_kind=self.event.run_kind,
            run=self.event.run,
            batch=self.batch,
            rows=rows,
            seconds={**self.seconds, "total": round(took, 6)},
            requests=requests,
            bytes=moved,
            outcomes=outcomes or {},
            errors=errors or {},
        )
        ledger.record(self.bucket, entry)


def closed(event: HourEvent, now: int) -> bool:
    """Refuse an hour that has not begun; return whether a live hour is closed at `now`."""
    admit(event, now)
    return event.run_kind == "live" and too_old(event.issue_time, now)


def refuse_closed(bucket: Bucket, job: str, event: HourEvent, now: int) -> Answer:
    """Record and answer that a live hour is closed; it may still run as a backfill."""
    Attempt(bucket, job, event, now, event.batch).record("too_old")
    return Answer(job, event, "too_old")


def read_plan(bucket: Bucket, event: HourEvent) -> tuple[Plan, str]:
    """Return the plan of an hour and the hash of its bytes."""
    key = keys.plan(event)
    try:
        return bucket.read(key, lambda body: (decode(Plan, body, where=key), sha256(body)))
    except Refused as error:
        if error.code == "E_FEAT_MISSING":
            raise Refused(
                "E_PLAN_MISSING", f"{iso(event.issue_time)} has no plan", fix="run plan for this hour first"
            ) from error
        raise


def features_key(plan: Plan, batch: Batch) -> str:
    """Return the key of a batch's feature object; the hash stands for its columns."""
    planned = plan.pools[batch.pool]
    return keys.features(plan, planned.workload, batch.name, sha256(canonical(list(planned.features)))[:16])


def run_id(plan_digest: str, batch: str) -> str:
    """Return the id of a batch of a plan: racing workers share it, and write the same bytes."""
    return sha256(f"{plan_digest}/{batch}".encode())[:16]


def worst(outcomes: Iterable[ledger.Outcome]) -> ledger.Outcome:
    """Return the worst of some outcomes; nothing to do is a duplicate."""
    return min(outcomes, key=SEVERITY.index, default="duplicate")


def _hour_id(event: HourEvent) -> str:
    return sha256(keys.plan(event).encode())[:16]
