"""The hour machine over two stages: carbon is scored behind solar and wind, whatever becomes of them."""

import json
from typing import Any

import pytest

from tests.journeys.cloud import HOUR_SENT, ISSUE, Cloud, Clouds, broken
from tests.journeys.stores import DictStore
from wattahead.domain.hours import HOUR, MINUTE
from wattahead.domain.quality import names
from wattahead.storage.tables import read_parquet

FIVE, SIX = (f"forecasts/issue_date=2026-03-01/issue_hour=0{hour}" for hour in (5, 6))
CARBON = ("carbon-0000", "carbon-0001")
NEXT_SENT = {"scheduled_time": "2026-03-01T06:05:00Z"}


def batches(cloud: Cloud, function: str) -> list[str]:
    """Return the batches that a function was called for, in order."""
    return [sent["batch"] for name, sent in cloud.functions.calls if name == function]


def said(cloud: Cloud, batch: str) -> set[str]:
    """Return what the rows of a batch of the first hour say of their inputs, as words."""
    key = f"{FIVE}/{batch}.parquet"
    held = read_parquet(cloud.objects(FIVE)[key], where=key)
    found = {name for value in held["quality_flags"].to_pylist() for name in names(value)}
    return found & {"input_missing", "input_stale", "weather_missing", "target_stale", "deadline_passed"}


def test_no_batch_of_a_later_stage_begins_before_the_stages_ahead_of_it_are_over(
    clouds: Clouds, staged_world: DictStore
) -> None:
    cloud = clouds(staged_world)

    ended = cloud.run(HOUR_SENT)

    assert ended["status"] == "SUCCEEDED"
    calls = [(name, sent["batch"]) for name, sent in cloud.functions.calls if "batch" in sent]
    assert {batch for _, batch in calls[:4]} == {"solar-0000", "wind-0000"}
    assert {batch for _, batch in calls[4:]} == {"carbon-0000", "carbon-0001"}
    assert len(cloud.objects(FIVE)) == 4
    assert said(cloud, "carbon-0000") == set()
    assert len(json.dumps(ended["output"])) < 500


def test_a_batch_that_fails_for_good_leaves_the_next_stage_its_flag_and_the_next_hour_its_rows(
    clouds: Clouds, staged_world: DictStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    cloud = clouds(staged_world)
    cloud.clock.now = ISSUE + 20 * MINUTE  # the input deadline: nobody waits for sources any more
    with monkeypatch.context() as away:
        broken(away, FIVE, "wind-0000")
        first = cloud.run(HOUR_SENT)
    before = cloud.objects("forecasts")
    flagged = said(cloud, "carbon-0000")

    cloud.functions.calls.clear()
    cloud.clock.now = ISSUE + HOUR + 5 * MINUTE
    second = cloud.run(NEXT_SENT)

    after = cloud.objects("forecasts")
    assert (first["status"], first["error"]) == ("FAILED", "HourNotWhole")  # one batch of four is too many
    assert second["status"] == "SUCCEEDED"
    assert {key.rpartition("/")[2] for key in before} == {f"{one}.parquet" for one in ("solar-0000", *CARBON)}
    assert flagged == {"input_missing", "deadline_passed"}
    assert {key for key in after if key.startswith(FIVE)} - set(before) == {f"{FIVE}/wind-0000.parquet"}
    assert {key: after[key] for key in before} == before
    assert len([key for key in after if key.startswith(SIX)]) == 4
    assert sorted(batches(cloud, "features")[:3]) == ["solar-0000", "wind-0000", "wind-0000"]


def test_a_stage_waits_before_the_deadline_for_a_batch_that_a_second_look_completes(
    clouds: Clouds, staged_world: DictStore
) -> None:
    cloud = clouds(staged_world)
    right = cloud.functions.handlers["score"]
    failed: list[Any] = []

    def once_wrong(event: Any, context: object) -> dict[str, object]:
        if event["batch"] == "wind-0000" and not failed:
            failed.append(event)
            raise KeyError("a column")
        return right(event, context)

    cloud.functions.handlers["score"] = once_wrong
    ended = cloud.run(HOUR_SENT)

    assert ended["status"] == "SUCCEEDED"
    assert cloud.clock.now == ISSUE + 10 * MINUTE
    assert batches(cloud, "score").count("solar-0000") == 1
    assert len(cloud.objects(FIVE)) == 4
    assert {said(cloud, batch) == set() for batch in CARBON} == {True}


def test_a_backfill_goes_stage_by_stage_too(clouds: Clouds, staged_world: DictStore) -> None:
    cloud = clouds(staged_world)
    hours = [{"issue_time": f"2026-02-28T{hour:02d}:00Z", "run_kind": "backfill", "run": "first"} for hour in (5, 6)]

    ended = cloud.run({"hours": hours})

    found = cloud.objects("backfills/forecasts/run=first")
    flags = [
        value for key, body in found.items() for value in read_parquet(body, where=key)["quality_flags"].to_pylist()
    ]
    assert ended["status"] == "SUCCEEDED"
    assert len(found) == 8
    assert not any("input_missing" in names(value) for value in flags)
