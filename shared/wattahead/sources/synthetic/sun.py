"""Where the sun is and what a sky without clouds lets through."""

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from wattahead.domain.hours import DAY, HOUR, MINUTE
from wattahead.sources.synthetic.draws import Array

Instants = npt.NDArray[np.int64]

_J2000: Final = 946_728_000_000_000  # 2000-01-01T12Z [µs since 1970], the epoch of the almanac's formulas


@dataclass(frozen=True)
class Sun:
    """Cosine of the zenith angle, and of the angle onto a panel that follows the sun from east to west."""

    cos_zenith: Array
    cos_tracked: Array


def sun(instants: Instants, latitude: Array, longitude: Array) -> Sun:
    """Return the sun's place, shape (instants, places); degrees north and east.

    Declination and hour angle: Astronomical Almanac's low-precision formulas (Michalsky 1988, Solar Energy 40(3)), 0.01
    degrees from 1950 to 2050, without refraction. Tracking on a level north-south axis: Duffie and Beckman, Solar
    Engineering of Thermal Processes, section 1.7.
    """
    declination, ascension, sidereal = _almanac(instants)
    hour_angle = np.radians(longitude)[None, :] + (sidereal - ascension)[:, None]
    north, tilt = np.radians(latitude)[None, :], declination[:, None]
    cos_zenith = np.sin(north) * np.sin(tilt) + np.cos(north) * np.cos(tilt) * np.cos(hour_angle)
    sideways = np.cos(tilt) * np.sin(hour_angle)
    return Sun(cos_zenith, np.sqrt(cos_zenith**2 + sideways**2))


def _almanac(instants: Instants) -> tuple[Array, Array, Array]:
    """Return declination, right ascension and sidereal time at Greenwich [rad]."""
    days = (instants - _J2000) / DAY
    mean_longitude = 280.460 + 0.9856474 * days
    anomaly = np.radians(357.528 + 0.9856003 * days)
    ecliptic = np.radians(mean_longitude + 1.915 * np.sin(anomaly) + 0.020 * np.sin(2 * anomaly))
    obliquity = np.radians(23.439 - 0.0000004 * days)
    declination = np.arcsin(np.sin(obliquity) * np.sin(ecliptic))
    ascension = np.arctan2(np.cos(obliquity) * np.sin(ecliptic), np.cos(ecliptic))
    sidereal = np.radians((6.697375 + 0.0657098242 * days + (instants % DAY) / HOUR) * 15)
    return declination, ascension, sidereal


def clear_horizontal(cos_zenith: Array) -> Array:
    """Return irradiance on level ground under a clear sky [W/m2] (Haurwitz 1945, with pvlib's constants)."""
    up = np.maximum(cos_zenith, 1e-3)
    return np.where(cos_zenith > 0, 1098 * up * np.exp(-0.059 / up), 0.0)


def clear_beam(cos_zenith: Array) -> Array:
    """Return direct irradiance facing the sun under a clear sky [W/m2].

    Meinel and Meinel (1976), Applied Solar Energy, over the air mass of Kasten and Young (1989), Applied Optics 28(22).
    """
    up = np.clip(cos_zenith, 1e-3, 1)
    zenith = np.degrees(np.arccos(up))
    air_mass = 1 / (up + 0.50572 * (96.07995 - zenith) ** -1.6364)
    return np.where(cos_zenith > 0, 1353 * 0.7 ** (air_mass**0.678), 0.0)


def clear_tracked(place: Sun) -> Array:
    """Return irradiance on panels that follow the sun, under a clear sky [W/m2]: beam, and what is left as diffuse."""
    beam = clear_beam(place.cos_zenith)
    diffuse = np.maximum(clear_horizontal(place.cos_zenith) - beam * np.maximum(place.cos_zenith, 0), 0)
    return beam * place.cos_tracked + diffuse


def within_hour(hours: Instants) -> list[Instants]:
    """Return four instants that stand for each hour, so that sunrise and sunset are averaged and not sampled."""
    return [hours + quarter * 15 * MINUTE + 15 * MINUTE // 2 for quarter in range(4)]
