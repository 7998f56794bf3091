"""What a pool's features are made of: its places, its signals, and inputs that know nothing."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from wattahead.domain.catalog import Pool, Signal, Zone
from wattahead.domain.hours import NEVER, duration
from wattahead.domain.plan import PlannedPool
from wattahead.features.cube import Inputs, Recipe
from wattahead.features.grammar import past_of, providers, signals_of, variables
from wattahead.features.others import Issued
from wattahead.features.panel import Panel


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


def empty_inputs(source: Source, issue_time: int, *, calendars: bool = True) -> Inputs:
    """Return inputs that know nothing: what is left then is the clock, and the zones' calendars where there are any."""
    unknown = nothing(source, issue_time)
    weather = dict.fromkeys(variables(source.features), unknown)
    others = {name: inputs_for(source, unknown, {}, None) for name in source.others}
    external = dict.fromkeys(providers(source.features), unknown)
    return inputs_for(source, unknown, weather, None, calendars=calendars, others=others, external=external)


def nothing(source: Source, issue_time: int) -> Panel:
    """Return a panel of a source's places in which no value is ever known."""
    shape = len(source.zones), 1, 1
    return Panel(issue_time, source.signal.step, np.full(shape, np.nan), np.full(shape, NEVER), {})


def inputs_for(
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
