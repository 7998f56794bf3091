"""Instants, durations and their text."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wattahead.domain.errors import Refused
from wattahead.domain.hours import (
    DAY,
    HOUR,
    MINUTE,
    date_of,
    duration,
    floor_hour,
    from_datetime,
    hour_of,
    instant,
    iso,
    month_of,
    to_datetime,
)

INSTANTS = st.integers(0, 2**52)  # 1970 to 2112
OFFSETS = st.integers(-23 * 60, 23 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))


@given(INSTANTS)
def test_an_instant_survives_as_datetime(at: int) -> None:
    assert from_datetime(to_datetime(at)) == at


@given(INSTANTS.map(lambda at: at - at % MINUTE))
def test_a_whole_minute_survives_as_text(at: int) -> None:
    assert instant(iso(at)) == at


@given(st.datetimes(datetime(1970, 1, 2), datetime(2190, 1, 1), timezones=OFFSETS))  # noqa: DTZ001 - hypothesis adds the zone
def test_the_zone_a_time_is_written_in_does_not_matter(moment: datetime) -> None:
    assert instant(moment.isoformat()) == instant(moment.astimezone(UTC).isoformat())


@given(INSTANTS)
def test_an_hour_is_floored_to_its_start(at: int) -> None:
    assert floor_hour(at) <= at < floor_hour(at) + HOUR
    assert floor_hour(at) % HOUR == 0


@given(INSTANTS)
def test_date_month_and_hour_are_parts_of_the_text(at: int) -> None:
    assert iso(at).startswith(f"{date_of(at)}T{hour_of(at)}:")
    assert date_of(at).startswith(month_of(at))


@pytest.mark.parametrize("day", ["2021-03-28", "2021-10-31", "2021-03-14", "2021-11-07"])
def test_a_day_has_24_hours_when_clocks_change(day: str) -> None:
    assert [hour_of(instant(f"{day}T00:00Z") + hour * HOUR) for hour in range(24)] == [
        f"{hour:02}" for hour in range(24)
    ]


def test_a_leap_year_has_a_29th_of_february() -> None:
    assert date_of(instant("2024-02-28T23:00Z") + HOUR) == "2024-02-29"
    assert date_of(instant("2023-02-28T23:00Z") + HOUR) == "2023-03-01"
    assert date_of(instant("2100-02-28T23:00Z") + HOUR) == "2100-03-01"


def test_the_last_hour_of_a_year_is_followed_by_the_first_of_the_next() -> None:
    last = instant("2020-12-31T23:59Z")

    assert (month_of(last), month_of(last + MINUTE), hour_of(last + MINUTE)) == ("2020-12", "2021-01", "00")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("PT24H", DAY),
        ("P28D", 28 * DAY),
        ("PT15M", 15 * MINUTE),
        ("P1DT2H3M", DAY + 2 * HOUR + 3 * MINUTE),
        ("PT0H", 0),
    ],
)
def test_durations_are_days_hours_and_minutes(text: str, expected: int) -> None:
    assert duration(text) == expected


@given(st.integers(0, 9999), st.integers(0, 99), st.integers(0, 99))
def test_a_duration_is_the_sum_of_its_parts(days: int, hours: int, minutes: int) -> None:
    assert duration(f"P{days}DT{hours}H{minutes}M") == days * DAY + hours * HOUR + minutes * MINUTE


@pytest.mark.parametrize(
    "text", ["", "P", "PT", "24H", "PT-1H", "P1M", "P1W", "PT1.5H", "pt1h", "PT1H ", "PT1H\n", "PT1S"]
)
def test_another_text_is_no_duration(text: str) -> None:
    with pytest.raises(Refused, match="E_CONFIG"):
        duration(text)


@pytest.mark.parametrize("text", ["", "now", "2021-02-29T00:00Z", "2021-01-02T24:30Z", "1609459200"])
def test_another_text_is_no_time(text: str) -> None:
    with pytest.raises(Refused, match="E_EVENT_SHAPE"):
        instant(text)


@pytest.mark.parametrize("text", ["2021-01-02T00:00", "2021-01-02"])
def test_a_time_without_a_zone_is_refused(text: str) -> None:
    with pytest.raises(Refused, match="E_TIME_NAIVE"):
        instant(text)
