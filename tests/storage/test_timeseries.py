"""Actuals and weather in day and month objects."""

import random
from collections.abc import Callable, Sequence

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.storage.faults import Around, change_body, cut, flip, nth
from wattahead.domain.errors import Damaged, Refused
from wattahead.domain.hours import HOUR, instant
from wattahead.storage import timeseries
from wattahead.storage.objects import Bucket, open_bucket, sha256
from wattahead.storage.tables import INSTANT, NAME, encode_table
from wattahead.storage.timeseries import load, store

SOLAR = timeseries.actuals("production", "solar")
NWP = timeseries.weather("nwp")
DAYS = "actuals/key=production/subkey=solar"
MONTHS = f"history/{DAYS}"

Row = tuple[str, str, float | None, str]  # zone, valid time, value, available at

ROWS: list[Row] = [
    ("FR", "2021-01-31T23:00Z", 1.0, "2021-02-01T00:00Z"),
    ("FR", "2021-02-01T00:00Z", 2.0, "2021-02-01T01:00Z"),
    ("DE", "2021-02-01T00:00Z", None, "2021-02-01T01:00Z"),
    ("FR", "2021-02-01T00:00Z", 2.5, "2021-02-03T09:30Z"),  # a revision
    ("FR", "2021-02-28T23:00Z", 3.0, "2021-03-01T00:00Z"),
    ("DE", "2021-03-01T00:00Z", 4.0, "2021-03-01T01:00Z"),
]


def table(rows: Sequence[Row]) -> pa.Table:
    zones, valid, values, known = zip(*rows, strict=True)
    return pa.table({
        "zone": pa.array(zones).cast(NAME), "valid_time": pa.array([instant(at) for at in valid], INSTANT),
        "value": pa.array(values, pa.float64()), "available_at": pa.array([instant(at) for at in known], INSTANT),
        "availability": pa.array(["live"] * len(rows)).cast(NAME),
    })  # fmt: skip


def forecasts(rows: Sequence[tuple[str, int, str, int, dict[str, float]]]) -> pa.Table:
    """Return weather rows: zone, point, start of the run, lead in hours, variables. Known two hours after the start."""
    starts = [instant(start) for _, _, start, _, _ in rows]
    names = sorted(rows[0][4])
    return pa.table({
        "zone": pa.array([row[0] for row in rows]).cast(NAME), "point": pa.array([row[1] for row in rows], pa.int16()),
        "nwp_init_time": pa.array(starts, INSTANT), "available_at": pa.array([at + 2 * HOUR for at in starts], INSTANT),
        "valid_time": pa.array([at + row[3] * HOUR for at, row in zip(starts, rows, strict=True)], INSTANT),
        **{name: pa.array([row[4][name] for row in rows], pa.float32()) for name in names},
    })  # fmt: skip


def held(found: pa.Table) -> list[tuple[object, ...]]:
    return sorted((tuple(row.values()) for row in found.to_pylist()), key=str)


def february(bucket: Bucket) -> list[tuple[object, ...]]:
    return held(load(bucket, SOLAR, instant("2021-02-01T00:00Z"), instant("2021-02-28T00:00Z")))


def bodies(bucket: Bucket) -> dict[str, bytes]:
    return {key: bucket.read(key, bytes) for root in ("actuals", "history", "weather") for key in bucket.keys(root)}


def test_open_months_become_day_objects(bucket: Bucket) -> None:
    created = store(bucket, SOLAR, table(ROWS), closed_before=0)

    assert [key.rsplit("/", 1)[0] for key in created] == [
        f"{DAYS}/date=2021-{day}" for day in ("01-31", "02-01", "02-28", "03-01")
    ]


def test_closed_months_become_month_objects(bucket: Bucket) -> None:
    created = store(bucket, SOLAR, table(ROWS), closed_before=instant("2021-03-01T00:00Z"))

    assert [key.rsplit("/", 1)[0] for key in created] == [
        f"{MONTHS}/month=2021-01",
        f"{MONTHS}/month=2021-02",
        f"{DAYS}/date=2021-03-01",
    ]


