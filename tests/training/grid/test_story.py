"""A grid of the simulator from nothing to verified actions, by the commands a person would type."""

import json
from pathlib import Path

import numpy as np
import pytest

from tests.training.grid.simulation.scenes import NEEDS_SIMULATOR, SMALL
from training.grid.commands import main
from wattahead.cli.main import main as wattahead
from wattahead.domain.hours import HOUR, floor_hour, instant, iso
from wattahead.domain.plan import HourEvent
from wattahead.jobs.build_features import build_features
from wattahead.jobs.finish import finish
from wattahead.jobs.plan import plan
from wattahead.jobs.score import Scorer
from wattahead.queries.connection import connect
from wattahead.storage.objects import Bucket, open_bucket
from wattahead.storage.registry import latest

pytestmark = NEEDS_SIMULATOR

NOW = instant("2026-03-01T05:30Z")
ISSUE = floor_hour(NOW)


def scored(bucket: Bucket, at: int) -> None:
    event, now = HourEvent(at), at + HOUR // 2
    plan(bucket, event, now=now)
    build_features(bucket, event, now=now)
    Scorer(bucket).score(event, now=now)
    assert finish(bucket, event, now=now).outcome == "ok"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give a folder with the bucket of a whole story."""
    folder = tmp_path_factory.mktemp("story")
    bucket = str(folder / "bucket")
    where = ("--bucket", bucket)
    assert main(["describe", "--environment", SMALL, "--grids", "east,west", "--to", str(folder)]) == 0
    assert wattahead(["catalog", str(folder / "catalog.toml"), *where]) == 0
    assert main(["train", "--states", "120", "--until", iso(ISSUE), *where]) == 0
    for grid, course in (("east", "0"), ("west", "1")):
        hours = ("--from", iso(ISSUE - 30 * HOUR), "--to", iso(ISSUE))
        assert main(["observe", "--grid", grid, "--course", course, *hours, *where]) == 0
    scored(open_bucket(bucket), ISSUE)
    return folder


@pytest.fixture
def verified(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    from training.grid.commands import verify

    monkeypatch.setattr(verify, "now", lambda: NOW)
    assert main(["verify", "--issue-time", iso(ISSUE), "--bucket", str(folder / "bucket")]) == 0
    return folder


def asked(folder: Path, sql: str) -> list[tuple[object, ...]]:
    with connect(str(folder / "bucket")) as connection:
        found: list[tuple[object, ...]] = connection.execute(sql).fetchall()
    return found


def test_the_story_ends_with_verified_actions_of_every_grid_and_hour(verified: Path) -> None:
    rows = asked(
        verified, "SELECT series_id, count(DISTINCT valid_time), bool_and(verified) FROM grid_actions GROUP BY 1"
    )

    assert sorted(rows) == [("east", 24, True), ("west", 24, True)]


def test_what_was_predicted_is_near_what_is_exact(verified: Path) -> None:
    ((error,),) = asked(verified, "SELECT median(abs(rho_max - rho_max_verified)) FROM grid_actions")

    assert isinstance(error, float)
    assert error < 0.05  # of the loading, learnt from 90 states


def test_verifying_an_hour_again_changes_nothing(verified: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["verify", "--issue-time", iso(ISSUE), "--bucket", str(verified / "bucket")]) == 0

    told = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert (told["outcome"], told["rows"]) == ("duplicate", 0)


def test_an_hour_that_is_not_scored_yet_waits(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from training.grid.commands import verify

    later = ISSUE + HOUR
    monkeypatch.setattr(verify, "now", lambda: NOW + HOUR)
    plan(open_bucket(str(folder / "bucket")), HourEvent(later), now=NOW + HOUR)

    assert main(["verify", "--issue-time", iso(later), "--bucket", str(folder / "bucket")]) == 2


def test_a_state_that_was_observed_has_the_flows_that_the_solver_gives(verified: Path) -> None:
    ((loading, exact),) = asked(
        verified,
        "SELECT rho_max, rho_max_verified FROM grid_actions WHERE series_id = 'east' AND action_id = 'nothing' "
        "AND lead_time_minutes = 0",
    )

    assert loading == pytest.approx(exact, rel=1e-4)


def test_training_again_reads_its_sets_and_says_so(verified: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = latest(open_bucket(str(verified / "bucket")), "screen")

    assert main(["train", "--states", "120", "--until", iso(ISSUE), "--bucket", str(verified / "bucket")]) == 0

    told = capsys.readouterr().err
    assert told.count("read from the cache") == 3
    assert "the champion's own bundle" in " ".join(told.split())
    after = latest(open_bucket(str(verified / "bucket")), "screen")
    assert before
    assert after
    assert before.rung("champion") == after.rung("champion")
    assert np.sign(after.sequence - before.sequence) == 1
