"""Copies of days: fewer objects to read, the same rows, whatever came before, between and after."""

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.journeys.stores import DictStore, bucket_of
from tests.storage.faults import Around, Crash, call, change_body, crash_after, crash_before, fail, flip
from tests.storage.test_timeseries import NWP, SOLAR, forecasts, held, table
from wattahead.domain.errors import Refused
from wattahead.domain.hours import DAY, HOUR, instant, iso
from wattahead.jobs.compact import Work, _compact
from wattahead.storage import compaction
from wattahead.storage.compaction import copy_days
from wattahead.storage.copies import copy_of
from wattahead.storage.objects import Bucket, open_bucket
from wattahead.storage.timeseries import Root, listed, load, store

START = instant("2026-01-30T00:00Z")
NOW = instant("2026-03-05T12:00Z")
TODAY = NOW // DAY


def hourly(bucket: Bucket, first: int, hours: int) -> None:
    """Store one row an hour, each in an object of its own, known an hour later."""
    for at in range(first, first + hours * HOUR, HOUR):
        store(bucket, SOLAR, table([("FR", iso(at), at / HOUR, iso(at + HOUR))]), closed_before=0)


def compacted(bucket: Bucket, now: int = NOW, root: Root = SOLAR) -> Work:
    work = Work()
    _compact(bucket, root, now // DAY, work)
    return work


def rows(bucket: Bucket, first: int = START, last: int = NOW) -> list[tuple[object, ...]]:
    return held(load(bucket, SOLAR, first, last))


def gets(bucket: Bucket, first: int = START, last: int = NOW) -> int:
    before = bucket.traffic["gets"]
    load(bucket, SOLAR, first, last)
    return bucket.traffic["gets"] - before


@pytest.fixture
def live() -> Bucket:
    """Give a bucket with ten days of hourly parts, until yesterday noon."""
    bucket = bucket_of(DictStore())
    hourly(bucket, NOW - 11 * DAY, 10 * 24)
    return bucket


def test_ten_days_of_hours_become_a_handful_of_objects_with_the_same_rows(live: Bucket) -> None:
    before, raw = rows(live), gets(live)

    compacted(live)

    assert (raw, gets(live)) == (240, 4)
    assert rows(live) == before


def test_what_is_copied_already_is_not_copied_again(live: Bucket) -> None:
    compacted(live)
    puts = live.traffic["puts"]

    again = compacted(live)

    assert (again.copies, again.reads, live.traffic["puts"]) == (0, 0, puts)


def test_any_day_or_run_of_days_has_the_rows_it_had_and_no_other(live: Bucket) -> None:
    days = range(NOW - 12 * DAY, NOW, DAY)
    asked = [(first, last) for first in days for last in days if first <= last]
    before = [rows(live, *pair) for pair in asked]

    compacted(live)

    assert [rows(live, *pair) for pair in asked] == before


def test_a_late_revision_is_read_beside_the_copy_until_it_is_copied_too(live: Bucket) -> None:
    compacted(live)
    at = NOW - 8 * DAY
    store(live, SOLAR, table([("FR", iso(at), -1.0, iso(NOW))]), closed_before=0)
    before, later = rows(live), gets(live)

    compacted(live)

    assert later == 5
    assert rows(live) == before
    assert -1.0 in {row[2] for row in before}
    assert gets(live, at, at) == 1


def test_a_span_of_days_is_copied_anew_only_when_several_values_came_late(live: Bucket) -> None:
    compacted(live)
    found = []

    for late in range(4):
        at = NOW - 10 * DAY + late * DAY
        store(live, SOLAR, table([("FR", iso(at), -1.0, iso(NOW))]), closed_before=0)
        compacted(live)
        found.append(gets(live))

    assert found == [4, 5, 6, 4]  # the first makes a copy of the month, the fourth a second one


def test_a_long_look_back_may_take_a_copy_that_begins_earlier_but_gets_its_own_days_alone() -> None:
    bucket = bucket_of(DictStore())
    hourly(bucket, START - 20 * DAY, 54 * 24)
    before, short = rows(bucket, START - DAY), rows(bucket, START - DAY, START)

    compacted(bucket)

    assert rows(bucket, START - DAY) == before
    assert rows(bucket, START - DAY, START) == short
    copies = listed(bucket, SOLAR, START // DAY - 1, TODAY).chosen
    assert any(copy.first < START // DAY - 1 for copy in copies)


def test_month_objects_of_imports_are_read_with_the_copies_and_never_copied(live: Bucket) -> None:
    imported = [("DE", iso(NOW - 11 * DAY + day * DAY), 5.0, iso(NOW - DAY)) for day in range(3)]
    store(live, SOLAR, table(imported), closed_before=instant("2026-03-01T00:00Z"))
    before = rows(live)

    compacted(live)
    copy_days(live, SOLAR, listed(live, SOLAR, TODAY - 11, TODAY - 5))

    assert rows(live) == before
    assert sum(row[0] == "DE" for row in before) == 3


def test_a_look_back_whose_days_hold_nothing_is_empty_though_a_copy_reaches_into_it() -> None:
    february = instant("2026-02-01T00:00Z")
    plain, copied = bucket_of(DictStore()), bucket_of(DictStore())
    for bucket in (plain, copied):
        hourly(bucket, february, 3 * 24)  # then the signal falls silent
    compacted(copied)

    for first in range(6):
        window = (february + first * DAY, february + (first + 40) * DAY)
        assert rows(copied, *window) == rows(plain, *window)
    assert any("days=01-04" in key for key in copied.keys("history"))


def test_a_part_that_somebody_took_away_is_gone_from_the_copies_as_well() -> None:
    inner = DictStore()
    bucket = bucket_of(inner)
    hourly(bucket, NOW - 5 * DAY, 24)
    compacted(bucket)
    gone = bucket.keys(SOLAR.prefix)[3]
    del inner.objects[gone]

    assert len(rows(bucket)) == 23


def test_a_copy_that_is_damaged_for_good_is_passed_over(live: Bucket) -> None:
    before = rows(live)
    compacted(live)
    damage = change_body(lambda found: found.verb == "get" and "/days=" in found.key, flip)

    assert rows(bucket_of(Around(live.store, damage))) == before


def test_a_copy_that_goes_between_list_and_read_is_passed_over_and_the_others_are_used(live: Bucket) -> None:
    before = rows(live)
    compacted(live)
    gone = max(key for key in live.keys("history") if "/days=" in key)
    lost = fail(lambda found: found.verb == "get" and found.key == gone, FileNotFoundError(gone))
    bucket = bucket_of(Around(live.store, lost))

    assert rows(bucket) == before
    assert gets(bucket) < 60


def test_two_compactors_from_different_objects_write_equal_bytes() -> None:
    one, other = DictStore(), DictStore()
    day = (TODAY - 5) * DAY
    for inner in (one, other):
        hourly(bucket_of(inner), day, 12)
    compacted(bucket_of(one))  # this one then copies from a copy and the rest, the other from parts alone
    for inner in (one, other):
        hourly(bucket_of(inner), day + 12 * HOUR, 12)
        compacted(bucket_of(inner))

    assert set(other.objects) < set(one.objects)
    assert {key: one.objects[key] for key in other.objects} == other.objects


def test_a_variable_that_some_parts_lack_is_null_in_the_copy_and_none_is_lost() -> None:
    bucket = bucket_of(DictStore())
    day = iso((TODAY - 3) * DAY)
    store(bucket, NWP, forecasts([("FR", 0, day, 0, {"ghi": 1.0})]), closed_before=0)
    store(bucket, NWP, forecasts([("FR", 0, day, 1, {"ghi": 2.0, "gusts": 9.0})]), closed_before=0)
    asked: tuple[Any, ...] = (bucket, NWP, NOW - 5 * DAY, NOW)
    before = [held(load(*asked, variables=names)) for names in (["ghi", "gusts"], ["gusts"], ["never"])]

    assert compacted(bucket, root=NWP).copies == 1

    assert [held(load(*asked, variables=names)) for names in (["ghi", "gusts"], ["gusts"], ["never"])] == before


def test_weather_is_copied_by_the_day_alone() -> None:
    bucket = bucket_of(DictStore())
    for day in range(TODAY - 9, TODAY):
        for run in (0, 6):
            at = iso(day * DAY + run * HOUR)
            store(bucket, NWP, forecasts([("FR", 0, at, 0, {"ghi": 1.0})]), closed_before=0)

    compacted(bucket, root=NWP)

    copies = [copy for key in bucket.keys("history") if (copy := copy_of(key))]
    assert [copy.days for copy in copies] == [1] * 9


@pytest.mark.parametrize(("most", "largest"), [(47, 24), (23, 12)])
def test_days_of_too_many_rows_for_one_object_are_left_as_they_are(
    live: Bucket, monkeypatch: pytest.MonkeyPatch, most: int, largest: int
) -> None:
    monkeypatch.setattr(compaction, "MOST_ROWS", most)
    before = rows(live)

    compacted(live)

    assert max(copy.rows for key in live.keys("history") if (copy := copy_of(key))) == largest
    assert rows(live) == before


def test_a_copy_says_in_its_key_what_it_holds(live: Bucket) -> None:
    day = (NOW - 11 * DAY) // DAY + 1

    copy = copy_days(live, SOLAR, listed(live, SOLAR, day, day))

    assert copy is not None
    assert copy.key.startswith("history/actuals/key=production/subkey=solar/month=2026-02/days=23-23/24-24-")
    assert (copy.first, copy.last, copy.parts, copy.rows) == (day, day, 24, 24)
    assert copy_of("history/actuals/key=production/subkey=solar/month=2026-02/0123456789abcdef.parquet") is None


def test_a_copy_of_days_of_two_months_is_refused(live: Bucket) -> None:
    with pytest.raises(Refused, match="E_KEY: 2026-02-25 to 2026-03-01 are no days of one month"):
        copy_days(live, SOLAR, listed(live, SOLAR, TODAY - 8, TODAY - 4))


def test_rows_of_a_part_come_once_even_if_two_copies_say_they_are_of_other_days(live: Bucket) -> None:
    before = rows(live)
    copy = copy_days(live, SOLAR, listed(live, SOLAR, TODAY - 8, TODAY - 7))
    assert copy is not None
    live.create(copy.key.replace("days=25-26", "days=23-24"), live.read(copy.key, bytes))

    assert rows(live) == before


def test_the_views_show_what_they_showed_where_copies_are_all_the_history_there_is(tmp_path: Path) -> None:
    from wattahead.queries.connection import connect

    bucket = open_bucket(str(tmp_path))
    hourly(bucket, NOW - 3 * DAY, 5)

    compacted(bucket)

    assert connect(bucket.url).sql("SELECT count(*), sum(value) FROM actuals").fetchall() == [
        (5, sum((NOW - 3 * DAY) / HOUR + hour for hour in range(5)))
    ]


# Any order of things ------------------------------------------------------------------------------------------------

STEPS = st.lists(
    st.one_of(
        st.tuples(st.integers(0, 34), st.integers(0, 23), st.integers(0, 3)),  # a value: day, hour, revision
        st.integers(0, 40),  # a compaction on that day
    ),
    min_size=1,
    max_size=25,
)


@settings(max_examples=60)
@given(STEPS, st.integers(0, 34), st.integers(0, 34))
def test_whatever_is_stored_and_compacted_when_the_rows_are_those_of_a_bucket_without_copies(
    steps: list[Any], one: int, other: int
) -> None:
    plain, tidy = bucket_of(DictStore()), bucket_of(DictStore())
    for step in steps:
        if isinstance(step, int):
            compacted(tidy, START + step * DAY)
            continue
        at = START + step[0] * DAY + step[1] * HOUR
        for bucket in (plain, tidy):
            store(bucket, SOLAR, table([("FR", iso(at), step[2], iso(at + step[2] * DAY))]), closed_before=0)

    asked = sorted((START + one * DAY, START + other * DAY))
    assert rows(tidy, *asked) == rows(plain, *asked)
    assert gets(tidy, *asked) <= gets(plain, *asked)


def test_a_crash_at_any_storage_call_loses_no_row_and_the_next_call_ends_it() -> None:
    def begun() -> DictStore:
        inner = DictStore()
        hourly(bucket_of(inner), NOW - 6 * DAY, 3 * 24)
        return inner

    clean = begun()
    before = rows(bucket_of(clean))
    counting = Around(clean)
    compacted(bucket_of(counting))
    numbers = [found.number for found in counting.calls if found.verb != "get"]

    for fault in (fault(call(number)) for number in numbers for fault in (crash_before, crash_after)):
        inner = begun()
        with pytest.raises(Crash):
            compacted(bucket_of(Around(inner, fault)))
        assert rows(bucket_of(inner)) == before
        compacted(bucket_of(inner))
        assert inner.objects == clean.objects
