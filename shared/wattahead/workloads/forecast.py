"""The forecast workload: feature objects in, rows of quantiles out."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from wattahead.domain.errors import Refused
from wattahead.domain.hours import MINUTE, duration
from wattahead.domain.plan import Batch, Plan, PlannedPool
from wattahead.domain.quality import Quality
from wattahead.features.cube import Cube
from wattahead.models.rows import Rows
from wattahead.storage.tables import INSTANT
from wattahead.storage.tables import NAME as TEXT
from wattahead.workloads.guards import dark_hours, guard
from wattahead.workloads.ladder import Climbed

NAME: Final = "forecast"


ABOUT: Final[dict[str, pa.DataType]] = {  # of a feature object; one float32 column per feature follows
    "series_id": TEXT,
    "valid_time": INSTANT,
    "scale": pa.float64(),
    "input_age_minutes": pa.int32(),
    "quality_flags": pa.int32(),
}


@dataclass(frozen=True)
class Sample:
    """What one batch is scored from: S series of the plan, H steps each."""

    series: tuple[str, ...]
    valid_times: NDArray[np.int64]  # (H) [µs], or (S, H) where every series has an issue time of its own
    rows: Rows
    age_minutes: NDArray[np.int32]  # (S)
    flags: NDArray[np.int32]  # (S)
    errors: dict[str, str]  # series -> why its rows cannot be used


def feature_schema(planned: PlannedPool) -> dict[str, pa.DataType]:
    """Return the columns of a feature object of this pool."""
    return ABOUT | dict.fromkeys(planned.features, pa.float32())


def to_table(series: tuple[str, ...], valid_times: NDArray[np.int64], cube: Cube, moment: int) -> pa.Table:
    """Return the feature object of issue time number `moment` of a cube: rows by series, then by valid time."""
    steps = len(valid_times)
    flat = cube.values[:, :, moment].reshape(len(cube.names), -1)
    return pa.table(
        {
            "series_id": _repeated(series, steps),
            "valid_time": pa.array(np.tile(valid_times, len(series))).view(INSTANT),
            "scale": np.repeat(cube.scale[:, moment], steps),
            "input_age_minutes": np.repeat(cube.age_minutes[:, moment], steps),
            "quality_flags": np.repeat(cube.flags[:, moment], steps),
        }
        | {name: flat[index] for index, name in enumerate(cube.names)}
    )


def to_sample(series: tuple[str, ...], cube: Cube, who: NDArray[np.int64], valid_times: NDArray[np.int64]) -> Sample:
    """Return a sample straight from a cube with one issue time; `who` are the positions of `series` in it."""
    block = np.ascontiguousarray(cube.values[:, who, 0]).reshape(len(cube.names), -1)
    rows = Rows(_zones(series), len(valid_times), cube.names, block, cube.scale[who, 0])
    return Sample(series, valid_times, rows, cube.age_minutes[who, 0], cube.flags[who, 0], {})


def read_sample(
    table: pa.Table, batch: Batch, planned: PlannedPool, times: NDArray[np.int64], blind: Callable[[], Sample]
) -> Sample:
    """Return the sample in a feature object, as `features` wrote it.

    An object that is not exactly the plan's rows is sorted out series by series: one whose rows are short or
    infinite gets those of `blind()`, which knows nothing but the clock; series outside the plan are ignored.
    """
    steps = len(times)
    block = np.empty((len(planned.features), table.num_rows), dtype=np.float32)
    for number, name in enumerate(planned.features):
        block[number] = table[name].to_numpy()
    who, step = _places(table, batch.series, times, planned.signal.step)
    if _in_order(who, step, len(batch.series), steps) and not np.isinf(block).any():
        first = slice(None, None, steps)
        rows = Rows(_zones(batch.series), steps, planned.features, block, table["scale"].to_numpy()[first])
        return Sample(
            batch.series,
            times,
            rows,
            table["input_age_minutes"].to_numpy()[first],
            table["quality_flags"].to_numpy()[first],
            {},
        )
    return _sorted_out(table, block, who, step, blind())


def _places(
    table: pa.Table, series: tuple[str, ...], times: NDArray[np.int64], length: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return series and step of every row, for intervals of `length` [µs]; -1 for what is not asked for."""
    index = {name: number for number, name in enumerate(series)}
    names = table["series_id"].combine_chunks()
    numbers = np.array([index.get(name, -1) for name in names.dictionary.to_pylist()], dtype=np.int64)
    away = table["valid_time"].to_numpy().astype("datetime64[us]").astype(np.int64) - times[0]
    asked = (away % length == 0) & (away >= 0) & (away < len(times) * length)
    return numbers[names.indices.to_numpy(zero_copy_only=False)], np.where(asked, away // length, -1)


def _in_order(who: NDArray[np.int64], step: NDArray[np.int64], series: int, steps: int) -> bool:
    """Return whether the rows are all steps of the first series, then of the second, and so on."""
    if len(who) != series * steps:
        return False
    return bool(
        (who.reshape(series, steps) == np.arange(series)[:, None]).all()
        and (step.reshape(series, steps) == np.arange(steps)).all()
    )


def _sorted_out(
    table: pa.Table, block: NDArray[np.float32], who: NDArray[np.int64], step: NDArray[np.int64], blind: Sample
) -> Sample:
    series, steps = blind.series, len(blind.valid_times)
    inside = (who >= 0) & (step >= 0)
    place = (who * steps + step)[inside]
    filled = np.bincount(place, minlength=len(series) * steps).reshape(-1, steps)
    found = blind.rows.block.copy()
    found[:, place] = block[:, inside]
    errors = _faults(series, filled, np.asarray(np.isinf(found).reshape(len(found), -1, steps).any(axis=(0, 2))))
    faulty = np.isin(series, list(errors))
    found[:, np.repeat(faulty, steps)] = blind.rows.block[:, np.repeat(faulty, steps)]
    held = {name: getattr(blind, name).copy() for name in ("age_minutes", "flags")} | {"scale": blind.rows.scale.copy()}
    sound = inside & ~faulty[who]
    for name, column in (("scale", "scale"), ("age_minutes", "input_age_minutes"), ("flags", "quality_flags")):
        held[name][who[sound]] = table[column].to_numpy()[sound]
    rows = Rows(blind.rows.zones, steps, blind.rows.names, found, held["scale"])
    return Sample(series, blind.valid_times, rows, held["age_minutes"], held["flags"], errors)


def _faults(series: tuple[str, ...], filled: NDArray[np.int64], infinite: NDArray[np.bool_]) -> dict[str, str]:
    found = {}
    for number in np.flatnonzero((filled != 1).any(axis=1) | infinite).tolist():
        name, held = series[number], int((filled[number] == 1).sum())
        if held < filled.shape[1]:
            error = Refused(
                "E_HORIZON_SHORT",
                f"{name} has {held} of {filled.shape[1]} steps, each once",
                fix="build the features again",
            )
        else:
            error = Refused("E_FEAT_INF", f"{name} has an infinite feature", fix="check the inputs of this series")
        found[name] = str(error)
    return found


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
        "series_id": _repeated(sample.series, steps),
        "issue_time": pa.array(np.repeat(issue_times, steps)).view(INSTANT),
        "model_name": _repeated([rung.kind if rung else "none" for rung in rungs], steps),
        "model_version": _repeated([rung.bundle_id[:12] if rung else "" for rung in rungs], steps),
        "run_id": _repeated([run_id], len(flags)),
        "fallback_level": np.repeat(climbed.level, steps),
        "quality_flags": flags,
        "input_age_minutes": np.repeat(sample.age_minutes, steps),
        "zone": _repeated(zones, steps),
        "key": _repeated([signal.key], len(flags)),
        "subkey": _repeated([signal.subkey], len(flags)),
        "valid_time": pa.array(valid.reshape(-1)).view(INSTANT),
        "lead_time_minutes": ((valid - issue_times[:, None]) // MINUTE).astype(np.int32).reshape(-1),
        "unit": _repeated([signal.unit], len(flags)),
    }
    quantiles = {name: pa.array(values[index], from_pandas=True) for index, name in enumerate(planned.pool.quantiles)}
    return pa.table(columns | quantiles), np.bitwise_or.reduce(flags.reshape(len(zones), steps), axis=1)


def valid_times(planned: PlannedPool, issue_time: int) -> NDArray[np.int64]:
    """Return the start of every interval of the horizon [µs]."""
    return np.arange(issue_time, issue_time + duration(planned.pool.horizon), planned.signal.step)


def _zones(series: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(name.split("/", 1)[0] for name in series)


def _repeated(names: tuple[str, ...] | list[str], times: int) -> pa.DictionaryArray:
    """Return each name `times` times as a dictionary in alphabetical order."""
    distinct = sorted(set(names))
    where = {name: number for number, name in enumerate(distinct)}
    codes = np.repeat(np.array([where[name] for name in names], dtype=np.int32), times)
    return pa.DictionaryArray.from_arrays(codes, pa.array(distinct, pa.string()))
