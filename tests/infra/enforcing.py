"""An S3 server that enforces IAM, in a process of its own.

moto counts requests and asks for rights from the n-th on, for all of a process: in the process of the tests it would
lock out every other test. A role is taken on here as AWS takes it on, by `sts:AssumeRole`, so requests carry a session
token as those of Lambda and Fargate do.
"""

import json
import logging
import subprocess
import sys
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

from tests.infra.iam import ACCOUNT, PARTITION, REGION, Document
from tests.infra.templates import ROOT

BUCKET = "cells"  # in which single requests are tried
ANYBODY = {"Statement": [{"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "sts:AssumeRole"}]}
EVERYTHING = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}


@dataclass(frozen=True)
class Keys:
    """What signs the requests of one role."""

    access: str
    secret: str
    token: str = ""

    def variables(self) -> dict[str, str]:
        """Return the variables by which Lambda hands them to a function."""
        return {
            "AWS_ACCESS_KEY_ID": self.access,
            "AWS_SECRET_ACCESS_KEY": self.secret,
            "AWS_SESSION_TOKEN": self.token,
        }


@dataclass(frozen=True)
class Enforcer:
    """A running server and the keys of its administrator."""

    url: str
    administrator: Keys

    def client(self, service: str, keys: Keys | None = None) -> Any:
        """Return a client that makes one attempt; by default the administrator's."""
        return client(self.url, service, keys or self.administrator)

    def role(self, name: str, document: Document) -> Keys:
        """Make a role with exactly this policy and take it on."""
        iam = self.client("iam")
        iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(ANYBODY))
        iam.put_role_policy(RoleName=name, PolicyName="own", PolicyDocument=json.dumps(document))
        role = f"arn:{PARTITION}:iam::{ACCOUNT}:role/{name}"
        taken = self.client("sts").assume_role(RoleArn=role, RoleSessionName="test")["Credentials"]
        return Keys(taken["AccessKeyId"], taken["SecretAccessKey"], taken["SessionToken"])


def client(url: str, service: str, keys: Keys) -> Any:
    """Return a client of the server."""
    return boto3.client(
        service,
        endpoint_url=url,
        region_name=REGION,
        aws_access_key_id=keys.access,
        aws_secret_access_key=keys.secret,
        aws_session_token=keys.token or None,
        config=Config(retries={"total_max_attempts": 1}),
    )


@contextmanager
def enforcer() -> Iterator[Enforcer]:
    """Start a server, make its administrator while it still asks nobody, and lock it."""
    command = [sys.executable, "-m", "tests.infra.enforcing"]
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdin is not None
        assert server.stdout is not None
        url = f"http://127.0.0.1:{int(server.stdout.readline())}"
        try:
            yield Enforcer(url, _administrator(url))
        finally:
            server.stdin.close()  # the server ends with its input, so it ends with this process too, however that ends


def _administrator(url: str) -> Keys:
    iam = client(url, "iam", Keys("nobody", "nothing"))
    iam.create_user(UserName="administrator")
    iam.put_user_policy(UserName="administrator", PolicyName="all", PolicyDocument=json.dumps(EVERYTHING))
    made = iam.create_access_key(UserName="administrator")["AccessKey"]
    lock = urllib.request.Request(f"{url}/moto-api/reset-auth", b"0", {"Content-Type": "text/plain"})  # noqa: S310
    urllib.request.urlopen(lock, timeout=10).close()  # noqa: S310
    return Keys(made["AccessKeyId"], made["SecretAccessKey"])


def object_of(folder: str) -> str:
    """Return a key of a folder, with a sign that signatures must escape."""
    return f"{folder}/run_kind=live/issue_date=2026-03-01/part-0.parquet"


def sent(s3: Any, folder: str, letter: str) -> Callable[[], object]:
    """Return a real request for a folder: R reads, W creates, L lists, D deletes."""
    key = object_of(folder)
    return {
        "R": partial(s3.get_object, Bucket=BUCKET, Key=key),
        "W": partial(s3.put_object, Bucket=BUCKET, Key=key, Body=b"x"),
        "L": partial(s3.list_objects_v2, Bucket=BUCKET, Prefix=f"{folder}/"),
        "D": partial(s3.delete_object, Bucket=BUCKET, Key=key),
    }[letter]


def refused(request: Callable[[], object]) -> bool:
    """Tell whether the server denied a request; that there is no such object is no denial."""
    try:
        request()
    except ClientError as error:
        code = error.response["Error"]["Code"]
        assert code in {"AccessDenied", "NoSuchKey"}, error
        return code == "AccessDenied"
    return False


def serve() -> None:
    """Serve until the input ends; the port is the first line of the output."""
    from moto.server import ThreadedMotoServer

    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    print(server.get_host_and_port()[1], flush=True)
    sys.stdin.read()


if __name__ == "__main__":
    serve()
