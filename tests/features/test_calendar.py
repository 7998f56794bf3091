"""Clocks that are changed, weeks that rest on other days, holidays at the end of a year."""

import sys
import zoneinfo
from datetime import date, timedelta
from functools import cache
from importlib import resources
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wattahead.domain.catalog import Catalog, Pool, Signal, Zone
from wattahead.domain.errors import Refused
from wattahead.domain.hours import DAY, HOUR, instant, to_datetime
from wattahead.features import calendar
from wattahead.features.grammar import check, feature
from wattahead.features.view import View

WINTER, SUMMER = instant("2021-01-12T00:00Z"), instant("2021-07-13T00:00Z")


def _view(
    at: int, timezone: str = "", holidays: str = "", *, steps: int = 24, step: int = HOUR, longitude: float = 0.0
) -> View:
    """Return one series that knows the number of each of its past hours, hour 0 the oldest of 28 days."""
    cells = 28 * DAY // step
    known, scale = np.arange(cells, dtype=float)[None, None], np.ones((1, 1))
    place = np.zeros(1), np.full(1, longitude)
    return View(np.array([at]), steps, step, known, scale, {}, *place, timezones=(timezone,), holidays=(holidays,))


def _told(name: str, view: View) -> list[float]:
    return feature(name).compute(view)[0, 0].tolist()


def _days(name: str, first: str, days: int, holidays: str) -> list[float]:
    """Return a feature at noon of some days."""
    return _told(name, _view(instant(f"{first}T12:00Z"), "", holidays, steps=days, step=DAY))


# --- clocks -----------------------------------------------------------------------------------------------------------


def test_the_hour_that_spring_leaves_out_is_left_out_and_the_hour_that_autumn_repeats_stands_twice() -> None:
    spring = _told("local_hour", _view(instant("2021-03-28T00:00Z"), "Europe/Madrid", steps=4))
    autumn = _told("local_hour", _view(instant("2021-10-30T23:00Z"), "Europe/Madrid", steps=4))

    assert spring == [1, 3, 4, 5]
    assert autumn == [1, 2, 2, 3]


@settings(max_examples=60, deadline=None)
@given(
    name=st.sampled_from(["America/Los_Angeles", "Asia/Kolkata", "Australia/Lord_Howe", "Africa/Casablanca", "UTC"]),
    quarter=st.integers(0, 60 * 365 * 96),
)
def test_a_clock_shows_what_the_standard_library_says(name: str, quarter: int) -> None:
    at = quarter * HOUR // 4
    there = to_datetime(at).astimezone(_packaged(name))

    view = _view(at, name, steps=1)

    assert _told("local_hour", view) == [there.hour + there.minute / 60 + there.second / 3600]
    assert _told("local_weekday", view) == [there.weekday()]


@cache
def _packaged(name: str) -> zoneinfo.ZoneInfo:
    """Return the package's rules as the standard library finds them; the machine's may be older."""
    zoneinfo.reset_tzpath([])
    try:
        return zoneinfo.ZoneInfo.no_cache(name)
    finally:
        zoneinfo.reset_tzpath()


def test_without_a_time_zone_the_clock_is_the_sun() -> None:
    view = _view(WINTER, longitude=-119.5)

    assert _told("local_hour", view) == _told("solar_hour", view)
    assert _told("local_weekday", view) == _told("weekday", view)


def test_the_rules_are_those_of_the_package_and_not_of_the_machine(tmp_path: Path) -> None:
    (tmp_path / "America").mkdir()
    (tmp_path / "America/New_York").write_bytes(resources.files("tzdata").joinpath("zoneinfo/UTC").read_bytes())
    zoneinfo.reset_tzpath([tmp_path])
    calendar._timezone.cache_clear()
    calendar._offsets.cache_clear()

    try:
        assert zoneinfo.ZoneInfo.no_cache("America/New_York").utcoffset(to_datetime(SUMMER)) == timedelta(0)
        assert _told("local_hour", _view(SUMMER, "America/New_York", steps=1)) == [20]
    finally:
        zoneinfo.reset_tzpath()


# --- days -------------------------------------------------------------------------------------------------------------


def test_a_week_has_working_days_a_saturday_and_a_sunday() -> None:
    assert _days("day_type", "2021-02-01", 7, "") == [0, 0, 0, 0, 0, 1, 2]


def test_the_day_is_that_of_the_zones_clock() -> None:
    sunday_evening = _view(instant("2021-02-08T01:00Z"), "America/Los_Angeles", "US-CA", steps=1)

    assert _told("day_type", sunday_evening) == [2]


