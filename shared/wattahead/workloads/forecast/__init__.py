"""The forecast workload: from the features of a batch to quantiles of every series and hour."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import pyarrow as pa

from wattahead.domain.bundle import Manifest, Output
from wattahead.domain.catalog import Catalog
from wattahead.domain.plan import Batch, Plan, Planned, PlannedPool
from wattahead.features.grammar import providers
from wattahead.workloads.forecast import planning, rows, sample
from wattahead.workloads.forecast.planning import NAME
from wattahead.workloads.forecast.sample import Sample
from wattahead.workloads.ladder import climb
from wattahead.workloads.protocol import Held, Scored, Task

if TYPE_CHECKING:
    from wattahead.storage.timeseries import Root

__all__ = ["NAME", "baseline", "feature_schema", "output", "plan", "pools", "roots", "score", "series"]


def pools(catalog: Catalog) -> tuple[str, ...]:
    """Return the pools of forecasts in a catalog, sorted."""
    return tuple(sorted(catalog.pools))


def plan(catalog: Catalog, held: Held) -> Mapping[str, Planned]:
    """Return what workers need to know of each pool of forecasts."""
    return planning.in_stages(
        catalog, {name: planning.planned_pool(catalog, name, held(name)) for name in pools(catalog)}
    )


def series(catalog: Catalog, pool: str) -> tuple[str, ...]:
    """Return the names of a pool's series, sorted."""
    return tuple(str(one) for one in catalog.series(pool))


def roots(catalog: Catalog) -> Sequence["Root"]:
    """Return the rows that forecasts read: actuals, weather, and what others forecast."""
    from wattahead.storage import timeseries  # noqa: PLC0415 - score never asks

    signals = {(signal.key, signal.subkey) for signal in catalog.signals.values()}
    weather = {pool.weather for pool in catalog.pools.values()} - {""}
    others = {name for pool in catalog.pools.values() for name in providers(catalog.feature_sets[pool.feature_set])}
    return [
        *(timeseries.actuals(*signal) for signal in sorted(signals)),
        *(timeseries.weather(provider) for provider in sorted(weather)),
        *(timeseries.external(provider) for provider in sorted(others)),
    ]


def baseline(catalog: Catalog, pool: str) -> tuple[str, Manifest, Mapping[str, bytes]]:
    """Return seasonal naive, which needs no files."""
    held = catalog.pools[pool]
    return "seasonal_naive", planning.naive_manifest(pool, catalog.signals[held.signal], held), {}


def feature_schema(planned: Planned) -> dict[str, pa.DataType]:
    """Return the columns of a feature object."""
    return sample.feature_schema(own(planned))


def output(planned: Planned) -> Output:
    """Return what a bundle must predict to serve a pool."""
    held = own(planned)
    return planning.output_of(held.signal, held.pool)


def score(task: Task, table: pa.Table | None) -> Scored:
    """Return the rows of a batch; without a feature object those that the clock alone gives."""
    planned = own(task.plan.pools[task.batch.pool])

    def blind() -> Sample:
        return _blind(task.plan, planned, task.batch)

    times = sample.valid_times(planned, task.plan.issue_time)
    read = blind() if table is None else sample.read_sample(table, task.batch, planned, times, blind)
    climbed = climb(read.rows, task.rungs, task.open_model, quantiles=len(planned.pool.quantiles))
    found, flags = rows.to_rows(task.plan, planned, read, climbed, run_id=task.run_id, extra=task.extra)
    return Scored(found, climbed.level, climbed.served_by, flags, read.errors | climbed.errors)


def own(planned: Planned) -> PlannedPool:
    """Return a planned pool of this workload as what it is."""
    if not isinstance(planned, PlannedPool):
        raise TypeError(f"{planned.name} is a pool of {planned.workload}")
    return planned


def _blind(plan: Plan, planned: PlannedPool, batch: Batch) -> Sample:
    """Return rows that know nothing but the clock."""
    # Rarely needed, and what reads history would take a tenth of every cold start.
    from wattahead.features.cube import build  # noqa: PLC0415
    from wattahead.features.source import Source, empty_inputs  # noqa: PLC0415

    source = Source.of(planned)
    inputs = empty_inputs(source, plan.issue_time, calendars=False)  # the score image holds no rules of calendars
    cube = build(source.recipe, inputs, [plan.issue_time])
    times = sample.valid_times(planned, plan.issue_time)
    return sample.to_sample(batch.series, cube, source.positions(batch.series), times)
