"""The cube: one value per (feature, series, issue time, step), from what was known at each issue time.

One issue time or 8,760: the same code, and the same bits for a series whatever its neighbours are.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from wattahead.domain.graph import MIX, forecasts_of
from wattahead.domain.hours import DAY, MINUTE
from wattahead.domain.quality import Quality
from wattahead.features import external
from wattahead.features.grammar import feature, lookback_days, signals_of
from wattahead.features.history import extreme, window
from wattahead.features.others import Issued, absent
from wattahead.features.panel import Panel
from wattahead.features.view import EXTERNAL_BEFORE, SEARCH_DAYS, WEATHER_AFTER, WEATHER_BEFORE, View

Floats = NDArray[np.float64]
Instants = NDArray[np.int64]

_CELLS_AT_ONCE = 4_000_000  # bounds the memory of one chunk of issue times


@dataclass(frozen=True)
class Recipe:
    """What the cube is made of, as the catalog and the bundles say."""

    features: tuple[str, ...]
    step: int  # [µs]
    steps: int
    scaling_window: int  # [µs]
    publication_delay: int  # [µs]
    others: Mapping[str, "Recipe"] = field(default_factory=dict)  # of other signals: `features` are of their own past
    factors: Mapping[str, float] = field(default_factory=dict)  # of a mix, as the signal states them

    @property
    def history(self) -> int:
        """How far back the target must be read [µs]."""
        return max(self.scaling_window, DAY * max(SEARCH_DAYS, lookback_days(self.features)))


@dataclass(frozen=True)
class Inputs:
    """Panels and places of S series. Weather panels hold S x P rows, the points of a series beside each other."""

    target: Panel
    weather: Mapping[str, Panel]
    latitude: Floats
    longitude: Floats
    capacity: Floats  # (S) [unit]; NaN: scale by the trailing maximum
    timezones: tuple[str, ...] = ()  # (S) as in the view
    holidays: tuple[str, ...] = ()  # (S) as in the view
    others: Mapping[str, "Inputs"] = field(default_factory=dict)  # other signals of the same S places
    forecasts: Mapping[str, Issued] = field(default_factory=dict)  # of other signals
    external: Mapping[str, Panel] = field(default_factory=dict)  # provider -> its forecasts of the target

    def take(self, series: NDArray[np.int64]) -> "Inputs":
        """Return the inputs of some of the series."""

        def rows(held: Panel, per_series: int) -> Panel:
            picked = (series[:, None] * per_series + np.arange(per_series)).reshape(-1)
            return Panel(held.start, held.step, held.values[picked], held.available[picked], {})

        points = {name: len(held.values) // len(self.target.values) for name, held in self.weather.items()}
        weather = {name: rows(held, points[name]) for name, held in self.weather.items()}
        return Inputs(
            rows(self.target, 1),
            weather,
            self.latitude[series],
            self.longitude[series],
            self.capacity[series],
            tuple(self.timezones[one] for one in series if self.timezones),
            tuple(self.holidays[one] for one in series if self.holidays),
            {name: held.take(series) for name, held in self.others.items()},
            {name: held.take(series) for name, held in self.forecasts.items()},
            {name: rows(held, 1) for name, held in self.external.items()},
        )


@dataclass(frozen=True)
class Cube:
    """Features and what they say about themselves. F features, S series, T issue times, H steps."""

    names: tuple[str, ...]
    values: NDArray[np.float32]  # (F, S, T, H), history in units of the scale
    scale: Floats  # (S, T) [unit]; NaN where there is none
    age_minutes: NDArray[np.int32]  # (S, T) from the end of the newest known interval; the whole window if none
    flags: NDArray[np.int32]  # (S, T) Quality bits


def build(recipe: Recipe, inputs: Inputs, issue_times: Sequence[int] | Instants) -> Cube:
    """Return the cube of all series of `inputs` at `issue_times` [µs, on the grid]."""
    times = np.asarray(issue_times, dtype=np.int64)
    parts = [_chunk(recipe, inputs, times[chunk]) for chunk in _chunks(recipe, inputs, len(times))]
    return Cube(
        recipe.features,
        np.concatenate([part.values for part in parts], axis=2),
        np.concatenate([part.scale for part in parts], axis=1),
        np.concatenate([part.age_minutes for part in parts], axis=1),
        np.concatenate([part.flags for part in parts], axis=1),
    )


def overdue(recipe: Recipe, inputs: Inputs, issue_times: Sequence[int] | Instants) -> NDArray[np.bool_]:
    """Return where an external forecast that is usually there is not, but may still come, shape (S, T)."""
    times = np.asarray(issue_times, dtype=np.int64)
    owed = external.overdue(inputs.external, times, recipe.steps)
    return np.broadcast_to(owed, (len(inputs.target.values), len(times)))


def _chunks(recipe: Recipe, inputs: Inputs, count: int) -> Iterator[slice]:
    histories = recipe.history + sum(other.history for other in recipe.others.values())
    histories += len(inputs.external) * EXTERNAL_BEFORE
    cells = len(inputs.target.values) * histories // recipe.step
    size = max(1, _CELLS_AT_ONCE // max(cells, 1))
    for first in range(0, count, size):
        yield slice(first, first + size)


def _chunk(recipe: Recipe, inputs: Inputs, times: Instants) -> Cube:
    view = _view(recipe, inputs, times)
    values = np.empty((len(recipe.features), *view.shape), dtype=np.float32)
    for index, name in enumerate(recipe.features):
        values[index] = feature(name).compute(view)
    age = (view.newest * (recipe.step // MINUTE)).astype(np.int32)
    flags = _flags(recipe, view) | np.where(overdue(recipe, inputs, times), Quality.INPUT_MISSING, 0).astype(np.int32)
    return Cube(recipe.features, values, view.scale, age, flags)


def _view(recipe: Recipe, inputs: Inputs, times: Instants) -> View:
    target = inputs.target.known(times, before=recipe.history // recipe.step)
    others = {name: _view(other, inputs.others[name], times) for name, other in recipe.others.items()}
    return View(
        times,
        recipe.steps,
        recipe.step,
        target,
        _scale(recipe, inputs, target),
        _weather(recipe, inputs, times),
        inputs.latitude,
        inputs.longitude,
        inputs.timezones,
        inputs.holidays,
        others,
        {name: issued.at(times, recipe.steps) for name, issued in inputs.forecasts.items() if name in others},
        {name: external.known(held, times, recipe.steps) for name, held in inputs.external.items()},
        recipe.factors,
    )


def _scale(recipe: Recipe, inputs: Inputs, known: Floats) -> Floats:
    """Return the trailing maximum of what is known, or the stated capacity. Zero or nothing known gives NaN."""
    cells = recipe.scaling_window // recipe.step
    highest = extreme(np.fmax, known[:, :, max(known.shape[2] - cells, 0) :], axis=2)
    scale = np.where(np.isfinite(inputs.capacity)[:, None], inputs.capacity[:, None], highest)
    return np.where(scale > 0, scale, np.nan)


def _weather(recipe: Recipe, inputs: Inputs, times: Instants) -> dict[str, Floats]:
    before, after = WEATHER_BEFORE // recipe.step, recipe.steps + WEATHER_AFTER // recipe.step
    found = {}
    for variable, panel in inputs.weather.items():
        known = panel.known(times, before=before, after=after)
        series = len(inputs.target.values)
        found[variable] = known.reshape(series, -1, *known.shape[1:]).transpose(0, 2, 3, 1)
    return found


def _flags(recipe: Recipe, view: View) -> NDArray[np.int32]:
    flags = np.where(np.isfinite(view.scale), 0, Quality.NO_SCALE)
    allowed = _unpublished(recipe)
    flags |= np.where(view.newest > allowed, Quality.TARGET_STALE, 0)
    last_day = window(view.target, view.cells_per_day, allowed)
    flags |= np.where(np.isfinite(last_day).all(axis=2), 0, Quality.TARGET_GAP)
    first = WEATHER_BEFORE // recipe.step
    for held in view.weather.values():
        there = np.any(np.isfinite(held[:, :, first : first + recipe.steps]), axis=3)
        flags |= np.where(np.all(there, axis=2), 0, Quality.WEATHER_MISSING)
    return (flags | _of_others(recipe, view)).astype(np.int32)


def _of_others(recipe: Recipe, view: View) -> NDArray[np.int64]:
    """Return the flags of other signals. One that a zone does not have is neither late nor missing."""
    flags = np.zeros(view.scale.shape, dtype=np.int64)
    for name, other in view.others.items():
        late = (other.newest > _unpublished(recipe.others[name])) & (other.newest < other.target.shape[2])
        flags |= np.where(late & bool(recipe.others[name].features), Quality.INPUT_STALE, 0)
    for name in {*forecasts_of(recipe.features), *(recipe.factors if MIX in recipe.features else ())}:
        there = name in view.forecasts and (np.isfinite(view.forecasts[name]).any(axis=2) | absent(view, name))
        flags |= np.where(there, 0, Quality.INPUT_MISSING)
    if not set(signals_of(recipe.features)) <= view.others.keys():
        flags |= Quality.INPUT_MISSING  # a signal that the catalog no longer holds
    return flags


def _unpublished(recipe: Recipe) -> int:
    """Return how many of the newest cells are not published yet, rounded up."""
    return -(-recipe.publication_delay // recipe.step)
