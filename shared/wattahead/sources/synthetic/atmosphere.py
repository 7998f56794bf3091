"""The fields of the true weather and of the forecast runs, for one zone and a range of days."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Final

import numpy as np

from wattahead.domain.hours import DAY, HOUR
from wattahead.domain.sun import Instants
from wattahead.sources.synthetic.draws import Array, Draws
from wattahead.sources.synthetic.fields import STEP, amplitudes, at_places, hourly, local, phases, run_amplitudes
from wattahead.sources.synthetic.places import Place
from wattahead.sources.synthetic.sky import Fields
from wattahead.sources.synthetic.streams import CLOUD, LOCAL, RUN_ERROR, SHARED_ERROR, WARMTH, WIND

RUN_HOURS: Final = 72  # an issue hour just before a run is known still sees its horizon of 24 h and 6 h more
_ERROR_MEMORY: Final = 0.8  # of forecast errors, per 6 h
_SHARED: Final = 0.5  # part of the error variance that all runs for one valid time have in common


@dataclass(frozen=True)
class Days:
    """Whole days of true weather, for one seed; draws that zones have in common are made once."""

    seed: int
    first: int  # day since 1970
    count: int

    @property
    def hours(self) -> Instants:
        """Beginnings of the hours."""
        return self.first * DAY + np.arange(24 * self.count, dtype=np.int64) * HOUR

    @cached_property
    def _drawn(self) -> dict[tuple[int, float], Array]:
        return {}

    def once(self, stream: int, memory: float, draw: Callable[[], Array]) -> Array:
        """Return what `draw` gave for this stream and memory the first time."""
        if (stream, memory) not in self._drawn:
            self._drawn[stream, memory] = draw()
        return self._drawn[stream, memory]


def _systems(days: Days, stream: int, memory: float, phase: Array) -> Array:
    """Return a field of weather systems, hour by hour, shape (hours, sites)."""
    draws = Draws(days.seed, stream)
    amplitude = days.once(
        stream, memory, lambda: amplitudes(draws, memory=memory, first_day=days.first, days=days.count)
    )
    return hourly(at_places(amplitude, phase), memory)


def weather_systems(days: Days, where: Place) -> Fields:
    """Return the large-scale part of the weather: all that a forecast can know."""
    phase = phases(days.seed, where.latitude, where.longitude)
    climate = where.climate
    return Fields(
        cloud=_systems(days, CLOUD, climate.cloud.memory, phase),
        wind=_systems(days, WIND, climate.wind.memory, phase),
        warmth=_systems(days, WARMTH, climate.warmth.memory, phase),
    )


def true_weather(days: Days, where: Place, systems: Fields) -> Fields:
    """Return weather systems together with what each site has for itself."""

    def own(stream: int) -> Array:
        draws = Draws(days.seed, LOCAL + stream, where.number)
        return local(draws, first_day=days.first, days=days.count, sites=where.share.size)

    cloud, wind = where.climate.cloud.local, where.climate.wind.local
    return Fields(
        cloud=np.sqrt(1 - cloud) * systems.cloud + np.sqrt(cloud) * own(CLOUD),
        wind=np.sqrt(1 - wind) * systems.wind + np.sqrt(wind) * own(WIND),
        warmth=systems.warmth,
    )


def forecast_hours(runs: int) -> Instants:
    """Return which hour of the days each lead of each run is about, shape (runs, RUN_HOURS); run n starts on day n."""
    return 24 * np.arange(runs, dtype=np.int64)[:, None] + np.arange(RUN_HOURS, dtype=np.int64)


def forecast_weather(days: Days, where: Place, systems: Fields, runs: int) -> Fields:
    """Return what each run believes, shape (runs * RUN_HOURS, sites): true systems blurred by errors that grow."""
    phase = phases(days.seed, where.latitude, where.longitude)
    climate = where.climate

    def believed(truth: Array, stream: int, skill: float) -> Array:
        shared = _systems(days, SHARED_ERROR + stream, _ERROR_MEMORY, phase)
        own = _run_errors(days, RUN_ERROR + stream, phase, runs)
        return _blurred(truth, shared, own, skill).reshape(runs * RUN_HOURS, -1)

    return Fields(
        cloud=believed(systems.cloud, CLOUD, climate.cloud.skill),
        wind=believed(systems.wind, WIND, climate.wind.skill),
        warmth=believed(systems.warmth, WARMTH, climate.warmth.skill),
    )


def _run_errors(days: Days, stream: int, phase: Array, runs: int) -> Array:
    """Return errors that each run makes by itself, shape (runs, RUN_HOURS, sites)."""
    draws, knots = Draws(days.seed, stream), RUN_HOURS // STEP + 1
    amplitude = days.once(
        stream,
        _ERROR_MEMORY,
        lambda: run_amplitudes(draws, memory=_ERROR_MEMORY, first_day=days.first, runs=runs, knots=knots),
    )
    return hourly(at_places(amplitude, phase), _ERROR_MEMORY)


def _blurred(truth: Array, shared: Array, own: Array, skill: float) -> Array:
    """Return a forecast of unit variance whose correlation with the truth is `skill` a day ahead, less beyond."""
    about = forecast_hours(own.shape[0])
    days_ahead = (np.arange(RUN_HOURS) / 24)[None, :, None]
    error = (1 - skill**2) * (0.8 + 0.2 * days_ahead)
    common = _SHARED * (1 - skill**2)
    blurred: Array = np.sqrt(1 - error) * truth[about] + np.sqrt(common) * shared[about] + np.sqrt(error - common) * own
    return blurred
