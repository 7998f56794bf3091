"""A pool that reads other signals when one of them is late, empty or damaged: it waits, or it goes on and says so."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from tests.journeys.staged import EARLY, UPSTREAM, features, flags, moved, score
from tests.journeys.stores import DictStore, bucket_of
from tests.journeys.world import EVENT, NOW, rows
from wattahead.jobs.build_features import build_features
from wattahead.jobs.plan import plan
from wattahead.storage.objects import Bucket


@pytest.fixture
def bucket(staged: DictStore) -> Bucket:
    return bucket_of(staged)


def test_a_batch_waits_for_rows_upstream_until_the_deadline_and_goes_on_without_them(
    staged: DictStore, bucket: Bucket
) -> None:
    one = replace(EVENT, batch="carbon-0000")
    plan(bucket, EVENT, now=EARLY)
    score(bucket, "solar-0000", now=EARLY)

    assert build_features(bucket, one, now=EARLY).outcome == "waiting"
    assert build_features(bucket, one, now=NOW).outcome == "ok"

    held = features(staged)
    assert np.isnan(held["forecast_wind"].to_numpy()).all()
    assert np.isfinite(held["forecast_solar"].to_numpy()).all()
    assert flags(held) == {"input_missing", "deadline_passed"}


def test_a_whole_hour_waits_for_its_stages_however_late_it_is_unless_it_is_told_to_end(
    staged: DictStore, bucket: Bucket
) -> None:
    plan(bucket, EVENT, now=NOW)

    first = build_features(bucket, EVENT, now=NOW)
    last = build_features(bucket, replace(EVENT, final_attempt=True), now=NOW)

    waits = {name for name, outcome in first.batches.items() if outcome == "waiting"}
    assert waits == {"carbon-0000", "carbon-0001"}
    assert {name for name, outcome in last.batches.items() if outcome == "ok"} == waits
    assert flags(features(staged)) == {"input_missing", "deadline_passed"}


def without_medians(body: bytes, key: str) -> bytes:
    return moved(body, key, float("nan"))


@pytest.mark.parametrize("damage", [without_medians, lambda body, _: body[:-40]])
def test_rows_that_say_nothing_are_final_so_nobody_waits_for_others(
    staged: DictStore, bucket: Bucket, damage: Callable[[bytes, str], bytes]
) -> None:
    plan(bucket, EVENT, now=EARLY)
    score(bucket, *UPSTREAM, now=EARLY)
    for key, body in rows(staged.objects).items():
        if "wind-0000" in key:
            staged.objects[key] = damage(body, key)

    build_features(bucket, replace(EVENT, batch="carbon-0000"), now=EARLY)

    held = features(staged)
    assert np.isnan(held["forecast_wind"].to_numpy()).all()
    assert flags(held) == {"input_missing"}


def test_another_signal_that_is_late_is_waited_for_and_told(staged: DictStore, bucket: Bucket) -> None:
    for key in list(staged.objects):
        if "subkey=gas/" in key and "date=2026-03" in key:
            del staged.objects[key]
    plan(bucket, EVENT, now=EARLY)
    score(bucket, *UPSTREAM, now=EARLY)
    one = replace(EVENT, batch="carbon-0000")

    assert build_features(bucket, one, now=EARLY).outcome == "waiting"
    assert build_features(bucket, one, now=NOW).outcome == "ok"
    assert flags(features(staged)) == {"input_stale", "deadline_passed"}


def test_another_signal_that_a_zone_never_had_is_not_waited_for(staged: DictStore, bucket: Bucket) -> None:
    for key in list(staged.objects):
        if "subkey=gas/" in key:
            del staged.objects[key]
    plan(bucket, EVENT, now=EARLY)
    score(bucket, *UPSTREAM, "carbon-0000", now=EARLY)

    assert np.isnan(features(staged)["of_gas_same_time_1"].to_numpy()).all()
    assert flags(features(staged)) == set()
