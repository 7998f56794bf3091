"""From standard normal fields to cloud cover, wind speed and temperature at a place and hour."""

from dataclasses import dataclass
from math import gamma
from typing import Final

import numpy as np

from wattahead.domain.hours import DAY, HOUR
from wattahead.domain.sun import Instants
from wattahead.sources.synthetic.climate import Climate, Cloud, Warmth, Wind
from wattahead.sources.synthetic.draws import Array, normal_share
from wattahead.sources.synthetic.places import Place

YEAR: Final = 365.2425  # [days]
_SOLSTICE: Final = 172.0  # day of the northern year
_HOTTEST: Final = 205.0  # day of the northern year, a month after the sun is highest
_WARMEST_HOUR: Final = 15.0  # local solar time
_CLOUD_SHADE: Final = 0.5  # share of the daily swing of temperature that a full cover takes
_LAPSE: Final = 0.5  # colder per degree towards the pole [K]


@dataclass(frozen=True)
class Fields:
    """Standard normal fields, each of shape (hours, sites)."""

    cloud: Array
    wind: Array
    warmth: Array


@dataclass(frozen=True)
class Sky:
    """Weather at (hours, sites): cover [0..1], transmitted share of clear-sky light, speed [m/s], temperature [K]."""

    cover: Array
    clearness: Array
    wind_speed: Array
    temperature: Array


def sky(fields: Fields, hours: Instants, where: Place) -> Sky:
    """Return the weather that standard normal fields stand for."""
    climate: Climate = where.climate
    cover = _cover(climate.cloud, fields.cloud, _season(hours, where, _SOLSTICE))
    return Sky(
        cover=cover,
        clearness=clearness(cover, climate.cloud.depth),
        wind_speed=_speed(climate.wind, fields.wind, hours, where),
        temperature=_temperature(climate.warmth, fields.warmth, cover, hours, where),
    )


def clearness(cover: Array, depth: float) -> Array:
    """Return the share of clear-sky light under a cloud cover (Kasten and Czeplak 1980, Solar Energy 24: depth 0.75).

    The depth is larger here where a real grid has darker days than a station's cover explains.
    """
    return 1 - depth * cover**3.4


def _season(hours: Instants, where: Place, peak_day: float) -> Array:
    """Return 1 on the peak day of the year and -1 half a year off, shape (hours, 1); turned round in the south."""
    day = hours / DAY - peak_day + 1 + (YEAR / 2 if where.southern else 0)
    wave: Array = np.cos(2 * np.pi * day / YEAR)[:, None]
    return wave


def _daily(hours: Instants, where: Place, peak_hour: float) -> Array:
    """Return 1 at the peak hour of local solar time and -1 twelve hours later, shape (hours, sites)."""
    local = (hours % DAY)[:, None] / HOUR + 0.5 + where.longitude[None, :] / 15
    wave: Array = np.cos(2 * np.pi * (local - peak_hour) / 24)
    return wave


def _cover(cloud: Cloud, z: Array, summer: Array) -> Array:
    return normal_share(cloud.mean - cloud.season * summer + cloud.spread * z)


def _speed(wind: Wind, z: Array, hours: Instants, where: Place) -> Array:
    """Return wind speed, Weibull distributed for each hour and season [m/s]."""
    below = np.clip(normal_share(z), 1e-6, 1 - 1e-6)
    weibull = (-np.log(1 - below)) ** (1 / wind.shape) / gamma(1 + 1 / wind.shape)
    breath = (1 + wind.season * _season(hours, where, wind.windiest_day)) * (
        1 + wind.diurnal * _daily(hours, where, wind.windiest_hour)
    )
    return wind.mean * weibull * breath


def _temperature(warmth: Warmth, z: Array, cover: Array, hours: Instants, where: Place) -> Array:
    poleward = np.abs(where.latitude) - abs(where.climate.centres[0][0])
    swing = warmth.diurnal * (1.2 - _CLOUD_SHADE * cover) * _daily(hours, where, _WARMEST_HOUR)
    yearly = warmth.season * _season(hours, where, _HOTTEST)
    return warmth.mean - _LAPSE * poleward[None, :] + yearly + swing + warmth.spread * z
