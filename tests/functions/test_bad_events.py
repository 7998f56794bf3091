"""A bad event is refused with its code by every handler, and leaves nothing behind."""

import json
from typing import Any

import pytest

from tests.functions.conftest import NAMES, Deployment, event, refusal
from wattahead.domain.errors import Refused

HOUR = "2026-03-01T05:00Z"

REFUSED = {
    "a list": ([{"issue_time": HOUR}], "E_EVENT_SHAPE"),
    "text": (json.dumps({"issue_time": HOUR}), "E_EVENT_SHAPE"),
    "null": (None, "E_EVENT_SHAPE"),
    "a number": (5, "E_EVENT_SHAPE"),
    "nothing inside": ({}, "E_EVENT_SHAPE"),
    "no time": ({"batch": "solar-0000"}, "E_EVENT_SHAPE"),
    "an empty time": ({"issue_time": ""}, "E_EVENT_SHAPE"),
    "a null time": ({"issue_time": None}, "E_EVENT_SHAPE"),
    "a word for a time": ({"issue_time": "yesterday"}, "E_EVENT_SHAPE"),
    "a day that is none": ({"issue_time": "2026-02-29T05:00Z"}, "E_EVENT_SHAPE"),
    "a time as a number": ({"issue_time": 1772341200}, "E_EVENT_SHAPE"),
    "a time that is not a number": ({"issue_time": float("nan")}, "E_EVENT_SHAPE"),
    "an unfilled placeholder": ({"scheduled_time": "<aws.scheduler.scheduled-time>"}, "E_EVENT_SHAPE"),
    "a time of 65 characters": ({"issue_time": "2026-03-01T05:00:00.".ljust(64, "0") + "Z"}, "E_EVENT_SHAPE"),
    "a second line behind the time": ({"issue_time": f"{HOUR}\n"}, "E_EVENT_SHAPE"),
    "no zone": ({"issue_time": "2026-03-01T05:00"}, "E_TIME_NAIVE"),
    "a naive tick": ({"scheduled_time": "2026-03-01T05:10:00"}, "E_TIME_NAIVE"),
    "half past": ({"issue_time": "2026-03-01T04:30Z"}, "E_EVENT_ALIGN"),
    "a second past": ({"issue_time": "2026-03-01T05:00:01Z"}, "E_EVENT_ALIGN"),
    "a half-hour offset": ({"issue_time": "2026-03-01T05:00+05:30"}, "E_EVENT_ALIGN"),
    "a run with live": ({"issue_time": HOUR, "run": "again"}, "E_EVENT_SHAPE"),
    "a backfill without a run": ({"issue_time": HOUR, "run_kind": "backfill"}, "E_EVENT_SHAPE"),
    "an unknown run kind": ({"issue_time": HOUR, "run_kind": "Live"}, "E_EVENT_SHAPE"),
    "a run that climbs": ({"issue_time": HOUR, "run_kind": "backfill", "run": "../live"}, "E_NAME"),
    "a run in Cyrillic": ({"issue_time": HOUR, "run_kind": "backfill", "run": "\u0441\u043e\u0440\u0443"}, "E_NAME"),
    "a run of two lines": ({"issue_time": HOUR, "run_kind": "backfill", "run": "a\nb"}, "E_NAME"),
    "a run of 65 characters": ({"issue_time": HOUR, "run_kind": "backfill", "run": "a" * 65}, "E_EVENT_SHAPE"),
    "a batch that is a path": ({"issue_time": HOUR, "batch": "solar/0000"}, "E_NAME"),
    "an encoded batch": ({"issue_time": HOUR, "batch": "solar%2f-0000"}, "E_NAME"),
    "a batch with NUL": ({"issue_time": HOUR, "batch": "solar-0000\0"}, "E_NAME"),
    "a batch of 300 characters": ({"issue_time": HOUR, "batch": "s" * 300}, "E_EVENT_SHAPE"),
    "a batch that is a list": ({"issue_time": HOUR, "batch": ["solar-0000"]}, "E_EVENT_SHAPE"),
    "text for a flag": ({"issue_time": HOUR, "final_attempt": "false"}, "E_EVENT_SHAPE"),
    "a number for a flag": ({"issue_time": HOUR, "final_attempt": 1}, "E_EVENT_SHAPE"),
}


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("sent", REFUSED)
def test_a_bad_event_is_refused_with_its_code_and_leaves_nothing(
    deployed_once: Deployment, name: str, sent: str
) -> None:
    bad, code = REFUSED[sent]

    assert refusal(deployed_once, name, bad) == code


@pytest.mark.parametrize("name", ["features", "score"])
def test_a_batch_that_the_plan_does_not_hold_is_refused(deployed: Deployment, name: str) -> None:
    deployed.call("plan", event("hour"))

    assert refusal(deployed, name, {**event("hour"), "batch": "solar-0001"}) == "E_BATCH_UNKNOWN"


@pytest.mark.parametrize("name", ["features", "score", "finish"])
def test_an_hour_without_a_plan_is_refused(deployed: Deployment, name: str) -> None:
    assert refusal(deployed, name, event("hour")) == "E_PLAN_MISSING"


def test_keys_that_no_job_knows_are_ignored(deployed: Deployment) -> None:
    nested: Any = {}
    for _ in range(200):
        nested = {"deeper": nested}
    extra = {"detail": nested, "zones": ["SE"] * 10_000, "bucket": "s3://elsewhere", "padding": "x" * 300_000}

    answer = deployed.call("plan", {**extra, **event("hour")})

    assert answer["outcome"] == "ok"
    assert "elsewhere" not in json.dumps(answer)


def test_the_issue_time_goes_before_the_time_of_delivery(deployed: Deployment) -> None:
    both = {"issue_time": "2026-03-01T03:00Z", "scheduled_time": "2026-03-01T05:10:00Z"}

    assert deployed.call("plan", both)["issue_time"] == "2026-03-01T03:00Z"


def test_an_offset_is_the_same_hour_in_utc(deployed: Deployment) -> None:
    assert deployed.call("plan", {"issue_time": "2026-03-01T06:00+01:00"})["issue_time"] == HOUR


def test_a_refusal_is_one_line_and_shows_no_control_character(deployed_once: Deployment) -> None:
    with pytest.raises(Refused) as caught:
        deployed_once.call("plan", {"issue_time": HOUR, "batch": "a\r\n{level: ERROR}"})

    assert str(caught.value).isprintable()


@pytest.mark.parametrize("name", NAMES)
def test_a_deployment_without_a_bucket_says_so(
    deployed: Deployment, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WATTAHEAD_BUCKET", "  ")
    deployed.reset()

    assert refusal(deployed, name, event("hour")) == "E_CONFIG"


@pytest.mark.parametrize("sent", ["a list", "nothing inside", "an unfilled placeholder", "no zone", "half past"])
def test_compaction_takes_the_events_of_an_hour_and_refuses_what_is_none(deployed: Deployment, sent: str) -> None:
    bad, code = REFUSED[sent]

    assert refusal(deployed, "compact", bad) == code
    assert refusal(deployed, "compact", {"issue_time": "2026-03-01T06:00Z"}) == "E_EVENT_FUTURE"
    assert deployed.ledger() == []
