"""Features of a zone's own calendar: its clock, its week and its holidays. Known for any issue time.

The rules come from the packages `tzdata` and `holidays`, which the locks pin, and never from the machine: the same
values everywhere. A view without time zones and calendars, as where scoring knows nothing, gives NaN.
"""

from collections.abc import Callable, Mapping
from datetime import date, timedelta
from difflib import get_close_matches
from functools import cache, lru_cache
from importlib import resources
from typing import TYPE_CHECKING, Final
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from wattahead.domain.catalog import Zone
from wattahead.domain.errors import Refused
from wattahead.domain.hours import DAY, HOUR, to_datetime
from wattahead.features.clock import EPOCH_WEEKDAY, solar_time
from wattahead.features.limits import reach
from wattahead.features.view import SEARCH_DAYS, View

if TYPE_CHECKING:
    from holidays import HolidayBase

Floats = NDArray[np.float64]
Instants = NDArray[np.int64]

WORKING: Final = 0.0
HALF_REST: Final = 1.0
REST: Final = 2.0
BEFORE, AFTER, BRIDGE = 1.0, 2.0, 3.0
_FRIDAY, _SATURDAY, _SUNDAY = 4, 5, 6
_MICROSECOND: Final = timedelta(microseconds=1)
_LONG_AGO: Final = date(1970, 1, 1)
_DAYS_HELD: Final = 200_000  # of all time zones and calendars together, so that a long process stays small


def local_hour(view: View) -> Floats:
    """Hour of the day by the zone's clock with daylight saving, 0 to 24; mean solar time without a time zone."""
    return _wall(view) % DAY / HOUR


