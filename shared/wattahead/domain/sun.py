"""Where the sun stands, and what it gives through a clear sky. The only place that knows."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from wattahead.domain.hours import DAY, HOUR

Floats = NDArray[np.float64]
Instants = NDArray[np.int64]

_J2000: Final = 946_728_000_000_000  # 2000-01-01T12Z [µs since 1970], the epoch of the almanac's formulas


def direction(at: Instants, latitude: Floats, longitude: Floats) -> tuple[Floats, Floats]:
    """Return how far up and how far west the sun stands: parts of a vector of length one.

    Instants [µs] broadcast against degrees north and east. Low-precision formulas of the Astronomical Almanac
    (Michalsky 1988, Solar Energy 40(3)): 0.01 degrees from 1950 to 2050, without refraction and parallax.
    """
    declination, ascension, sidereal = _almanac(at)
    hour_angle = np.radians(longitude) + (sidereal - ascension)
    north = np.radians(latitude)
    up = np.sin(north) * np.sin(declination) + np.cos(north) * np.cos(declination) * np.cos(hour_angle)
    return up, np.cos(declination) * np.sin(hour_angle)


def elevation(at: Instants, latitude: Floats, longitude: Floats) -> Floats:
    """Return the sun's elevation [degrees] at instants [µs], which broadcast against degrees north and east."""
    up, _ = direction(at, latitude, longitude)
    return np.asarray(np.degrees(np.arcsin(np.clip(up, -1, 1))))


def clear_sky(up: Floats) -> Floats:
    """Return irradiance on level ground under a clear sky [W/m2]; `up` is the sine of the sun's elevation.

    Haurwitz, J. Meteorology 2 (1945) 154 and 3 (1946) 123, with the constants of pvlib.
    """
    high = np.maximum(up, 1e-3)  # below it the formula gives less than 1e-25, and in the end divides by zero
    return np.where(up > 0, 1098 * high * np.exp(-0.059 / high), 0.0)


def _almanac(at: Instants) -> tuple[Floats, Floats, Floats]:
    """Return declination, right ascension and sidereal time at Greenwich [rad]."""
    days = (at - _J2000) / DAY
    anomaly = np.radians(357.528 + 0.9856003 * days)
    ecliptic = np.radians(280.460 + 0.9856474 * days + 1.915 * np.sin(anomaly) + 0.020 * np.sin(2 * anomaly))
    obliquity = np.radians(23.439 - 0.0000004 * days)
    declination = np.arcsin(np.sin(obliquity) * np.sin(ecliptic))
    ascension = np.arctan2(np.cos(obliquity) * np.sin(ecliptic), np.cos(ecliptic))
    sidereal = np.radians((6.697375 + 0.0657098242 * days + (at % DAY) / HOUR) * 15)
    return declination, ascension, sidereal
