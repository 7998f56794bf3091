"""Weather systems: fields over the globe that are close to each other in space and time.

A field is a sum of plane waves whose amplitudes are AR(1) processes. The waves are drawn so that the correlation of two
places is about exp(-distance / 500 km); a place's value never depends on which other places are asked for.
"""

from typing import Final

import numpy as np

from wattahead.sources.synthetic.draws import Array, Draws, autoregressive
from wattahead.sources.synthetic.streams import WAVES

KNOTS: Final = 4  # a day: weather systems are drawn every 6 hours and interpolated
STEP: Final = 24 // KNOTS  # [h]
_WAVES: Final = 48  # correlation is met within about 1 / sqrt(2 * 48) = 0.1
_REACH: Final = 500.0  # [km]
_EARTH: Final = 6371.0  # [km]
_DOUBLINGS: Final = 7  # 128 knots: 0.95**128 = 0.001 is left of what is cut off
_WARM_DAYS: Final = 2**_DOUBLINGS // KNOTS
_LOCAL_MEMORY: Final = 0.85  # per hour
_LOCAL_DOUBLINGS: Final = 6
_LOCAL_WARM_DAYS: Final = 3

AMPLITUDES: Final = 2 * _WAVES


def phases(seed: int, latitude: Array, longitude: Array) -> Array:
    """Return what each wave is worth at each place, shape (AMPLITUDES, places).

    Spectral density of exp(-d/L) in three dimensions is a multivariate Cauchy (Rasmussen and Williams 2006, Gaussian
    Processes for Machine Learning, eq. 4.15): a normal vector over L times an independent normal. Distance is the
    chord through the globe, so there is no map to be distorted.
    """
    drawn = Draws(seed, WAVES).normals(first_day=0, days=_WAVES, per_day=4)
    vectors = drawn[:, :3] / (_REACH * np.abs(drawn[:, 3:]))
    north, east = np.radians(latitude), np.radians(longitude)
    x, y, z = _EARTH * np.cos(north) * np.cos(east), _EARTH * np.cos(north) * np.sin(east), _EARTH * np.sin(north)
    angle = vectors[:, :1] * x + vectors[:, 1:2] * y + vectors[:, 2:] * z
    phase: Array = np.concatenate([np.cos(angle), np.sin(angle)]) / np.sqrt(_WAVES)
    return phase


def amplitudes(draws: Draws, *, memory: float, first_day: int, days: int) -> Array:
    """Return amplitudes of the waves at the knots of `days` days and the first knot of the next."""
    drawn = draws.normals(first_day=first_day - _WARM_DAYS, days=days + _WARM_DAYS + 1, per_day=KNOTS * AMPLITUDES)
    knots = autoregressive(drawn.reshape(-1, AMPLITUDES), memory=memory, doublings=_DOUBLINGS)
    return knots[1 : days * KNOTS + 2]


def run_amplitudes(draws: Draws, *, memory: float, first_day: int, runs: int, knots: int) -> Array:
    """Return amplitudes of forecast errors, shape (runs, knots, AMPLITUDES): each run is an AR(1) of its own."""
    drawn = draws.normals(first_day=first_day, days=runs, per_day=knots * AMPLITUDES)
    shocks = drawn.reshape(runs, knots, AMPLITUDES)
    process = [shocks[:, 0]]
    for knot in range(1, knots):
        process.append(memory * process[-1] + float(np.sqrt(1 - memory**2)) * shocks[:, knot])
    return np.stack(process, axis=1)


def at_places(amplitude: Array, phase: Array) -> Array:
    """Return the field at each place: a wave at a time, since a BLAS product depends on how many rows there are."""
    total: Array = amplitude[..., :1] * phase[0]
    for wave in range(1, AMPLITUDES):
        total += amplitude[..., wave : wave + 1] * phase[wave]
    return total


def hourly(knots: Array, memory: float) -> Array:
    """Return hours between knots along axis -2, interpolated and scaled so that the variance is one at each of them."""
    before, after = knots[..., :-1, :], knots[..., 1:, :]
    hours = []
    for hour in range(STEP):
        part = hour / STEP
        scale = float(np.sqrt((1 - part) ** 2 + part**2 + 2 * part * (1 - part) * memory))
        hours.append(((1 - part) * before + part * after) / scale)
    woven: Array = np.stack(hours, axis=-2).reshape((*knots.shape[:-2], -1, knots.shape[-1]))
    return woven


def local(draws: Draws, *, first_day: int, days: int, sites: int) -> Array:
    """Return what each site has for itself, hour by hour, shape (24 * days, sites)."""
    drawn = draws.normals(first_day=first_day - _LOCAL_WARM_DAYS, days=days + _LOCAL_WARM_DAYS, per_day=24 * sites)
    process = autoregressive(drawn.reshape(-1, sites), memory=_LOCAL_MEMORY, doublings=_LOCAL_DOUBLINGS)
    return process[-24 * days :]