def test_a_month_that_ends_one_moment_later_is_open(bucket: Bucket) -> None:
    created = store(bucket, SOLAR, table(ROWS), closed_before=instant("2021-03-01T00:00Z") - 1)

    assert [key.split("/")[-2] for key in created] == [
        "month=2021-01",
        "date=2021-02-01",
        "date=2021-02-28",
        "date=2021-03-01",
    ]


@pytest.mark.parametrize("closed_before", ["2020-01-01T00:00Z", "2021-02-01T00:00Z", "2022-01-01T00:00Z"])
def test_day_and_month_objects_give_back_every_revision(any_bucket: Bucket, closed_before: str) -> None:
    store(any_bucket, SOLAR, table(ROWS), closed_before=instant(closed_before))

    assert february(any_bucket) == held(table(ROWS[1:5]))


def test_the_same_rows_again_change_nothing(any_bucket: Bucket) -> None:
    store(any_bucket, SOLAR, table(ROWS), closed_before=instant("2021-02-01T00:00Z"))
    before = bodies(any_bucket)

    assert store(any_bucket, SOLAR, table(ROWS), closed_before=instant("2021-02-01T00:00Z")) == []
    assert bodies(any_bucket) == before


def test_rows_that_came_later_stand_beside_the_earlier(bucket: Bucket) -> None:
    for row in ROWS:
        store(bucket, SOLAR, table([row]), closed_before=0)

    assert february(bucket) == held(table(ROWS[1:5]))


def test_one_day_may_stand_in_day_and_month_objects(bucket: Bucket) -> None:
    store(bucket, SOLAR, table(ROWS[1:3]), closed_before=0)
    store(bucket, SOLAR, table(ROWS[3:5]), closed_before=instant("2021-03-01T00:00Z"))

    assert february(bucket) == held(table(ROWS[1:5]))


def test_load_reads_the_days_asked_for_and_no_other_object(bucket: Bucket) -> None:
    store(bucket, SOLAR, table(ROWS), closed_before=0)
    before = bucket.traffic["gets"]

    found = load(bucket, SOLAR, instant("2021-02-28T05:00Z"), instant("2021-03-01T00:00Z"))

    assert held(found) == held(table(ROWS[4:]))
    assert bucket.traffic["gets"] - before == 2


def test_no_objects_are_a_table_without_rows_of_the_same_columns(bucket: Bucket) -> None:
    empty = load(bucket, SOLAR, 0, HOUR)
    store(bucket, SOLAR, table(ROWS), closed_before=0)

    assert empty.num_rows == 0
    assert empty.schema == load(bucket, SOLAR, instant(ROWS[0][1]), instant(ROWS[-1][1])).schema


def test_no_rows_are_no_objects(bucket: Bucket) -> None:
    assert store(bucket, SOLAR, table(ROWS).slice(0, 0), closed_before=0) == []


ORDER = st.permutations(range(len(ROWS)))


@settings(max_examples=40)
@given(ORDER, st.integers(1, len(ROWS) - 1))
def test_the_order_and_cut_of_rows_do_not_move_a_byte(order: list[int], cut_at: int) -> None:
    shuffled = [ROWS[index] for index in order]
    pieces = pa.concat_tables([table(shuffled[:cut_at]), table(shuffled[cut_at:])]).unify_dictionaries()
    kept = []

    for rows in (table(ROWS), pieces):
        bucket = Bucket(Around(open_bucket(f"memory://order-{random.getrandbits(64):x}").store))
        store(bucket, SOLAR, rows, closed_before=instant("2021-03-01T00:00Z"))
        kept.append(bodies(bucket))

    assert kept[0] == kept[1]


