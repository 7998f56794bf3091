"""The feature objects of pools of grids: the present state of each, and the states that its next hours may have."""

from typing import Final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from wattahead.domain.errors import Refused, Transient
from wattahead.domain.grid import Network
from wattahead.domain.hours import MINUTE, duration
from wattahead.domain.plan import Batch
from wattahead.domain.quality import Quality
from wattahead.features.panel import panel
from wattahead.grid.ahead import BACK, Past, ahead
from wattahead.grid.elements import VARIABLES, count, from_elements
from wattahead.grid.power_flow import power_flow
from wattahead.grid.states import Floats, States, joined
from wattahead.jobs.building import Building
from wattahead.jobs.hour import features_key, run_id
from wattahead.jobs.inputs import zone_numbers
from wattahead.storage import timeseries
from wattahead.storage.ledger import Outcome
from wattahead.storage.tables import encode_table
from wattahead.workloads.grid_action import own
from wattahead.workloads.grid_action.sample import Sample, nothing, to_table, valid_times

CELL: Final = 5 * MINUTE  # states are told apart that are this far from each other


def build_pool(hour: Building, name: str, batches: list[Batch]) -> dict[str, Outcome]:
    """Return how each batch of a pool ended. What is read once serves them all."""
    planned, at = own(hour.plan.pools[name]), hour.plan.issue_time
    series = [one for batch in batches for one in batch.series]
    times = valid_times(planned, at)
    until = at + duration(planned.pool.horizon)
    rows, errors = _rows(hour, planned.network, at - max(BACK), until)
    known, torn = _known(rows, planned.network, series, at, until)
    outcomes: dict[str, Outcome] = {}
    for batch in batches:
        places = [series.index(one) for one in batch.series]
        read, why = _sample(planned.network, batch.series, [known[place] for place in places], at, times)
        told = {one: torn[place] for one, place in zip(batch.series, places, strict=True) if place in torn}
        outcomes[batch.name] = _write(hour, batch, read, {**errors, **told, **why})
    return outcomes


def _rows(hour: Building, network: Network, start: int, end: int) -> tuple[pa.Table, dict[str, str]]:
    """Return all stored states between two times [µs]. Where they are damaged for good, none."""
    root = timeseries.states(network.name)
    try:
        return timeseries.load(hour.bucket, root, start, end, variables=VARIABLES), {}
    except Refused as error:
        if error.code == "E_S3_DENIED":  # a policy can be mended within the hour; an empty hour must not be frozen
            raise Transient(error.code, error.fact, fix=error.fix) from error
        kinds = timeseries.FORECASTS | dict.fromkeys(VARIABLES, pa.float32())
        return pa.table({name: pa.array([], kind) for name, kind in kinds.items()}), {"": str(error)}


def _known(
    rows: pa.Table, network: Network, series: list[str], at: int, until: int
) -> tuple[list[dict[str, Floats]], dict[int, str]]:
    """Return what was known at the issue time of each grid: variable -> (cells, elements); and torn revisions."""
    points, start = count(network), at - max(BACK)
    grid, point = zone_numbers(rows, series), rows["point"].to_numpy()
    who = np.where((grid >= 0) & (point >= 0) & (point < points), grid * points + point, -1)
    valid, available = (rows[name].cast(pa.int64()).to_numpy() for name in ("valid_time", "available_at"))
    arrays: dict[str, NDArray[np.float64]] = {}
    torn: dict[int, str] = {}
    for name in VARIABLES:
        value = rows[name].to_numpy().astype(np.float64)
        held = panel(who, valid, available, value, series=len(series) * points, start=start,
                     end=until, step=CELL, names=[one for one in series for _ in range(points)])  # fmt: skip
        # By cell: a torn revision of one moment says nothing of any other.
        arrays[name] = held.settled(at).reshape(len(series), points, -1)
        torn |= {number // points: str(why) for number, why in held.conflicts.items()}
    return [{name: array[place].T for name, array in arrays.items()} for place in range(len(series))], torn


def _sample(
    network: Network, series: tuple[str, ...], known: list[dict[str, Floats]], at: int, times: NDArray[np.int64]
) -> tuple[Sample, dict[str, str]]:
    """Return the states of a batch at every hour of the horizon, and why flows could not be solved."""
    cells = at - max(BACK) + np.arange(len(known[0]["p"])) * CELL
    parts, ages = [], []
    for place, one in enumerate(series):
        there = np.isfinite(known[place]["p"]).any(axis=1)
        held = {name: array[there] for name, array in known[place].items()}
        found = ahead(network, Past(cells[there], from_elements(network, held)), at, times) if there.any() else None
        blank = nothing(network, (one,), times)
        lost = (blank.states, (blank.flags | Quality.TARGET_STALE).astype(np.int32))
        parts.append((found.states, found.flags) if found else lost)
        ages.append(found.age_minutes if found else int(blank.age_minutes[0]))
    whole, flags = joined([states for states, _ in parts]), np.concatenate([flags for _, flags in parts])
    errors = {}
    try:
        whole, flags = _solved(network, whole, flags)
    except Refused as error:  # a simulator that does not know this network: flows stay estimated, and say so
        errors[""] = str(error)
    return Sample(series, times, whole, whole.complete, np.array(ages, dtype=np.int32), flags, {}), errors


def _solved(network: Network, states: States, flags: NDArray[np.int32]) -> tuple[States, NDArray[np.int32]]:
    """Return the states with solved flows in place of estimated ones, where a simulator of the network is installed."""
    estimated = np.flatnonzero(flags & Quality.FLOWS_ESTIMATED)
    settle = power_flow() if len(estimated) and network.environment else None
    if settle is None:
        return states, flags
    found, failed = settle(network, states.take(estimated))
    solved = estimated[~failed]
    flags = flags.copy()
    flags[solved] &= ~int(Quality.FLOWS_ESTIMATED)
    return states.put(solved, found.take(~failed)), flags


def _write(hour: Building, batch: Batch, read: Sample, errors: dict[str, str]) -> Outcome:
    attempt = hour.attempt(batch)
    stale = (read.flags & Quality.TARGET_STALE != 0).reshape(len(batch.series), -1).any(axis=1)
    if stale.any() and hour.is_early(batch.pool):
        return hour.wait(attempt, batch)
    late = np.repeat(np.where(stale, Quality.DEADLINE_PASSED, 0), len(read.valid_times))
    table = to_table(Sample(**{**vars(read), "flags": (read.flags | late).astype(np.int32)}))
    created = attempt.timed("write", lambda: hour.bucket.create(features_key(hour.plan, batch), encode_table(table)))
    outcome: Outcome = "ok" if created.created else "duplicate"
    groups = {"complete": ~stale, "flagged": stale}
    told = {label: tuple(np.array(batch.series)[chosen].tolist()) for label, chosen in groups.items() if chosen.any()}
    number = run_id(hour.digest, batch.name)
    attempt.record(outcome, run_id=number, rows=table.num_rows, outcomes=told, errors=errors)
    return outcome
