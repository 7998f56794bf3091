"""The last attempt serves what can be served without native code, and no attempt before it does."""

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from tests.journeys.stores import DictStore, bucket_of
from tests.journeys.world import EVENT, ISSUE, NOW, WIND, levels, ready, rows, table
from wattahead.domain.quality import Quality
from wattahead.jobs.plan import plan
from wattahead.jobs.score import Scorer
from wattahead.storage.tables import read_parquet


def test_a_batch_without_features_is_left_for_later_and_served_blind_only_at_the_last_attempt(world: DictStore) -> None:
    plan(bucket_of(world), EVENT, now=NOW)

    assert Scorer(bucket_of(world)).score(EVENT, now=NOW).outcome == "waiting"
    assert rows(world.objects) == {}
    Scorer(bucket_of(world)).score(replace(WIND, final_attempt=True), now=NOW)
    assert levels(world) == {3}


def test_at_the_last_attempt_of_a_whole_hour_a_batch_without_features_keeps_waiting(world: DictStore) -> None:
    plan(bucket_of(world), EVENT, now=NOW)

    assert Scorer(bucket_of(world)).score(replace(EVENT, final_attempt=True), now=NOW).outcome == "waiting"

    assert rows(world.objects) == {}


def test_the_last_attempt_never_touches_native_code(world: DictStore, monkeypatch: pytest.MonkeyPatch) -> None:
    def dies(_: object) -> None:
        raise AssertionError("the native loader was called")

    monkeypatch.setattr("wattahead.models.booster.NativeBooster", dies)
    ready(world)

    Scorer(bucket_of(world)).score(replace(WIND, final_attempt=True), now=NOW)

    assert levels(world) == {2}
    assert all(
        flags & Quality.FINAL_ATTEMPT for flags in table(world.objects, "wind-0000")["quality_flags"].to_pylist()
    )


def test_a_process_that_native_code_aborts_leaves_the_hour_to_the_last_attempt(
    world: DictStore, tmp_path: Path
) -> None:
    """The bundle is whole and its hashes hold, but loading it ends the process, as LightGBM does with a bad model."""
    ready(world)
    for key, body in world.objects.items():
        place = tmp_path / key
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(body)
    script = (
        "import os, sys\n"
        "from wattahead.models import trees\n"
        "trees.NativeBooster = lambda _: os.abort()\n"
        "from wattahead.jobs.score import Scorer\nfrom wattahead.storage.objects import open_bucket\n"
        "from wattahead.domain.plan import HourEvent\n"
        f"event = HourEvent({ISSUE}, batch='wind-0000', final_attempt=sys.argv[1] == 'last')\n"
        f"Scorer(open_bucket({str(tmp_path)!r})).score(event, now={NOW})\n"
    )

    died = subprocess.run([sys.executable, "-c", script, "first"], check=False, capture_output=True)
    lived = subprocess.run([sys.executable, "-c", script, "last"], check=False, capture_output=True)

    assert died.returncode == -6
    assert lived.returncode == 0, lived.stderr
    (found,) = (tmp_path / "forecasts").rglob("*.parquet")
    assert set(read_parquet(found.read_bytes(), where="rows")["fallback_level"].to_pylist()) == {2}
