"""From the bucket to the panels that features are made of: one pool, any range of issue times."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from wattahead.domain.catalog import Pool, Signal, Zone
from wattahead.domain.hours import DAY, NEVER, duration
from wattahead.domain.plan import PlannedPool
from wattahead.features.cube import Inputs, Recipe
from wattahead.features.grammar import past_of, providers, signals_of, variables
from wattahead.features.others import Issued
from wattahead.features.panel import Panel, panel
from wattahead.features.view import EXTERNAL_AFTER, EXTERNAL_BEFORE, WEATHER_AFTER, WEATHER_BEFORE
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
    signals: Mapping[str, Signal] = field(default_factory=dict)  # by name; those that features read are among them
    rules: Mapping[str, str] = field(default_factory=dict)  # training only: pool -> the rule of hindcasts to learn from

    @classmethod
    def of(cls, planned: PlannedPool) -> "Source":
        """Return the source of a planned pool."""
        return cls(planned.pool, planned.signal, dict(planned.zones), planned.features, planned.others)

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
    def others(self) -> dict[str, Signal]:
        """Other signals that the features read, as far as they are there and on the same grid."""
        read = {name: self.signals[name] for name in signals_of(self.features) if name in self.signals}
        return {name: signal for name, signal in read.items() if signal.step == self.signal.step}

    @property
    def weather_step(self) -> int:
        """Length of an interval of the weather [µs]: the signal's own unless the pool says that it is coarser."""
        return duration(self.pool.weather_resolution) if self.pool.weather_resolution else self.signal.step

    @property
    def recipe(self) -> Recipe:
        """What the cube is made of."""
        past = past_of(self.features)
        others = {name: self._recipe(signal, past.get(name, ())) for name, signal in self.others.items()}
        return replace(self._recipe(self.signal, self.features), others=others, factors=self.signal.factors)

    def _recipe(self, signal: Signal, features: tuple[str, ...]) -> Recipe:
        steps = duration(self.pool.horizon) // signal.step
        return Recipe(features, signal.step, steps, duration(signal.scaling_window), duration(signal.publication_delay))


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
    return _inputs(
        source,
        _target(bucket, source, source.signal, first - recipe.history, max(last, truth_until)),
        _weather(bucket, source, first, last),
        source.signal,
        others={
            name: _inputs(
                source, _target(bucket, source, signal, first - recipe.others[name].history, last), {}, signal
            )
            for name, signal in source.others.items()
        },
        forecasts=forecasts or {},
        external=_external(bucket, source, first, last),
    )


def empty_inputs(source: Source, issue_time: int, *, calendars: bool = True) -> Inputs:
    """Return inputs that know nothing: what is left then is the clock, and the zones' calendars where there are any."""
    nothing = _nothing(source, issue_time)
    weather = dict.fromkeys(variables(source.features), nothing)
    others = {name: _inputs(source, nothing, {}, None) for name in source.others}
    external = dict.fromkeys(providers(source.features), nothing)
    return _inputs(source, nothing, weather, None, calendars=calendars, others=others, external=external)


def _nothing(source: Source, issue_time: int) -> Panel:
    shape = len(source.zones), 1, 1
    return Panel(issue_time, source.signal.step, np.full(shape, np.nan), np.full(shape, NEVER), {})


def _inputs(
    source: Source,
    target: Panel,
    weather: Mapping[str, Panel],
    signal: Signal | None,
    *,
    calendars: bool = True,
    others: Mapping[str, Inputs] | None = None,
    forecasts: Mapping[str, Issued] | None = None,
    external: Mapping[str, Panel] | None = None,
) -> Inputs:
    """Return a target with what is known of its places; without a signal it has no capacity."""
    places = [source.zones[name] for name in source.names]
    capacity = signal.capacity if signal else {}
    return Inputs(
        target,
        weather,
        np.array([place.latitude for place in places]),
        np.array([place.longitude for place in places]),
        np.array([capacity.get(name, np.nan) for name in source.names]),
        timezones=tuple(place.timezone for place in places) if calendars else (),
        holidays=tuple(place.holidays for place in places) if calendars else (),
        others=others or {},
        forecasts=forecasts or {},
        external=external or {},
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
        return dict.fromkeys(wanted, _nothing(source, first))
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
