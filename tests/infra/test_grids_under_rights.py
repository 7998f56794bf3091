"""Grids from states to verified actions, each job with the keys of its own role alone, on a server that enforces them.

moto reads no conditions (see test_rights_enforced.py), so the prefixes that a job lists are noted and judged by iam.py.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.infra.enforcing import Enforcer, Keys, enforcer
from tests.infra.iam import LISTS, REGION, Request, permits, policy
from tests.infra.templates import load
from tests.journeys.grids import EVENT, ISSUE, KEY, NOW, world
from tests.training.grid.simulation.scenes import NEEDS_SIMULATOR, SMALL
from training.grid.commands import main
from wattahead.cli.main import main as wattahead
from wattahead.domain.errors import Refused, Transient
from wattahead.domain.hours import DAY, HOUR, iso
from wattahead.domain.plan import HourEvent
from wattahead.jobs.build_features import build_features
from wattahead.jobs.compact import compact
from wattahead.jobs.finish import finish
from wattahead.jobs.plan import plan
from wattahead.jobs.score import Scorer
from wattahead.storage.objects import Bucket, ObStore, open_bucket

BUCKET = "grids"
ROLES = ("PlanFunction", "FeaturesFunction", "ScoreFunction", "FinishFunction", "CompactFunction", "IngestFunction",
         "VerifyRole", "GridTrainRole", "TaskRole")  # fmt: skip
STATES = "120"


@dataclass
class World:
    """A bucket on a server that enforces rights."""

    server: Enforcer
    keys: dict[str, Keys]
    patch: pytest.MonkeyPatch
    listed: dict[str, set[str]] = field(default_factory=dict)  # role -> prefixes

    @contextmanager
    def being(self, role: str) -> Iterator[Bucket]:
        """Be a role: give its bucket, and note what it lists."""
        listing, listed = ObStore.keys, self.listed.setdefault(role, set())

        def noting(store: ObStore, prefix: str, after: str) -> Iterator[str]:
            listed.add(prefix)
            return listing(store, prefix, after)

        with self.patch.context() as during:
            for name, value in self.keys[role].variables().items():
                during.setenv(name, value)
            during.setattr(ObStore, "keys", noting)
            bucket = open_bucket(f"s3://{BUCKET}")
            bucket.pause = lambda _: None
            yield bucket

    def fill(self, objects: dict[str, bytes]) -> None:
        s3 = self.server.client("s3")
        for key, body in objects.items():
            s3.put_object(Bucket=BUCKET, Key=key, Body=body)

    def folders(self) -> set[str]:
        found = self.server.client("s3").list_objects_v2(Bucket=BUCKET, MaxKeys=1000)
        assert not found["IsTruncated"]
        return {entry["Key"].partition("/")[0] for entry in found["Contents"]}

    def unlisted(self, role: str) -> list[str]:
        """Return what a role has listed and may not."""
        document, bucket = policy(load(), role, BUCKET), f"arn:aws:s3:::{BUCKET}"
        asked = {prefix: Request(LISTS, bucket, {"s3:prefix": prefix}) for prefix in self.listed[role]}
        assert asked
        return [prefix for prefix, request in asked.items() if not permits(document, request)]


@pytest.fixture(scope="module")
def server() -> Iterator[Enforcer]:
    """Give a server of this file's own."""
    with enforcer() as running:
        yield running


@pytest.fixture(scope="module")
def keys(server: Enforcer) -> dict[str, Keys]:
    """Take on every role."""
    return {role: server.role(role, policy(load(), role, BUCKET)) for role in ROLES}


