"""A backtest's rows are those that live scoring would have written: every column, to the last bit."""

import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from tests.journeys.futures import rewritten
from tests.journeys.stores import DictStore, bucket_of
from tests.journeys.world import NOW, UNTIL, rows, whole_hour
from training.backtest.hourly import differing
from training.backtest.question import asked_of
from training.backtest.run import Backtest, together
from training.backtest.scoring import score
from training.backtest.speed import one_by_one
from wattahead.cli.catalog import find_catalog
from wattahead.domain.catalog import Catalog
from wattahead.domain.errors import Refused
from wattahead.domain.hours import DAY, HOUR, instant
from wattahead.domain.plan import HourEvent
from wattahead.domain.quality import Quality
from wattahead.jobs.ingest import ingest
from wattahead.jobs.promote import register_baselines
from wattahead.jobs.score import Scorer
from wattahead.sources.mapping_files import find_mapping
from wattahead.storage import timeseries
from wattahead.storage.catalogs import latest_catalog, publish_catalog
from wattahead.storage.objects import Bucket
from wattahead.storage.registry import effective, latest
from wattahead.storage.tables import INSTANT, encode_table, read_parquet
from wattahead.workloads.forecast.planning import planned_pool

REAL = Path(os.environ.get("WATTAHEAD_DATA", "/nowhere"), "zones_production")
HOURS = np.arange(UNTIL + 30 * HOUR, UNTIL + 54 * HOUR, 5 * HOUR)  # night, morning, noon, dusk of both zones
ZONE = "SY-0002"


def hourly(store: DictStore, times: np.ndarray, pool: str, now: int = NOW) -> dict[int, pa.Table]:
    """Score hours one by one through the jobs; return the rows of one pool by issue time."""
    copied = DictStore(dict(store.objects))
    for at in times.tolist():
        whole_hour(bucket_of(copied), HourEvent(at, "backfill", "one"), now=now)
    found = rows(copied.objects, "backfills/forecasts/")
    tables = [read_parquet(body, where=key) for key, body in found.items() if f"/{pool}-" in key]
    assert len(tables) == len(times)
    return {table["issue_time"].cast(pa.int64())[0].as_py(): table for table in tables}


def at_once(bucket: Bucket, times: np.ndarray, pool: str, *, once: bool = True) -> pa.Table:
    """Score the same hours together, with the ladder that the registry held."""
    held = planned_pool(latest_catalog(bucket)[1], pool, effective(bucket, pool, int(times[0])))
    return together([one.rows for one in score(Scorer(bucket), held, times, run="b", run_id="0" * 16, once=once)])


def of_hour(table: pa.Table, at: int) -> pa.Table:
    return table.filter(pc.equal(table["issue_time"], pa.scalar(at, INSTANT)))


def assert_same(store: DictStore, times: np.ndarray, pool: str, now: int = NOW) -> pa.Table:
    """Compare both ways in every column but the run's id; return the rows."""
    ours = at_once(bucket_of(store), times, pool)
    for at, theirs in hourly(store, times, pool, now).items():
        assert differing(of_hour(ours, at), theirs) == []
    return ours


def without(store: DictStore, part: str, drop: Callable[[pa.Table], np.ndarray]) -> DictStore:
    """Return a copy of a world from whose objects below `part` the rows are gone that `drop` marks."""

    def change(body: bytes, key: str) -> bytes:
        table = read_parquet(body, where=key)
        kept = np.flatnonzero(~drop(table))
        return encode_table(table.take(kept)) if len(kept) else body

    return rewritten(store, change, part)


def late(table: pa.Table, column: str, after: int) -> np.ndarray:
    return (table["zone"].cast(pa.string()).to_numpy() == ZONE) & (table[column].cast(pa.int64()).to_numpy() >= after)


def with_catalog(store: DictStore, change: Callable[[Catalog], Catalog]) -> DictStore:
    copied = DictStore(dict(store.objects))
    publish_catalog(bucket_of(copied), change(latest_catalog(bucket_of(copied))[1]))
    return copied


def with_capacity(catalog: Catalog, size: float) -> Catalog:
    signals = {name: replace(one, capacity={ZONE: size}) for name, one in catalog.signals.items()}
    return replace(catalog, signals=signals)


