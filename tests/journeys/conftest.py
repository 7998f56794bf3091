"""Copies of the worlds that are made once, worlds of many zones, and a cloud to deploy them to."""

import json
from collections.abc import Callable, Iterator
from importlib import import_module
from urllib.request import Request, urlopen

import boto3
import pytest

from tests.journeys.cloud import ISSUE, NAMES, Cloud, Clouds, forget
from tests.journeys.machine import Clock, Functions, serve, take_away
from tests.journeys.stores import DictStore
from tests.journeys.world import one_zone_a_batch
from wattahead.domain.hours import MINUTE


@pytest.fixture
def world(trained_world: DictStore) -> DictStore:
    """A copy of the trained world."""
    return DictStore(dict(trained_world.objects))


@pytest.fixture
def worlds(trained_world: DictStore) -> Callable[[], DictStore]:
    """As many copies as a test wants."""
    return lambda: DictStore(dict(trained_world.objects))


@pytest.fixture(scope="session")
def many_zones(tmp_path_factory: pytest.TempPathFactory) -> DictStore:
    """A wind pool of 25 generated zones with a batch each, a baseline, and few objects of history."""
    return one_zone_a_batch(tmp_path_factory.mktemp("many"), zones=25)


@pytest.fixture(scope="session")
def few_zones(tmp_path_factory: pytest.TempPathFactory) -> DictStore:
    """The same with three zones."""
    return one_zone_a_batch(tmp_path_factory.mktemp("few"), zones=3)


@pytest.fixture
def staged(staged_world: DictStore) -> DictStore:
    """A copy of it."""
    return DictStore(dict(staged_world.objects))


@pytest.fixture
def interpreter(s3_server: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Let the server interpret state machines, and tell its interpreter where the server is."""
    monkeypatch.setenv("MOTO_PORT", s3_server.rpartition(":")[2])
    post(f"{s3_server}/moto-api/config", {"stepfunctions": {"execute_state_machine": True}})
    yield
    post(f"{s3_server}/moto-api/config", {"stepfunctions": {"execute_state_machine": False}})


def post(url: str, body: object) -> None:
    """Send JSON to the test server."""
    with urlopen(Request(url, json.dumps(body).encode(), {"Content-Type": "application/json"})):  # noqa: S310 - loopback
        pass


@pytest.fixture
def clouds(s3_url: str, interpreter: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[Clouds]:
    """Deploy a world; the clock stands five minutes into the hour."""
    del interpreter
    monkeypatch.setenv("WATTAHEAD_BUCKET", s3_url)
    monkeypatch.delenv("WATTAHEAD_CLOCK", raising=False)
    monkeypatch.setattr("wattahead.storage.objects.PAUSES", (0.0, 0.0, 0.0))
    forget()

    def deploy(world: DictStore) -> Cloud:
        bucket = s3_url.removeprefix("s3://")
        s3 = boto3.client("s3")
        for key, body in world.objects.items():
            s3.put_object(Bucket=bucket, Key=key, Body=body)
        functions = Functions({name: import_module(f"functions.{name}.app").handler for name in NAMES})
        clock = Clock(ISSUE + 5 * MINUTE)
        serve(monkeypatch, functions, clock)
        return Cloud(bucket, functions, clock)

    yield deploy
    take_away(NAMES)
    forget()
