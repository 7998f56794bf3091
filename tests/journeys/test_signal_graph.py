"""A pool that reads other signals' forecasts of the same hour: in order, once, from nothing of the future."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from infra.local.hours import run_hour
from tests.journeys.cloud import forget
from tests.journeys.futures import changed, rewritten
from tests.journeys.staged import UPSTREAM, features, flags, moved, score
from tests.journeys.stores import DictStore, bucket_of
from tests.journeys.world import EVENT, ISSUE, NOW, rows, table, whole_hour
from wattahead.domain.bundle import RegistryEntry
from wattahead.domain.catalog import Catalog, in_order
from wattahead.domain.hours import DAY, HOUR
from wattahead.domain.plan import HourEvent
from wattahead.jobs.build_features import build_features
from wattahead.jobs.hour import Answer
from wattahead.jobs.plan import make_plan, plan
from wattahead.jobs.score import Scorer
from wattahead.storage.catalogs import latest_catalog
from wattahead.storage.objects import Bucket, open_bucket
from wattahead.storage.registry import registry
from wattahead.storage.tables import read_parquet
from wattahead.workloads.forecast import own


@pytest.fixture
def bucket(staged: DictStore) -> Bucket:
    return bucket_of(staged)


@pytest.fixture
def catalog(bucket: Bucket) -> Catalog:
    return latest_catalog(bucket)[1]


def listed_of(answer: Answer) -> list[str]:
    """Return the keys of the work lists that a plan wrote."""
    found = answer.facts["work"]
    assert isinstance(found, list)
    return found


# The graph ---------------------------------------------------------------------------------------------------------


def test_a_plan_hands_out_a_list_for_each_stage(staged: DictStore, bucket: Bucket) -> None:
    answer = plan(bucket, EVENT, now=NOW)

    listed = [[item["batch"] for item in json.loads(staged.objects[key])] for key in listed_of(answer)]
    assert listed == [[*UPSTREAM], ["carbon-0000", "carbon-0001"]]
    assert answer.facts["items"] == 4


def test_a_batch_that_an_earlier_hour_lacks_stands_in_the_list_of_its_stage(staged: DictStore, bucket: Bucket) -> None:
    plan(bucket, EVENT, now=NOW)
    score(bucket, *UPSTREAM, "carbon-0000")

    answer = plan(bucket, HourEvent(ISSUE + HOUR), now=NOW + HOUR)

    first, second = (json.loads(staged.objects[key]) for key in listed_of(answer))
    assert [(item["issue_time"][11:13], item["batch"]) for item in first] == [("06", batch) for batch in UPSTREAM]
    assert [(item["issue_time"][11:13], item["batch"]) for item in second] == [
        ("06", "carbon-0000"),
        ("06", "carbon-0001"),
        ("05", "carbon-0001"),
    ]


def test_pools_are_trained_in_the_order_of_their_stages(catalog: Catalog) -> None:
    assert in_order(catalog, ["carbon", "wind", "solar"]) == ["solar", "wind", "carbon"]


def test_workers_know_from_the_plan_alone_whose_forecasts_they_read(bucket: Bucket, catalog: Catalog) -> None:
    planned = own(make_plan(bucket, EVENT, 1, catalog).pools["carbon"])

    assert planned.forecasters == {"solar": ("solar",), "wind": ("wind",)}
    assert planned.others == {name: catalog.signals[name] for name in ("gas", "solar", "wind")}


def crossed(bucket: Bucket, pool: str, reads: str) -> None:
    """Let the champion of a pool be one that reads another pool's forecast, as an older catalog had it."""
    log = registry(bucket, pool)
    held: RegistryEntry = log.entry(max(log.sequences()))
    rungs = tuple(replace(rung, features=(*rung.features, f"forecast_{reads}")) for rung in held.rungs)
    log.append(
        replace(held, sequence=held.sequence + 1, decided_against=held.sequence, rungs=rungs), after=held.sequence
    )