@pytest.mark.parametrize("pool", ["solar", "wind", "demand"])
def test_the_rows_of_a_day_are_those_of_its_hours_one_by_one(trained_world: DictStore, pool: str) -> None:
    found = assert_same(trained_world, HOURS, pool)

    level = 0 if pool != "demand" else 2
    assert set(found["fallback_level"].to_pylist()) == {level}
    assert found.num_rows == len(HOURS) * 2 * 24


def test_the_night_is_zero_in_both(trained_world: DictStore) -> None:
    found = at_once(bucket_of(trained_world), HOURS, "solar")

    assert 0 < pc.sum(pc.equal(found["p90"], 0.0)).as_py() < found.num_rows


@pytest.mark.parametrize("pool", ["solar", "wind"])
def test_a_zone_whose_values_stopped_coming_falls_back_alike(trained_world: DictStore, pool: str) -> None:
    silent = without(trained_world, "actuals/", lambda table: late(table, "valid_time", int(HOURS[1]) - 9 * HOUR))

    found = assert_same(silent, HOURS, pool)

    flags = np.bitwise_or.reduce(found["quality_flags"].to_numpy())
    assert flags & Quality.TARGET_STALE
    assert flags & Quality.DEADLINE_PASSED
    assert flags & Quality.TARGET_GAP


def test_a_zone_without_any_history_is_served_by_its_climatology_in_both(trained_world: DictStore) -> None:
    unknown = without(trained_world, "actuals/", lambda table: late(table, "valid_time", 0))

    found = assert_same(unknown, HOURS, "wind")

    assert set(found["fallback_level"].to_pylist()) == {0, 3}
    assert np.bitwise_or.reduce(found["quality_flags"].to_numpy()) & Quality.NO_SCALE


def test_weather_that_did_not_come_is_missed_alike(trained_world: DictStore) -> None:
    blind = without(trained_world, "weather/", lambda table: late(table, "nwp_init_time", UNTIL - DAY))

    found = assert_same(blind, HOURS, "wind")

    assert np.bitwise_or.reduce(found["quality_flags"].to_numpy()) & Quality.WEATHER_MISSING
    assert set(found["fallback_level"].to_pylist()) > {0}


def test_a_series_with_infinite_features_is_left_to_the_clock_in_both(trained_world: DictStore) -> None:
    world = with_catalog(trained_world, lambda catalog: with_capacity(catalog, 1e-40))

    with np.errstate(over="ignore"):
        found = assert_same(world, HOURS[:2], "wind")

    assert set(found["fallback_level"].to_pylist()) == {0, 3}


def test_a_weather_run_that_reaches_far_is_forgotten_when_an_hour_would_no_longer_read_it(
    trained_world: DictStore,
) -> None:
    """The last run is four days old and about the hours asked for: the first of them read it, the last does not."""
    store, tables = DictStore(), []
    for key, body in trained_world.objects.items():
        if "weather/" in key:
            tables.append(read_parquet(body, where=key))
        else:
            store.objects[key] = body
    held = pa.concat_tables(tables).unify_dictionaries()
    run, valid = (held[name].cast(pa.int64()).to_numpy() for name in ("nwp_init_time", "valid_time"))
    longer = held.set_column(
        held.column_names.index("valid_time"), "valid_time", pa.array(valid + 3 * DAY).view(INSTANT)
    )
    provider = latest_catalog(bucket_of(store))[1].pools["wind"].weather
    kept = longer.filter(pa.array(run <= UNTIL - 3 * DAY))
    timeseries.store(bucket_of(store), timeseries.weather(provider), kept, closed_before=0)

    found = assert_same(store, HOURS, "wind")

    assert [min(of_hour(found, at)["fallback_level"].to_pylist()) for at in HOURS.tolist()] == [0, 0, 0, 0, 2]


def test_equal_rows_predicted_once_or_each_time_are_the_same(trained_world: DictStore) -> None:
    bucket = bucket_of(trained_world)
    times = np.arange(HOURS[0], HOURS[0] + 12 * HOUR, HOUR)

    assert differing(at_once(bucket, times, "wind"), at_once(bucket, times, "wind", once=False)) == []


