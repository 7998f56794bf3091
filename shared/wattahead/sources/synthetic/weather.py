"""Forecast runs of a weather model that does not exist: right about the systems, late and blurred about the rest."""

from typing import Final

import numpy as np

from wattahead.domain.hours import DAY
from wattahead.domain.sun import Instants
from wattahead.sources.synthetic.atmosphere import RUN_HOURS, Days, forecast_hours, forecast_weather
from wattahead.sources.synthetic.draws import Array, Draws
from wattahead.sources.synthetic.places import Place
from wattahead.sources.synthetic.plants import clear_light
from wattahead.sources.synthetic.sky import Fields, sky
from wattahead.sources.synthetic.streams import POINT_BIAS

_WIND_BIAS: Final = 0.10  # a grid cell is not the site: hills, coast, roughness
_WARMTH_BIAS: Final = 0.7  # [K]


def zone_forecasts(days: Days, where: Place, systems: Fields, runs: int) -> dict[str, Array | Instants]:
    """Return columns of a zone, sorted by run, valid time and point; point n is site n."""
    about = forecast_hours(runs).ravel()
    valid = days.hours[about]
    believed = sky(forecast_weather(days, where, systems, runs), valid, where)
    light = clear_light(days.hours, where)[0][about] * believed.clearness
    wind_bias, warmth_bias = _biases(where, days.seed)
    points = where.share.size
    return {
        "point": np.tile(np.arange(points), valid.size),
        "init_time": np.repeat((days.first + np.arange(runs)) * DAY, RUN_HOURS * points),
        "ts": np.repeat(valid, points),
        "wind_speed_10m": np.round(believed.wind_speed * wind_bias, 3).ravel(),
        "temperature_2m": np.round(believed.temperature + warmth_bias, 2).ravel(),
        "dswrf_avg": np.round(light, 2).ravel(),
        "cloud_cover": np.round(believed.cover, 4).ravel(),
    }


def _biases(where: Place, seed: int) -> tuple[Array, Array]:
    """Return what the model always gets wrong at each point: a factor of wind speed, and a difference [K]."""
    points = where.share.size
    drawn = Draws(seed, POINT_BIAS, where.number).normals(first_day=0, days=1, per_day=2 * points)[0]
    return np.exp(_WIND_BIAS * drawn[:points]), _WARMTH_BIAS * drawn[points:]
