"""Build the feature objects of an hour: exactly what its batches will be scored from."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from wattahead.domain.errors import Refused, Transient
from wattahead.domain.hours import duration
from wattahead.domain.plan import Batch, HourEvent, Plan, PlannedPool
from wattahead.domain.quality import Quality
from wattahead.features.cube import Cube, Inputs, build, overdue
from wattahead.jobs.hour import Answer, Attempt, closed, features_key, read_plan, refuse_closed, run_id, worst
from wattahead.jobs.inputs import Source, empty_inputs, load_inputs
from wattahead.jobs.upstream import Upstream, read_upstream
from wattahead.storage.ledger import Outcome
from wattahead.storage.objects import Bucket
from wattahead.storage.tables import encode_table
from wattahead.workloads.forecast import to_table, valid_times

# Sources that are worth waiting for until the deadline. Rows without a forecast are final: waiting mends nothing.
MISSING = Quality.WEATHER_MISSING | Quality.TARGET_STALE | Quality.INPUT_STALE


@dataclass(frozen=True)
class _Hour:
    """What one call is about."""

    bucket: Bucket
    event: HourEvent
    now: int
    plan: Plan
    digest: str

    def attempt(self, batch: Batch) -> Attempt:
        """Begin to measure the work on one batch."""
        return Attempt(self.bucket, "features", self.event, self.now, batch.name)

    def is_early(self, pool: str) -> bool:
        """Return whether late sources are still waited for."""
        return self.now < self.plan.issue_time + duration(self.plan.pools[pool].pool.input_deadline)

    def waits_for_rows(self, pool: str) -> bool:
        """Return whether rows of earlier stages are waited for.

        Who asks for one batch has run the stages before; who asks for the hour has not, unless it is the last attempt.
        """
        return self.is_early(pool) or not (self.event.batch or self.event.final_attempt)


def build_features(bucket: Bucket, event: HourEvent, *, now: int) -> Answer:
    """Write the feature objects of a planned hour, or of one batch of it.

    A batch whose sources are not all there before the pool's input deadline is left for later (`waiting`). So is, for
    the event of a whole hour, a batch that reads rows which are not there: score what is ready and ask again.
    """
    if closed(event, now):
        return refuse_closed(bucket, "features", event, now)
    hour = _Hour(bucket, event, now, *read_plan(bucket, event))
    outcomes: dict[str, Outcome] = {}
    failures: list[Transient] = []
    for name, batches in _by_pool(hour.plan, event).items():
        try:
            outcomes |= _build_pool(hour, hour.plan.pools[name], batches)
        except (
            Transient
        ) as error:  # the storage is away for one pool: the others go on, and a retry meets only this one
            failures.append(error)
    if failures:
        raise failures[0]
    return Answer("features", event, worst(outcomes.values()), outcomes)


def _by_pool(plan: Plan, event: HourEvent) -> dict[str, list[Batch]]:
    chosen = [plan.batch(event.batch)] if event.batch else list(plan.batches)
    return {name: [batch for batch in chosen if batch.pool == name] for name in {batch.pool: None for batch in chosen}}


def _build_pool(hour: _Hour, planned: PlannedPool, batches: list[Batch]) -> dict[str, Outcome]:
    """Return how each batch of a pool ended. What is read once serves them all."""
    source = Source.of(planned).only([one for batch in batches for one in batch.series])
    upstream = read_upstream(hour.bucket, hour.plan, planned, source.names)
    waiting = [
        batch
        for batch in batches
        if hour.waits_for_rows(planned.name)
        and not upstream.late.isdisjoint(Source.of(planned).only(batch.series).zones)
    ]
    outcomes: dict[str, Outcome] = {batch.name: _wait(hour, hour.attempt(batch), batch) for batch in waiting}
    ready = [batch for batch in batches if batch.name not in outcomes]
    if ready:
        source = source.only([one for batch in ready for one in batch.series])
        inputs, errors = _inputs(hour, source, upstream)
        late = np.isin(source.names, sorted(upstream.late))
        for batch in ready:
            outcomes[batch.name] = _build_batch(hour, batch, source, inputs, late, errors)
    return outcomes


def _inputs(hour: _Hour, source: Source, upstream: Upstream) -> tuple[Inputs, dict[str, str]]:
    """Return the inputs of a pool. Where its stored history is damaged for good, what is left is the clock."""
    at, errors = hour.plan.issue_time, dict(upstream.errors)
    try:
        return load_inputs(hour.bucket, source, at, at, forecasts=upstream.issued(source)), errors
    except Refused as error:
        if error.code == "E_S3_DENIED":  # a policy can be mended within the hour; the clock alone must not be frozen
            raise Transient(error.code, error.fact, fix=error.fix) from error
        return empty_inputs(source, at), {**errors, "": str(error)}


def _build_batch(
    hour: _Hour, batch: Batch, source: Source, inputs: Inputs, late: NDArray[np.bool_], errors: dict[str, str]
) -> Outcome:
    attempt, plan = hour.attempt(batch), hour.plan
    who = source.positions(batch.series)
    cube = attempt.timed("cube", lambda: build(source.recipe, inputs.take(who), [plan.issue_time]))
    owed = overdue(source.recipe, inputs.take(who), [plan.issue_time])
    if (owed.any() or ((cube.flags & MISSING) != 0).any()) and hour.is_early(batch.pool):
        return _wait(hour, attempt, batch)
    cube = past_deadline(cube, late[who, None] | owed)
    times = valid_times(plan.pools[batch.pool], plan.issue_time)
    body = encode_table(to_table(batch.series, times, cube, 0))
    created = attempt.timed("write", lambda: hour.bucket.create(features_key(plan, batch), body)).created
    outcome: Outcome = "ok" if created else "duplicate"
    attempt.record(
        outcome,
        run_id=run_id(hour.digest, batch.name),
        rows=cube.values[0].size,
        outcomes=_by_flag(batch.series, cube),
        errors=errors | _conflicts(batch, inputs, who),
    )
    return outcome


def _wait(hour: _Hour, attempt: Attempt, batch: Batch) -> Outcome:
    attempt.record("waiting", run_id=run_id(hour.digest, batch.name), outcomes={"waiting": batch.series})
    return "waiting"


def _conflicts(batch: Batch, inputs: Inputs, who: NDArray[np.int64]) -> dict[str, str]:
    """Return, by series, which torn revisions left a series, or one that it reads, without a past."""
    panels = [inputs.target, *(other.target for other in inputs.others.values()), *inputs.external.values()]
    return {
        batch.series[place]: str(held.conflicts[number])
        for held in reversed(panels)
        for place, number in enumerate(who.tolist())
        if number in held.conflicts
    }


def past_deadline(cube: Cube, late: NDArray[np.bool_]) -> Cube:
    """Return the cube with the flag of what is still missing when it is waited for no longer.

    `late` (S, T) marks what reads a forecast, ours or somebody else's, that is not there yet.
    """
    lacking = ((cube.flags & MISSING) != 0) | late
    return replace(cube, flags=cube.flags | np.where(lacking, Quality.DEADLINE_PASSED, 0).astype(np.int32))


def _by_flag(series: Sequence[str], cube: Cube) -> dict[str, tuple[str, ...]]:
    sparse = cube.flags[:, 0] != 0
    groups = {"complete": ~sparse, "flagged": sparse}
    return {label: tuple(np.array(series)[chosen].tolist()) for label, chosen in groups.items() if chosen.any()}