def test_a_backtest_trains_what_nightly_training_published_and_writes_its_rows(trained_world: DictStore) -> None:
    store = DictStore(dict(trained_world.objects))
    bucket = bucket_of(store)
    asked = asked_of(latest_catalog(bucket)[1], "wind", UNTIL, int(HOURS[-1]), HOUR, "never", run="b")
    before = {key for key in store.objects if key.startswith("models/")}

    job = Backtest(bucket, latest_catalog(bucket)[1], asked)
    job.run()

    champion = latest(bucket, "wind")
    assert champion is not None
    assert job.model(UNTIL).held.rungs == champion.rungs
    assert {key for key in store.objects if key.startswith("models/")} == before
    found = pa.concat_tables(
        [read_parquet(body, where=key) for key, body in rows(store.objects, "backtests/f").items()]
    )
    for at, theirs in hourly(trained_world, HOURS[-2:], "wind").items():
        assert differing(of_hour(found, at), theirs) == []


def test_a_pool_that_reads_forecasts_reads_those_of_its_run(staged: DictStore) -> None:
    """Carbon reads solar and wind of the same issue time: their backtests come first, under one name."""
    store = DictStore(dict(staged.objects))
    bucket = bucket_of(store)
    _, catalog = latest_catalog(bucket)
    few = {"rounds": 10, "leaves": 4, "folds": 2}
    small = replace(catalog, pools={name: replace(pool, parameters=few) for name, pool in catalog.pools.items()})

    def job(pool: str) -> Backtest:
        return Backtest(bucket, small, asked_of(small, pool, UNTIL, UNTIL + 5 * DAY // 2, 5 * HOUR, "never", run="b"))

    with pytest.raises(Refused, match="run the backtest of solar first"):
        job("carbon").run()
    for pool in ("solar", "wind"):
        job(pool).run()
    carbon = job("carbon")
    carbon.run()

    assert one_by_one(carbon).check.differs == ()
    features = carbon.model(UNTIL).held.rungs[0].features
    assert {"forecast_solar", "forecast_wind"} & set(features)


@pytest.fixture(scope="module")
def real_world() -> DictStore:
    """All zones of the real set with wind alone, trained on little."""
    store = DictStore()
    bucket = bucket_of(store)
    catalog = find_catalog("zones_production")
    small = replace(catalog.pools["wind"], parameters={"rounds": 20, "folds": 2, "leaves": 8}, training_window="P100D")
    publish_catalog(bucket, replace(catalog, pools={"wind": small}))
    register_baselines(bucket, replace(catalog, pools={"wind": small}))
    assert ingest(bucket, find_mapping("zones_production"), REAL, now=instant("2021-07-10T00:00Z")).refused == ()
    return store


@pytest.mark.skipif(not REAL.is_dir(), reason="WATTAHEAD_DATA does not name a folder with zones_production")
def test_on_real_data_the_rows_are_the_same_across_months_and_models(real_world: DictStore) -> None:
    from training.train import train

    first, last = instant("2021-01-30T00:00Z"), instant("2021-02-02T23:00Z")
    store = DictStore(dict(real_world.objects))
    bucket = bucket_of(store)
    _, catalog = latest_catalog(bucket)
    Backtest(bucket, catalog, asked_of(catalog, "wind", first, last, HOUR, "P2D", run="b")).run()
    found = {key: read_parquet(body, where=key) for key, body in rows(store.objects, "backtests/forecasts/").items()}

    live = DictStore(dict(real_world.objects))
    for until in (first, first + 2 * DAY):
        done = train(bucket_of(live), catalog, "wind", until=until, seed=1, progress=lambda _: None)
        times = np.array([until, until + 13 * HOUR, until + 47 * HOUR])
        version = done.candidate.bundle_id[:12]
        for at, theirs in hourly(live, times, "wind", instant("2021-07-10T00:00Z")).items():
            ours = of_hour(pa.concat_tables(found.values()), at)
            assert set(ours["model_version"].to_pylist()) == {version}
            if done.promoted:
                assert differing(ours, theirs) == []

    assert len(found) == 2
