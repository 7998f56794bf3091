"""What a batch of forecasts is scored from: a feature object, and what is left of one that is not as it should be."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from wattahead.domain.errors import Refused
from wattahead.domain.hours import duration
from wattahead.domain.plan import Batch, PlannedPool
from wattahead.features.cube import Cube
from wattahead.models.rows import Rows
from wattahead.storage.tables import INSTANT, repeated
from wattahead.storage.tables import NAME as TEXT

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
            "series_id": repeated(series, steps),
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


def valid_times(planned: PlannedPool, issue_time: int) -> NDArray[np.int64]:
    """Return the start of every interval of the horizon [µs]."""
    return np.arange(issue_time, issue_time + duration(planned.pool.horizon), planned.signal.step)


def _zones(series: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(name.split("/", 1)[0] for name in series)
