"""Hourly demand of a zone: hour, weekday, holiday, temperature, growth, and a little of its own."""

from typing import Final

import numpy as np

from wattahead.domain.hours import DAY, HOUR
from wattahead.domain.sun import Instants
from wattahead.sources.synthetic.draws import Array, Draws, autoregressive
from wattahead.sources.synthetic.growth import grown
from wattahead.sources.synthetic.holidays import rest_of_day
from wattahead.sources.synthetic.places import Place
from wattahead.sources.synthetic.streams import DEMAND_DAY, DEMAND_HOUR

_GROWTH: Final = 0.008  # a year
_HEATED_BELOW: Final = 291.15  # 18 °C, the usual base of heating degree days
_COOLED_ABOVE: Final = 294.15  # 21 °C
_MILD: Final = 0.92  # demand of a day that is neither heated nor cooled
_DAY_NOISE: Final = 0.015
_HOUR_NOISE: Final = 0.006
_REST: Final = 0.09  # less demand on a day of rest
# Share of the mean by local hour: a low at 4, a plateau of work, a peak in the evening.
_WORKDAY: Final = (0.86, 0.82, 0.80, 0.79, 0.80, 0.85, 0.93, 1.00, 1.03, 1.04, 1.05, 1.06,
                   1.06, 1.06, 1.06, 1.07, 1.09, 1.12, 1.14, 1.14, 1.12, 1.07, 1.00, 0.92)  # fmt: skip
_LATE: Final = (0.02, 0.02, 0.02, 0.02, 0.01, -0.02, -0.05, -0.06, -0.04, -0.01, 0.00, 0.01,
                0.01, 0.01, 0.01, 0.01, 0.01, 0.01, 0.00, 0.00, 0.00, 0.00, 0.01, 0.01)  # fmt: skip


def demand(hours: Instants, temperature: Array, where: Place, seed: int) -> Array:
    """Return demand [MW] for whole days of hours and the zone's temperature [K]."""
    grid = where.climate.grid
    hour = ((hours // HOUR + where.local_hours) % 24).astype(np.intp)
    rest = rest_of_day(hours, where.local_hours)
    shape = np.array(_WORKDAY)[hour] * (1 - _REST * rest) + rest * np.array(_LATE)[hour]
    cold = np.maximum(_HEATED_BELOW - temperature, 0) * grid.heating
    hot = np.maximum(temperature - _COOLED_ABOVE, 0) * grid.cooling
    level: Array = grid.demand * grown(hours, _GROWTH) * shape * (_MILD + cold + hot)
    return level * _unexplained(hours, where, seed)


def _unexplained(hours: Instants, where: Place, seed: int) -> Array:
    """Return a factor near one that no calendar or weather explains."""
    first, days = int(hours[0] // DAY), hours.size // 24
    daily = Draws(seed, DEMAND_DAY, where.number).normals(first_day=first - 15, days=days + 15, per_day=1)[:, 0]
    hourly = Draws(seed, DEMAND_HOUR, where.number).normals(first_day=first - 2, days=days + 2, per_day=24).ravel()
    slow = np.repeat(autoregressive(daily, memory=0.7, doublings=4)[-days:], 24)
    fast = autoregressive(hourly, memory=0.9, doublings=5)[-24 * days :]
    factor: Array = np.exp(_DAY_NOISE * slow + _HOUR_NOISE * fast)
    return factor
