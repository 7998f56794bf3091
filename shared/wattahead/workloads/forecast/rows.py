"""The rows of the table `forecasts`: quantiles by series and valid time, each with what it was made from."""

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from wattahead.domain.hours import MINUTE
from wattahead.domain.plan import Plan, PlannedPool
from wattahead.domain.quality import Quality
from wattahead.storage.tables import INSTANT, repeated
from wattahead.workloads.forecast.guards import dark_hours, guard
from wattahead.workloads.forecast.sample import Sample
from wattahead.workloads.ladder import Climbed


def to_rows(
    plan: Plan, planned: PlannedPool, sample: Sample, climbed: Climbed, *, run_id: str, extra: int = 0
) -> tuple[pa.Table, NDArray[np.int32]]:
    """Return the forecast rows of a batch, sorted by series and valid time, and the flags of every series.

    `extra` are flags that all rows of this attempt carry.
    """
    issue_times = np.full(len(sample.series), plan.issue_time)
    return to_rows_of_many(planned, sample, issue_times, climbed, run_id=run_id, extra=extra)


def to_rows_of_many(
    planned: PlannedPool,
    sample: Sample,
    issue_times: NDArray[np.int64],
    climbed: Climbed,
    *,
    run_id: str,
    extra: int = 0,
) -> tuple[pa.Table, NDArray[np.int32]]:
    """Return the rows of a sample whose series were each issued at a time of its own (S) [µs], in its order."""
    steps, signal = sample.rows.steps, planned.signal
    zones = sample.rows.zones
    valid = np.broadcast_to(sample.valid_times, (len(zones), steps))
    dark = np.zeros((len(zones), steps), dtype=bool)
    if signal.night_zero:
        dark = dark_hours(sample.valid_times, signal.step, [planned.zones[zone] for zone in zones])
    capacity = np.repeat([signal.capacity.get(zone, np.inf) for zone in zones], steps)
    values, acted = guard(climbed.values, sample.rows.row_scale, signal, dark.reshape(-1), capacity)
    served = np.array([rung is not None for rung in climbed.served_by])
    of_series = (
        sample.flags
        | np.where(climbed.level > 0, Quality.FALLBACK, 0)
        | np.where(climbed.sparse, Quality.INPUTS_SPARSE, 0)
        | np.where(served, 0, Quality.NO_FORECAST)
        | extra
    )
    flags = (np.repeat(of_series, steps) | acted).astype(np.int32)
    rungs = climbed.served_by
    columns = {
        "series_id": repeated(sample.series, steps),
        "issue_time": pa.array(np.repeat(issue_times, steps)).view(INSTANT),
        "model_name": repeated([rung.kind if rung else "none" for rung in rungs], steps),
        "model_version": repeated([rung.bundle_id[:12] if rung else "" for rung in rungs], steps),
        "run_id": repeated([run_id], len(flags)),
        "fallback_level": np.repeat(climbed.level, steps),
        "quality_flags": flags,
        "input_age_minutes": np.repeat(sample.age_minutes, steps),
        "zone": repeated(zones, steps),
        "key": repeated([signal.key], len(flags)),
        "subkey": repeated([signal.subkey], len(flags)),
        "valid_time": pa.array(valid.reshape(-1)).view(INSTANT),
        "lead_time_minutes": ((valid - issue_times[:, None]) // MINUTE).astype(np.int32).reshape(-1),
        "unit": repeated([signal.unit], len(flags)),
    }
    quantiles = {name: pa.array(values[index], from_pandas=True) for index, name in enumerate(planned.pool.quantiles)}
    return pa.table(columns | quantiles), np.bitwise_or.reduce(flags.reshape(len(zones), steps), axis=1)
