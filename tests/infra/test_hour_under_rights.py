"""One training and one hour, each job with the keys of its own role alone, on a server that enforces them.

Before its own keys a job is handed another role's: it has to end with E_S3_DENIED and not with half an answer. moto
reads no conditions (see test_rights_enforced.py), so the prefixes that a job lists are noted and judged by iam.py.
"""

import json
import re
from collections import Counter
from collections.abc import Iterator
from contextlib import redirect_stderr
from dataclasses import dataclass, field
from importlib import import_module
from io import StringIO
from pathlib import Path
from typing import Any

import pytest

from infra.local.hours import Context
from tests.functions.conftest import BESIDE, NAMES, event
from tests.infra.enforcing import Enforcer, Keys, enforcer
from tests.infra.iam import LISTS, REGION, Request, permits, policy
from tests.infra.templates import load
from tests.journeys.stores import DictStore, bucket_of
from tests.journeys.world import DAYS, ISSUE, UNTIL, small
from training.__main__ import main as train
from wattahead.cli.synthetic import catalog as catalog_text
from wattahead.domain.errors import WattaheadError
from wattahead.domain.hours import DAY, HOUR, iso
from wattahead.jobs.ingest import ingest
from wattahead.jobs.promote import register_baselines
from wattahead.jobs.settings import settings
from wattahead.sources.mapping_files import find_mapping
from wattahead.sources.synthetic import generate, write
from wattahead.storage.catalogs import publish_catalog, read_catalog
from wattahead.storage.objects import ObStore

BUCKET = "hour"
POOL = "wind"
# In the order of a day: job, its role, and a role whose keys do not do.
JOBS = (
    ("training", "TaskRole", "ScoreFunction"),
    ("ingest", "IngestFunction", "ScoreFunction"),
    ("plan", "PlanFunction", "FeaturesFunction"),
    ("features", "FeaturesFunction", "ScoreFunction"),
    ("score", "ScoreFunction", "PlanFunction"),
    ("finish", "FinishFunction", "IngestFunction"),
    ("retrain", "RetrainFunction", "FinishFunction"),
    ("compact", "CompactFunction", "ScoreFunction"),
)
CLOCK = "2026-03-01T05:30:00Z"  # past the input deadline: what is there has to do
EARLIER = "2026-03-01T04:10:00Z"  # what is ingested in the hour itself was not known when it began
SENT = {"retrain": {"cadence": "nightly"}, "ingest": {"scheduled_time": EARLIER}}
ROLES = sorted({role for job in JOBS for role in job[1:]})


@dataclass
class Day:
    """What came of every job, and what is in the bucket at the end."""

    own: dict[str, Any] = field(default_factory=dict)  # job -> answer with its own keys
    foreign: dict[str, Any] = field(default_factory=dict)  # job -> what another role's keys ended in
    lists: dict[str, set[str]] = field(default_factory=dict)  # job -> prefixes listed with its own keys
    unlisted: Any = None  # what `retrain` ends in under a role that may list nothing
    made: Counter[str] = field(default_factory=Counter)  # folder -> objects that the jobs have made
    ledger: set[tuple[str, str]] = field(default_factory=set)  # (job, outcome)


def world(folder: Path) -> dict[str, bytes]:
    """Return what people put into a bucket: catalog, baselines, history until two days ago, the rest in the inbox."""
    store = DictStore()
    made = generate(2, ISSUE - DAYS * DAY, ISSUE - 2 * DAY, seed=3)
    write(made, folder / "history")
    (folder / "catalog.toml").write_text(small(catalog_text(made)), encoding="utf-8")
    catalog = read_catalog(folder / "catalog.toml")
    publish_catalog(bucket_of(store), catalog)
    register_baselines(bucket_of(store), catalog)
    # A clock a week on closes the months: a few objects are quicker to put than hundreds of days.
    assert not ingest(bucket_of(store), find_mapping("synthetic"), folder / "history", now=ISSUE + 8 * DAY).refused
    write(generate(2, ISSUE - 2 * DAY, ISSUE - HOUR, seed=3), folder / "new")
    inbox = {f"inbox/synthetic/date=2026-03-01/{path.name}": path.read_bytes() for path in (folder / "new").iterdir()}
    return {**store.objects, **inbox}


@pytest.fixture(scope="module")
def day(tmp_path_factory: pytest.TempPathFactory) -> Day:
    """Run every job twice: with another role's keys, then with its own."""
    with enforcer() as server:
        s3 = server.client("s3")
        s3.create_bucket(Bucket=BUCKET)
        given = world(tmp_path_factory.mktemp("day"))
        for key, body in given.items():
            s3.put_object(Bucket=BUCKET, Key=key, Body=body)
        with pytest.MonkeyPatch.context() as patch:
            found = in_turn(server, patch)
        cold()
        found.made, found.ledger = left(s3, set(given))
        return found


