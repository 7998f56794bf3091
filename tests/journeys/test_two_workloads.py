"""Forecasts and grids in one bucket: each hour serves both, and neither notices the other."""

from dataclasses import replace

import numpy as np
import pytest

from tests.grid.worlds import FIVE, pool, some_days
from tests.journeys.stores import DictStore, bucket_of
from tests.journeys.world import EVENT, ISSUE, NOW, rows, table, whole_hour
from training.planned import read
from wattahead.domain.hours import HOUR
from wattahead.domain.plan import HourEvent
from wattahead.jobs.compact import compact
from wattahead.jobs.finish import finish
from wattahead.jobs.forecast_now import forecast_now
from wattahead.jobs.plan import plan
from wattahead.jobs.promote import register_baselines
from wattahead.storage.catalogs import latest_catalog, publish_catalog


@pytest.fixture
def both(world: DictStore) -> DictStore:
    """Give the trained world of forecasts with a pool of grids beside them."""
    bucket = bucket_of(world)
    _, catalog = latest_catalog(bucket)
    grids = {"screen": pool(FIVE, ("one", "two"))}
    publish_catalog(bucket, replace(catalog, networks={"five": FIVE}, grid_pools=grids))
    register_baselines(bucket, latest_catalog(bucket)[1])
    some_days(bucket, FIVE, ("one", "two"), np.arange(ISSUE - 26 * HOUR, ISSUE + 1, HOUR))
    return world


def test_an_hour_serves_both_and_forecasts_are_what_they_are_alone(world: DictStore, both: DictStore) -> None:
    alone = DictStore({key: body for key, body in world.objects.items() if not key.startswith("catalog/00000002")})
    whole_hour(bucket_of(alone))

    whole_hour(bucket_of(both))

    assert finish(bucket_of(both), EVENT, now=NOW).outcome == "ok"
    assert len(rows(both.objects, "grid_actions/")) == 1
    for batch in ("demand-0000", "solar-0000", "wind-0000"):
        mine, other = (table(one.objects, batch).drop_columns("run_id") for one in (alone, both))
        assert mine.equals(other)


def test_a_broken_network_of_states_does_not_keep_forecasts_waiting(both: DictStore) -> None:
    for key in [one for one in both.objects if one.startswith("states/")]:
        both.objects[key] = b"PAR1 not parquet"

    whole_hour(bucket_of(both))

    assert len(rows(both.objects)) == 3
    (key,) = rows(both.objects, "grid_actions/")
    assert both.objects[key]


def test_forecasts_can_still_be_judged_and_asked_for(both: DictStore) -> None:
    bucket = bucket_of(both)
    whole_hour(bucket)

    made = read(bucket, "live", "", ISSUE, ISSUE, lambda *_: None)
    found = forecast_now(bucket, ["SY-0001/production/wind"], ISSUE, now=NOW)

    assert {str(one.series).split("/")[0] for one in made} == {"SY-0001", "SY-0002"}
    assert found.rows.num_rows == 24


def test_batches_of_both_are_handed_out_again_by_the_next_hour(both: DictStore) -> None:
    bucket = bucket_of(both)
    plan(bucket, EVENT, now=NOW)

    answer = plan(bucket, HourEvent(ISSUE + HOUR), now=NOW + HOUR)

    assert answer.facts["items"] == 2 * 4


def test_states_are_compacted_like_all_that_an_hour_reads(both: DictStore) -> None:
    bucket = bucket_of(both)
    some_days(bucket, FIVE, ("one",), np.arange(ISSUE - 25 * HOUR, ISSUE - HOUR, HOUR) + HOUR // 2)
    whole_hour(bucket)
    before = rows(both.objects, "grid_actions/")

    answer = compact(bucket, HourEvent(ISSUE), now=ISSUE + 3 * 24 * HOUR)

    assert answer.outcome == "ok"
    assert any(key.startswith("history/states/network=five/") for key in both.objects)
    kept = {key: body for key, body in both.objects.items() if not key.startswith(("grid_actions/", "features/"))}
    again = DictStore(kept)
    whole_hour(bucket_of(again))
    assert rows(again.objects, "grid_actions/") == before
