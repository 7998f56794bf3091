"""From the bucket to the panels that features are made of: one pool, any range of issue times."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from wattahead.domain.catalog import Pool, Signal, Zone
from wattahead.domain.hours import DAY, NEVER, duration
from wattahead.domain.plan import PlannedPool
from wattahead.features.cube import Inputs, Recipe
from wattahead.features.grammar import variables
from wattahead.features.panel import Panel, panel
from wattahead.features.view import WEATHER_AFTER, WEATHER_BEFORE
from wattahead.storage import timeseries
from wattahead.storage.objects import Bucket

RUNS_BACK = 3 * DAY  # weather model runs older than this ahead of the first weather hour are not read


@dataclass(frozen=True)
class Source:
    """A pool as the catalog or the plan describes it, with the features asked of it."""

    pool: Pool
    signal: Signal
    zones: dict[str, Zone]
    features: tuple[str, ...]

    @classmethod
    def of(cls, planned: PlannedPool) -> "Source":
        """Return the source of a planned pool."""
        return cls(planned.pool, planned.signal, dict(planned.zones), planned.features)

    def only(self, series: Sequence[str]) -> "Source":
        """Return the source for the zones of some series: what one batch needs of a large pool."""
        return replace(self, zones={name: self.zones[name] for name in {one.split("/", 1)[0] for one in series}})

    @property
    def names(self) -> list[str]:
        """Zones in the order of the panels."""
        return sorted(self.zones)

    def positions(self, series: Sequence[str]) -> NDArray[np.int64]:
        """Return where the panels hold each of `series`."""
        where = {zone: number for number, zone in enumerate(self.names)}
        return np.array([where[name.split("/", 1)[0]] for name in series], dtype=np.int64)

    @property
    def recipe(self) -> Recipe:
        """What the cube is made of."""
        signal = self.signal
        steps = duration(self.pool.horizon) // signal.step
        return Recipe(
            self.features, signal.step, steps, duration(signal.scaling_window), duration(signal.publication_delay)
        )


def load_inputs(bucket: Bucket, source: Source, first: int, last: int, *, truth_until: int = 0) -> Inputs:
    """Return the inputs for issue times from `first` to `last` [µs]; with `truth_until` the target reaches that far."""
    recipe, signal = source.recipe, source.signal
    start, end = first - recipe.history, max(last, truth_until)
    table = timeseries.load(bucket, timeseries.actuals(signal.key, signal.subkey), start, end)
    places = [source.zones[name] for name in source.names]
    target = _panel(
        table,
        "value",
        _numbers(table, source.names),
        len(places),
        start,
        end,
        signal.step,
        [f"{name}/{signal.key}/{signal.subkey}" for name in source.names],
    )
    return Inputs(
        target,
        _weather(bucket, source, first, last),
        np.array([place.latitude for place in places]),
        np.array([place.longitude for place in places]),
        np.array([signal.capacity.get(name, np.nan) for name in source.names]),
    )


def empty_inputs(source: Source, issue_time: int) -> Inputs:
    """Return inputs that know nothing: what is left then is the clock."""
    count, step = len(source.zones), source.signal.step
    nothing = Panel(issue_time, step, np.full((count, 1, 1), np.nan), np.full((count, 1, 1), NEVER), {})
    places = [source.zones[name] for name in source.names]
    return Inputs(
        nothing,
        dict.fromkeys(variables(source.features), nothing),
        np.array([place.latitude for place in places]),
        np.array([place.longitude for place in places]),
        np.full(count, np.nan),
    )


def _weather(bucket: Bucket, source: Source, first: int, last: int) -> dict[str, Panel]:
    wanted = variables(source.features)
    if not wanted:
        return {}
    start, end = first - WEATHER_BEFORE, last + duration(source.pool.horizon) + WEATHER_AFTER
    table = timeseries.load(bucket, timeseries.weather(source.pool.weather), start - RUNS_BACK, last, variables=wanted)
    points = int(table["point"].to_numpy().max(initial=0)) + 1
    zone = _numbers(table, source.names)
    who = np.where(zone >= 0, zone * points + table["point"].to_numpy(), -1)
    return {
        name: _panel(table, name, who, len(source.zones) * points, start, end, source.signal.step, ())
        for name in wanted
    }


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


def _numbers(table: pa.Table, names: Sequence[str]) -> NDArray[np.int64]:
    """Return the position of each row's zone in `names`, -1 for a zone that is not asked for."""
    where = {name: number for number, name in enumerate(names)}
    zones = table["zone"].combine_chunks()
    if not len(zones):
        return np.empty(0, dtype=np.int64)
    numbers = np.array([where.get(name, -1) for name in zones.dictionary.to_pylist()], dtype=np.int64)
    return numbers[zones.indices.to_numpy(zero_copy_only=False)]
