"""The state machines of `infra/states`, run by moto's interpreter with our handlers behind its Lambda tasks.

Nothing is taken from a definition but what moto lacks: `ToleratedFailurePercentage`. Where it says 100, a child that
fails is caught as its last step instead, which is what tolerating every failure means to the states after the map.
Waiting moves the clock of the test and takes no time.
"""

import json
import re
import time
import traceback
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from threading import Lock
from typing import Any

import boto3
import pytest
from moto.awslambda.models import LambdaFunction
from moto.stepfunctions.parser.asl.component.common.retry import retrier_decl
from moto.stepfunctions.parser.asl.component.state.wait.wait_function.timestamp import Timestamp

from infra.local.hours import Context
from wattahead.domain.hours import instant

STATES = Path(__file__).parent.parent.parent / "infra" / "states"
ROLE = "arn:aws:iam::123456789012:role/machine"
ENDS = 60  # seconds until a machine that does not end fails its test

Handler = Callable[[Any, object], dict[str, object]]
Definition = dict[str, Any]


@dataclass
class Clock:
    """The time that handlers, retries and waits share [µs]; only waiting moves it."""

    now: int

    def time_ns(self) -> int:
        return self.now * 1000

    def sleep(self, seconds: float) -> None:
        self.now += int(seconds * 1e6)

    def until(self, text: str) -> int:
        self.now = max(self.now, instant(text))
        return 0


@dataclass
class Functions:
    """Serves the Lambda tasks: one call at a time, because a Lambda environment takes no second one."""

    handlers: dict[str, Handler]
    faults: dict[str, list[str]] = field(default_factory=dict)  # function -> errors that AWS answers with, in turn
    calls: list[tuple[str, Any]] = field(default_factory=list)
    one_at_a_time: Lock = field(default_factory=Lock)

    def invoke(self, name: str, event: Any, headers: dict[str, str]) -> bytes:
        """Answer as Lambda does; an error's name is the name of its class."""
        with self.one_at_a_time:
            self.calls.append((name, event))
            if self.faults.get(name):
                headers["x-amz-function-error"] = "Unhandled"
                return json.dumps({"errorType": self.faults[name].pop(0), "errorMessage": "from AWS"}).encode()
            try:
                return json.dumps(self.handlers[name](event, Context(name))).encode()
            except Exception as error:  # noqa: BLE001 - Lambda hands every error to its caller
                headers["x-amz-function-error"] = "Unhandled"
                told = {"errorType": type(error).__name__, "errorMessage": str(error), "stackTrace": []}
                traceback.clear_frames(error.__traceback__)
                return json.dumps(told).encode()

    def names(self) -> list[str]:
        """Return the functions in the order they were called."""
        return [name for name, _ in self.calls]


def definition(name: str, **values: str) -> Definition:
    """Return a definition with its substitutions filled in, as `sam deploy` fills them."""
    text = (STATES / f"{name}.asl.json").read_text(encoding="utf-8")
    asked = set(re.findall(r"\$\{(\w+)\}", text))
    assert asked == set(values)
    for one, value in values.items():
        text = text.replace(f"${{{one}}}", value)
    return json.loads(text)


def for_moto(machine: Definition) -> Definition:
    """Replace what moto's interpreter lacks, wherever it stands."""
    for state in machine["States"].values():
        if state["Type"] == "Map":
            inner = for_moto(state["ItemProcessor"])["States"]
            if state.pop("ToleratedFailurePercentage", 0) == 100:
                for last in [one for one in inner.values() if one["Type"] == "Task" and "Catch" not in one]:
                    last["Catch"] = [{"ErrorEquals": ["States.ALL"], "Next": "Tolerated"}]
                inner["Tolerated"] = {"Type": "Pass", "End": True}
    return machine


def serve(monkeypatch: pytest.MonkeyPatch, functions: Functions, clock: Clock) -> None:
    """Put the handlers behind moto's Lambda and the clock behind everything that waits."""

    def invoke(self: Any, body: str, _request: Any, headers: dict[str, str]) -> bytes:
        return functions.invoke(self.function_name, json.loads(body), headers)

    def wait(self: Any, env: Any) -> int:
        self.string.eval(env=env)
        return clock.until(env.stack.pop())

    monkeypatch.setattr(LambdaFunction, "invoke", invoke)
    monkeypatch.setattr(retrier_decl, "time", clock)
    monkeypatch.setattr(Timestamp, "_get_wait_seconds", wait)
    monkeypatch.setattr("wattahead.jobs.settings.time", clock)
    trust = {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
    boto3.client("iam").create_role(RoleName="machine", AssumeRolePolicyDocument=json.dumps({"Statement": [trust]}))
    for name in functions.handlers:
        boto3.client("lambda").create_function(
            FunctionName=name, Runtime="python3.12", Role=ROLE, Handler="app.handler", Code={"ZipFile": b"none"}
        )


def take_away(names: Iterable[str]) -> None:
    """Remove what `serve` made: the server outlives the test."""
    for name in names:
        boto3.client("lambda").delete_function(FunctionName=name)
    boto3.client("iam").delete_role(RoleName="machine")


def run(machine: Definition, sent: Any) -> dict[str, Any]:
    """Run a machine to its end and return what `describe_execution` says of it."""
    client = boto3.client("stepfunctions")
    made = client.create_state_machine(name=f"m{time.time_ns()}", definition=json.dumps(machine), roleArn=ROLE)
    began = client.start_execution(stateMachineArn=made["stateMachineArn"], input=json.dumps(sent))
    deadline = time.monotonic() + ENDS
    while time.monotonic() < deadline:
        found: dict[str, Any] = client.describe_execution(executionArn=began["executionArn"])
        if found["status"] != "RUNNING":
            return found
        time.sleep(0.05)
    raise AssertionError(client.get_execution_history(executionArn=began["executionArn"])["events"][-5:])
