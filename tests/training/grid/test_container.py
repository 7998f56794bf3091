"""The container of grids, run as it is meant to run: not as root, nothing writable but /tmp."""

import json
import os
import time
from pathlib import Path

import pytest

from tests.training.container import Container, built, why_not
from tests.training.grid.simulation.scenes import NEEDS_SIMULATOR, SMALL
from training.grid.commands import main
from wattahead.cli.main import main as wattahead
from wattahead.domain.hours import HOUR, floor_hour, iso
from wattahead.domain.plan import HourEvent
from wattahead.jobs.build_features import build_features
from wattahead.jobs.plan import plan
from wattahead.jobs.score import Scorer
from wattahead.storage.objects import Bucket, open_bucket
from wattahead.storage.registry import latest

NO_CONTAINER = why_not()
pytestmark = [*NEEDS_SIMULATOR, pytest.mark.skipif(bool(NO_CONTAINER), reason=f"no container here: {NO_CONTAINER}")]

PROBE = """
import importlib.util, json, os
from wattahead.grid.power_flow import power_flow
others = [name for name in ("pytest", "moto", "hypothesis") if importlib.util.find_spec(name)]
print(json.dumps({"others": others, "user": os.getuid(), "process": os.getpid(), "flow": power_flow().__module__}))
"""


@pytest.fixture
def bucket(s3_url: str, tmp_path: Path) -> Bucket:
    """Give a bucket on an S3 server with a grid of the simulator, whose present hour is scored."""
    folder, now = str(tmp_path / "made"), time.time_ns() // 1000
    at = floor_hour(now)
    assert main(["describe", "--environment", SMALL, "--grids", "east", "--to", folder]) == 0
    assert wattahead(["catalog", f"{folder}/catalog.toml", "--bucket", s3_url]) == 0
    assert main(["observe", "--from", iso(at - 24 * HOUR), "--to", iso(at), "--bucket", s3_url]) == 0
    made = open_bucket(s3_url)
    plan(made, HourEvent(at), now=now)
    build_features(made, HourEvent(at), now=at + HOUR - 1)
    Scorer(made).score(HourEvent(at), now=at + HOUR - 1)
    return made


@pytest.fixture
def container(s3_url: str, tmp_path: Path) -> Container:
    """Give the container with the variables that a task would have."""
    aws = {name: value for name, value in os.environ.items() if name.startswith("AWS_")}
    return built(tmp_path / "root", {"WATTAHEAD_BUCKET": s3_url, "OMP_NUM_THREADS": "1", **aws}, "grid")


def test_nobody_is_root_nothing_of_the_tests_is_there_and_the_exact_power_flow_is_found(container: Container) -> None:
    found = container.run("python", "-c", PROBE)

    assert found.returncode == 0, found.stderr
    assert json.loads(found.stdout.splitlines()[-1]) == {
        "others": [],
        "user": 10001,
        "process": 1,
        "flow": "training.grid.power_flow",
    }


def test_the_container_verifies_and_trains_by_the_words_of_its_machine(container: Container, bucket: Bucket) -> None:
    verified = container.run(*container.stage.entrypoint, "verify", "--hours-back", "3")
    trained = container.run(*container.stage.entrypoint, "train", "--pool", "screen", "--states", "120")

    assert verified.returncode == 0, verified.stderr
    assert json.loads(verified.stdout.splitlines()[0])["outcome"] == "ok"
    assert len(bucket.keys("grid_actions_verified")) == 1
    assert trained.returncode == 0, trained.stderr
    assert "report: s3://" in trained.stderr
    entry = latest(bucket, "screen")
    assert entry is not None
    assert entry.sequence > 1
