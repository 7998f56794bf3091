"""A backfill of the deployed system starts every hour once, however often it is typed."""

from collections.abc import Callable

import pytest

from tests.control.conftest import SLOW, Cloud
from wattahead.control.backfill import chunks
from wattahead.domain.errors import Refused
from wattahead.domain.hours import DAY, HOUR, instant, iso

START = instant("2026-03-01T00:00Z")
NOW = instant("2026-06-01T00:00Z")

Command = Callable[..., tuple[int, str]]


def test_hours_are_started_in_chunks_of_200_with_the_run_in_each(
    cloud: Cloud, wattahead: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("wattahead.control.backfill.PAUSE", 0.0)
    code, said = wattahead("backfill", "--from", "2026-03-01T00:00Z", "--to", "2026-03-09T08:00Z", "--run", "first")

    assert code == 0
    assert said == (
        "backfill-first-20260301T00-20260309T07-200: started, 200 hours\n"
        "backfill-first-20260309T08-20260309T08-1: started, 1 hours\n"
        f"follow it with: wattahead status --stack {cloud.name}\n"
    )
    inputs = cloud.inputs()
    assert inputs["backfill-first-20260309T08-20260309T08-1"] == {
        "hours": [{"issue_time": "2026-03-09T08:00Z", "run_kind": "backfill", "run": "first"}]
    }
    assert len(inputs["backfill-first-20260301T00-20260309T07-200"]["hours"]) == 200


def test_the_next_hours_start_when_the_ones_before_have_ended(
    cloud: Cloud, wattahead: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    cloud.deploy(SLOW)
    running: list[list[str]] = []

    def look(_seconds: float) -> None:
        running.append([name for name, status in cloud.executions().items() if status == "RUNNING"])
        arn = cloud.outputs["HourMachine"].replace(":stateMachine:", ":execution:")
        cloud.client("stepfunctions").stop_execution(executionArn=f"{arn}:{running[-1][0]}")

    monkeypatch.setattr("wattahead.control.backfill.time.sleep", look)
    wattahead("backfill", "--from", "2026-03-01T00:00Z", "--to", "2026-03-17T16:00Z", "--run", "first")

    assert [len(names) for names in running] == [1, 1]
    assert len(cloud.executions()) == 3


def test_typing_it_twice_starts_nothing_twice(cloud: Cloud, wattahead: Command) -> None:
    words = ("backfill", "--from", "2026-03-01T00:00Z", "--to", "2026-03-01T03:00Z", "--run", "first")
    wattahead(*words)
    cloud.ended()

    code, said = wattahead(*words)

    assert code == 0
    assert said.startswith("backfill-first-20260301T00-20260301T03-4: already started, SUCCEEDED, 4 hours\n")
    assert len(cloud.executions()) == 1


def test_live_hours_of_the_last_days_need_no_run(cloud: Cloud, wattahead: Command, now: int) -> None:
    code, _ = wattahead("backfill", "--from", iso(now - 2 * HOUR), "--to", iso(now))

    assert code == 0
    (held,) = cloud.inputs().values()
    assert held == {"hours": [{"issue_time": iso(now - back * HOUR)} for back in (2, 1, 0)]}


def test_live_hours_that_are_closed_are_refused_and_nothing_starts(cloud: Cloud, wattahead: Command, now: int) -> None:
    code, said = wattahead("backfill", "--from", iso(now - 8 * DAY), "--to", iso(now))

    assert code == 64
    assert "live hours close after 7 days" in said
    assert "--run NAME" in said
    assert cloud.executions() == {}


def test_other_steps_between_the_same_ends_have_other_names() -> None:
    names = {chunks(START, START + DAY, every, "a", now=NOW)[0].name for every in (HOUR, 12 * HOUR, DAY)}

    assert len(names) == 3


def test_names_hold_whatever_the_run_is_called() -> None:
    runs = ["r" * 64, "r" * 63, "r" * 43, "r"]

    names = [chunks(START, START + 300 * HOUR, HOUR, run, now=NOW)[0].name for run in runs]

    assert max(len(name) for name in names) <= 80
    assert len(set(names)) == 4


@pytest.mark.parametrize(
    ("first", "last", "every", "run", "code"),
    [
        (START, START - HOUR, HOUR, "a", "E_CONFIG"),
        (START, START + HOUR, 0, "a", "E_CONFIG"),
        (START, START + 2 * HOUR, HOUR // 2, "a", "E_EVENT_ALIGN"),
        (START, NOW + HOUR, HOUR, "a", "E_EVENT_FUTURE"),
        (START, START + HOUR, HOUR, "A b", "E_NAME"),
    ],
)
def test_what_the_hours_would_refuse_is_refused_before_anything_starts(
    first: int, last: int, every: int, run: str, code: str
) -> None:
    with pytest.raises(Refused) as refused:
        chunks(first, last, every, run, now=NOW)

    assert refused.value.code == code
