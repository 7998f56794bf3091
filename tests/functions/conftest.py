"""A deployment in this process: the real handlers on a folder, with the clock stopped at the hour of tests/events."""

import json
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from infra.local.hours import Context
from wattahead.cli.synthetic import catalog as catalog_text
from wattahead.domain.errors import Refused
from wattahead.domain.hours import DAY, instant
from wattahead.jobs.ingest import ingest
from wattahead.jobs.promote import register_baselines
from wattahead.jobs.settings import settings
from wattahead.sources.mapping_files import find_mapping
from wattahead.sources.synthetic import generate, write
from wattahead.storage.catalogs import publish_catalog, read_catalog
from wattahead.storage.objects import open_bucket

EVENTS = Path(__file__).parent.parent / "events"
NAMES = ("ingest", "plan", "features", "score", "finish")  # of an hour, in order
BESIDE = ("retrain", "compact")  # on schedules of their own
CLOCK = "2026-03-01T05:10:07Z"
ISSUE = instant("2026-03-01T05:00Z")


@dataclass(frozen=True)
class Deployment:
    """Calls handlers as Lambda does: plain event in, plain answer out."""

    bucket: Path
    reset: Callable[[], None]

    def call(self, name: str, event: Any) -> dict[str, Any]:
        """Return the answer of one function after a trip through JSON, as a caller would get it."""
        handler = import_module(f"functions.{name}.app").handler
        return json.loads(json.dumps(handler(event, Context(name))))

    def run(self, event: Any) -> dict[str, Any]:
        """Plan, features and score of one event; return the last answer."""
        return [self.call(name, event) for name in ("plan", "features", "score")][-1]

    def objects(self, prefix: str) -> dict[str, bytes]:
        """Return the objects below `prefix`."""
        found = (path for path in sorted(self.bucket.rglob("*")) if path.is_file())
        named = {path.relative_to(self.bucket).as_posix(): path.read_bytes() for path in found}
        return {key: body for key, body in named.items() if key.startswith(prefix)}

    def ledger(self) -> list[tuple[str, str]]:
        """Return (job, outcome) of every attempt."""
        entries = [json.loads(body) for body in self.objects("ledger/").values()]
        return sorted((entry["job"], entry["outcome"]) for entry in entries)


def event(name: str) -> Any:
    """Return the event in `tests/events/<name>.json`."""
    return json.loads((EVENTS / f"{name}.json").read_text(encoding="utf-8"))


def refusal(deployed: Deployment, name: str, sent: Any) -> str:
    """Return the code with which `sent` is refused; nothing may have been written for it."""
    before = set(deployed.objects("plans/")) | set(deployed.objects("forecasts/"))
    with pytest.raises(Refused) as caught:
        deployed.call(name, sent)
    assert set(deployed.objects("plans/")) | set(deployed.objects("forecasts/")) == before
    assert str(caught.value).startswith(f"{caught.value.code}: ")
    return caught.value.code


@pytest.fixture(scope="session")
def baselines_only(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make, once, a bucket with 40 days of two zones, ingested, and a baseline in every pool."""
    folder = tmp_path_factory.mktemp("deployed")
    made = generate(2, ISSUE - 40 * DAY, ISSUE, seed=3)
    write(made, folder / "files")
    (folder / "catalog.toml").write_text(catalog_text(made), encoding="utf-8")
    catalog = read_catalog(folder / "catalog.toml")
    bucket = open_bucket(str(folder / "bucket"))
    publish_catalog(bucket, catalog)
    register_baselines(bucket, catalog)
    # A clock a week on closes January and February: a few month objects are quicker to copy than a hundred days.
    assert not ingest(bucket, find_mapping("synthetic"), folder / "files", now=ISSUE + 8 * DAY).refused
    return folder


@pytest.fixture
def deployed(baselines_only: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Deployment]:
    """Give a deployment of its own to one test."""
    bucket = Path(shutil.copytree(baselines_only / "bucket", tmp_path / "bucket"))
    monkeypatch.setenv("WATTAHEAD_BUCKET", str(bucket))
    monkeypatch.setenv("WATTAHEAD_CLOCK", CLOCK)
    _forget()
    yield Deployment(bucket, _forget)
    _forget()


@pytest.fixture
def deployed_once(deployed_module: Deployment, monkeypatch: pytest.MonkeyPatch) -> Iterator[Deployment]:
    """Give an empty deployment that many tests share: only for events that write nothing."""
    monkeypatch.setenv("WATTAHEAD_BUCKET", str(deployed_module.bucket))
    monkeypatch.setenv("WATTAHEAD_CLOCK", CLOCK)
    _forget()
    yield deployed_module
    assert deployed_module.objects("") == {}
    _forget()


@pytest.fixture(scope="module")
def deployed_module(tmp_path_factory: pytest.TempPathFactory) -> Deployment:
    """Make the folder of `deployed_once`."""
    return Deployment(tmp_path_factory.mktemp("bucket"), _forget)


def _forget() -> None:
    """Make the next call a cold start: what a process keeps is read again."""
    settings.cache_clear()
    for name in (*NAMES, *BESIDE):
        app = import_module(f"functions.{name}.app")
        (app.scorer if name == "score" else app.bucket).cache_clear()