@pytest.mark.parametrize(
    ("code", "first", "types"),
    [
        ("US-CA", "2021-07-02", [0, 1, 2, 2, 0]),  # the 4th is a Sunday and observed on Monday
        ("US", "2021-12-30", [0, 2, 2, 2]),  # New Year is a Saturday: Friday belongs to the next year's holidays
        ("NL", "2020-04-24", [0, 1, 2, 2, 0]),  # King's Day is a Monday
        ("MA", "2017-08-18", [0, 1, 2, 2, 0]),  # a Sunday and a Monday are holidays
        ("EG", "2021-02-04", [0, 2, 1, 0]),  # the weekend is Friday and Saturday
        ("CN", "2021-02-18", [0, 0, 0, 2]),  # a Saturday that is worked
    ],
)
def test_a_country_rests_when_it_does(code: str, first: str, types: list[float]) -> None:
    assert _days("day_type", first, len(types), code) == types


def test_days_around_holidays_are_told_apart() -> None:
    # Tuesday to Monday in Bavaria: Ascension is a Thursday, and Friday is a bridge to the weekend.
    assert _days("holiday", "2021-05-11", 7, "DE-BY") == [0, 0, 1, 0, 0, 0, 0]
    assert _days("near_holiday", "2021-05-11", 7, "DE-BY") == [0, 1, 0, 3, 0, 0, 0]
    assert _days("near_holiday", "2021-05-23", 3, "DE-BY") == [1, 0, 2]  # Whit Monday


def test_a_holiday_observed_in_another_year_is_found_whatever_was_asked_before() -> None:
    new_years_eve = (date(2010, 12, 31) - date(1970, 1, 1)).days

    found = []
    for years in ([], [2009, 2011, 2012]):
        calendar._rules.cache_clear()
        calendar._is_holiday.cache_clear()
        for year in years:
            calendar._rules("US", year)
        found.append(calendar._is_holiday("US", new_years_eve))

    assert found == [1.0, 1.0]


# --- the same kind of day ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("first", "code", "back"),
    [
        ("2021-02-03", "", (1, 2, 5)),  # Wednesday: Tuesday, Monday, Friday
        ("2021-02-06", "", (7, 14, 21)),  # Saturday
        ("2021-02-15", "US", (1, 8, 15)),  # Presidents' Day: Sundays
        ("2021-02-16", "US", (4, 5, 6)),  # the Tuesday behind it: Friday, not Monday
    ],
)
def test_the_newest_days_of_the_same_type_are_found(first: str, code: str, back: tuple[int, ...]) -> None:
    at = instant(f"{first}T00:00Z")

    found = [_told(f"same_type_{n}", _view(at, "", code, steps=1)) for n in (1, 2, 3)]

    assert found == [[28 * 24.0 - 24 * days] for days in back]


def test_a_day_of_the_type_that_is_not_known_is_passed_over() -> None:
    view = _view(instant("2021-02-03T00:00Z"), steps=1)
    view.target[0, 0, -24] = np.nan

    assert _told("same_type_1", view) == [28 * 24.0 - 48]


# --- what is refused, and what is not there ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("zone", "said"),
    [
        (Zone(0, 0, timezone="America/Los_Angles"), "time zone 'America/Los_Angles' .* America/Los_Angeles"),
        (Zone(0, 0, timezone="../../etc/passwd"), "time zone '../../etc/passwd' is not known"),
        (Zone(0, 0, holidays="US-CAL"), "holidays 'US-CAL' is not known.* US-CA"),
        (Zone(0, 0, holidays="es"), "holidays 'es' is not known"),
        (Zone(0, 0, holidays="XX"), "holidays 'XX' is not known"),
    ],
)
def test_a_zone_that_names_an_unknown_clock_or_calendar_is_refused(zone: Zone, said: str) -> None:
    catalog = Catalog(
        {"AA": zone},
        {"load": Signal("a", "b", "MW", "none")},
        {"plain": ("hour",)},
        {"load": Pool("load", ("AA",), "plain")},
    )

    with pytest.raises(Refused, match=f"E_CONFIG: zone AA: .*{said}"):
        check(catalog)


def test_every_time_zone_and_calendar_that_is_suggested_is_taken() -> None:
    assert {"America/Los_Angeles", "Africa/Casablanca", "UTC"} <= set(calendar._timezones())
    assert {"US", "US-CA", "ES", "NL", "MA", "DE-BY"} <= set(calendar._calendars())
    for name in calendar._timezones():
        calendar._offset(name, SUMMER)


@pytest.mark.parametrize("name", ["local_hour", "local_weekday", "day_type", "holiday", "near_holiday", "same_type_1"])
def test_a_view_without_calendars_knows_nothing_of_them_and_needs_no_package(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "holidays", None)
    monkeypatch.setitem(sys.modules, "tzdata", None)
    there = _view(WINTER)
    blind = View(there.issue_times, 24, HOUR, there.target, there.scale, {}, there.latitude, there.longitude)

    assert np.isnan(feature(name).compute(blind)).all()


@pytest.mark.parametrize(
    "name",
    ["same_type_0", "same_type_5", "sun_elevation_minus_121m", "clear_sky_plus_181m", "clear_sky_minus_0m"],
)
def test_a_number_out_of_reach_is_refused(name: str) -> None:
    with pytest.raises(Refused, match="E_CONFIG: a feature asks for"):
        feature(name)
