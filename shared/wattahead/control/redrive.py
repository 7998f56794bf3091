"""Run again what was lost: events that never reached their state machine, and executions that failed."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from botocore.exceptions import ClientError

from wattahead.control.executions import RUNNING, STARTED, SUCCEEDED, Failure, failures, listed, start, status, subject
from wattahead.control.stack import Stack, client, error_code
from wattahead.domain.errors import Refused
from wattahead.domain.hours import DAY
from wattahead.storage.objects import sha256

BACK: Final = 7 * DAY  # as long as live hours are open
POLL_SECONDS: Final = 1  # of long polling: it asks every server of the queue, so that an empty answer means empty
HIDDEN_SECONDS: Final = 120  # how long a letter that is being worked on is not given to anybody else
DIGITS: Final = 32  # of the hash in a name


@dataclass(frozen=True)
class Did:
    """One line of what was done, and whether it went well."""

    said: str
    well: bool = True


def redrive(stack: Stack, *, now: int, dry_run: bool) -> Iterator[Did]:
    """Start anew the dead letters and the failed executions of the last 7 days; yield a line for each."""
    yield from _letters(stack, dry_run=dry_run)
    for machine in stack.machines.values():
        for failure in failures(listed(machine, now - BACK)):
            yield _again(failure, dry_run=dry_run)


def _letters(stack: Stack, *, dry_run: bool) -> Iterator[Did]:
    queue = stack.output("DeadLetters")
    kept: list[str] = []  # receipts of what stays in the queue, to be seen again at once
    try:
        for letter in _received(queue):
            did, done = _letter(letter, stack, dry_run=dry_run)
            if done:
                client("sqs").delete_message(QueueUrl=queue, ReceiptHandle=letter["ReceiptHandle"])
            else:
                kept.append(letter["ReceiptHandle"])
            yield did
    finally:
        for receipt in kept:
            client("sqs").change_message_visibility(QueueUrl=queue, ReceiptHandle=receipt, VisibilityTimeout=0)


def _received(queue: str) -> Iterator[dict[str, Any]]:
    """Yield every message that is there once; an empty answer to a long poll ends it."""
    seen: set[str] = set()
    while True:
        answer = client("sqs").receive_message(
            QueueUrl=queue,
            MaxNumberOfMessages=10,
            WaitTimeSeconds=POLL_SECONDS,
            VisibilityTimeout=HIDDEN_SECONDS,
            MessageAttributeNames=["All"],
        )
        fresh = [letter for letter in answer.get("Messages", []) if letter["MessageId"] not in seen]
        if not fresh:
            return
        seen |= {letter["MessageId"] for letter in fresh}
        yield from fresh


def _letter(letter: Mapping[str, Any], stack: Stack, *, dry_run: bool) -> tuple[Did, bool]:
    """Start what a dead letter asked for; return what to say, and whether it may be deleted."""
    about = f"dead letter {letter['MessageId']}"
    try:
        machine, why = _addressed(letter, stack)
    except Refused as error:
        return Did(f"{about}: left in the queue, {error.fact}", well=False), False
    body = _filled(letter)
    about = f"{about}, {subject(body)}{why}"
    name = f"letter-{sha256(letter['MessageId'].encode())[:DIGITS]}"
    if dry_run:
        return Did(f"{about}: would start {name}"), False
    try:
        found = start(machine, name, body)
    except ClientError as error:
        return Did(f"{about}: left in the queue, {error_code(error)}", well=False), False
    return Did(f"{about}: {_started(found, name)}"), True


def _addressed(letter: Mapping[str, Any], stack: Stack) -> tuple[str, str]:
    """Return the machine that a dead letter of the Scheduler was meant for, and why it did not arrive."""
    held = {name: one.get("StringValue", "") for name, one in letter.get("MessageAttributes", {}).items()}
    machine = held.get("TARGET_ARN", "")
    if machine not in stack.machines.values():
        raise _strange(f"its TARGET_ARN {ascii(machine)[:160]} is no state machine of stack {stack.name}")
    try:
        whole = isinstance(json.loads(letter["Body"]), dict)
    except ValueError:
        whole = False
    if not whole:
        raise _strange("its body is not a JSON object")
    if "<aws.scheduler." in _filled(letter):
        raise _strange("its body names no time, and neither does its attribute SCHEDULED_TIME")
    return machine, f" ({held['ERROR_CODE']})" if held.get("ERROR_CODE") else ""


def _filled(letter: Mapping[str, Any]) -> str:
    """Return the body with the scheduled time in it, should the Scheduler have left its place empty."""
    at = letter.get("MessageAttributes", {}).get("SCHEDULED_TIME", {}).get("StringValue")
    return str(letter["Body"]).replace("<aws.scheduler.scheduled-time>", at) if at else str(letter["Body"])


def _strange(fact: str) -> Refused:
    return Refused("E_EVENT_SHAPE", fact, fix="look at the message, and delete it by hand")


def _again(failure: Failure, *, dry_run: bool) -> Did:
    """Start a failed execution anew, unless that was done or is no longer needed."""
    execution = failure.execution
    about = f"{execution.status.lower()} {execution.name}, {subject(failure.text)}"
    if SUCCEEDED in failure.since:
        return Did(f"{about}: has been run since")
    if RUNNING in failure.since:
        return Did(f"{about}: is being run")
    name = f"redrive-{sha256(execution.arn.encode())[:DIGITS]}"
    if dry_run:
        held = status(execution.machine, name)
        return Did(f"{about}: already started as {name} ({held})" if held else f"{about}: would start {name}")
    try:
        return Did(f"{about}: {_started(start(execution.machine, name, failure.text), name)}")
    except ClientError as error:
        return Did(f"{about}: {error_code(error)}", well=False)


def _started(found: str, name: str) -> str:
    return f"started {name}" if found == STARTED else f"already started as {name} ({found})"
