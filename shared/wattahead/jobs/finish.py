"""Finish an hour: what was planned, what is there, and whether the hour is whole."""

from wattahead.domain.plan import HourEvent
from wattahead.jobs.hour import Answer, Attempt, closed, read_plan, refuse_closed
from wattahead.jobs.plan import scored
from wattahead.storage.objects import Bucket


def finish(bucket: Bucket, event: HourEvent, *, now: int) -> Answer:
    """Compare the plan with the rows that exist and record the result; `failed` while batches are missing."""
    if closed(event, now):
        return refuse_closed(bucket, "finish", event, now)
    attempt = Attempt(bucket, "finish", event, now)
    plan, _ = read_plan(bucket, event)
    there = scored(bucket, plan)
    state = {batch.name: "scored" if batch.name in there else "missing" for batch in plan.batches}
    missing = [name for name, found in state.items() if found == "missing"]
    series = sum(len(batch.series) for batch in plan.batches)
    attempt.record("failed" if missing else "ok", outcomes={"missing": tuple(missing)} if missing else {})
    return Answer("finish", event, "failed" if missing else "ok", state, facts={"series": series, "missing": missing})
