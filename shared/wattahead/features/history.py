"""Features of the target's own past. All values are in units of the scale; lags are chosen by what is known."""

from collections.abc import Callable
from typing import Final

import numpy as np
from numpy.typing import NDArray

from wattahead.features.limits import reach
from wattahead.features.view import SEARCH_DAYS, View

Floats = NDArray[np.float64]


def same_time(view: View, n: int) -> Floats:
    """Value at the same time of day on the n-th newest day on which it is known."""
    return nth_known(view.same_time, view.known_days, n)


def nth_known(days: Floats, count: NDArray[np.int8], n: int) -> Floats:
    """Return the n-th known one of `days` (days back, S, T, H), of which `count` says how many are known up to each."""
    place = (count < n).sum(axis=0, dtype=np.int8)  # days before it, so its own; all days if there is none
    found = np.take_along_axis(days, np.minimum(place, len(days) - 1)[None].astype(np.intp), axis=0)[0]
    return np.where(place < len(days), found + 0.0, np.nan)  # no negative zero


def lag(view: View, hours: int) -> Floats:
    """Value exactly `hours` before the valid time, if it was known."""
    cells = view.history.shape[2] + np.arange(view.steps) - hours * view.cells_per_day // 24
    inside = (cells >= 0) & (cells < view.history.shape[2])
    return np.where(inside, view.history[:, :, np.where(inside, cells, 0)], np.nan)


def same_time_mean(view: View, days: int) -> Floats:
    """Mean at the same time of day over the known ones of the last `days` days."""
    return mean(view.same_time[:days], axis=0)


def same_time_max(view: View, days: int) -> Floats:
    """Maximum at the same time of day over the known ones of the last `days` days."""
    return extreme(np.fmax, view.same_time[:days], axis=0)


def same_time_min(view: View, days: int) -> Floats:
    """Minimum at the same time of day over the known ones of the last `days` days."""
    return extreme(np.fmin, view.same_time[:days], axis=0)


def newest(view: View) -> Floats:
    """The newest known value, the same for every step."""
    cell = view.history.shape[2] - 1 - np.minimum(view.newest, view.history.shape[2] - 1)
    return np.take_along_axis(view.history, cell[:, :, None], axis=2)


def newest_mean(view: View, hours: int) -> Floats:
    """Mean of what is known of the last `hours` hours before the issue time."""
    return mean(window(view.history, hours * view.cells_per_day // 24, 0), axis=2)[:, :, None]


def newest_age(view: View) -> Floats:
    """Hours from the end of the newest known interval to the issue time."""
    return (view.newest * 24.0 / view.cells_per_day)[:, :, None]


def window_max(view: View, days: int, behind: int) -> Floats:
    """Maximum over `days` days that end `behind` days before the issue time."""
    return extreme(np.fmax, window(view.history, days * view.cells_per_day, behind * view.cells_per_day), axis=2)[
        :, :, None
    ]


def window_mean(view: View, days: int, behind: int) -> Floats:
    """Mean over `days` days that end `behind` days before the issue time."""
    return mean(window(view.history, days * view.cells_per_day, behind * view.cells_per_day), axis=2)[:, :, None]


def window(held: Floats, cells: int, behind: int) -> Floats:
    """Return `cells` cells of a past (S, T, W) that end `behind` cells before the issue time."""
    end = held.shape[2] - behind
    return held[:, :, max(end - cells, 0) : end]


def mean(values: Floats, axis: int) -> Floats:
    """Return the mean of the finite values along `axis`; NaN where there is none, without a warning.

    The parts are added in order: numpy's own sum takes another order, and gives other last bits, when there is
    nothing beside the axis, and then a series alone would not equal the same series among others.
    """
    finite = np.isfinite(values)
    count = finite.sum(axis=axis)
    total = np.zeros(count.shape)
    for part in np.moveaxis(np.where(finite, values, 0.0), axis, 0):
        total += part
    return np.where(count > 0, total / np.maximum(count, 1), np.nan)


def extreme(choose: np.ufunc, values: Floats, axis: int) -> Floats:
    """Return the extreme that `choose` (fmax or fmin) finds among the known values along `axis`; NaN for no cell."""
    if not values.shape[axis]:
        return np.full(np.delete(values.shape, axis), np.nan)
    return np.asarray(choose.reduce(values, axis=axis))


# name pattern -> (feature, which of its numbers are days of history it needs)
FAMILIES: Final[dict[str, tuple[Callable[..., Floats], Callable[..., int]]]] = {
    r"same_time_(\d+)": (same_time, reach(1, SEARCH_DAYS, "days")),
    r"same_time_mean_(\d+)d": (same_time_mean, reach(1, SEARCH_DAYS, "days")),
    r"same_time_max_(\d+)d": (same_time_max, reach(1, SEARCH_DAYS, "days")),
    r"same_time_min_(\d+)d": (same_time_min, reach(1, SEARCH_DAYS, "days")),
    r"lag_(\d+)h": (lag, lambda hours: hours // 24 + 1),
    r"newest": (newest, lambda: 0),
    r"newest_mean_(\d+)h": (newest_mean, lambda hours: hours // 24 + 1),
    r"newest_age_h": (newest_age, lambda: 0),
    r"max_(\d+)d_lag_(\d+)d": (window_max, lambda days, behind: days + behind),
    r"mean_(\d+)d_lag_(\d+)d": (window_mean, lambda days, behind: days + behind),
}
