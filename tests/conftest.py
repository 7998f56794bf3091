"""Buckets for tests: in memory, in a folder, and on an S3 server on this machine; and worlds that are made once."""

import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import boto3
import pytest
from hypothesis import settings
from moto.server import ThreadedMotoServer

from tests.journeys.stores import DictStore, bucket_of
from wattahead.storage.objects import Bucket, open_bucket

# Machines that run tests are busy with other things: how long one example takes says nothing.
settings.register_profile("wattahead", deadline=None)
settings.load_profile("wattahead")


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Say which Pythons ran the score image; tests tell it by a property, since they may run in other processes."""
    told = [pair for report in terminalreporter.stats.get("passed", ()) for pair in report.user_properties]
    if ran := sorted({version for name, version in told if name == "score image"}):
        terminalreporter.write_line(f"the score image ran with Python {', '.join(ran)}")


@pytest.fixture(scope="session")
def s3_server() -> Iterator[str]:
    """Give the address of an S3 server on this machine."""
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture
def s3_url(s3_server: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """Give a fresh bucket, and the variables that lead every client to it."""
    for name, value in {
        "AWS_ENDPOINT_URL": s3_server,
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "it's/a+secret",
        "AWS_REGION": "us-east-1",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_ALLOW_HTTP": "true",
    }.items():
        monkeypatch.setenv(name, value)
    name = f"test-{uuid4().hex}"
    boto3.client("s3").create_bucket(Bucket=name)
    return f"s3://{name}"


@pytest.fixture(scope="session")
def untrained_world(tmp_path_factory: pytest.TempPathFactory) -> DictStore:
    """Data and baselines of two zones; nobody writes to it."""
    from tests.journeys.world import prepared

    return prepared(tmp_path_factory.mktemp("world"))


@pytest.fixture(scope="session")
def trained_world(untrained_world: DictStore) -> DictStore:
    """The same with a champion for solar and wind; demand is left to its baseline. Nobody writes to it."""
    from tests.journeys.world import trained
    from wattahead.storage.catalogs import latest_catalog

    _, catalog = latest_catalog(bucket_of(untrained_world))
    return trained(untrained_world, catalog, ("solar", "wind"))


@pytest.fixture(scope="session")
def staged_world(tmp_path_factory: pytest.TempPathFactory) -> DictStore:
    """Two zones whose carbon intensity is forecast from the forecasts of solar and wind. Nobody writes to it."""
    from tests.journeys.world import two_stages

    return two_stages(tmp_path_factory.mktemp("staged"))


@pytest.fixture
def bucket() -> Bucket:
    """Give an empty bucket in memory."""
    return open_bucket(f"memory://{uuid4().hex}")


@pytest.fixture(params=["memory", "file", "s3"])
def any_bucket(request: pytest.FixtureRequest, tmp_path: Path) -> Bucket:
    """Give an empty bucket of each kind: what holds on one must hold on all."""
    if request.param == "s3":
        return open_bucket(request.getfixturevalue("s3_url"))
    return open_bucket((tmp_path / "bucket").as_uri() if request.param == "file" else f"memory://{uuid4().hex}")
