"""The grid action workload: from the states of grids to the actions that load their lines least."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from wattahead.domain.bundle import Manifest, Output
from wattahead.domain.catalog import Catalog
from wattahead.domain.errors import Refused
from wattahead.domain.grid import Network
from wattahead.domain.plan import Planned, PlannedGrids
from wattahead.grid.candidates import Candidates
from wattahead.workloads.grid_action import planning, rows, sample, screening
from wattahead.workloads.grid_action.planning import BASELINE, NAME
from wattahead.workloads.grid_action.sample import Sample
from wattahead.workloads.protocol import Held, Scored, Task

if TYPE_CHECKING:
    from wattahead.storage.timeseries import Root

__all__ = ["NAME", "baseline", "feature_schema", "output", "plan", "pools", "roots", "score", "series"]


def pools(catalog: Catalog) -> tuple[str, ...]:
    """Return the pools of grids in a catalog, sorted."""
    return tuple(sorted(catalog.grid_pools))


def plan(catalog: Catalog, held: Held) -> Mapping[str, Planned]:
    """Return what workers need to know of each pool of grids."""
    return {name: planning.planned_grids(catalog, name, held(name)) for name in pools(catalog)}


def series(catalog: Catalog, pool: str) -> tuple[str, ...]:
    """Return the names of a pool's grids, sorted."""
    return tuple(sorted(catalog.grid_pools[pool].grids))


def roots(catalog: Catalog) -> Sequence["Root"]:
    """Return the rows that the screening reads: states of the grids of each network."""
    from wattahead.storage import timeseries  # noqa: PLC0415 - score never asks

    return [timeseries.states(name) for name in sorted({pool.network for pool in catalog.grid_pools.values()})]


def baseline(catalog: Catalog, pool: str) -> tuple[str, Manifest, Mapping[str, bytes]]:
    """Return the linear answer, which needs no files."""
    return BASELINE, planning.linear_manifest(pool, catalog.grid_pools[pool]), {}


def feature_schema(planned: Planned) -> dict[str, pa.DataType]:  # noqa: ARG001 - the workloads' common form
    """Return the columns of a feature object."""
    return sample.ABOUT | sample.COLUMNS


def output(planned: Planned) -> Output:
    """Return what a bundle must predict to serve a pool."""
    return planning.output_of(own(planned).pool)


def score(task: Task, table: pa.Table | None) -> Scored:
    """Return the rows of a batch; without a feature object none of its states is known, and the rows say so."""
    planned, series = own(task.plan.pools[task.batch.pool]), task.batch.series
    times = sample.valid_times(planned, task.plan.issue_time)
    read = _read(planned.network, series, times, table)
    ranked, errors = _ranked(task, planned, read)
    found, flags = rows.to_rows(task.plan, planned, read, ranked, run_id=task.run_id, extra=task.extra)
    worst = ranked.level.reshape(len(series), -1).argmax(axis=1) + np.arange(len(series)) * len(times)
    served = tuple(ranked.served_by[place] for place in worst.tolist())
    return Scored(found, ranked.level[worst], served, flags, {**read.errors, **errors})


def _read(network: Network, series: tuple[str, ...], times: NDArray[np.int64], table: pa.Table | None) -> Sample:
    """Return what is known of a batch; a feature object of another network says nothing, and why is told."""
    blank = sample.nothing(network, series, times)
    if table is None:
        return blank
    try:
        return sample.read_sample(table, network, series, times)
    except Refused as error:
        return replace(blank, errors={"": str(error)})


def _ranked(task: Task, planned: PlannedGrids, read: Sample) -> tuple[rows.Ranked, dict[str, str]]:
    """Return the chosen actions of all states of a batch, grid by grid, and why a rung served nobody."""
    candidates, steps = Candidates(planned.network), len(read.valid_times)
    outputs = planning.output_of(planned.pool).quantiles
    top = min(planned.pool.top, len(candidates.actions) - 1)
    parts: list[rows.Ranked] = []
    errors: dict[str, str] = {}
    for number, grid in enumerate(read.series):
        here = slice(number * steps, (number + 1) * steps)
        part = screening.unknown(steps, len(outputs), top=top)
        known = np.flatnonzero(read.known[here])
        if len(known):
            some, climbed = screening.screened(
                task, grid, candidates, read.states.take(here).take(known), outputs, top=top
            )
            part = screening.placed(part, some, known)
            errors |= climbed.errors
        parts.append(part)
    return screening.joined(parts), errors


def own(planned: Planned) -> PlannedGrids:
    """Return a planned pool of this workload as what it is."""
    if not isinstance(planned, PlannedGrids):
        raise TypeError(f"{planned.name} is a pool of {planned.workload}")
    return planned
