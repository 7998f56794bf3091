"""Weather variables made of a stored one: what the sun makes of radiation, and the cube of the wind speed.

Radiation comes as means over steps of up to three hours. Its share of the clear sky changes little within a step, so
`by_sun` gives each hour the share of its step times its own clear sky.
"""

import re
from typing import Final

import numpy as np
from numpy.typing import NDArray

from wattahead.domain import sun
from wattahead.domain.hours import HOUR
from wattahead.features.view import WEATHER_BEFORE, View

Floats = NDArray[np.float64]

STEP: Final = 3 * HOUR  # of a weather model, on the UTC clock
FAINT: Final = 20.0  # W/m2: a share of less says nothing
BRIGHTEST: Final = 1.2  # of the clear sky, at the edge of clouds
PARTS: Final = 6  # of a step or a cell at which the sun is asked for its mean


def stored(variable: str) -> str:
    """Return the stored variable that `variable` is made of; itself if it is one."""
    match = _MADE.fullmatch(variable)
    return match.group(2) if match else variable


def cells(view: View, variable: str) -> Floats:
    """Return a stored or derived variable, shape (S, T, before + H + after, point)."""
    match = _MADE.fullmatch(variable)
    if not match:
        return view.weather[variable]
    if variable not in view.made:
        view.made[variable] = FORMS[match.group(1)](view, view.weather[match.group(2)])
    return view.made[variable]


def cubed(view: View, held: Floats) -> Floats:
    """Wind speed to the power of three, which is what the power of the wind grows with [m3/s3]."""
    del view
    return held**3


def clear_index(view: View, held: Floats) -> Floats:
    """Share of the clear sky's radiation, between the middles of the model's steps; 0 at night."""
    times = _times(view, held.shape[2])
    sky = _mean_clear_sky(view, times - times % STEP, STEP)
    clear = np.where(np.isfinite(held), sky, np.nan)  # where a neighbour is missing, neither looks at it
    share = _between(held, times, view.step) / np.maximum(_between(clear, times, view.step), FAINT)
    return np.clip(share, 0, BRIGHTEST)


def by_sun(view: View, held: Floats) -> Floats:
    """Radiation of each cell: its share of the clear sky times the clear sky of the cell [W/m2]."""
    return clear_index(view, held) * _mean_clear_sky(view, _times(view, held.shape[2]), view.step)


def _times(view: View, count: int) -> NDArray[np.int64]:
    """Return the start of every cell of the weather, shape (T, cells) [µs]."""
    return view.issue_times[:, None] - WEATHER_BEFORE + np.arange(count) * view.step


def _mean_clear_sky(view: View, starts: NDArray[np.int64], length: int) -> Floats:
    """Return the mean clear sky over `length` [µs] from each start, shape (S, T, cells, 1) [W/m2]."""
    different, where = np.unique(starts, return_inverse=True)
    parts = different[:, None] + (np.arange(PARTS) * 2 + 1) * length // (2 * PARTS)
    up, _ = sun.direction(parts[None], view.latitude[:, None, None], view.longitude[:, None, None])
    clear = sun.clear_sky(up)
    total = np.zeros(clear.shape[:2])
    for part in range(PARTS):  # in order: the same bits beside any neighbours
        total += clear[:, :, part]
    return (total / PARTS)[:, where.reshape(starts.shape)][..., None]


def _between(held: Floats, times: NDArray[np.int64], step: int) -> Floats:
    """Return values that are constant over a step, interpolated between the middles of the steps."""
    cells_per_step = STEP // step
    place = (times % STEP + step / 2) / STEP - 0.5  # (T, cells), from -0.5 to 0.5 within a step
    here = np.arange(times.shape[1])
    beside = here + np.where(place < 0, -cells_per_step, cells_per_step)
    inside = (beside >= 0) & (beside < times.shape[1])
    other = np.take_along_axis(held, np.where(inside, beside, here)[None, :, :, None], axis=2)
    weight = np.where(inside, np.abs(place), 0.0)[None, :, :, None]
    mixed = (1 - weight) * held + weight * other
    return np.where(np.isfinite(mixed), mixed, held)


FORMS: Final = {"by_sun": by_sun, "clear_index": clear_index, "cubed": cubed}
_MADE: Final = re.compile(rf"({'|'.join(FORMS)})_(\w+)", re.ASCII)