@pytest.fixture
def grids(server: Enforcer, keys: dict[str, Keys], monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    """Give an empty bucket."""
    environment = {"AWS_ENDPOINT_URL": server.url, "AWS_REGION": REGION, "AWS_ALLOW_HTTP": "true"}
    for name, value in {**environment, "WATTAHEAD_BUCKET": f"s3://{BUCKET}"}.items():
        monkeypatch.setenv(name, value)
    s3 = server.client("s3")
    s3.create_bucket(Bucket=BUCKET)
    yield World(server, keys, monkeypatch)
    for entry in s3.list_objects_v2(Bucket=BUCKET).get("Contents", []):
        s3.delete_object(Bucket=BUCKET, Key=entry["Key"])
    s3.delete_bucket(Bucket=BUCKET)


def hour(grids: World) -> None:
    """Plan, build, score and finish, each by its own role."""
    with grids.being("PlanFunction") as bucket:
        plan(bucket, EVENT, now=NOW)
    with grids.being("FeaturesFunction") as bucket:
        build_features(bucket, EVENT, now=NOW)
    with grids.being("ScoreFunction") as bucket:
        Scorer(bucket).score(EVENT, now=NOW)
    with grids.being("FinishFunction") as bucket:
        assert finish(bucket, EVENT, now=NOW).outcome == "ok"


def test_an_hour_of_grids_and_its_compaction_need_no_other_rights_than_their_roles_have(grids: World) -> None:
    grids.fill(world().objects)

    hour(grids)
    with grids.being("CompactFunction") as bucket:
        compact(bucket, HourEvent(ISSUE + 3 * DAY), now=NOW + 3 * DAY)

    assert {"plans", "features", "grid_actions", "history", "ledger"} <= grids.folders()
    for role in ("PlanFunction", "FeaturesFunction", "ScoreFunction", "FinishFunction", "CompactFunction"):
        assert grids.unlisted(role) == [], role


@pytest.mark.parametrize(
    ("role", "job"),
    [
        ("ScoreFunction", lambda bucket: build_features(bucket, EVENT, now=NOW)),
        ("FeaturesFunction", lambda bucket: bucket.create(KEY, b"x")),
        ("IngestFunction", lambda bucket: bucket.create("states/network=five/date=2026-03-01/x.parquet", b"x")),
        ("VerifyRole", lambda bucket: bucket.create(KEY, b"x")),
        ("VerifyRole", lambda bucket: bucket.create("models/registry/screen/00000009.json", b"x")),
        ("GridTrainRole", lambda bucket: bucket.create(KEY.replace("grid_actions", "grid_actions_verified"), b"x")),
        ("TaskRole", lambda bucket: bucket.create("datasets/workload=grid_action/x/episode.parquet", b"x")),
    ],
)
def test_no_other_role_does_it(grids: World, role: str, job: Callable[[Bucket], object]) -> None:
    grids.fill(world().objects)
    with grids.being("PlanFunction") as bucket:
        plan(bucket, EVENT, now=NOW)

    with grids.being(role) as bucket, pytest.raises((Refused, Transient), match="E_S3_DENIED"):
        job(bucket)


class TestWithTheSimulator:
    """What the container of grids runs."""

    pytestmark = NEEDS_SIMULATOR

    @pytest.fixture(autouse=True)
    def observed(self, grids: World, tmp_path: Path) -> None:
        """Fill the bucket with the catalog and two days of states of a grid of the simulator."""
        where = ("--bucket", str(tmp_path / "bucket"))
        assert main(["describe", "--environment", SMALL, "--grids", "east", "--to", str(tmp_path)]) == 0
        assert wattahead(["catalog", str(tmp_path / "catalog.toml"), *where]) == 0
        assert main(["observe", "--from", iso(ISSUE - 24 * HOUR), "--to", iso(ISSUE), *where]) == 0
        paths = [path for path in (tmp_path / "bucket").rglob("*") if path.is_file()]
        grids.fill({path.relative_to(tmp_path / "bucket").as_posix(): path.read_bytes() for path in paths})
        for module in ("verify", "asking"):
            grids.patch.setattr(f"training.grid.commands.{module}.now", lambda: NOW)

    def test_training_and_verifying_need_no_other_rights_than_their_roles_have(self, grids: World) -> None:
        with grids.being("GridTrainRole"):
            assert main(["train", "--pool", "screen", "--states", STATES, "--until", iso(ISSUE)]) == 0
            assert main(["train", "--pool", "screen", "--states", STATES, "--until", iso(ISSUE)]) == 0
        hour(grids)
        with grids.being("VerifyRole"):
            assert main(["verify", "--hours-back", "3"]) == 0
            assert main(["verify", "--hours-back", "3"]) == 0

        made = {"datasets", "models", "metrics", "reports", "grid_actions", "grid_actions_verified", "ledger"}
        assert made <= grids.folders()
        for role in ("GridTrainRole", "VerifyRole"):
            assert grids.unlisted(role) == [], role

    def test_neither_does_the_work_of_the_other(self, grids: World, capsys: pytest.CaptureFixture[str]) -> None:
        hour(grids)
        for role, words in (
            ("VerifyRole", ("train", "--states", STATES)),
            ("GridTrainRole", ("verify",)),
            ("ScoreFunction", ("verify",)),
        ):
            with grids.being(role):
                assert main([*words, "--bucket", f"s3://{BUCKET}"]) == 64, role
            assert "E_S3_DENIED" in capsys.readouterr().err

        assert {"grid_actions_verified", "datasets"} & grids.folders() == set()
