"""Runs whose parts are unlike: pools with quantiles of their own, and a horizon that changed meanwhile."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from tests.journeys.stores import DictStore, bucket_of
from tests.journeys.world import ISSUE, NOW, whole_hour
from training import tabled
from training.judged import judge, rows
from training.scores import Asked, collect
from wattahead.domain.catalog import Pool
from wattahead.domain.errors import Refused
from wattahead.domain.hours import DAY, HOUR
from wattahead.domain.plan import HourEvent
from wattahead.evaluation.scored import Scored
from wattahead.storage.catalogs import latest_catalog, publish_catalog
from wattahead.storage.objects import Bucket
from wattahead.storage.tables import encode_table

TIMES = [ISSUE - 2 * DAY, ISSUE - 2 * DAY + HOUR]
PLANNED, PAST = Asked("backfill", "first", 0, ISSUE), Asked("backtest", "past", 0, ISSUE)


@pytest.fixture(scope="module")
def two_hours(trained_world: DictStore) -> DictStore:
    """Two hours of a backfill, of all three pools; all of it has come true."""
    store = DictStore(dict(trained_world.objects))
    for at in TIMES:
        assert (
            whole_hour(bucket_of(store), HourEvent(at, "backfill", "first"), now=NOW) == "degraded"
        )  # demand has no champion
    return store


@pytest.fixture
def bucket(two_hours: DictStore) -> Bucket:
    return bucket_of(DictStore(dict(two_hours.objects)))


# --- pools with quantiles of their own -------------------------------------------------------------------------------


def as_backtest(bucket: Bucket, change: Callable[[str, pa.Table], pa.Table]) -> list[Scored]:
    """Write the planned rows again as those of a backtest, one object per pool, and read them as a run."""
    table = tabled.read(bucket, "backfill", "first", 0, ISSUE, lambda _, __: None).drop_columns("pool")
    for one in collect(bucket, PLANNED, now=NOW):
        here = table.filter(pc.equal(table["series_id"].cast(pa.string()), str(one.series)))
        part = f"{len(bucket.keys('backtests')):016x}"
        key = f"backtests/forecasts/run=past/pool={one.pool}/issue_month=2026-02/{part}.parquet"
        bucket.create(key, encode_table(change(one.pool, here)))
    return collect(bucket, PAST, now=NOW)


def wider(pool: str, table: pa.Table) -> pa.Table:
    """Give wind two more quantiles."""
    if pool != "wind":
        return table
    for name, beside, step in (("p05", "p10", -1.0), ("p95", "p90", 1.0)):
        table = table.append_column(name, pc.add(table[beside], step))
    return table


def test_every_pool_of_a_run_is_judged_by_the_quantiles_that_it_has(bucket: Bucket, two_hours: DictStore) -> None:
    alone = {str(one.series): found for one, found in judge(as_backtest(bucket, lambda _, table: table))}

    judged = judge(as_backtest(bucket_of(DictStore(dict(two_hours.objects))), wider))

    assert {one.pool for one, _ in judged} == {"demand", "solar", "wind"}
    for one, found in judged:
        told = list(zip(found.metric, found.slice, found.slice_value, found.value, strict=True))
        if one.pool == "wind":
            assert list(one.quantiles) == ["p05", "p10", "p50", "p90", "p95"]
            assert {"coverage", "width", "pinball", "crps", "pinball_p05", "below_p95"} <= {name for name, *_ in told}
            assert found.of("width").value == pytest.approx(alone[str(one.series)].of("width").value + 2, rel=1e-5)
        else:
            held = alone[str(one.series)]
            assert told == list(zip(held.metric, held.slice, held.slice_value, held.value, strict=True))
            assert {"coverage", "width", "pinball", "crps"} <= set(held.metric)
    saved = rows(judged, split="backtest", run_kind="backtest", run="past")
    assert pc.sum(pc.equal(saved["metric"].cast(pa.string()), "crps")).as_py() >= len(judged)


def test_a_series_without_any_forecast_keeps_its_median_and_is_judged_by_nothing(bucket: Bucket) -> None:
    def empty(pool: str, table: pa.Table) -> pa.Table:
        for name in ("p10", "p50", "p90") if pool == "demand" else ():
            nothing = pa.nulls(table.num_rows, table[name].type)
            table = table.set_column(table.column_names.index(name), name, nothing)
        return table

    for one, found in judge(as_backtest(bucket, empty)):
        assert np.isfinite(found.of("mae").value) == (one.pool != "demand")
        assert "p50" in one.quantiles


# --- what changed meanwhile ------------------------------------------------------------------------------------------


def changed(bucket: Bucket, change: Callable[[Pool], Pool]) -> None:
    """Publish a catalog with another demand pool, and forecast one hour more."""
    _, catalog = latest_catalog(bucket)
    publish_catalog(bucket, replace(catalog, pools={**catalog.pools, "demand": change(catalog.pools["demand"])}))
    assert (
        whole_hour(bucket, HourEvent(TIMES[1] + HOUR, "backfill", "first"), now=NOW) == "degraded"
    )  # demand has no champion


CHANGES: dict[str, Callable[[Pool], Pool]] = {
    "48 steps of 60 minutes with p10, p50, p90": lambda pool: replace(pool, horizon="PT48H"),
    "24 steps of 60 minutes with p05, p50, p95": lambda pool: replace(pool, quantiles=("p05", "p50", "p95")),
    "24 steps of 60 minutes with p50": lambda pool: replace(pool, quantiles=("p50",)),
}


@pytest.mark.parametrize("told", CHANGES)
def test_a_run_that_changed_meanwhile_is_refused_and_its_parts_are_judged_as_told(bucket: Bucket, told: str) -> None:
    before = collect(bucket, PLANNED, now=NOW)
    changed(bucket, CHANGES[told])

    with pytest.raises(Refused) as refused:
        collect(bucket, PLANNED, now=NOW)

    assert str(refused.value) == (
        "E_CONFIG: SY-0001/consumption/demand has 24 steps of 60 minutes with p10, p50, p90 until 2026-02-27T06:00Z, "
        f"and {told} from 2026-02-27T07:00Z. Fix: evaluate both by themselves: --to 2026-02-27T06:00Z, "
        "and --from 2026-02-27T07:00Z."
    )
    first = collect(bucket, replace(PLANNED, last=TIMES[1]), now=NOW)
    assert [one.median.tobytes() for one in first] == [one.median.tobytes() for one in before]
    second = collect(bucket, replace(PLANNED, first=TIMES[1] + HOUR), now=NOW)
    assert {one.median.shape[1] for one in second if one.pool == "demand"} == {int(told.split(maxsplit=1)[0])}


def test_parameters_that_changed_are_no_change_of_what_is_judged(bucket: Bucket) -> None:
    changed(bucket, lambda pool: replace(pool, parameters={"rounds": 7}, batch_size=1))

    assert {len(one.issue_times) for one in collect(bucket, PLANNED, now=NOW)} == {3}
