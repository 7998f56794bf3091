"""The hour as AWS runs it: `infra/states/hour.asl.json`, interpreted, with the real handlers and an S3 server."""

from typing import Any

import boto3
import pytest

from tests.journeys.cloud import HOUR_SENT, ISSUE, Clouds, broken, event, flags, is_recent
from tests.journeys.machine import Clock
from tests.journeys.stores import DictStore
from wattahead.domain.hours import DAY, HOUR, MINUTE

# 25 batches --------------------------------------------------------------------------------------------------------


def test_one_of_25_batches_fails_the_hour_ends_well_and_the_next_tick_completes_it(
    clouds: Clouds, many_zones: DictStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    cloud = clouds(many_zones)
    cloud.clock.now = ISSUE + 20 * MINUTE  # the input deadline: nobody waits for sources any more
    with monkeypatch.context() as away:
        broken(away, "forecasts/", "wind-0007")
        first = cloud.run(HOUR_SENT)
    before = cloud.objects("forecasts")
    named = [entry for entry in cloud.ledger() if entry["outcome"] == "failed" and entry["job"] == "score"]
    attempts = [sent for name, sent in cloud.functions.calls if name == "score" and sent["batch"] == "wind-0007"]

    cloud.clock.now = ISSUE + HOUR + 5 * MINUTE
    cloud.functions.calls.clear()
    second = cloud.run({"scheduled_time": "2026-03-01T06:05:00Z"})

    after = cloud.objects("forecasts")
    assert (first["status"], second["status"]) == ("SUCCEEDED", "SUCCEEDED")
    assert len(before) == 24
    assert [sent.get("final_attempt", False) for sent in attempts] == [False] * 5 + [True] * 3
    assert {entry["batch"] for entry in named} == {"wind-0007"}
    assert all("E_STORAGE" in entry["errors"][""] for entry in named)
    assert {key for key in after if "issue_hour=05" in key} - set(before) == {
        "forecasts/issue_date=2026-03-01/issue_hour=05/wind-0007.parquet"
    }
    assert {key: after[key] for key in before} == before
    assert len(after) == 50
    again = [sent["batch"] for name, sent in cloud.functions.calls if name == "score" and "T05" in sent["issue_time"]]
    assert again == ["wind-0007"]


# Few batches -------------------------------------------------------------------------------------------------------


def test_an_hour_runs_each_function_in_its_turn_and_writes_the_maps_results_apart(
    clouds: Clouds, few_zones: DictStore
) -> None:
    cloud = clouds(few_zones)

    ended = cloud.run(HOUR_SENT)

    assert ended["status"] == "SUCCEEDED"
    assert cloud.functions.names()[:2] == ["ingest", "plan"]
    assert sorted(cloud.functions.names()[2:-1]) == ["features"] * 3 + ["score"] * 3
    assert cloud.functions.names()[-1] == "finish"
    assert all(key.startswith("map-results/") for key in cloud.objects("map-results"))
    assert len(cloud.objects("map-results")) == 1


@pytest.mark.parametrize("name", ["scheduler", "eventbridge_scheduled", "hour"])
def test_a_second_event_of_any_form_plans_and_finishes_and_moves_no_byte(
    clouds: Clouds, few_zones: DictStore, name: str
) -> None:
    cloud = clouds(few_zones)
    cloud.run(HOUR_SENT)
    before = cloud.objects("forecasts") | cloud.objects("features") | cloud.objects("plans")
    cloud.functions.calls.clear()

    cloud.clock.now += 5 * MINUTE
    ended = cloud.run(event(name))

    assert ended["status"] == "SUCCEEDED"
    assert cloud.functions.names() == ["ingest", "plan", "finish"]
    assert sorted((entry["job"], entry["outcome"]) for entry in cloud.ledger()).count(("plan", "duplicate")) == 1
    assert cloud.objects("forecasts") | cloud.objects("features") | cloud.objects("plans") == before


@pytest.mark.parametrize("name", ["scheduler", "eventbridge_scheduled"])
def test_an_event_a_week_late_ends_as_too_old_and_writes_no_row(
    clouds: Clouds, few_zones: DictStore, name: str
) -> None:
    cloud = clouds(few_zones)
    cloud.clock.now = ISSUE + 8 * DAY

    ended = cloud.run(event(name))

    assert ended["status"] == "SUCCEEDED"
    assert {entry["outcome"] for entry in cloud.ledger()} == {"too_old"}
    assert cloud.objects("forecasts") == {}


def test_an_event_six_hours_late_writes_the_hour_it_is_about(clouds: Clouds, few_zones: DictStore) -> None:
    cloud = clouds(few_zones)
    cloud.clock.now = ISSUE + 6 * HOUR

    cloud.run(event("eventbridge_scheduled"))

    assert {key.split("/")[2] for key in cloud.objects("forecasts")} == {"issue_hour=05"}


def test_late_sources_are_ingested_while_the_hour_waits_for_them(
    clouds: Clouds, few_zones: DictStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    late = {key: body for key, body in few_zones.objects.items() if is_recent(key)}
    cloud = clouds(DictStore({key: body for key, body in few_zones.objects.items() if not is_recent(key)}))
    moved: list[str] = []

    def arrive(moment: str) -> int:
        moved.append(moment)
        for key, body in late.items():
            boto3.client("s3").put_object(Bucket=cloud.bucket, Key=key, Body=body)
        return Clock.until(cloud.clock, moment)

    monkeypatch.setattr(cloud.clock, "until", arrive)
    ended = cloud.run(HOUR_SENT)

    assert ended["status"] == "SUCCEEDED"
    assert moved == ["2026-03-01T05:10:00Z"]
    assert cloud.functions.names().count("ingest") == 2
    assert flags(cloud) & {"target_stale", "deadline_passed"} == set()


def test_sources_that_never_come_are_waited_for_until_the_deadline_and_no_longer(
    clouds: Clouds, few_zones: DictStore
) -> None:
    cloud = clouds(DictStore({key: body for key, body in few_zones.objects.items() if not is_recent(key)}))

    ended = cloud.run(HOUR_SENT)

    assert ended["status"] == "SUCCEEDED"
    assert cloud.clock.now == ISSUE + 20 * MINUTE
    assert flags(cloud) >= {"target_stale", "deadline_passed"}


def test_batches_that_waited_are_looked_at_again_past_the_deadline_however_long_the_pass_took(
    clouds: Clouds, few_zones: DictStore
) -> None:
    cloud = clouds(DictStore({key: body for key, body in few_zones.objects.items() if not is_recent(key)}))
    cloud.clock.now = ISSUE + 19 * MINUTE
    features = cloud.functions.handlers["features"]

    def slow(event: Any, context: object) -> dict[str, object]:
        cloud.clock.now += MINUTE // 2
        return features(event, context)

    cloud.functions.handlers["features"] = slow
    ended = cloud.run(HOUR_SENT)

    assert ended["status"] == "SUCCEEDED"
    assert len(cloud.objects("forecasts")) == 3
    assert flags(cloud) >= {"target_stale", "deadline_passed"}


# A backfill --------------------------------------------------------------------------------------------------------


def test_a_backfill_is_one_execution_over_a_list_of_hours(clouds: Clouds, few_zones: DictStore) -> None:
    cloud = clouds(few_zones)
    hours = [{"issue_time": f"2026-02-15T{hour:02d}:00Z", "run_kind": "backfill", "run": "first"} for hour in (5, 6)]

    ended = cloud.run({"hours": hours})

    assert ended["status"] == "SUCCEEDED"
    assert "ingest" not in cloud.functions.names()
    assert len(cloud.objects("backfills/forecasts/run=first")) == 6
    assert cloud.objects("forecasts") == {}


def test_an_hour_that_fails_does_not_stop_the_others_of_a_backfill(clouds: Clouds, few_zones: DictStore) -> None:
    cloud = clouds(few_zones)
    hours = [{"issue_time": f"2026-{day}T05:00Z", "run_kind": "backfill", "run": "first"} for day in ("04-01", "02-15")]

    ended = cloud.run({"hours": hours})

    assert (ended["status"], ended["error"]) == ("FAILED", "HourNotWhole")
    assert {key.split("/")[3] for key in cloud.objects("backfills/forecasts/run=first")} == {"issue_date=2026-02-15"}
