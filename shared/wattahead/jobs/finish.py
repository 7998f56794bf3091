"""Finish an hour: what was planned, what is there, whether the hour is whole, and if not, when to look again."""

from typing import Final

from wattahead.domain.hours import DAY, MINUTE, duration, iso
from wattahead.domain.plan import HourEvent, Plan
from wattahead.jobs.hour import Answer, Attempt, closed, read_plan, refuse_closed
from wattahead.jobs.plan import scored
from wattahead.storage.ledger import Outcome
from wattahead.storage.objects import Bucket

PAUSE: Final = 5 * MINUTE  # between two looks for late sources
TOLERATED: Final = 0.1  # share of missing batches that leave an hour well: the next one completes them
NAMED: Final = 20  # an answer stays small however large the hour is; the ledger names every batch


def finish(bucket: Bucket, event: HourEvent, *, now: int) -> Answer:
    """Compare the plan with the rows that exist: `ok`, `failed`, or `waiting` while sources may still come."""
    if closed(event, now):
        return refuse_closed(bucket, "finish", event, now)
    attempt = Attempt(bucket, "finish", event, now)
    plan, _ = read_plan(bucket, event)
    there = scored(bucket, plan)
    missing = [batch.name for batch in plan.batches if batch.name not in there]
    again = look_again(plan, missing, event.looked_at or now, now)
    outcome: Outcome = "ok" if not missing else "waiting" if again else "failed"
    attempt.record(outcome, outcomes={"missing": tuple(missing)} if missing else {})
    facts: dict[str, object] = {
        "planned": len(plan.batches),
        "missing": missing[:NAMED],
        "missing_share": round(len(missing) / max(len(plan.batches), 1), 4),
        "series": sum(len(batch.series) for batch in plan.batches),
    }
    if again:
        facts["again_at"] = f"{iso(again)[:-1]}:00Z"  # with seconds, as Step Functions reads a time
    return Answer("finish", event, outcome, facts=facts, measures=measures(plan, missing, now))


def measures(plan: Plan, missing: list[str], now: int) -> dict[str, float]:
    """Return what the alarms watch; they are about live hours, and only one that is well has an age."""
    if plan.run_kind != "live":
        return {}
    found = {"missing_batches": float(len(missing)), "decision_age_days": decision_age(plan, now)}
    well = len(missing) <= TOLERATED * len(plan.batches)
    return {**found, "forecast_age_minutes": (now - plan.issue_time) / MINUTE} if well else found


def look_again(plan: Plan, missing: list[str], looked_at: int, now: int) -> int:
    """Return when missing batches are worth another look [µs]: before their input deadline, or just past it; else 0.

    What counts is when the last look began: a batch that waited then has not been seen past its deadline, however
    late it is now.
    """
    pools = {batch.pool for batch in plan.batches if batch.name in missing}
    deadlines = [plan.issue_time + duration(plan.pools[name].pool.input_deadline) for name in pools]
    coming = [deadline for deadline in deadlines if deadline > looked_at]
    # Whole minutes, rounded up: a look at the deadline itself must not fall before it.
    return -(-max(now, min(now + PAUSE, *coming)) // MINUTE) * MINUTE if coming else 0


def decision_age(plan: Plan, now: int) -> float:
    """Return the days since training last decided on the pool it left alone longest; pools never trained count not."""
    decided = [pool.decided_at for pool in plan.pools.values() if pool.decided_at]
    return round((now - min(decided)) / DAY, 3) if decided else 0.0
