"""The deployed stack: where its parts are, a client for each service, and what AWS refuses told in one sentence."""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

import boto3
from botocore import exceptions as failures
from botocore.config import Config

from wattahead.domain.errors import Refused, Transient

DEFAULT_STACK: Final = "wattahead"
PASSING: Final = ("Throttling", "ThrottlingException", "RequestLimitExceeded", "TooManyRequestsException",
                  "ServiceUnavailable", "InternalFailure", "InternalError", "RequestTimeout")  # fmt: skip
UNKNOWN_WHO: Final = (
    failures.NoCredentialsError, failures.PartialCredentialsError, failures.CredentialRetrievalError,
    failures.ProfileNotFound, failures.NoRegionError, failures.SSOError,
)  # fmt: skip


@dataclass(frozen=True)
class Stack:
    """A deployed stack and its outputs."""

    name: str
    outputs: Mapping[str, str]

    def output(self, key: str) -> str:
        """Return an output; a stack of another template is refused with `E_CONFIG`."""
        if key in self.outputs:
            return self.outputs[key]
        raise Refused(
            "E_CONFIG", f"stack {self.name} has no output {key}", fix="deploy it again: sam build && sam deploy"
        )

    @property
    def machines(self) -> dict[str, str]:
        """ARNs of the state machines, by what they run."""
        return {"hours": self.output("HourMachine"), "training": self.output("TrainingMachine")}


def stack_name() -> str:
    """Return the stack that commands look at when none is named."""
    return os.environ.get("WATTAHEAD_STACK", "").strip() or DEFAULT_STACK


def find_stack(name: str) -> Stack:
    """Return the deployed stack `name`; one that is not there is refused with `E_CONFIG`."""
    try:
        found = client("cloudformation").describe_stacks(StackName=name)["Stacks"][0]
    except failures.ClientError as error:
        if "does not exist" not in str(error):
            raise
        raise Refused(
            "E_CONFIG",
            f"there is no stack {ascii(name)[:80]} in {_session().region_name}",
            fix="deploy it with sam deploy --guided, or name another: --stack NAME or WATTAHEAD_STACK",
        ) from error
    return Stack(name, {output["OutputKey"]: output["OutputValue"] for output in found.get("Outputs", [])})


@cache
def client(service: str) -> Any:  # noqa: ANN401 - boto3 makes its clients at run time
    """Return the client of one AWS service for this process."""
    return _session().client(service, config=Config(retries={"mode": "standard"}, connect_timeout=10, read_timeout=30))


def share_credentials() -> None:
    """Let the storage use what boto3 has found: obstore reads variables, and neither profiles nor single sign-on."""
    session = _session()
    found = session.get_credentials()
    if "AWS_ACCESS_KEY_ID" not in os.environ and found is not None:
        frozen = found.get_frozen_credentials()
        os.environ.update({"AWS_ACCESS_KEY_ID": frozen.access_key, "AWS_SECRET_ACCESS_KEY": frozen.secret_key})
        os.environ.update({"AWS_SESSION_TOKEN": frozen.token} if frozen.token else {})
    os.environ.setdefault("AWS_REGION", session.region_name)


@contextmanager
def told() -> Iterator[None]:
    """Turn what boto3 raises into a sentence with the next step: no credentials, no network, no right."""
    try:
        yield
    except UNKNOWN_WHO as error:
        raise Refused(
            "E_CONFIG", _sentence(error), fix="log in and name a region: AWS_PROFILE and AWS_REGION, or aws configure"
        ) from error
    except failures.ClientError as error:
        if error_code(error) in PASSING:
            raise Transient("E_STORAGE", _sentence(error), fix="run it again in a minute") from error
        raise Refused("E_CONFIG", _sentence(error), fix="check the credentials and their policy") from error
    except failures.BotoCoreError as error:
        raise Transient(
            "E_STORAGE", f"AWS did not answer: {_sentence(error)}", fix="check network, AWS_REGION and AWS_ENDPOINT_URL"
        ) from error


def error_code(error: failures.ClientError) -> str:
    """Return the code of what AWS refused, such as `ExecutionDoesNotExist`."""
    return str(error.response.get("Error", {}).get("Code", ""))


@cache
def _session() -> Any:  # noqa: ANN401 - boto3 is untyped
    return boto3.Session(region_name=os.environ.get("AWS_REGION") or None)


def _sentence(error: Exception) -> str:
    return " ".join(str(error).split()).rstrip(".")[:400]