def test_bundles_of_an_older_catalog_that_read_in_a_circle_are_planned_in_the_order_of_todays(
    staged: DictStore, bucket: Bucket, catalog: Catalog
) -> None:
    crossed(bucket, "wind", "carbon")

    planned = make_plan(bucket, EVENT, 1, catalog)

    assert {batch.pool: batch.stage for batch in planned.batches} == {"solar": 0, "wind": 0, "carbon": 1}
    assert own(planned.pools["wind"]).forecasters == {}
    whole_hour(bucket)
    assert "input_missing" in flags(table(staged.objects, "wind-0000"))
    assert "input_missing" not in flags(table(staged.objects, "carbon-0000"))


def test_a_bundle_that_reads_a_signal_which_is_gone_is_served_without_it_and_says_so(
    staged: DictStore, bucket: Bucket
) -> None:
    crossed(bucket, "wind", "tides")

    whole_hour(bucket)

    assert np.isnan(features(staged, "wind-0000")["forecast_tides"].to_numpy()).all()
    assert "input_missing" in flags(table(staged.objects, "wind-0000"))


# What is read ------------------------------------------------------------------------------------------------------


def test_features_are_the_medians_of_the_same_hour_in_units_of_the_other_signals_scale(
    staged: DictStore, bucket: Bucket
) -> None:
    assert whole_hour(bucket) == "ok"

    wind, solar = (features(staged, batch) for batch in ("wind-0000", "solar-0000"))
    for number, batch in enumerate(("carbon-0000", "carbon-0001")):
        held, part = features(staged, batch), slice(number * 24, number * 24 + 24)
        for name, source in (("wind", wind), ("solar", solar)):
            median = table(staged.objects, f"{name}-0000")["p50"].to_numpy()[part]
            expected = (median / source["scale"].to_numpy()[part]).astype(np.float32)
            np.testing.assert_array_equal(held[f"forecast_{name}"].to_numpy(), expected)
        ahead = held["forecast_wind"].to_numpy()[1:]
        np.testing.assert_array_equal(held["forecast_wind_plus_1h"].to_numpy(), [*ahead, np.nan])
        known = source_past(wind, "newest_mean_24h", part)
        np.testing.assert_array_equal(held["of_wind_newest_mean_24h"].to_numpy(), known)
        assert flags(held) == set()
        assert np.isfinite(held["of_gas_same_time_1"].to_numpy()).all()


def source_past(held: pa.Table, name: str, part: slice) -> np.ndarray:
    return held[name].to_numpy()[part]


def test_a_batch_alone_comes_out_as_in_the_whole_hour(staged_world: DictStore) -> None:
    together, alone = (DictStore(dict(staged_world.objects)) for _ in range(2))
    whole_hour(bucket_of(together))
    plan(bucket_of(alone), EVENT, now=NOW)
    score(bucket_of(alone), *UPSTREAM, "carbon-0001", "carbon-0000")

    assert rows(alone.objects, "features/") == rows(together.objects, "features/")
    assert rows(alone.objects) == rows(together.objects)
    assert len(rows(alone.objects)) == 4


def test_a_second_event_writes_nothing(staged: DictStore, bucket: Bucket) -> None:
    whole_hour(bucket)
    before = {key: body for key, body in staged.objects.items() if not key.startswith("ledger/")}

    assert whole_hour(bucket) == "duplicate"
    assert {key: body for key, body in staged.objects.items() if not key.startswith("ledger/")} == before


def test_a_backfill_reads_the_rows_of_its_own_run(staged: DictStore, bucket: Bucket) -> None:
    whole_hour(bucket)
    live = table(staged.objects, "carbon-0000")
    for key in rows(staged.objects, "forecasts/"):  # what is live is of no use to a backfill
        del staged.objects[key]

    whole_hour(bucket, HourEvent(ISSUE, "backfill", "again"), now=NOW + 365 * DAY)

    (key,) = [key for key in rows(staged.objects, "backfills/forecasts") if key.endswith("carbon-0000.parquet")]
    again = read_parquet(staged.objects[key], where=key)
    same = [name for name in live.column_names if name != "run_id"]  # the run's plan is another object
    assert again.select(same).equals(live.select(same))


