"""An operator's forecasts among the features: for the zones that have them, as known then, and waited for when late."""

from dataclasses import replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from tests.journeys.futures import changed, rewritten
from tests.journeys.staged import EARLY, features, flags
from tests.journeys.stores import DictStore, bucket_of
from tests.journeys.test_backtest_rows import assert_same
from tests.journeys.world import DAYS, EVENT, ISSUE, NOW, UNTIL, crowned, rows, table, whole_hour
from wattahead.domain.hours import DAY, HOUR, date_of
from wattahead.features.grammar import check
from wattahead.jobs.build_features import build_features
from wattahead.jobs.compact import compact
from wattahead.jobs.plan import plan
from wattahead.storage import timeseries
from wattahead.storage.catalogs import latest_catalog, publish_catalog
from wattahead.storage.objects import Bucket
from wattahead.storage.tables import INSTANT, NAME

WITH, NEVER = "SY-0001", "SY-0002"
TODAY = ISSUE // DAY * DAY
READS = ("external_operator", "external_operator_minus_1h", "external_operator_error_1", "external_operator_error_24h")


def day_ahead(bucket: Bucket) -> pa.Table:
    """Return forecasts of wind for one of the zones, each day's made at 00 and known at 10 UTC of the day before."""
    held = timeseries.load(bucket, timeseries.actuals("production", "wind"), ISSUE - DAYS * DAY, ISSUE)
    held = held.filter(pc.equal(held["zone"].cast(pa.string()), WITH))
    came = dict(zip(held["valid_time"].cast(pa.int64()).to_pylist(), held["value"].to_pylist(), strict=True))
    valid = np.arange(min(came), TODAY + 2 * DAY, HOUR)
    draw = np.random.default_rng(4)
    made = pa.array(valid // DAY * DAY - DAY).cast(INSTANT)
    return pa.table(
        {
            "zone": pa.array([WITH] * len(valid)).cast(NAME),
            "point": pa.array(np.zeros(len(valid)), pa.int16()),
            "nwp_init_time": made,
            "available_at": pa.array(valid // DAY * DAY - 14 * HOUR).cast(INSTANT),
            "valid_time": pa.array(valid).cast(INSTANT),
            "production_wind": pa.array(
                [came.get(at, 50.0) * draw.normal(1, 0.1) for at in valid.tolist()], pa.float32()
            ),
        }
    )


@pytest.fixture(scope="module")
def told(untrained_world: DictStore) -> DictStore:
    """A world whose wind pool reads the operator and has a small champion; nobody writes to it."""
    store = DictStore(dict(untrained_world.objects))
    bucket = bucket_of(store)
    timeseries.store(bucket, timeseries.external("operator"), day_ahead(bucket), closed_before=0)
    _, plain = latest_catalog(bucket)
    sets = {**plain.feature_sets, "wind": (*plain.feature_sets["wind"], *READS)}
    few = replace(plain.pools["wind"], issue_hours=(5,), parameters={"rounds": 8, "folds": 2, "least_rows": 20})
    catalog = check(replace(plain, feature_sets=sets, pools={**plain.pools, "wind": few}))
    publish_catalog(bucket, catalog)
    crowned(bucket, catalog, "wind")
    return store


@pytest.fixture
def store(told: DictStore) -> DictStore:
    return DictStore(dict(told.objects))


def of(held: pa.Table, zone: str) -> pa.Table:
    return held.filter(pc.starts_with(held["series_id"].cast(pa.string()), f"{zone}/"))


def silent(store: DictStore, day: int) -> DictStore:
    """Return a copy of the world without what was said for one day [µs, 00 UTC]."""
    made = f"external/provider=operator/init_date={date_of(day - DAY)}"
    found = DictStore({key: body for key, body in store.objects.items() if not key.startswith(made)})
    assert len(found.objects) == len(store.objects) - 1
    return found


def test_a_zone_that_has_an_operator_reads_it_and_one_without_is_served_all_the_same(store: DictStore) -> None:
    whole_hour(bucket_of(store))
    read, scored = features(store, "wind-0000"), table(store.objects, "wind-0000")

    known = of(read, WITH)["external_operator"].to_numpy()
    assert np.isfinite(known).tolist() == [True] * 19 + [False] * 5  # tomorrow is said at 10
    assert not np.isfinite(of(read, NEVER).select(READS).to_pandas().to_numpy()).any()
    assert "input_missing" not in flags(scored)
    assert pc.max(scored["fallback_level"]).as_py() == 0


def test_the_model_listens_to_the_operator(store: DictStore) -> None:
    """The counterpart without which the test of the future below could not fail."""
    other = rewritten(store, lambda body, key: changed(body, key, 1, UNTIL), "external/")

    whole_hour(bucket_of(store))
    whole_hour(bucket_of(other))

    one, two = (table(held.objects, "wind-0000") for held in (store, other))
    assert not of(one, WITH)["p50"].equals(of(two, WITH)["p50"])
    assert of(one, NEVER)["p50"].equals(of(two, NEVER)["p50"])


@pytest.mark.parametrize("seed", range(3))
def test_what_the_operator_says_after_the_issue_time_moves_not_one_byte(store: DictStore, seed: int) -> None:
    other = rewritten(store, lambda body, key: changed(body, key, seed, ISSUE), "external/")

    whole_hour(bucket_of(store))
    whole_hour(bucket_of(other))

    assert set(rows(other.objects, "external/")) != set(rows(store.objects, "external/"))
    assert rows(other.objects) == rows(store.objects)
    assert rows(other.objects, "features/") == rows(store.objects, "features/")


def test_a_late_operator_is_waited_for_until_the_deadline_and_then_flagged_where_it_is_missed(
    store: DictStore,
) -> None:
    late = silent(store, TODAY)
    one = replace(EVENT, batch="wind-0000")
    plan(bucket_of(late), EVENT, now=EARLY)

    assert build_features(bucket_of(late), one, now=EARLY).outcome == "waiting"
    assert build_features(bucket_of(late), one, now=NOW).outcome == "ok"
    read = features(late, "wind-0000")
    assert {"input_missing", "deadline_passed"} <= flags(of(read, WITH))
    assert not {"input_missing", "deadline_passed"} & flags(of(read, NEVER))


def test_nobody_waits_for_an_operator_that_says_the_day_at_its_usual_time(store: DictStore) -> None:
    plan(bucket_of(store), EVENT, now=EARLY)

    assert build_features(bucket_of(store), replace(EVENT, batch="wind-0000"), now=EARLY).outcome == "ok"


def test_a_backtest_gives_the_rows_of_the_hours_with_an_operator_that_falls_silent(store: DictStore) -> None:
    gap = silent(store, UNTIL + DAY)

    made = assert_same(gap, UNTIL + np.array([18, 30, 45]) * HOUR, "wind")

    assert {"input_missing", "deadline_passed"} <= flags(made)


def test_forecasts_that_were_compacted_are_the_same_features(store: DictStore) -> None:
    copied = DictStore(dict(store.objects))

    assert compact(bucket_of(copied), EVENT, now=NOW).facts["copies"]
    for held in (store, copied):
        whole_hour(bucket_of(held))

    assert rows(copied.objects, "history/external/")
    assert rows(copied.objects, "features/") == rows(store.objects, "features/")
