"""What a batch of grids is scored from: one state per grid and hour of the horizon."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any, Final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from wattahead.domain.errors import Refused
from wattahead.domain.grid import Network
from wattahead.domain.hours import HOUR, duration
from wattahead.domain.plan import PlannedGrids
from wattahead.grid.states import States
from wattahead.storage.tables import INSTANT, repeated
from wattahead.storage.tables import NAME as TEXT

POWERS, BUSES = pa.list_(pa.float32()), pa.list_(pa.int8())
COLUMNS: Final[dict[str, pa.DataType]] = {
    field.name: BUSES if field.name.endswith("_bus") else POWERS for field in fields(States)
}
ABOUT: Final[dict[str, pa.DataType]] = {
    "series_id": TEXT,
    "valid_time": INSTANT,
    "input_age_minutes": pa.int32(),
    "quality_flags": pa.int32(),
}
UNKNOWN: Final = -1  # the age of a state that there is none of


@dataclass(frozen=True)
class Sample:
    """States of S grids at H hours, the hours of a grid beside each other."""

    series: tuple[str, ...]
    valid_times: NDArray[np.int64]  # (H) [µs]
    states: States  # S x H
    known: NDArray[np.bool_]  # (S x H) there is a state
    age_minutes: NDArray[np.int32]  # (S) of the newest measured state; `UNKNOWN` without one
    flags: NDArray[np.int32]  # (S x H)
    errors: Mapping[str, str]  # series -> why its rows cannot be used


def valid_times(planned: PlannedGrids, issue_time: int) -> NDArray[np.int64]:
    """Return the hours of the horizon [µs]."""
    return np.arange(issue_time, issue_time + duration(planned.pool.horizon), HOUR)


def to_table(sample: Sample) -> pa.Table:
    """Return the feature object of a batch: rows by series, then by valid time."""
    steps = len(sample.valid_times)
    lists = {name: _lists(getattr(sample.states, name), kind) for name, kind in COLUMNS.items()}
    return pa.table(
        {
            "series_id": repeated(sample.series, steps),
            "valid_time": pa.array(np.tile(sample.valid_times, len(sample.series))).view(INSTANT),
            "input_age_minutes": np.repeat(sample.age_minutes, steps),
            "quality_flags": sample.flags,
            **lists,
        }
    )


def read_sample(table: pa.Table, network: Network, series: Sequence[str], times: NDArray[np.int64]) -> Sample:
    """Return the states in a feature object; a grid whose rows are not all there, each once, has none."""
    steps = len(times)
    where = {name: number for number, name in enumerate(series)}
    who = np.array([where.get(name, -1) for name in table["series_id"].to_pylist()], dtype=np.int64)
    away = table["valid_time"].cast(pa.int64()).to_numpy() - times[0]
    step = away // HOUR
    inside = (who >= 0) & (away % HOUR == 0) & (step >= 0) & (step < steps)
    place = (who * steps + step)[inside]
    filled = np.bincount(place, minlength=len(series) * steps).reshape(-1, steps)
    blank = nothing(network, series, times)
    arrays = {name: getattr(blank.states, name).copy() for name in COLUMNS}
    for name in COLUMNS:
        arrays[name][place] = _matrix(table[name], arrays[name].shape[1], name)[inside]
    age, flags = blank.age_minutes.copy(), blank.flags.copy()
    age[who[inside]] = table["input_age_minutes"].to_numpy()[inside]
    flags[place] = table["quality_flags"].to_numpy()[inside]
    states = States(**arrays)
    known = states.complete & np.repeat((filled == 1).all(axis=1), steps)
    errors = {
        series[number]: str(
            Refused(
                "E_HORIZON_SHORT",
                f"{series[number]} has {int((filled[number] == 1).sum())} of {steps} hours, each once",
                fix="build the features again",
            )
        )
        for number in np.flatnonzero((filled != 1).any(axis=1)).tolist()
    }
    return Sample(tuple(series), times, states, known, age, flags, errors)


def nothing(network: Network, series: Sequence[str], times: NDArray[np.int64]) -> Sample:
    """Return a sample of grids of which no state is known."""
    count = len(series) * len(times)
    width = {"generator": len(network.generators), "load": len(network.loads)}
    held = {name: (count, width.get(name.split("_")[0], len(network.lines))) for name in COLUMNS}
    arrays: dict[str, NDArray[Any]] = {
        name: np.zeros(shape, dtype=np.int8) if COLUMNS[name] == BUSES else np.full(shape, np.nan)
        for name, shape in held.items()
    }
    ages = np.full(len(series), UNKNOWN, dtype=np.int32)
    unknown, flags = np.zeros(count, dtype=bool), np.zeros(count, dtype=np.int32)
    return Sample(tuple(series), times, States(**arrays), unknown, ages, flags, {})


def _lists(values: NDArray[Any], kind: pa.DataType) -> pa.ListArray:
    offsets = np.arange(len(values) + 1, dtype=np.int32) * values.shape[1]
    return pa.ListArray.from_arrays(pa.array(offsets), pa.array(values.reshape(-1), kind.value_type))


def _matrix(column: pa.ChunkedArray, width: int, name: str) -> NDArray[Any]:
    """Return lists of one length as a matrix; another length is of another network."""
    held = column.combine_chunks()
    lengths = held.value_lengths().to_numpy(zero_copy_only=False)
    if (lengths != width).any():
        raise Refused(
            "E_FEAT_DTYPE",
            f"column {name} has lists of {sorted(set(lengths.tolist()))[:3]} numbers, not of {width}",
            fix="build the features again: the network has changed",
        )
    return held.flatten().to_numpy(zero_copy_only=False).reshape(-1, width)