def in_turn(server: Enforcer, patch: pytest.MonkeyPatch) -> Day:
    """Return how each job ended, first under another role, then under its own."""
    found, keys = Day(), {role: server.role(role, policy(load(), role, BUCKET)) for role in ROLES}
    environment = {"AWS_ENDPOINT_URL": server.url, "AWS_REGION": REGION, "AWS_ALLOW_HTTP": "true"}
    for name, value in {**environment, "WATTAHEAD_BUCKET": f"s3://{BUCKET}"}.items():
        patch.setenv(name, value)
    for job, own, other in JOBS:
        found.foreign[job], _ = call(patch, job, keys[other])
        found.own[job], found.lists[job] = call(patch, job, keys[own])
    found.unlisted, _ = call(patch, "retrain", server.role("HourMachine", policy(load(), "HourMachine", BUCKET)))
    return found


def call(patch: pytest.MonkeyPatch, job: str, keys: Keys) -> tuple[Any, set[str]]:
    """Run a job with these keys alone; return its answer, or the code of its error, and the prefixes it listed."""
    listed: set[str] = set()
    listing = ObStore.keys

    def noting(self: ObStore, prefix: str, after: str) -> Iterator[str]:
        listed.add(prefix)
        return listing(self, prefix, after)

    with patch.context() as during:
        for name, value in keys.variables().items():
            during.setenv(name, value)
        during.setenv("WATTAHEAD_CLOCK", EARLIER if job == "ingest" else CLOCK)
        during.setattr(ObStore, "keys", noting)
        cold()
        return ended(job), listed


def ended(job: str) -> Any:
    """Run a job as its platform does."""
    if job == "training":
        with redirect_stderr(StringIO()) as said:
            code = train(["--pools", POOL, "--until", iso(UNTIL)])
        return code and said.getvalue().partition(":")[0].strip()
    sent = SENT.get(job, event("scheduler"))
    try:
        return import_module(f"functions.{job}.app").handler(sent, Context(job))
    except WattaheadError as error:
        return error.code


def cold() -> None:
    """Make the next call a cold start: a process keeps its bucket, and the bucket the keys it was opened with."""
    settings.cache_clear()
    for name in (*NAMES, *BESIDE):
        app = import_module(f"functions.{name}.app")
        (app.scorer if name == "score" else app.bucket).cache_clear()


def left(s3: Any, given: set[str]) -> tuple[Counter[str], set[tuple[str, str]]]:
    """Return the folders of the objects that were not there before, and what the ledger says of the attempts."""
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=BUCKET)
    made = {entry["Key"] for page in pages for entry in page["Contents"]} - given
    folders = Counter(re.sub(r"^(models/\w+|[^/]+)/.*", r"\1", key) for key in made)
    bodies = (s3.get_object(Bucket=BUCKET, Key=key)["Body"].read() for key in made if key.startswith("ledger/"))
    return folders, {(entry["job"], entry["outcome"]) for entry in map(json.loads, bodies)}


def test_every_job_ends_well_with_the_keys_of_its_own_role(day: Day) -> None:
    assert day.own["training"] == 0
    assert {job: day.own[job]["outcome"] for job in NAMES} == {
        "ingest": "ok",
        "plan": "ok",
        "features": "ok",
        "score": "degraded",  # the newest hour is not in yet, and two pools have a baseline only
        "finish": "ok",
    }
    assert day.own["score"]["rows"] == 3 * 2 * 24
    assert day.own["finish"]["missing"] == []
    assert day.own["retrain"] == {"stages": [["demand", "solar", "wind"]]}


def test_the_day_went_from_features_to_models_to_forecasts_to_ledger(day: Day) -> None:
    folders = ("actuals", "weather", "models/bundles", "models/registry", "plans", "features", "forecasts", "ledger")

    assert set(day.made) == {*folders, "metrics", "reports"}
    assert (day.made["features"], day.made["forecasts"], day.made["models/registry"]) == (3, 3, 1)
    assert (day.made["metrics"], day.made["reports"]) == (1, 1)
    assert {(job, day.own[job]["outcome"]) for job in NAMES} | {("train", "ok")} <= day.ledger


@pytest.mark.parametrize("job", [job for job, *_ in JOBS])
def test_with_another_roles_keys_a_job_is_refused(day: Day, job: str) -> None:
    answer = day.foreign[job]
    if job == "ingest":  # goes on with the other folders of the inbox, and says which it could not read
        answer = next(iter(answer["refused"].values()))[: len("E_S3_DENIED")]

    assert answer == "E_S3_DENIED"


@pytest.mark.parametrize(("job", "role"), [job[:2] for job in JOBS])
def test_a_job_lists_only_what_its_role_may_list(day: Day, job: str, role: str) -> None:
    document = policy(load(), role, BUCKET)
    asked = {prefix: Request(LISTS, f"arn:aws:s3:::{BUCKET}", {"s3:prefix": prefix}) for prefix in day.lists[job]}

    assert asked
    assert [prefix for prefix, request in asked.items() if not permits(document, request)] == []


def test_a_list_that_is_denied_is_refused_and_not_tried_again(day: Day) -> None:
    assert day.unlisted == "E_S3_DENIED"
