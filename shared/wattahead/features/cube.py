"""The cube: one value per (feature, series, issue time, step), from what was known at each issue time.

One issue time or 8,760: the same code, and the same bits for a series whatever its neighbours are.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from wattahead.domain.hours import DAY, MINUTE
from wattahead.domain.quality import Quality
from wattahead.features.grammar import feature, lookback_days
from wattahead.features.history import extreme, window
from wattahead.features.panel import Panel
from wattahead.features.view import SEARCH_DAYS, WEATHER_AFTER, WEATHER_BEFORE, View

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

    def take(self, series: NDArray[np.int64]) -> "Inputs":
        """Return the inputs of some of the series."""

        def rows(held: Panel, per_series: int) -> Panel:
            picked = (series[:, None] * per_series + np.arange(per_series)).reshape(-1)
            return Panel(held.start, held.step, held.values[picked], held.available[picked], {})

        points = {name: len(held.values) // len(self.target.values) for name, held in self.weather.items()}
        weather = {name: rows(held, points[name]) for name, held in self.weather.items()}
        return Inputs(
            rows(self.target, 1), weather, self.latitude[series], self.longitude[series], self.capacity[series]
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


def _chunks(recipe: Recipe, inputs: Inputs, count: int) -> Iterator[slice]:
    cells = len(inputs.target.values) * recipe.history // recipe.step
    size = max(1, _CELLS_AT_ONCE // max(cells, 1))
    for first in range(0, count, size):
        yield slice(first, first + size)


def _chunk(recipe: Recipe, inputs: Inputs, times: Instants) -> Cube:
    known = inputs.target.known(times, before=recipe.history // recipe.step)
    scale = _scale(recipe, inputs, known)
    view = View(
        times,
        recipe.steps,
        recipe.step,
        known,
        scale,
        _weather(recipe, inputs, times),
        inputs.latitude,
        inputs.longitude,
    )
    values = np.empty((len(recipe.features), *view.shape), dtype=np.float32)
    for index, name in enumerate(recipe.features):
        values[index] = feature(name).compute(view)
    age = (view.newest * (recipe.step // MINUTE)).astype(np.int32)
    return Cube(recipe.features, values, scale, age, _flags(recipe, view, scale))


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


def _flags(recipe: Recipe, view: View, scale: Floats) -> NDArray[np.int32]:
    flags = np.where(np.isfinite(scale), 0, Quality.NO_SCALE)
    allowed = -(-recipe.publication_delay // recipe.step)  # cells not published yet, rounded up
    flags |= np.where(view.newest > allowed, Quality.TARGET_STALE, 0)
    last_day = window(view.target, view.cells_per_day, allowed)
    flags |= np.where(np.isfinite(last_day).all(axis=2), 0, Quality.TARGET_GAP)
    first = WEATHER_BEFORE // recipe.step
    for held in view.weather.values():
        there = np.any(np.isfinite(held[:, :, first : first + recipe.steps]), axis=3)
        flags |= np.where(np.all(there, axis=2), 0, Quality.WEATHER_MISSING)
    return flags.astype(np.int32)