POINTS = [
    (zone, point, start, lead, {"ghi": point + lead / 10, "wind": 3.0})
    for zone in ("FR", "DE")
    for point in (0, 1, 2)
    for start in ("2021-02-01T00:00Z", "2021-02-01T12:00Z")
    for lead in (0, 24)
]


def test_the_order_of_weather_points_does_not_move_a_byte() -> None:
    kept = []

    for seed in range(4):
        bucket = open_bucket(f"memory://points-{seed}-{random.getrandbits(64):x}")
        store(bucket, NWP, forecasts(random.Random(seed).sample(POINTS, len(POINTS))), closed_before=0)
        kept.append(bodies(bucket))

    assert all(one == kept[0] for one in kept)


def test_weather_is_cut_by_the_day_of_its_run(bucket: Bucket) -> None:
    created = store(bucket, NWP, forecasts(POINTS), closed_before=0)

    assert [key.rsplit("/", 1)[0] for key in created] == ["weather/provider=nwp/init_date=2021-02-01"]
    assert (
        load(bucket, NWP, instant("2021-02-02T00:00Z"), instant("2021-02-03T00:00Z"), variables=["ghi"]).num_rows == 0
    )


def test_weather_gives_the_variables_asked_for(bucket: Bucket) -> None:
    store(bucket, NWP, forecasts(POINTS[:1]), closed_before=0)

    found = load(bucket, NWP, instant("2021-02-01T00:00Z"), instant("2021-02-01T00:00Z"), variables=["wind"])

    assert found.column_names == ["zone", "point", "nwp_init_time", "available_at", "valid_time", "wind"]


def test_a_variable_that_an_older_object_lacks_is_null_there(bucket: Bucket) -> None:
    store(bucket, NWP, forecasts([("FR", 0, "2021-02-01T00:00Z", 0, {"ghi": 1.0})]), closed_before=0)
    store(bucket, NWP, forecasts([("FR", 0, "2021-02-02T00:00Z", 0, {"ghi": 2.0, "gusts": 9.0})]), closed_before=0)

    found = load(bucket, NWP, instant("2021-02-01T00:00Z"), instant("2021-02-02T00:00Z"), variables=["ghi", "gusts"])

    assert found.select(["ghi", "gusts"]).to_pylist() == [{"ghi": 1.0, "gusts": None}, {"ghi": 2.0, "gusts": 9.0}]


def test_an_actual_without_its_value_column_is_refused(bucket: Bucket) -> None:
    body = encode_table(table(ROWS[:1]).drop_columns("value"))
    bucket.create(f"{DAYS}/date=2021-01-31/part-{sha256(body)[:16]}.parquet", body)

    with pytest.raises(Refused, match="E_FEAT_COLUMN_MISSING"):
        load(bucket, SOLAR, instant("2021-01-31T00:00Z"), instant("2021-01-31T00:00Z"))


@pytest.mark.parametrize("change", [cut, flip], ids=["cut", "flipped"])
def test_an_object_damaged_on_the_way_is_fetched_again(bucket: Bucket, change: Callable[[bytes], bytes]) -> None:
    store(bucket, SOLAR, table(ROWS[1:5]), closed_before=instant("2021-03-01T00:00Z"))
    seen = Bucket(Around(bucket.store, change_body(nth("get", 1), change)), pause=lambda _: None)

    assert february(seen) == held(table(ROWS[1:5]))


def test_an_object_that_is_not_what_its_name_says_is_damaged(bucket: Bucket) -> None:
    [key] = store(bucket, SOLAR, table(ROWS[1:3]), closed_before=0)
    other = open_bucket(f"memory://other-{random.getrandbits(64):x}")
    other.pause = lambda _: None
    other.create(key, encode_table(table([(zone, at, 9.0, known) for zone, at, _, known in ROWS[1:3]])))

    with pytest.raises(Damaged, match="E_FEAT_CHECKSUM: .* does not match the hash in its name"):
        february(other)
