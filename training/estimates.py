"""What the shape of a series says about its labels, its size and its level: numbers and how far they scatter.

Series are arrays of whole UTC days, `per_day` cells each, NaN where nothing is known. Every estimate is the median over
windows of two weeks, so that a bad month does not decide.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

WINDOW: Final = 14  # days
BEFORE: Final = 56  # days that the newest window is compared with
YEAR_WINDOWS: Final = 26  # windows in a year: pairs a year apart share their season
_FEWEST_WINDOWS: Final = 3
_FEWEST_KNOWN: Final = 0.7  # of a window
_FEWEST_PLACES: Final = 12  # earlier comparisons that say what is usual
_HIGH: Final = 0.9  # quantile over days at one time of day: its clear days, without its outliers
_EDGES: Final = (0.1, 0.2, 0.3, 0.4, 0.5)  # of the day's top: where morning and evening are looked at
_LEAST_SUN: Final = 150.0  # [W/m2] at the clear noon; below it edges mean little
_LEAST_HOUR: Final = 0.05  # of the highest hour: below it a ratio means little
_SPREAD_OF_MAD: Final = 1.4826  # standard deviation over median absolute deviation of normal errors


@dataclass(frozen=True)
class Estimate:
    """A number, and how far a single window scatters around it (standard deviation)."""

    value: float
    spread: float
    windows: int


@dataclass(frozen=True)
class Level:
    """The newest two weeks over the eight weeks before them, at the same times of day."""

    ratio: float
    agreeing: float  # share of the times of day that moved the same way
    unusual: float  # share of earlier comparisons of the same kind that moved less; NaN without enough of them


def sun_offset(values: Floats, clear_sky: Floats, per_day: int) -> Estimate | None:
    """Return by how many minutes a series that follows the sun trails a clear sky on the same cells, negative: leads.

    The middle between the morning's and the evening's edge is compared: trackers and curtailment flatten the top, but
    both edges alike. None when less than three windows have both edges.
    """
    offsets = []
    for first in range(0, len(values) - WINDOW * per_day + 1, WINDOW * per_day):
        cells = slice(first, first + WINDOW * per_day)
        clear, held = clear_sky[cells].reshape(WINDOW, per_day), values[cells].reshape(WINDOW, per_day)
        if clear.max() < _LEAST_SUN or np.isfinite(held).mean() < _FEWEST_KNOWN or not _whole(held):
            continue
        late = _middle(np.nanquantile(held, _HIGH, axis=0)) - _middle(np.quantile(clear, _HIGH, axis=0))
        offsets.append(((late + per_day / 2) % per_day - per_day / 2) * 24 * 60 / per_day)
    return _over_windows(np.array(offsets))


def yearly_growth(values: Floats, per_day: int) -> Estimate | None:
    """Return the growth of the highest values in a year (0.1 is 10 %), from two-week windows a year apart.

    None with less than a year and six weeks of values above zero.
    """
    days = len(values) // per_day
    highs = []
    for first in range(0, days - WINDOW + 1, WINDOW):
        held = values[first * per_day : (first + WINDOW) * per_day]
        known = held[np.isfinite(held)]
        highs.append(np.quantile(known, 0.99) if len(known) >= _FEWEST_KNOWN * len(held) else np.nan)
    high = np.array(highs)
    pairs = np.stack([high[:-YEAR_WINDOWS], high[YEAR_WINDOWS:]]) if len(high) > YEAR_WINDOWS else np.empty((2, 0))
    pairs = pairs[:, (pairs > 0).all(axis=0)]
    found = _over_windows(np.log(pairs[1] / pairs[0]))
    return found and Estimate(float(np.expm1(found.value)), found.spread, found.windows)


def newest_level(values: Floats, per_day: int) -> Level | None:
    """Return how the newest two weeks compare with the eight weeks before them, and whether that is usual here."""
    days = values[: len(values) // per_day * per_day].reshape(-1, per_day)
    ends = range(len(days), WINDOW + BEFORE - 1, -WINDOW // 2)
    moved = [_moved(days[end - WINDOW - BEFORE : end]) for end in ends]
    if not moved or not np.isfinite(moved[0][0]):
        return None
    now, agreeing = moved[0]
    earlier = np.array([one for one, _ in moved[1:]])
    earlier = np.abs(earlier[np.isfinite(earlier)])
    unusual = float(np.mean(earlier < abs(now))) if len(earlier) >= _FEWEST_PLACES else np.nan
    return Level(float(np.exp(now)), agreeing, unusual)


def longest_run(values: Floats) -> tuple[int, int]:
    """Return where the longest run of one and the same value begins, and how many cells it has; NaN ends a run."""
    if not len(values):
        return 0, 0
    begins = np.append(0, 1 + np.flatnonzero(values[1:] != values[:-1]))
    lengths = np.diff(np.append(begins, len(values)))
    longest = int(lengths.argmax())
    return int(begins[longest]), int(lengths[longest])


def _moved(days: Floats) -> tuple[float, float]:
    """Return the median log ratio over times of day and the share of them on its side; NaN where nothing is told."""
    before, now = _medians(days[:BEFORE]), _medians(days[BEFORE:])
    top = np.max(before[np.isfinite(before)], initial=0.0)
    told = (before > _LEAST_HOUR * top) & (now > 0) & (top > 0)
    if not told.any():
        return np.nan, 0.0
    logs = np.log(now[told] / before[told])
    middle = float(np.median(logs))
    return middle, float(np.mean(np.sign(logs) == np.sign(middle)))


def _medians(days: Floats) -> Floats:
    """Return the median at each time of day; NaN where more than half of the days are unknown."""
    told = np.isfinite(days).mean(axis=0) >= 1 / 2
    found = np.full(days.shape[1], np.nan)
    found[told] = np.nanmedian(days[:, told], axis=0)
    return found


def _whole(days: Floats) -> bool:
    """Return whether every time of day is known on some day."""
    return bool(np.isfinite(days).any(axis=0).all())


def _middle(day: Floats) -> float:
    """Return the middle between the edges of a day's light in cells, on a circle; NaN where it has none."""
    turn = len(day) // 2 - int(np.argmax(day))
    light = np.roll(day, turn)
    top = np.sort(light)[-(len(day) // 8) :].mean()
    middles = []
    for level in (edge * top for edge in _EDGES):
        above = np.flatnonzero(light >= level)
        if top <= 0 or above[0] == 0 or above[-1] == len(light) - 1:
            return np.nan
        first, last = above[0], above[-1]
        rise = first - (light[first] - level) / (light[first] - light[first - 1])
        fall = last + (light[last] - level) / (light[last] - light[last + 1])
        middles.append((rise + fall) / 2)
    return float(np.mean(middles) - turn)


def _over_windows(found: Floats) -> Estimate | None:
    found = found[np.isfinite(found)]
    if len(found) < _FEWEST_WINDOWS:
        return None
    value = float(np.median(found))
    return Estimate(value, _SPREAD_OF_MAD * float(np.median(np.abs(found - value))), len(found))
