"""What can go wrong in an hour, and what the state machine makes of it."""

from typing import Any

import pytest

from tests.journeys.cloud import HOUR_SENT, ISSUE, Clouds, broken, failing, flags
from tests.journeys.stores import DictStore
from wattahead.domain.hours import DAY, HOUR, MINUTE


def test_a_fault_that_passes_leaves_no_trace_in_the_rows(
    clouds: Clouds, few_zones: DictStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    cloud = clouds(few_zones)
    refused = broken(monkeypatch, "forecasts/", "wind-0001", times=4)  # one call's worth of attempts

    ended = cloud.run(HOUR_SENT)

    assert len(refused) == 4
    assert ended["status"] == "SUCCEEDED"
    assert cloud.functions.names().count("score") == 4
    assert "final_attempt" not in flags(cloud)


@pytest.mark.parametrize("error", ["Lambda.TooManyRequestsException", "Sandbox.Timedout", "Runtime.ExitError"])
@pytest.mark.parametrize("function", ["plan", "features", "score", "finish"])
def test_what_aws_says_of_a_busy_or_dying_function_is_tried_again(
    clouds: Clouds, few_zones: DictStore, function: str, error: str
) -> None:
    cloud = clouds(few_zones)
    cloud.functions.faults[function] = [error, error]

    ended = cloud.run(HOUR_SENT)

    assert ended["status"] == "SUCCEEDED"
    assert len(cloud.objects("forecasts")) == 3
    assert flags(cloud) & {"final_attempt", "no_forecast"} == set()


def test_a_score_that_dies_again_and_again_ends_in_a_last_attempt(clouds: Clouds, few_zones: DictStore) -> None:
    cloud = clouds(few_zones)
    cloud.functions.faults["score"] = ["Runtime.ExitError"] * 13  # three batches, five calls each: two are spared

    cloud.run(HOUR_SENT)

    assert len(cloud.objects("forecasts")) == 3
    assert "final_attempt" in flags(cloud)
    assert any(sent.get("final_attempt") for name, sent in cloud.functions.calls if name == "score")


@pytest.mark.parametrize("function", ["features", "score"])
def test_code_that_is_wrong_leaves_batches_missing_rather_than_empty_for_ever(
    clouds: Clouds, few_zones: DictStore, function: str
) -> None:
    cloud = clouds(few_zones)
    cloud.clock.now = ISSUE + 20 * MINUTE
    right = cloud.functions.handlers[function]
    cloud.functions.handlers[function] = failing

    first = cloud.run(HOUR_SENT)
    nothing = cloud.objects("forecasts")
    cloud.functions.handlers[function] = right
    cloud.clock.now = ISSUE + HOUR + 20 * MINUTE
    second = cloud.run({"scheduled_time": "2026-03-01T06:05:00Z"})

    assert (first["status"], first["error"], nothing) == ("FAILED", "HourNotWhole", {})
    assert second["status"] == "SUCCEEDED"
    assert len(cloud.objects("forecasts")) == 6
    assert flags(cloud) & {"final_attempt", "no_forecast"} == set()


def test_a_work_list_that_cannot_be_read_fails_the_hour_after_finish_has_told(
    clouds: Clouds, few_zones: DictStore
) -> None:
    cloud = clouds(few_zones)
    cloud.clock.now = ISSUE + 20 * MINUTE
    plan = cloud.functions.handlers["plan"]
    cloud.functions.handlers["plan"] = lambda event, context: {**plan(event, context), "work": ["plans/nowhere.json"]}

    ended = cloud.run(HOUR_SENT)

    assert (ended["status"], ended["error"]) == ("FAILED", "HourNotWhole")
    assert [entry["outcome"] for entry in cloud.ledger() if entry["job"] == "finish"] == ["failed"]


def test_an_hour_that_closes_between_plan_and_finish_is_no_failure(clouds: Clouds, few_zones: DictStore) -> None:
    cloud = clouds(few_zones)
    cloud.clock.now = ISSUE + 7 * DAY
    plan = cloud.functions.handlers["plan"]

    def slow(event: Any, context: object) -> dict[str, object]:
        answer = plan(event, context)
        cloud.clock.now += MINUTE
        return answer

    cloud.functions.handlers["plan"] = slow

    assert cloud.run(HOUR_SENT)["status"] == "SUCCEEDED"


def test_an_hour_whose_plan_failed_is_planned_and_made_by_the_next(
    clouds: Clouds, few_zones: DictStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    cloud = clouds(few_zones)
    cloud.clock.now = ISSUE + 20 * MINUTE
    cloud.run(HOUR_SENT)
    cloud.clock.now = ISSUE + HOUR + 20 * MINUTE
    with monkeypatch.context() as away:
        broken(away, "plans/", "issue_hour=06")
        lost = cloud.run({"scheduled_time": "2026-03-01T06:05:00Z"})

    cloud.clock.now = ISSUE + 2 * HOUR + 20 * MINUTE
    after = cloud.run({"scheduled_time": "2026-03-01T07:05:00Z"})

    assert (lost["status"], after["status"]) == ("FAILED", "SUCCEEDED")
    assert {key.split("/")[2] for key in cloud.objects("forecasts")} == {f"issue_hour=0{hour}" for hour in (5, 6, 7)}


def test_a_gap_that_cannot_be_planned_even_now_does_not_stop_the_hour(
    clouds: Clouds, few_zones: DictStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    unreadable = "plans/run_kind=live/issue_date=2026-03-01/issue_hour=03/plan.json"
    cloud = clouds(DictStore({**few_zones.objects, unreadable: b'{"of": "a later version"}'}))
    refused = broken(monkeypatch, "plans/", "issue_hour=04")

    ended = cloud.run(HOUR_SENT)

    assert refused != []
    assert ended["status"] == "SUCCEEDED"
    (told,) = [entry for entry in cloud.ledger() if entry["job"] == "plan"]
    assert sorted(told["errors"]) == ["2026-03-01T03:00Z", "2026-03-01T04:00Z"]


def test_an_earlier_plan_that_cannot_be_read_does_not_stop_the_hour(clouds: Clouds, few_zones: DictStore) -> None:
    newer = few_zones.objects | {
        "plans/run_kind=live/issue_date=2026-03-01/issue_hour=04/plan.json": b'{"of": "later"}'
    }
    cloud = clouds(DictStore(newer))

    ended = cloud.run(HOUR_SENT)

    assert ended["status"] == "SUCCEEDED"
    (told,) = [entry for entry in cloud.ledger() if entry["job"] == "plan"]
    assert list(told["errors"]) == ["2026-03-01T04:00Z"]


def test_more_missing_batches_than_are_tolerated_fail_the_execution(
    clouds: Clouds, few_zones: DictStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    cloud = clouds(few_zones)
    cloud.clock.now = ISSUE + 30 * MINUTE
    broken(monkeypatch, "forecasts/", "wind-0001")

    ended = cloud.run(HOUR_SENT)

    assert (ended["status"], ended["error"]) == ("FAILED", "HourNotWhole")
    assert len(cloud.objects("forecasts")) == 2


def test_an_ingest_that_fails_keeps_nobody_from_a_forecast_and_fails_the_execution(
    clouds: Clouds, few_zones: DictStore
) -> None:
    cloud = clouds(few_zones)
    cloud.functions.handlers["ingest"] = failing

    ended = cloud.run(HOUR_SENT)

    assert (ended["status"], ended["error"]) == ("FAILED", "HourNotWhole")
    assert len(cloud.objects("forecasts")) == 3
