"""Small forecasts with a truth, ready to be judged."""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from wattahead.domain.catalog import Signal, Zone
from wattahead.domain.hours import DAY, HOUR, instant
from wattahead.domain.series import Series
from wattahead.evaluation.scored import Scored

Floats = NDArray[np.float64]
FIRST = instant("2021-01-01T00:00Z")
WIND = Signal("production", "wind", "MW", "generation_positive")
SOLAR = replace(WIND, subkey="solar", night_zero=True)


def scene(signal: Signal = WIND, *, days: int = 60, steps: int = 24, seed: int = 0, longitude: float = 0.0) -> Scored:
    """Return one forecast a day; the truth varies around a daily curve, the band states 80 %, naive is worse."""
    random = np.random.default_rng(seed)
    times = FIRST + np.arange(days) * DAY
    curve = 100 + 50 * np.sin(np.arange(steps) / 24 * 2 * np.pi)
    truth = np.maximum(curve + random.normal(0, 10, (days, steps)), 1.0)
    median = np.tile(curve, (days, 1))
    one = Scored(
        Series("XX", signal.key, signal.subkey),
        signal,
        Zone(45.0, longitude),
        "pool",
        times,
        {"p10": median - 12.8, "p50": median, "p90": median + 12.8},
        {"seasonal_naive": truth + random.normal(0, 30, truth.shape), "climatology": np.full_like(truth, 100.0)},
        truth,
        np.full(days, 200.0),
        np.zeros(days, dtype=np.int8),
        "abc",
    )
    return one if not signal.night_zero else replace(one, truth=np.where(one.sun_height > 0, truth, 0.0))


def hours(one: Scored) -> NDArray[np.int64]:
    """Return the UTC hour of every interval."""
    return one.valid_times // HOUR % 24