def local_weekday(view: View) -> Floats:
    """Day of the week by the zone's clock, Monday 0."""
    return (_wall(view) // DAY + EPOCH_WEEKDAY) % 7


def day_type(view: View) -> Floats:
    """0 working day, 1 Saturday, 2 Sunday or holiday.

    Where the country's weekend begins on Friday, Friday takes the place of Sunday; a weekend day that is worked to make
    up for another one is a working day.
    """
    return _told(view, _wall(view) // DAY, _type)


def holiday(view: View) -> Floats:
    """1 on a public holiday of the zone, observed ones included, else 0."""
    return _told(view, _wall(view) // DAY, _is_holiday)


def near_holiday(view: View) -> Floats:
    """1 before a holiday, 2 after one, 3 on a working day between a holiday and another day off, else 0."""
    return _told(view, _wall(view) // DAY, _near)


def same_type(view: View, n: int) -> Floats:
    """Value at the same time of day (UTC) on the n-th newest known day of the same day type, within 28 days."""
    wanted, held = day_type(view), np.full(view.shape, np.nan)
    found = np.zeros(view.shape, dtype=np.int64)
    for back in range(1, SEARCH_DAYS + 1):
        value = view.same_time[back - 1]
        alike = np.isfinite(value) & (_told(view, _wall(view, back) // DAY, _type) == wanted)
        found += alike
        np.copyto(held, value, where=alike & (found == n))
    return held


def check_zones(zones: Mapping[str, Zone]) -> None:
    """Refuse time zones and calendars that nobody knows, with those that are written nearly so."""
    for name, zone in zones.items():
        if zone.timezone:
            _among(f"zone {name}: time zone", zone.timezone, _timezones())
        if zone.holidays:
            _among(f"zone {name}: calendar of holidays", zone.holidays, _calendars())


def _among(what: str, name: str, known: tuple[str, ...]) -> None:
    if name in known:
        return
    near = get_close_matches(name, known, n=3) or [one for one in known if one.startswith(name[:2])][:3] or known[:3]
    raise Refused("E_CONFIG", f"{what} {name!a} is not known", fix=f"use one such as {', '.join(near)}")


# --- clocks -----------------------------------------------------------------------------------------------------------


def _wall(view: View, back: int = 0) -> Floats:
    """Return what the clocks show `back` days before the valid times, as if it were UTC [µs], shape (S, T, H)."""
    at = view.valid_times - back * DAY
    wall = np.full(view.shape, np.nan)
    for name in sorted(set(view.timezones)):
        rows = np.array([one == name for one in view.timezones])
        wall[rows] = _shown(name, at) if name else solar_time(at, view.longitude[rows])
    return wall


def _shown(name: str, at: Instants) -> Instants:
    """Return what the clocks of a time zone show at instants [µs]."""
    if not at.size:
        return at
    first, last = int(at.min()) // DAY, int(at.max()) // DAY
    days = np.array([_offsets(name, day) for day in range(first, last + 1)])
    before, change, after = np.moveaxis(days[at // DAY - first], -1, 0)
    return at + np.where(at < change, before, after)


@lru_cache(maxsize=_DAYS_HELD)
def _offsets(name: str, day: int) -> tuple[int, int, int]:
    """Return the offset from UTC [µs] at the start of a UTC day, the instant it changes, and the offset behind that."""
    low, high = day * DAY, (day + 1) * DAY
    before, after = _offset(name, low), _offset(name, high)
    while before != after and high - low > 1:  # no clock has ever changed twice within a day
        middle = (low + high) // 2
        low, high = (middle, high) if _offset(name, middle) == before else (low, middle)
    return before, high, after


def _offset(name: str, at: int) -> int:
    return (to_datetime(at).astimezone(_timezone(name)).utcoffset() or timedelta()) // _MICROSECOND


@cache
def _timezone(name: str) -> ZoneInfo:
    _among("time zone", name, _timezones())
    with resources.files("tzdata").joinpath("zoneinfo", *name.split("/")).open("rb") as rules:
        return ZoneInfo.from_file(rules, key=name)


@cache
def _timezones() -> tuple[str, ...]:
    return tuple(resources.files("tzdata").joinpath("zones").read_text(encoding="utf-8").split())


# --- days -------------------------------------------------------------------------------------------------------------


def _told(view: View, days: Floats, fact: Callable[[str, int], float]) -> Floats:
    """Return a fact about local days (numbers since 1970) by the calendar of each series, in the shape of `days`."""
    told = np.full(days.shape, np.nan)
    for code in sorted(set(view.holidays)):
        rows = np.array([one == code for one in view.holidays])
        asked = days[rows]
        if asked.size and np.isfinite(asked).all():
            first = int(asked.min())
            table = np.array([fact(code, day) for day in range(first, int(asked.max()) + 1)])
            told[rows] = table[asked.astype(np.int64) - first]
    return told


@lru_cache(maxsize=_DAYS_HELD)
def _type(code: str, day: int) -> float:
    when = _LONG_AGO + timedelta(days=day)
    if not code:
        return {_SATURDAY: HALF_REST, _SUNDAY: REST}.get(when.weekday(), WORKING)
    rules = _rules(code, when.year)
    if rules.is_working_day(when):
        return WORKING
    main = _SUNDAY if _SUNDAY in rules.weekend else _FRIDAY
    return REST if when in rules or when.weekday() == main else HALF_REST


@lru_cache(maxsize=_DAYS_HELD)
def _is_holiday(code: str, day: int) -> float:
    when = _LONG_AGO + timedelta(days=day)
    return float(bool(code) and when in _rules(code, when.year))


@lru_cache(maxsize=_DAYS_HELD)
def _near(code: str, day: int) -> float:
    before, after = (_is_holiday(code, day - 1) > 0, _is_holiday(code, day + 1) > 0)
    if _is_holiday(code, day) or not (before or after):
        return 0.0
    enclosed = min(_type(code, day - 1), _type(code, day + 1)) > WORKING
    if enclosed and _type(code, day) == WORKING:
        return BRIDGE
    return AFTER if before else BEFORE


@cache
def _rules(code: str, year: int) -> "HolidayBase":
    """Return the holidays around a year: holidays move over the end of a year when they are observed on another day."""
    import holidays  # noqa: PLC0415 - only zones with a calendar pay for it

    _among("calendar of holidays", code, _calendars())
    country, _, part = code.partition("-")
    return holidays.country_holidays(country, subdiv=part or None, years=range(year - 1, year + 2), expand=False)


@cache
def _calendars() -> tuple[str, ...]:
    """Return every country, and every part of one as in `US-CA`."""
    import holidays  # noqa: PLC0415

    held = holidays.list_supported_countries()
    return tuple(sorted([*held, *(f"{country}-{part}" for country, parts in held.items() for part in parts)]))


FAMILIES: Final[dict[str, tuple[Callable[..., Floats], Callable[..., int]]]] = {
    **{one.__name__: (one, lambda: 0) for one in (local_hour, local_weekday, day_type, holiday, near_holiday)},
    r"same_type_(\d+)": (same_type, reach(1, SEARCH_DAYS // 7, "days")),
}
