"""Redrive starts what was lost once, and never throws away what it does not understand."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from tests.control.conftest import BROKEN, SLOW, WELL, Cloud
from wattahead.control import redrive as subject
from wattahead.control import stack

Command = Callable[..., tuple[int, str]]
HOUR_EVENT = {"scheduled_time": "2026-03-01T05:00:00Z"}


@pytest.fixture(autouse=True)
def one_server(monkeypatch: pytest.MonkeyPatch) -> None:
    """Spare every test the second of waiting: the local queue has one server, which knows at once that it is empty."""
    monkeypatch.setattr(subject, "POLL_SECONDS", 0)


def letter(cloud: Cloud, body: str = json.dumps(HOUR_EVENT), **attributes: str) -> str:
    """Put a message as the Scheduler sends it among the dead letters."""
    usual = {
        "ERROR_CODE": "ThrottlingException",
        "ERROR_MESSAGE": "slow down",
        "SCHEDULE_ARN": "arn:aws:scheduler:us-east-1:123456789012:schedule/default/hour",
        "TARGET_ARN": cloud.outputs["HourMachine"],
    }
    return cloud.letter(body, **(usual | attributes))


def test_nothing_lost_is_said(wattahead: Command) -> None:
    assert wattahead("redrive") == (0, "nothing to redrive: no dead letters, no failed executions in 7 days\n")


def test_a_dead_letter_starts_its_machine_with_its_own_input_and_is_deleted(cloud: Cloud, wattahead: Command) -> None:
    name = letter(cloud)

    code, said = wattahead("redrive")

    assert code == 0
    assert said.startswith(f"dead letter {name}, 2026-03-01T05:00:00Z (ThrottlingException): started letter-")
    assert list(cloud.inputs().values()) == [HOUR_EVENT]
    assert cloud.letters() == []


def test_a_letter_whose_time_was_never_filled_in_takes_it_from_its_attribute(cloud: Cloud, wattahead: Command) -> None:
    unfilled = '{"scheduled_time": "<aws.scheduler.scheduled-time>"}'
    letter(cloud, unfilled, SCHEDULED_TIME="2026-03-01T05:00:00Z")
    strange = letter(cloud, unfilled)

    code, said = wattahead("redrive")

    assert code == 1
    assert list(cloud.inputs().values()) == [HOUR_EVENT]
    assert f"dead letter {strange}: left in the queue, its body names no time" in said
    assert cloud.letters() == [unfilled]


def test_a_letter_for_training_starts_training(cloud: Cloud, wattahead: Command) -> None:
    letter(cloud, '{"cadence": "nightly"}', TARGET_ARN=cloud.outputs["TrainingMachine"])

    assert wattahead("redrive")[0] == 0

    assert (len(cloud.executions()), len(cloud.executions("TrainingMachine"))) == (0, 1)


@pytest.mark.parametrize(
    ("body", "attributes", "said"),
    [
        ("not json", {}, "its body is not a JSON object"),
        ("[1]", {}, "its body is not a JSON object"),
        ('{"a": 1}', {"TARGET_ARN": "arn:aws:lambda:us-east-1:1:function:other"}, "is no state machine of stack"),
    ],
)
def test_a_strange_letter_is_named_and_stays(
    cloud: Cloud, wattahead: Command, body: str, attributes: dict[str, str], said: str
) -> None:
    name = letter(cloud, body, **attributes)

    code, told = wattahead("redrive")

    assert code == 1
    assert f"dead letter {name}: left in the queue, " in told
    assert said in told
    assert cloud.letters() == [body]
    assert cloud.executions() == {}


def test_a_strange_letter_does_not_keep_the_others_waiting(cloud: Cloud, wattahead: Command) -> None:
    letter(cloud, "strange")
    letter(cloud)

    assert wattahead("redrive")[0] == 1

    assert len(cloud.executions()) == 1
    assert cloud.letters() == ["strange"]


def test_more_letters_than_one_answer_holds_are_all_read(cloud: Cloud, wattahead: Command) -> None:
    for hour in range(12):
        letter(cloud, json.dumps({"scheduled_time": f"2026-03-01T{hour:02d}:00:00Z"}))

    assert wattahead("redrive")[0] == 0

    assert len(cloud.executions()) == 12


def test_a_letter_whose_deletion_was_lost_starts_nothing_twice(
    cloud: Cloud, wattahead: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    letter(cloud)
    with monkeypatch.context() as broken:
        broken.setattr(subject, "client", lambda service: Unable(stack.client(service)))
        with pytest.raises(ConnectionError):
            wattahead("redrive")
    cloud.ended()

    code, said = wattahead("redrive")

    assert (code, "already started as letter-" in said) == (0, True)
    assert len(cloud.executions()) == 1
    assert cloud.letters() == []


class Unable:
    """A client whose deletions are lost; what was received is given back at once, as after the time-out."""

    def __init__(self, client: Any) -> None:
        self.client = client
        self.receipts: list[str] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(self.client, name)

    def delete_message(self, **asked: str) -> None:
        self.client.change_message_visibility(**asked, VisibilityTimeout=0)
        raise ConnectionError


def test_a_letter_that_could_not_be_started_stays(cloud: Cloud, wattahead: Command) -> None:
    letter(cloud)
    cloud.client("stepfunctions").delete_state_machine(stateMachineArn=cloud.outputs["HourMachine"])
    stranger = stack.Stack(cloud.name, cloud.outputs)

    lines = list(subject._letters(stranger, dry_run=False))

    assert [(did.well, "StateMachineDoesNotExist" in did.said) for did in lines] == [(False, True)]
    assert cloud.letters() == [json.dumps(HOUR_EVENT)]


def test_a_dry_run_starts_nothing_and_leaves_every_letter_readable(cloud: Cloud, wattahead: Command) -> None:
    letter(cloud)
    cloud.deploy(BROKEN)
    cloud.start("lost", {"issue_time": "2026-03-01T06:00Z"})

    code, said = wattahead("redrive", "--dry-run")

    assert code == 0
    assert ": would start letter-" in said
    assert "failed lost, 2026-03-01T06:00Z: would start redrive-" in said
    assert list(cloud.executions()) == ["lost"]
    assert cloud.letters() == [json.dumps(HOUR_EVENT)]


def test_a_failed_execution_is_started_anew_with_its_input_and_once(cloud: Cloud, wattahead: Command) -> None:
    cloud.deploy(BROKEN)
    cloud.start("lost", HOUR_EVENT)
    cloud.deploy(WELL)

    code, said = wattahead("redrive")
    ended = cloud.ended()
    again = wattahead("redrive")

    assert (code, "failed lost, 2026-03-01T05:00:00Z: started redrive-" in said) == (0, True)
    assert sorted(ended.values()) == ["FAILED", "SUCCEEDED"]
    assert set(map(str, cloud.inputs().values())) == {str(HOUR_EVENT)}
    assert (again[0], "has been run since" in again[1]) == (0, True)
    assert cloud.executions() == ended


def test_what_fails_again_is_started_again_from_its_last_failure_only(cloud: Cloud, wattahead: Command) -> None:
    cloud.deploy(BROKEN)
    cloud.start("lost", HOUR_EVENT)

    for _ in range(2):
        wattahead("redrive")
        cloud.ended()

    assert len(cloud.executions()) == 3


def test_an_hour_that_succeeded_since_or_is_being_run_is_left_alone(cloud: Cloud, wattahead: Command) -> None:
    other = {"issue_time": "2026-03-01T06:00Z"}
    cloud.deploy(BROKEN)
    cloud.start("lost", HOUR_EVENT)
    cloud.start("lost-too", other)
    cloud.deploy(WELL)
    cloud.start("again", HOUR_EVENT)
    cloud.deploy(SLOW)
    arn = cloud.client("stepfunctions").start_execution(
        stateMachineArn=cloud.outputs["HourMachine"], name="slow", input=json.dumps(other)
    )["executionArn"]

    code, said = wattahead("redrive")
    cloud.client("stepfunctions").stop_execution(executionArn=arn)

    assert code == 0
    assert "failed lost, 2026-03-01T05:00:00Z: has been run since\n" in said
    assert "failed lost-too, 2026-03-01T06:00Z: is being run\n" in said
    assert set(cloud.executions()) == {"lost", "lost-too", "again", "slow"}


def test_an_execution_that_was_stopped_by_hand_is_started_anew(cloud: Cloud, wattahead: Command) -> None:
    cloud.deploy(SLOW)
    arn = cloud.client("stepfunctions").start_execution(
        stateMachineArn=cloud.outputs["HourMachine"], name="slow", input=json.dumps(HOUR_EVENT)
    )["executionArn"]
    cloud.client("stepfunctions").stop_execution(executionArn=arn)
    cloud.deploy(WELL)

    assert "aborted slow, 2026-03-01T05:00:00Z: started redrive-" in wattahead("redrive")[1]
