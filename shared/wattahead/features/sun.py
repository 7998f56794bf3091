"""Where the sun stands, and what it gives through a clear sky."""

import numpy as np
from numpy.typing import NDArray

from wattahead.domain.hours import DAY

Floats = NDArray[np.float64]


def elevation(at: NDArray[np.int64], latitude: Floats, longitude: Floats) -> Floats:
    """Return the sun's elevation [degrees] at instants [µs]; latitude and longitude [degrees] broadcast against `at`.

    Low-precision formulas of the Astronomical Almanac (1990), good to about 0.02 degrees from 1950 to 2050;
    refraction is left out.
    """
    days = at / DAY - 10957.5  # days since 2000-01-01T12Z
    anomaly = np.radians(357.528 + 0.9856003 * days)
    longitude_sun = np.radians(280.460 + 0.9856474 * days + 1.915 * np.sin(anomaly) + 0.020 * np.sin(2 * anomaly))
    obliquity = np.radians(23.439 - 4e-7 * days)
    declination = np.arcsin(np.sin(obliquity) * np.sin(longitude_sun))
    right_ascension = np.arctan2(np.cos(obliquity) * np.sin(longitude_sun), np.cos(longitude_sun))
    sidereal = np.radians(280.46062 + 360.98564737 * days + longitude)  # local mean sidereal time
    hour_angle = sidereal - right_ascension
    phi = np.radians(latitude)
    sine = np.sin(phi) * np.sin(declination) + np.cos(phi) * np.cos(declination) * np.cos(hour_angle)
    return np.asarray(np.degrees(np.arcsin(np.clip(sine, -1, 1))))


def clear_sky(elevation_degrees: Floats) -> Floats:
    """Return global horizontal irradiance under a clear sky [W/m2] (Haurwitz, J. Meteorology 2, 1945)."""
    sine = np.sin(np.radians(elevation_degrees))
    with np.errstate(divide="ignore", over="ignore"):
        return np.where(sine > 0, 1098.0 * sine * np.exp(-0.057 / np.maximum(sine, 1e-9)), 0.0)
