"""Features of the weather forecast: a variable at the valid hour, at its neighbours, over a day, over the points."""

from collections.abc import Callable
from typing import Final

import numpy as np
from numpy.typing import NDArray

from wattahead.domain.hours import HOUR
from wattahead.features import derived
from wattahead.features.history import extreme, mean, window
from wattahead.features.limits import reach
from wattahead.features.view import WEATHER_AFTER, WEATHER_BEFORE, View

Floats = NDArray[np.float64]


def at_valid(view: View, variable: str) -> Floats:
    """Mean over the zone's points at the valid time."""
    return shifted(view, variable, 0)


def after(view: View, variable: str, hours: int) -> Floats:
    """Mean over the points, `hours` after the valid time."""
    return shifted(view, variable, hours)


def before(view: View, variable: str, hours: int) -> Floats:
    """Mean over the points, `hours` before the valid time."""
    return shifted(view, variable, -hours)


def highest(view: View, variable: str) -> Floats:
    """Highest of the points at the valid time."""
    return extreme(np.fmax, _cells(view, variable, 0), axis=3)


def lowest(view: View, variable: str) -> Floats:
    """Lowest of the points at the valid time."""
    return extreme(np.fmin, _cells(view, variable, 0), axis=3)


def horizon_mean(view: View, variable: str) -> Floats:
    """Mean over the points and the whole horizon, the same for every step."""
    return mean(shifted(view, variable, 0), axis=2)[:, :, None]


def window_mean(view: View, variable: str, hours: int) -> Floats:
    """Mean over the points and over `hours` hours to both sides of the valid time."""
    return mean(np.stack([shifted(view, variable, offset) for offset in range(-hours, hours + 1)]), axis=0)


def shifted(view: View, variable: str, hours: int) -> Floats:
    """Return the mean over the points, `hours` away from the valid time, shape (S, T, H)."""
    return mean(_cells(view, variable, hours), axis=3)


def output_per_weather(view: View, variable: str, hours: int) -> Floats:
    """What the last `hours` hours gave per unit of their weather, from what is known of both; the same for every step.

    Panels out of order, snow on them and curtailment stay for days.
    """
    count = hours * view.cells_per_day // 24
    first = WEATHER_BEFORE // view.step
    given = mean(derived.cells(view, variable)[:, :, first - count : first], axis=3)
    came = window(view.history, count, 0)
    both = np.isfinite(given) & np.isfinite(came)
    sums = [mean(np.where(both, values, np.nan), axis=2) for values in (came, given)]
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(sums[1] > 0, sums[0] / sums[1], np.nan)[:, :, None]


def at_output(view: View, variable: str, hours: int) -> Floats:
    """Weather at the valid time at what the last `hours` hours gave per unit of it."""
    return at_valid(view, variable) * output_per_weather(view, variable, hours)


def _cells(view: View, variable: str, hours: int) -> Floats:
    held = derived.cells(view, variable)
    first = WEATHER_BEFORE // view.step + hours * HOUR // view.step
    return held[:, :, first : first + view.steps]


# longest suffix first: the variable's own name may hold digits and underscores
FAMILIES: Final[dict[str, tuple[Callable[..., Floats], Callable[..., int]]]] = {
    r"weather_(\w+?)_plus_(\d+)h": (after, reach(1, WEATHER_AFTER // HOUR, "hours")),
    r"weather_(\w+?)_minus_(\d+)h": (before, reach(1, WEATHER_BEFORE // HOUR, "hours")),
    r"weather_(\w+?)_around_(\d+)h": (window_mean, reach(1, WEATHER_AFTER // HOUR, "hours")),
    r"weather_(\w+?)_at_output_(\d+)h": (at_output, reach(1, WEATHER_BEFORE // HOUR, "hours")),
    r"weather_(\w+?)_output_(\d+)h": (output_per_weather, reach(1, WEATHER_BEFORE // HOUR, "hours")),
    r"weather_(\w+?)_highest": (highest, lambda _: 0),
    r"weather_(\w+?)_lowest": (lowest, lambda _: 0),
    r"weather_(\w+?)_horizon_mean": (horizon_mean, lambda _: 0),
    r"weather_(\w+)": (at_valid, lambda _: 0),
}
