"""The stage on which handlers are tried and timed: an S3 server on this machine with one planned hour in it."""

import io
import logging
import os
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from uuid import uuid4

import boto3
from moto.server import ThreadedMotoServer

from infra.runtime.function import Function, command, deployed, environment
from infra.runtime.images import BESIDE, ROOT, Image, build
from tests.perf.workload import ISSUE, POOL, World
from wattahead.domain.errors import Refused
from wattahead.domain.plan import HourEvent
from wattahead.jobs.hour import features_key, read_plan
from wattahead.storage.objects import open_bucket

EVENT: Final = {"issue_time": "2026-03-01T05:00Z", "batch": "solar-0000"}  # as in tests/events/batch.json
CLOCK: Final = "2026-03-01T05:10Z"
CLOUD: Final = {
    "AWS_ACCESS_KEY_ID": "test",
    "AWS_SECRET_ACCESS_KEY": "it's/a+secret",
    "AWS_REGION": "us-east-1",
    "AWS_DEFAULT_REGION": "us-east-1",
    "AWS_ALLOW_HTTP": "true",
}
LEAN: Final = "ScoreFunction"
NAIVE: Final = "naive.handler"
MAKE: Final = """
import pathlib, sys
from tests.perf.workload import make_world
make_world(pathlib.Path(sys.argv[1]), int(sys.argv[2]))
"""


@dataclass(frozen=True)
class Stage:
    """A bucket that holds a planned hour with its features and models, and nothing scored."""

    world: World
    endpoint: str
    bucket: str

    def score(self, **more: str) -> Function:
        """Return the deployed score function, led to this bucket."""
        function = deployed(LEAN)
        return self._led(function, {"WATTAHEAD_BUCKET": f"s3://{self.bucket}", "WATTAHEAD_CLOCK": CLOCK, **more})

    def naive(self) -> Function:
        """Return the naive handler under the same limits, led to the same objects."""
        plan = self.world.plan
        bundle = plan.pools[POOL].ladder[0].bundle_id
        objects = {
            "NAIVE_BUCKET": self.bucket,
            "NAIVE_FEATURES": features_key(plan, plan.batches[0]),
            "NAIVE_MODELS": f"models/bundles/{POOL}/{bundle}",
        }
        function = deployed(LEAN)
        return self._led(Function(NAIVE, function.memory_mb, function.timeout, function.variables), objects)

    def _led(self, function: Function, more: Mapping[str, str]) -> Function:
        variables = {**function.variables, **CLOUD, "AWS_ENDPOINT_URL": self.endpoint, **more}
        return Function(function.handler, function.memory_mb, function.timeout, variables)

    def forget(self) -> None:
        """Remove what a call has written, so that the next one finds the hour unscored."""
        objects = self._objects()
        for root in ("forecasts/", "ledger/", "naive/"):
            objects.filter(Prefix=root).delete()

    def keys(self, prefix: str) -> list[str]:
        """Return the keys below `prefix`."""
        return sorted(one.key for one in self._objects().filter(Prefix=prefix))

    def read(self, key: str) -> bytes:
        """Return an object."""
        return _resource(self.endpoint).Object(self.bucket, key).get()["Body"].read()

    def _objects(self) -> Any:  # noqa: ANN401 - boto3 makes its classes at run time
        return _resource(self.endpoint).Bucket(self.bucket).objects


def _resource(endpoint: str) -> Any:  # noqa: ANN401 - boto3 makes its classes at run time
    return boto3.resource(
        "s3",
        endpoint_url=endpoint,
        region_name=CLOUD["AWS_REGION"],
        aws_access_key_id=CLOUD["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=CLOUD["AWS_SECRET_ACCESS_KEY"],
    )


def make_hour(image: Image, folder: Path, series: int) -> World:
    """Plan an hour in `folder` with the image's own Python and packages, as the training image has them.

    A bundle that was proved on other versions would be proved again in every cold start.
    """
    paths = os.pathsep.join([str(image.task), str(ROOT)])
    around = {**os.environ, "PYTHONPATH": paths, "PYTHONDONTWRITEBYTECODE": "1"}
    command = [image.interpreter, "-c", MAKE, str(folder), str(series)]
    done = subprocess.run(command, env=around, cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode:
        raise Refused("E_CONFIG", f"no hour was made: {done.stderr[-500:]}", fix="run tests/perf/workload.py by hand")
    return World(folder, read_plan(open_bucket(str(folder)), HourEvent(ISSUE))[0])


def set_stage(world: World, endpoint: str) -> Stage:
    """Return a stage with a bucket of its own on the server at `endpoint`, filled with `world`."""
    stage = Stage(world, endpoint, f"stage-{uuid4().hex}")
    bucket = _resource(endpoint).create_bucket(Bucket=stage.bucket)
    for path in sorted(Path(world.folder).rglob("*")):
        if path.is_file():
            bucket.put_object(Key=path.relative_to(world.folder).as_posix(), Body=path.read_bytes())
    return stage


@contextmanager
def s3_server() -> Iterator[str]:
    """Run an S3 server on this machine; give its address."""
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0)
    with redirect_stdout(io.StringIO()):  # it says hello
        server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@dataclass(frozen=True)
class Start:
    """All that starts a function, behind an emulator or without one."""

    image: Image
    function: Function
    variables: Mapping[str, str]

    @property
    def command(self) -> list[str]:
        """The runtime, within the memory of the function."""
        return command(self.image, self.function)

    @property
    def interpreter(self) -> str:
        """The image's Python."""
        return self.image.interpreter

    @property
    def folder(self) -> Path:
        """The working folder."""
        return self.image.task

    @property
    def memory_mb(self) -> int:
        """What the process may hold [MiB]."""
        return self.function.memory_mb

    @property
    def timeout(self) -> float:
        """What a call may take [s]."""
        return self.function.timeout


def start(image: Image, python: str, function: Function) -> Start:
    """Return how `function` starts from `image`, with Lambda's runtime beside it."""
    runtime = build("ric", python, dockerfile=BESIDE)
    return Start(image, function, environment(image, runtime, function, {}))
