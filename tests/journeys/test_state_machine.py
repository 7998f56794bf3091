"""The hour as AWS runs it: `infra/states/hour.asl.json`, interpreted, with the real handlers and an S3 server."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

import boto3
import pytest
from obstore.exceptions import GenericError

from tests.journeys.machine import Clock, Functions, definition, for_moto, run, serve, take_away
from tests.journeys.stores import DictStore
from wattahead.domain.hours import DAY, HOUR, MINUTE, instant
from wattahead.domain.quality import names
from wattahead.jobs.settings import settings
from wattahead.storage.objects import ObStore, open_bucket
from wattahead.storage.tables import read_parquet

NAMES = ("ingest", "plan", "features", "score", "finish")
ISSUE = instant("2026-03-01T05:00Z")
HOUR_SENT = {"scheduled_time": "2026-03-01T05:05:00Z"}  # as the Scheduler fills in its context attribute
EVENTS = Path(__file__).parent.parent / "events"


@dataclass
class Cloud:
    """A bucket on the S3 server, the functions behind moto's Lambda, and the machine of an hour."""

    bucket: str
    functions: Functions
    clock: Clock

    def run(self, sent: Any) -> dict[str, Any]:
        """Run the hour machine on an input."""
        names = {f"{name.title()}Function": name for name in NAMES}
        return run(for_moto(definition("hour", Bucket=self.bucket, **names)), sent)

    def objects(self, prefix: str) -> dict[str, bytes]:
        """Return the objects below a prefix."""
        bucket = open_bucket(f"s3://{self.bucket}")
        return {key: bucket.read(key, bytes) for key in bucket.keys(prefix)}

    def ledger(self) -> list[dict[str, Any]]:
        """Return every entry of the ledger."""
        return [json.loads(body) for body in self.objects("ledger").values()]


Clouds = Callable[[DictStore], Cloud]


@pytest.fixture
def clouds(s3_url: str, interpreter: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[Clouds]:
    """Deploy a world; the clock stands five minutes into the hour."""
    del interpreter
    monkeypatch.setenv("WATTAHEAD_BUCKET", s3_url)
    monkeypatch.delenv("WATTAHEAD_CLOCK", raising=False)
    monkeypatch.setattr("wattahead.storage.objects.PAUSES", (0.0, 0.0, 0.0))
    forget()

    def deploy(world: DictStore) -> Cloud:
        bucket = s3_url.removeprefix("s3://")
        s3 = boto3.client("s3")
        for key, body in world.objects.items():
            s3.put_object(Bucket=bucket, Key=key, Body=body)
        functions = Functions({name: import_module(f"functions.{name}.app").handler for name in NAMES})
        clock = Clock(ISSUE + 5 * MINUTE)
        serve(monkeypatch, functions, clock)
        return Cloud(bucket, functions, clock)

    yield deploy
    take_away(NAMES)
    forget()


def forget() -> None:
    """Make the next call of each handler a cold start."""
    settings.cache_clear()
    for name in NAMES:
        app = import_module(f"functions.{name}.app")
        (app.scorer if name == "score" else app.bucket).cache_clear()


def broken(monkeypatch: pytest.MonkeyPatch, *parts: str, times: int = 10**6) -> list[str]:
    """Let S3 answer 503 to the first puts whose key holds all `parts`; return the keys that were refused."""
    real = ObStore.create
    refused: list[str] = []

    def create(self: ObStore, key: str, body: bytes) -> None:
        if all(part in key for part in parts) and len(refused) < times:
            refused.append(key)
            raise GenericError("503 Slow Down")
        real(self, key, body)

    monkeypatch.setattr(ObStore, "create", create)
    return refused


def event(name: str) -> Any:
    """Return the event in `tests/events/<name>.json`."""
    return json.loads((EVENTS / f"{name}.json").read_text(encoding="utf-8"))


def flags(cloud: Cloud) -> set[str]:
    """Return the quality flags of every row, as words."""
    tables = [read_parquet(body, where=key) for key, body in cloud.objects("forecasts").items()]
    return {name for held in tables for value in held["quality_flags"].to_pylist() for name in names(value)}


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
    cloud.functions.handlers["plan"] = lambda event, context: {**plan(event, context), "work": "plans/nowhere.json"}

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


def is_recent(key: str) -> bool:
    """Return whether an object holds measured values of the last four weeks."""
    return "actuals/" in key and ("month=2026-02" in key or "date=2026-03" in key)


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


def failing(_event: Any, _context: object) -> dict[str, object]:
    """Fail as a handler does whose code is wrong."""
    raise KeyError("a column")


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
