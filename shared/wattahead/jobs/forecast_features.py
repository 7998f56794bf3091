"""The feature objects of pools of forecasts: a cube from what is known at issue time."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from wattahead.domain.errors import Refused, Transient
from wattahead.domain.plan import Batch
from wattahead.domain.quality import Quality
from wattahead.features.cube import Cube, Inputs, build, overdue
from wattahead.features.source import Source, empty_inputs
from wattahead.jobs.building import Building
from wattahead.jobs.hour import features_key, run_id
from wattahead.jobs.inputs import load_inputs
from wattahead.jobs.upstream import Upstream, read_upstream
from wattahead.storage.ledger import Outcome
from wattahead.storage.tables import encode_table
from wattahead.workloads.forecast import own
from wattahead.workloads.forecast.sample import to_table, valid_times

# Sources that are worth waiting for until the deadline. Rows without a forecast are final: waiting mends nothing.
MISSING = Quality.WEATHER_MISSING | Quality.TARGET_STALE | Quality.INPUT_STALE


def build_pool(hour: Building, name: str, batches: list[Batch]) -> dict[str, Outcome]:
    """Return how each batch of a pool ended. What is read once serves them all."""
    planned = own(hour.plan.pools[name])
    source = Source.of(planned).only([one for batch in batches for one in batch.series])
    upstream = read_upstream(hour.bucket, hour.plan, planned, source.names)
    waiting = [
        batch
        for batch in batches
        if hour.waits_for_rows(planned.name)
        and not upstream.late.isdisjoint(Source.of(planned).only(batch.series).zones)
    ]
    outcomes: dict[str, Outcome] = {batch.name: hour.wait(hour.attempt(batch), batch) for batch in waiting}
    ready = [batch for batch in batches if batch.name not in outcomes]
    if ready:
        source = source.only([one for batch in ready for one in batch.series])
        inputs, errors = _inputs(hour, source, upstream)
        late = np.isin(source.names, sorted(upstream.late))
        for batch in ready:
            outcomes[batch.name] = _build_batch(hour, batch, source, inputs, late, errors)
    return outcomes


def _inputs(hour: Building, source: Source, upstream: Upstream) -> tuple[Inputs, dict[str, str]]:
    """Return the inputs of a pool. Where its stored history is damaged for good, what is left is the clock."""
    at, errors = hour.plan.issue_time, dict(upstream.errors)
    try:
        return load_inputs(hour.bucket, source, at, at, forecasts=upstream.issued(source)), errors
    except Refused as error:
        if error.code == "E_S3_DENIED":  # a policy can be mended within the hour; the clock alone must not be frozen
            raise Transient(error.code, error.fact, fix=error.fix) from error
        return empty_inputs(source, at), {**errors, "": str(error)}


def _build_batch(
    hour: Building, batch: Batch, source: Source, inputs: Inputs, late: NDArray[np.bool_], errors: dict[str, str]
) -> Outcome:
    attempt, plan = hour.attempt(batch), hour.plan
    who = source.positions(batch.series)
    cube = attempt.timed("cube", lambda: build(source.recipe, inputs.take(who), [plan.issue_time]))
    owed = overdue(source.recipe, inputs.take(who), [plan.issue_time])
    if (owed.any() or ((cube.flags & MISSING) != 0).any()) and hour.is_early(batch.pool):
        return hour.wait(attempt, batch)
    cube = past_deadline(cube, late[who, None] | owed)
    times = valid_times(own(plan.pools[batch.pool]), plan.issue_time)
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