def test_a_features_call_reads_one_more_object_for_each_batch_upstream_and_a_warm_score_costs_what_it_did(
    bucket: Bucket,
) -> None:
    plan(bucket, EVENT, now=NOW)
    score(bucket, *UPSTREAM)
    scorer, one = Scorer(bucket), replace(EVENT, batch="carbon-0000")
    before = bucket.traffic.copy()
    build_features(bucket, one, now=NOW)
    read = bucket.traffic["gets"] - before["gets"]
    build_features(bucket, replace(EVENT, batch="carbon-0001"), now=NOW)
    scorer.score(one, now=NOW)
    before = bucket.traffic.copy()

    scorer.score(replace(EVENT, batch="carbon-0001"), now=NOW)

    history = len({"gas", "solar", "wind", "carbon"}) * 3  # months and days of one signal
    assert read <= 1 + len(UPSTREAM) + history
    assert {name: bucket.traffic[name] - before[name] for name in ("gets", "puts", "lists")} == {
        "gets": 2, "puts": 2, "lists": 0,
    }  # fmt: skip


def test_the_local_cloud_scores_stage_after_stage(
    staged: DictStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = open_bucket(str(tmp_path))
    for key, body in staged.objects.items():
        folder.create(key, body)
    monkeypatch.setenv("WATTAHEAD_BUCKET", str(tmp_path))
    monkeypatch.setenv("WATTAHEAD_CLOCK", "2026-03-01T05:30Z")
    forget()

    answer = run_hour({"issue_time": "2026-03-01T05:00Z", "run_kind": "backfill", "run": "here"})

    forget()
    assert (answer["outcome"], answer["score"], answer["rows"], answer["errors"]) == ("ok", "ok", 6 * 24, [])
    whole_hour(bucket_of(staged), HourEvent(ISSUE, "backfill", "here"), now=NOW)
    assert {key: folder.read(key, bytes) for key in folder.keys("backfills")} == rows(staged.objects, "backfills/")


# Nothing of the future -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(3))
def test_whatever_becomes_known_after_the_issue_time_of_any_signal_moves_not_one_byte(
    staged_world: DictStore, seed: int
) -> None:
    world = DictStore(dict(staged_world.objects))
    later = DictStore(dict(world.objects))
    for hour in (-HOUR, HOUR):  # rows of other issue times are there, and are others in the other world
        for store in (world, later):
            whole_hour(bucket_of(store), HourEvent(ISSUE + hour), now=NOW + hour)
    other = rewritten(later, lambda body, key: changed(body, key, seed, ISSUE), "weather/")
    other = rewritten(other, lambda body, key: changed(body, key, seed, ISSUE), "actuals/")
    for key, body in rows(other.objects).items():
        other.objects[key] = moved(body, key)
    touched = len(set(other.objects) - set(world.objects))

    for store in (world, other):
        assert whole_hour(bucket_of(store)) in {"ok", "degraded"}

    assert touched > 3
    for root in ("features/", "forecasts/"):
        ours, theirs = (
            {key: body for key, body in rows(store.objects, root).items() if "issue_hour=05" in key}
            for store in (world, other)
        )
        assert len(ours) == 4
        assert theirs == ours


def test_what_was_forecast_at_the_issue_time_does_move_the_rows(staged: DictStore, bucket: Bucket) -> None:
    """The counterpart without which the test above could not fail."""
    other = DictStore(dict(staged.objects))
    for store in (staged, other):
        plan(bucket_of(store), EVENT, now=NOW)
        score(bucket_of(store), *UPSTREAM)
    for key, body in rows(other.objects).items():
        other.objects[key] = moved(body, key)

    for store in (staged, other):
        score(bucket_of(store), "carbon-0000")

    assert (
        table(other.objects, "carbon-0000")["p50"].to_pylist()
        != table(staged.objects, "carbon-0000")["p50"].to_pylist()
    )
