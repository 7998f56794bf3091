"""Build the feature objects of an hour: exactly what its batches will be scored from."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from wattahead.domain.errors import Refused, Transient
from wattahead.domain.hours import duration
from wattahead.domain.plan import Batch, HourEvent, Plan
from wattahead.domain.quality import Quality
from wattahead.features.cube import Cube, Inputs, build
from wattahead.jobs.hour import Answer, Attempt, closed, features_key, read_plan, refuse_closed, run_id, worst
from wattahead.jobs.inputs import Source, empty_inputs, load_inputs
from wattahead.storage.ledger import Outcome
from wattahead.storage.objects import Bucket
from wattahead.storage.tables import encode_table
from wattahead.workloads.forecast import to_table, valid_times

MISSING = Quality.WEATHER_MISSING | Quality.TARGET_STALE  # sources that are worth waiting for until the deadline


def build_features(bucket: Bucket, event: HourEvent, *, now: int) -> Answer:
    """Write the feature objects of a planned hour, or of one batch of it.

    A batch whose sources are not all there before the pool's input deadline is left for later (`waiting`).
    """
    if closed(event, now):
        return refuse_closed(bucket, "features", event, now)
    plan, digest = read_plan(bucket, event)
    outcomes: dict[str, Outcome] = {}
    failures: list[Transient] = []
    for name, batches in _by_pool(plan, event).items():
        try:
            source = Source.of(plan.pools[name]).only([one for batch in batches for one in batch.series])
            inputs, errors = _inputs(bucket, plan, source)
            for batch in batches:
                outcomes[batch.name] = _build_batch(bucket, event, now, plan, digest, batch, source, inputs, errors)
        except (
            Transient
        ) as error:  # the storage is away for one pool: the others go on, and a retry meets only this one
            failures.append(error)
    if failures:
        raise failures[0]
    return Answer("features", event, worst(outcomes.values()), outcomes)


def _inputs(bucket: Bucket, plan: Plan, source: Source) -> tuple[Inputs, dict[str, str]]:
    """Return the inputs of a pool. Where its stored history is damaged for good, what is left is the clock."""
    try:
        return load_inputs(bucket, source, plan.issue_time, plan.issue_time), {}
    except Refused as error:
        if error.code == "E_S3_DENIED":  # a policy can be mended within the hour; the clock alone must not be frozen
            raise Transient(error.code, error.fact, fix=error.fix) from error
        return empty_inputs(source, plan.issue_time), {"": str(error)}


def _by_pool(plan: Plan, event: HourEvent) -> dict[str, list[Batch]]:
    chosen = [plan.batch(event.batch)] if event.batch else list(plan.batches)
    return {name: [batch for batch in chosen if batch.pool == name] for name in {batch.pool: None for batch in chosen}}


def _build_batch(
    bucket: Bucket,
    event: HourEvent,
    now: int,
    plan: Plan,
    digest: str,
    batch: Batch,
    source: Source,
    inputs: Inputs,
    errors: dict[str, str],
) -> Outcome:
    attempt = Attempt(bucket, "features", event, now, batch.name)
    planned = plan.pools[batch.pool]
    who = source.positions(batch.series)
    cube = attempt.timed("cube", lambda: build(source.recipe, inputs.take(who), [plan.issue_time]))
    lacking = (cube.flags & MISSING) != 0
    if lacking.any() and now < plan.issue_time + duration(planned.pool.input_deadline):
        attempt.record("waiting", run_id=run_id(digest, batch.name), outcomes={"waiting": batch.series})
        return "waiting"
    cube = replace(cube, flags=cube.flags | np.where(lacking, Quality.DEADLINE_PASSED, 0).astype(np.int32))
    body = encode_table(to_table(batch.series, valid_times(planned, plan.issue_time), cube, 0))
    created = attempt.timed("write", lambda: bucket.create(features_key(plan, batch), body)).created
    outcome: Outcome = "ok" if created else "duplicate"
    conflicts = {
        batch.series[place]: str(inputs.target.conflicts[number])
        for place, number in enumerate(who.tolist())
        if number in inputs.target.conflicts
    }
    attempt.record(
        outcome,
        run_id=run_id(digest, batch.name),
        rows=cube.values[0].size,
        outcomes=_by_flag(batch.series, cube),
        errors=errors | conflicts,
    )
    return outcome


def _by_flag(series: Sequence[str], cube: Cube) -> dict[str, tuple[str, ...]]:
    sparse = cube.flags[:, 0] != 0
    groups = {"complete": ~sparse, "flagged": sparse}
    return {label: tuple(np.array(series)[chosen].tolist()) for label, chosen in groups.items() if chosen.any()}
