"""A deployed stack on the local AWS server: machines that run, a queue, a bucket, alarms."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any
from urllib.request import Request, urlopen
from uuid import uuid4

import boto3
import pytest

from wattahead.cli.main import main
from wattahead.control import stack
from wattahead.domain.hours import floor_hour, from_datetime, iso
from wattahead.storage.objects import open_bucket

WELL = {"Type": "Succeed"}
BROKEN = {"Type": "Fail", "Error": "E_PLAN_MISSING", "Cause": "2026-03-01T05:00Z has no plan"}
SLOW = {"Type": "Wait", "Seconds": 3600, "End": True}
ROLE = "arn:aws:iam::123456789012:role/machine"


@dataclass(frozen=True)
class Cloud:
    """What a test does to the deployed system behind the back of the commands."""

    name: str
    outputs: dict[str, str]

    def client(self, service: str) -> Any:
        return boto3.client(service)

    def deploy(self, state: dict[str, Any], machine: str = "HourMachine") -> None:
        """Let the machine do `state` and nothing else from now on."""
        definition = json.dumps({"StartAt": "Do", "States": {"Do": state}})
        self.client("stepfunctions").update_state_machine(stateMachineArn=self.outputs[machine], definition=definition)

    def start(self, name: str, event: Any, machine: str = "HourMachine") -> None:
        """Run an execution to its end."""
        self.client("stepfunctions").start_execution(
            stateMachineArn=self.outputs[machine], name=name, input=json.dumps(event)
        )
        self.ended(machine)

    def executions(self, machine: str = "HourMachine") -> dict[str, str]:
        """Name and status of every execution."""
        found = self.client("stepfunctions").list_executions(stateMachineArn=self.outputs[machine])["executions"]
        return {execution["name"]: execution["status"] for execution in found}

    def ended(self, machine: str = "HourMachine") -> dict[str, str]:
        """Name and status of every execution when all have ended; each look is a request, so this takes its time."""
        for _ in range(500):
            found = self.executions(machine)
            if "RUNNING" not in found.values():
                return found
        raise AssertionError(found)

    def inputs(self, machine: str = "HourMachine") -> dict[str, Any]:
        """Name and input of every execution."""
        arn = self.outputs[machine].replace(":stateMachine:", ":execution:")
        describe = self.client("stepfunctions").describe_execution
        return {name: json.loads(describe(executionArn=f"{arn}:{name}")["input"]) for name in self.executions(machine)}

    def letter(self, body: str, **attributes: str) -> str:
        """Put a message among the dead letters; return its id."""
        held = {name: {"DataType": "String", "StringValue": value} for name, value in attributes.items()}
        answer = self.client("sqs").send_message(
            QueueUrl=self.outputs["DeadLetters"], MessageBody=body, MessageAttributes=held
        )
        return str(answer["MessageId"])

    def letters(self) -> list[str]:
        """Bodies of the letters that may be read now."""
        url = self.outputs["DeadLetters"]
        answer = self.client("sqs").receive_message(QueueUrl=url, MaxNumberOfMessages=10, VisibilityTimeout=0)
        return [letter["Body"] for letter in answer.get("Messages", [])]

    def alarm(self, name: str, state: str) -> None:
        alarm = f"{self.name}-{name}"
        self.client("cloudwatch").put_metric_alarm(
            AlarmName=alarm, Namespace="n", MetricName="m", Period=60, EvaluationPeriods=1, Threshold=1,
            ComparisonOperator="GreaterThanThreshold", Statistic="Sum",
        )  # fmt: skip
        self.client("cloudwatch").set_alarm_state(AlarmName=alarm, StateValue=state, StateReason="three in a row")

    def forecast(self, at: int) -> None:
        """Put a forecast of the issue time `at` into the bucket."""
        folder = f"issue_date={iso(at)[:10]}/issue_hour={iso(at)[11:13]}"
        open_bucket(self.outputs["Bucket"]).create(f"forecasts/{folder}/solar-0000.parquet", b"rows")


@pytest.fixture
def running_machines(s3_server: str) -> Iterator[None]:
    """Let the server run state machines; without this an execution stays as it was started."""
    configure(s3_server, execute=True)
    yield
    configure(s3_server, execute=False)


def configure(server: str, *, execute: bool) -> None:
    body = json.dumps({"stepfunctions": {"execute_state_machine": execute}}).encode()
    with urlopen(Request(f"{server}/moto-api/config", data=body, method="POST")) as answer:  # noqa: S310 - our server
        assert answer.status == 201


@pytest.fixture
def cloud(s3_url: str, running_machines: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[Cloud]:
    """Give a stack of its own to one test; its machines succeed."""
    monkeypatch.setenv("COLUMNS", "240")
    forget()
    name = f"wattahead-{uuid4().hex[:12]}"
    machines = {label: machine(f"{name}-{label}") for label in ("HourMachine", "TrainingMachine")}
    outputs = {label: {"Value": value} for label, value in {**machines, "Bucket": s3_url}.items()}
    template = {
        "Resources": {"Queue": {"Type": "AWS::SQS::Queue"}},
        "Outputs": {**outputs, "DeadLetters": {"Value": {"Ref": "Queue"}}},
    }
    boto3.client("cloudformation").create_stack(StackName=name, TemplateBody=json.dumps(template))
    deployed = stack.find_stack(name)
    yield Cloud(name, dict(deployed.outputs))
    for arn in machines.values():
        boto3.client("stepfunctions").delete_state_machine(stateMachineArn=arn)
    forget()


def machine(name: str) -> str:
    """Make a state machine that succeeds; the server's templates and its interpreter do not know each other."""
    definition = json.dumps({"StartAt": "Do", "States": {"Do": WELL}})
    made = boto3.client("stepfunctions").create_state_machine(name=name, definition=definition, roleArn=ROLE)
    return str(made["stateMachineArn"])


def forget() -> None:
    """Let the next command look for credentials and addresses again."""
    stack.client.cache_clear()
    stack._session.cache_clear()


@pytest.fixture
def wattahead(cloud: Cloud, capsys: pytest.CaptureFixture[str]) -> Callable[..., tuple[int, str]]:
    """Give a function that runs a command on the stack and returns its exit code and what it said."""

    def call(*words: str) -> tuple[int, str]:
        capsys.readouterr()
        code = main([*words, "--stack", cloud.name])
        said = capsys.readouterr()
        return code, said.out + said.err

    return call


@pytest.fixture
def now() -> int:
    """Give the hour that began last, by the clock that the server uses too."""
    from datetime import UTC, datetime

    return floor_hour(from_datetime(datetime.now(UTC)))
