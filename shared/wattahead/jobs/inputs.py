"""From the bucket to the panels that features are made of: one pool, any range of issue times."""

from collections.abc import Mapping, Sequence

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from wattahead.domain.catalog import Signal
from wattahead.domain.hours import DAY, duration
from wattahead.features.cube import Inputs
from wattahead.features.grammar import providers, variables
from wattahead.features.others import Issued
from wattahead.features.panel import Panel, panel
from wattahead.features.source import Source, inputs_for, nothing
from wattahead.features.view import EXTERNAL_AFTER, EXTERNAL_BEFORE, WEATHER_AFTER, WEATHER_BEFORE
from wattahead.storage import timeseries
from wattahead.storage.objects import Bucket

RUNS_BACK = 3 * DAY  # weather model runs older than this ahead of the first weather hour are not read


def load_inputs(
    bucket: Bucket,
    source: Source,
    first: int,
    last: int,
    *,
    truth_until: int = 0,
    forecasts: Mapping[str, Issued] | None = None,
) -> Inputs:
    """Return the inputs for issue times from `first` to `last` [µs]; with `truth_until` the target reaches that far.

    `forecasts` are those of other signals, for the zones in the order of `source.names`.
    """
    recipe = source.recipe
    return inputs_for(
        source,
        _target(bucket, source, source.signal, first - recipe.history, max(last, truth_until)),
        _weather(bucket, source, first, last),
        source.signal,
        others={
            name: inputs_for(
                source, _target(bucket, source, signal, first - recipe.others[name].history, last), {}, signal
            )
            for name, signal in source.others.items()
        },
        forecasts=forecasts or {},
        external=_external(bucket, source, first, last),
    )


def _target(bucket: Bucket, source: Source, signal: Signal, start: int, end: int) -> Panel:
    table = timeseries.load(bucket, timeseries.actuals(signal.key, signal.subkey), start, end)
    names = [f"{name}/{signal.key}/{signal.subkey}" for name in source.names]
    zones = zone_numbers(table, source.names)
    return _panel(table, "value", zones, len(names), start, end, signal.step, names)


def _weather(bucket: Bucket, source: Source, first: int, last: int) -> dict[str, Panel]:
    wanted = variables(source.features)
    if not wanted:
        return {}
    if not source.pool.weather:  # nobody is named any more for what an older bundle reads
        return dict.fromkeys(wanted, nothing(source, first))
    start, end = first - WEATHER_BEFORE, last + duration(source.pool.horizon) + WEATHER_AFTER
    table = timeseries.load(bucket, timeseries.weather(source.pool.weather), start - RUNS_BACK, last, variables=wanted)
    points = int(table["point"].to_numpy().max(initial=0)) + 1
    zone = zone_numbers(table, source.names)
    who = np.where(zone >= 0, zone * points + table["point"].to_numpy(), -1)
    step = source.weather_step
    return {
        name: _panel(table, name, who, len(source.zones) * points, start, end, step, ()).held(source.signal.step)
        for name in wanted
    }


def _external(bucket: Bucket, source: Source, first: int, last: int) -> dict[str, Panel]:
    """Return what others said of the target, by provider. Rows of one that does not forecast it hold nothing."""
    variable = f"{source.signal.key}_{source.signal.subkey}"
    start, end = first - EXTERNAL_BEFORE, last + duration(source.pool.horizon) + EXTERNAL_AFTER
    names = [f"{name}/{variable}" for name in source.names]
    found = {}
    for provider in providers(source.features):
        root = timeseries.external(provider)
        table = timeseries.load(bucket, root, start - RUNS_BACK, last, variables=(variable,))
        zones = zone_numbers(table, source.names)
        found[provider] = _panel(table, variable, zones, len(names), start, end, source.signal.step, names)
    return found


def _panel(
    table: pa.Table,
    column: str,
    who: NDArray[np.int64],
    series: int,
    start: int,
    end: int,
    step: int,
    names: Sequence[str],
) -> Panel:
    value = table[column].to_numpy().astype(np.float64)
    valid_time, available_at = (table[name].cast(pa.int64()).to_numpy() for name in ("valid_time", "available_at"))
    return panel(who, valid_time, available_at, value, series=series, start=start, end=end, step=step, names=names)


def zone_numbers(table: pa.Table, names: Sequence[str]) -> NDArray[np.int64]:
    """Return the position of each row's zone in `names`, -1 for a zone that is not asked for."""
    where = {name: number for number, name in enumerate(names)}
    zones = table["zone"].combine_chunks()
    if not len(zones):
        return np.empty(0, dtype=np.int64)
    numbers = np.array([where.get(name, -1) for name in zones.dictionary.to_pylist()], dtype=np.int64)
    return numbers[zones.indices.to_numpy(zero_copy_only=False)]
