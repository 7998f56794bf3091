"""U.S. federal holidays by rule (5 U.S.C. 6103): the days on which generated demand looks like a Sunday."""

from datetime import UTC, date, datetime, timedelta
from typing import Final

import numpy as np

from wattahead.domain.hours import DAY, HOUR
from wattahead.domain.sun import Instants
from wattahead.sources.synthetic.draws import Array

_FIXED: Final = ((1, 1), (6, 19), (7, 4), (11, 11), (12, 25))
_MONDAY: Final = 0
_THURSDAY: Final = 3
_NTH: Final = ((1, _MONDAY, 3), (2, _MONDAY, 3), (9, _MONDAY, 1), (10, _MONDAY, 2), (11, _THURSDAY, 4))


def holidays(year: int) -> frozenset[date]:
    """Return the federal holidays of a year; Juneteenth in every year, days are not moved off weekends."""
    fixed = {date(year, month, day) for month, day in _FIXED}
    nth = {_nth(year, month, weekday, count) for month, weekday, count in _NTH}
    memorial = _nth(year, 6, _MONDAY, 1) - timedelta(days=7)
    return frozenset(fixed | nth | {memorial})


def _nth(year: int, month: int, weekday: int, count: int) -> date:
    first = date(year, month, 1)
    return first + timedelta(days=(weekday - first.weekday()) % 7 + 7 * (count - 1))


def rest_of_day(hours: Instants, local_hours: int) -> Array:
    """Return how much each hour's local date is a day of rest: 0 workday, 0.6 Saturday, 1 Sunday or holiday."""
    days, which = np.unique((hours + local_hours * HOUR) // DAY, return_inverse=True)
    return np.array([_rest(int(day)) for day in days])[which]


def _rest(day: int) -> float:
    when = datetime.fromtimestamp(day * DAY // 1_000_000, tz=UTC).date()
    saturday, sunday = 5, 6
    if when.weekday() == sunday or when in holidays(when.year):
        return 1.0
    return 0.6 if when.weekday() == saturday else 0.0
