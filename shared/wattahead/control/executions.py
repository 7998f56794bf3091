"""Executions of a state machine: start one under a name, list them, and find what failed and was not mended since."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from botocore.exceptions import ClientError

from wattahead.control.stack import client, error_code
from wattahead.domain.hours import from_datetime

STARTED: Final = "started"
SUCCEEDED: Final = "SUCCEEDED"
RUNNING: Final = "RUNNING"
FAILED: Final = ("FAILED", "TIMED_OUT", "ABORTED")


@dataclass(frozen=True)
class Execution:
    """One execution as a list shows it; `started_at` in µs since 1970."""

    arn: str
    machine: str
    name: str
    status: str
    started_at: int


@dataclass(frozen=True)
class Failure:
    """An execution that failed: its input, why, and what ran with the same input since (`RUNNING`, `SUCCEEDED`)."""

    execution: Execution
    text: str  # the input as it was sent
    cause: str
    since: frozenset[str]


def start(machine: str, name: str, text: str) -> str:
    """Start an execution with the input `text`; return `started`, or the status of the one that has this name.

    Step Functions keeps a name for 90 days after its end, so the same name starts nothing twice.
    """
    held = status(machine, name)
    if held:
        return held
    try:
        client("stepfunctions").start_execution(stateMachineArn=machine, name=name, input=text)
    except ClientError as error:
        if error_code(error) != "ExecutionAlreadyExists":  # somebody else was faster: as good as our own
            raise
        return status(machine, name) or RUNNING
    return STARTED


def status(machine: str, name: str) -> str:
    """Return the status of an execution, or nothing when there is none of this name."""
    arn = f"{machine.replace(':stateMachine:', ':execution:')}:{name}"
    try:
        return str(client("stepfunctions").describe_execution(executionArn=arn)["status"])
    except ClientError as error:
        if error_code(error) != "ExecutionDoesNotExist":
            raise
        return ""


def listed(machine: str, after: int) -> list[Execution]:
    """Return the executions that were started after `after` [µs], newest first."""
    found = list(_newest_first(machine, after))
    return sorted(found, key=lambda execution: execution.started_at, reverse=True)


def failures(executions: Sequence[Execution]) -> list[Failure]:
    """Return what failed among the executions of a machine, newest first; of equal inputs the last failure only."""
    failed = [execution for execution in executions if execution.status in FAILED]
    if not failed:
        return []  # inputs cost a request each, and are only asked for when something is to be compared
    oldest = failed[-1].started_at
    others = [one for one in executions if one.status in (SUCCEEDED, RUNNING) and one.started_at >= oldest]
    ran = [(other, _equal(str(_described(other)["input"]))) for other in others]
    found: dict[str, Failure] = {}
    for execution in failed:
        about = _described(execution)
        text = str(about["input"])
        same = _equal(text)
        since = {other.status for other, asked in ran if asked == same and other.started_at >= execution.started_at}
        found.setdefault(same, Failure(execution, text, _cause(about), frozenset(since)))
    return list(found.values())


def subject(text: str) -> str:
    """Return what an input is about, in a few words: its hour, its hours, its pools."""
    try:
        event = json.loads(text)
    except ValueError:
        return "an input that is not JSON"
    if not isinstance(event, dict):
        return "an input of another form"
    hours = event.get("hours")
    if isinstance(hours, list) and hours:
        return f"{len(hours)} hours from {_hour(hours[0])} to {_hour(hours[-1])}"
    pools = event.get("pools")
    named = ", ".join(map(str, pools)) if isinstance(pools, list) else str(event.get("cadence", ""))
    return named or _hour(event)


def _hour(event: object) -> str:
    held: Mapping[str, object] = event if isinstance(event, dict) else {}
    times = (held.get(name) for name in ("issue_time", "scheduled_time", "time"))
    run = f" of run {held['run']}" if held.get("run") else ""
    return next((f"{at}{run}" for at in times if at), "an input without a time")


def _newest_first(machine: str, after: int) -> Iterator[Execution]:
    pages = client("stepfunctions").get_paginator("list_executions").paginate(stateMachineArn=machine)
    for page in pages:
        for entry in page["executions"]:
            execution = Execution(
                entry["executionArn"], machine, entry["name"], entry["status"], from_datetime(entry["startDate"])
            )
            if execution.started_at <= after:
                return  # the list is sorted by start: all further ones are older
            yield execution


def _described(execution: Execution) -> dict[str, Any]:
    found: dict[str, Any] = client("stepfunctions").describe_execution(executionArn=execution.arn)
    return {"input": "", **found}


def _equal(text: str) -> str:
    """Return an input in one form, whatever the order of its keys."""
    try:
        return json.dumps(json.loads(text), sort_keys=True)
    except ValueError:
        return text


def _cause(about: Mapping[str, Any]) -> str:
    said = ": ".join(str(about[name]) for name in ("error", "cause") if about.get(name))
    return " ".join(said.split()) or str(about["status"]).lower().replace("_", " ")
