"""What AWS refuses is told in one line with the next step; a training of the stack is started once a minute."""

import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import boto3
import pytest

from tests.control.conftest import Cloud, forget
from wattahead.cli.main import main
from wattahead.control.executions import subject
from wattahead.control.stack import find_stack, share_credentials, told
from wattahead.control.train import train
from wattahead.domain.errors import Refused, Transient
from wattahead.domain.hours import instant

Command = Callable[..., tuple[int, str]]
COMMANDS = [
    ["status"],
    ["redrive"],
    ["train", "--stack", "wattahead"],
    ["backfill", "--from", "2026-03-01T00:00Z", "--to", "2026-03-01T00:00Z", "--run", "a", "--stack", "wattahead"],
]


@pytest.fixture
def stranger(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[pytest.MonkeyPatch]:
    """Give a machine that knows nothing of AWS."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_REGION", "AWS_DEFAULT_REGION", "AWS_PROFILE",
                 "AWS_ENDPOINT_URL", "WATTAHEAD_STACK"):  # fmt: skip
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    for name in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"):
        monkeypatch.setenv(name, str(tmp_path / "none"))
    forget()
    yield monkeypatch
    forget()


@pytest.mark.parametrize("words", COMMANDS, ids=lambda words: words[0])
def test_without_credentials_a_command_is_one_line(
    words: list[str], stranger: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    stranger.setenv("AWS_REGION", "eu-west-1")

    assert main(words) == 64

    said = capsys.readouterr()
    assert (said.out, said.err.count("\n")) == ("", 1)
    assert "E_CONFIG: Unable to locate credentials. Fix: log in" in said.err


def test_without_a_region_status_says_so(stranger: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["status"]) == 64

    assert capsys.readouterr().err.startswith("E_CONFIG: You must specify a region. Fix: ")


def test_without_a_network_status_says_so(stranger: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    for name, value in {"AWS_REGION": "eu-west-1", "AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "b",
                        "AWS_ENDPOINT_URL": "http://127.0.0.1:9", "AWS_MAX_ATTEMPTS": "1"}.items():  # fmt: skip
        stranger.setenv(name, value)

    assert main(["status"]) == 1

    said = capsys.readouterr().err
    assert (said.startswith("E_STORAGE: AWS did not answer: "), said.count("\n")) == (True, 1)


def test_the_storage_gets_the_credentials_of_a_profile(stranger: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "config").write_text(
        "[profile desk]\nregion = eu-west-1\naws_access_key_id = who\naws_secret_access_key = what\n", encoding="utf-8"
    )
    for name, value in {"AWS_PROFILE": "desk", "AWS_CONFIG_FILE": str(tmp_path / "config")}.items():
        stranger.setenv(name, value)
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_REGION"):
        stranger.setenv(name, "remembered, so that it is put back")
        stranger.delenv(name)

    share_credentials()

    shared = [os.environ[name] for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_REGION")]
    assert shared == ["who", "what", "eu-west-1"]


def test_a_stack_that_is_not_there_is_named_with_the_next_step(
    s3_url: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("WATTAHEAD_STACK", "elsewhere")
    forget()

    assert main(["status"]) == 64

    said = capsys.readouterr().err
    assert said.startswith("E_CONFIG: there is no stack 'elsewhere' in us-east-1. Fix: deploy it")


def test_a_stack_of_another_template_is_refused(cloud: Cloud) -> None:
    template = {"Resources": {"Queue": {"Type": "AWS::SQS::Queue"}}}
    boto3.client("cloudformation").create_stack(StackName=f"{cloud.name}-x", TemplateBody=json.dumps(template))

    with pytest.raises(Refused, match="has no output HourMachine"):
        _ = find_stack(f"{cloud.name}-x").machines


@pytest.mark.parametrize(("code", "kind"), [("AccessDenied", Refused), ("ThrottlingException", Transient)])
def test_a_refusal_is_permanent_and_a_throttle_may_pass(code: str, kind: type[Exception]) -> None:
    from botocore.exceptions import ClientError

    with pytest.raises(kind, match=code), told():
        raise ClientError({"Error": {"Code": code, "Message": "no"}}, "StartExecution")


def test_training_is_started_for_all_pools_or_the_named_ones(cloud: Cloud) -> None:
    stack = find_stack(cloud.name)

    train(stack, [], now=instant("2026-03-01T05:00Z"))
    train(stack, [], now=instant("2026-03-01T05:00Z") + 59_000_000)
    train(stack, ["solar", "wind"], now=instant("2026-03-01T05:01Z"))

    assert cloud.inputs("TrainingMachine") == {
        "train-20260301T0500": {"cadence": "nightly"},
        "train-20260301T0501": {"pools": ["solar", "wind"]},
    }


def test_the_train_command_starts_the_training_of_a_stack(cloud: Cloud, wattahead: Command) -> None:
    code, said = wattahead("train", "--pools", "solar, wind")

    assert (code, said.splitlines()[1]) == (0, f"follow it with: wattahead status --stack {cloud.name}")
    assert list(cloud.inputs("TrainingMachine").values()) == [{"pools": ["solar", "wind"]}]


@pytest.mark.parametrize(
    "words",
    [("--until", "2026-03-01T00:00Z"), ("--seed", "2"), ("--pools", "No Pool"), ("--zones", "A"), ("--trainer", "a")],
)
def test_what_training_in_a_stack_cannot_take_is_refused(cloud: Cloud, wattahead: Command, words: tuple[str]) -> None:
    assert wattahead("train", *words)[0] == 64

    assert cloud.executions("TrainingMachine") == {}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('{"issue_time": "2026-03-01T05:00Z", "run_kind": "backfill", "run": "a"}', "2026-03-01T05:00Z of run a"),
        ('{"hours": [{"issue_time": "A"}, {"issue_time": "B"}]}', "2 hours from A to B"),
        ('{"pools": ["solar", "wind"]}', "solar, wind"),
        ('{"cadence": "weekly"}', "weekly"),
        ("{}", "an input without a time"),
        ("[]", "an input of another form"),
        ("{", "an input that is not JSON"),
    ],
)
def test_an_input_is_told_in_a_few_words(text: str, said: str) -> None:
    assert subject(text) == said
