"""The hour machine on a cloud of its own: an S3 server, the real handlers behind moto's Lambda, and a clock."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from obstore.exceptions import GenericError

from tests.journeys.machine import Clock, Functions, definition, for_moto, run
from tests.journeys.stores import DictStore
from wattahead.domain.hours import instant
from wattahead.domain.quality import names
from wattahead.jobs.settings import settings
from wattahead.storage.objects import ObStore, open_bucket
from wattahead.storage.tables import read_parquet

NAMES = ("ingest", "plan", "features", "score", "finish")
ISSUE = instant("2026-03-01T05:00Z")
HOUR_SENT = {"scheduled_time": "2026-03-01T05:05:00Z"}  # as the Scheduler fills in its context attribute
EVENTS = Path(__file__).parent.parent / "events"


@dataclass
class Cloud:
    """A bucket on the S3 server, the functions behind moto's Lambda, and the machine of an hour."""

    bucket: str
    functions: Functions
    clock: Clock

    def run(self, sent: Any) -> dict[str, Any]:
        """Run the hour machine on an input."""
        names = {f"{name.title()}Function": name for name in NAMES}
        return run(for_moto(definition("hour", Bucket=self.bucket, **names)), sent)

    def objects(self, prefix: str) -> dict[str, bytes]:
        """Return the objects below a prefix."""
        bucket = open_bucket(f"s3://{self.bucket}")
        return {key: bucket.read(key, bytes) for key in bucket.keys(prefix)}

    def ledger(self) -> list[dict[str, Any]]:
        """Return every entry of the ledger."""
        return [json.loads(body) for body in self.objects("ledger").values()]


Clouds = Callable[[DictStore], Cloud]


def forget() -> None:
    """Make the next call of each handler a cold start."""
    settings.cache_clear()
    for name in NAMES:
        app = import_module(f"functions.{name}.app")
        (app.scorer if name == "score" else app.bucket).cache_clear()


def broken(monkeypatch: pytest.MonkeyPatch, *parts: str, times: int = 10**6) -> list[str]:
    """Let S3 answer 503 to the first puts whose key holds all `parts`; return the keys that were refused."""
    real = ObStore.create
    refused: list[str] = []

    def create(self: ObStore, key: str, body: bytes) -> None:
        if all(part in key for part in parts) and len(refused) < times:
            refused.append(key)
            raise GenericError("503 Slow Down")
        real(self, key, body)

    monkeypatch.setattr(ObStore, "create", create)
    return refused


def event(name: str) -> Any:
    """Return the event in `tests/events/<name>.json`."""
    return json.loads((EVENTS / f"{name}.json").read_text(encoding="utf-8"))


def flags(cloud: Cloud) -> set[str]:
    """Return the quality flags of every row, as words."""
    tables = [read_parquet(body, where=key) for key, body in cloud.objects("forecasts").items()]
    return {name for held in tables for value in held["quality_flags"].to_pylist() for name in names(value)}


def is_recent(key: str) -> bool:
    """Return whether an object holds measured values of the last four weeks."""
    return "actuals/" in key and ("month=2026-02" in key or "date=2026-03" in key)


def failing(_event: Any, _context: object) -> dict[str, object]:
    """Fail as a handler does whose code is wrong."""
    raise KeyError("a column")
