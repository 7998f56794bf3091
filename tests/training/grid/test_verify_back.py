"""Looking back while verifying: what was missed or scored late is done by the next run, once, and faults stay apart."""

import json
import shutil
from pathlib import Path

import pytest

from tests.training.grid.simulation.scenes import NEEDS_SIMULATOR, SMALL
from training.grid.commands import main
from wattahead.cli.main import main as wattahead
from wattahead.domain.errors import Refused
from wattahead.domain.hours import HOUR, floor_hour, instant, iso
from wattahead.domain.plan import HourEvent
from wattahead.jobs.build_features import build_features
from wattahead.jobs.plan import plan
from wattahead.jobs.score import Scorer
from wattahead.storage.ledger import entries
from wattahead.storage.objects import Bucket, open_bucket

pytestmark = NEEDS_SIMULATOR

NOW = instant("2026-03-01T05:25Z")
ISSUE = floor_hour(NOW)
EARLIER = ISSUE - 2 * HOUR  # the hour between is planned by the next one, and not scored; none before is planned


def scored(bucket: Bucket, at: int) -> None:
    plan(bucket, HourEvent(at), now=at + HOUR // 3)
    build_features(bucket, HourEvent(at), now=at + HOUR // 3)
    Scorer(bucket).score(HourEvent(at), now=at + HOUR // 3)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give a folder in which two hours of three are scored, and nothing is verified."""
    folder = tmp_path_factory.mktemp("back")
    where = ("--bucket", str(folder / "bucket"))
    assert main(["describe", "--environment", SMALL, "--grids", "east", "--to", str(folder)]) == 0
    assert wattahead(["catalog", str(folder / "catalog.toml"), *where]) == 0
    assert main(["observe", "--from", iso(EARLIER - 24 * HOUR), "--to", iso(ISSUE), *where]) == 0
    for at in (EARLIER, ISSUE):
        scored(open_bucket(str(folder / "bucket")), at)
    return folder / "bucket"


@pytest.fixture
def folder(made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give a copy of the bucket, and the clock."""
    for module in ("verify", "asking"):
        monkeypatch.setattr(f"training.grid.commands.{module}.now", lambda: NOW)
    shutil.copytree(made, tmp_path / "bucket")
    return tmp_path / "bucket"


def verify(folder: Path, *words: str) -> int:
    return main(["verify", *words, "--bucket", str(folder)])


def verified(folder: Path) -> list[int]:
    """Return the hours of the day that have verified rows."""
    found = folder.glob("grid_actions_verified/issue_date=2026-03-01/*/screen-0000.parquet")
    return sorted(int(path.parent.name.removeprefix("issue_hour=")) for path in found)


def rows_of(folder: Path, hour: str) -> Path:
    return folder / f"grid_actions/issue_date=2026-03-01/issue_hour={hour}/screen-0000.parquet"


def test_hours_that_were_missed_are_verified_and_those_without_a_plan_are_passed_over(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert verify(folder, "--hours-back", "3") == 0

    told = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [(one["issue_time"], one["outcome"]) for one in told] == [
        (iso(ISSUE), "ok"),
        (iso(ISSUE - HOUR), "waiting"),
        (iso(EARLIER), "ok"),
    ]
    assert verified(folder) == [3, 5]


def test_without_looking_back_only_the_hour_is_verified_and_it_must_have_a_plan(folder: Path) -> None:
    assert verify(folder) == 0
    assert verified(folder) == [5]

    assert verify(folder, "--issue-time", iso(EARLIER - HOUR)) == 64


def test_the_next_run_solves_and_writes_nothing_that_is_there(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise AssertionError

    assert verify(folder, "--hours-back", "3") == 0
    before = {path: path.stat().st_mtime_ns for path in folder.rglob("*.parquet")}
    monkeypatch.setattr("training.grid.verify.Solver", refuse)

    assert verify(folder, "--hours-back", "3") == 0
    assert {path: path.stat().st_mtime_ns for path in folder.rglob("*.parquet")} == before


@pytest.mark.parametrize(("back", "code"), [("3", 0), ("2", 0), ("1", 2)])
def test_an_hour_may_wait_until_no_later_run_would_look_at_it(folder: Path, back: str, code: int) -> None:
    assert verify(folder, "--hours-back", back) == code

    waiting = [one for one in entries(open_bucket(str(folder))) if one.job == "verify" and one.outcome == "waiting"]
    assert [one.issue_time for one in waiting] == [ISSUE - HOUR]


def test_a_fault_in_an_hour_is_told_and_keeps_no_other_from_being_verified(folder: Path) -> None:
    from training.grid.verify import verify_back

    rows_of(folder, "05").write_bytes(b"not a table")
    bucket = open_bucket(str(folder))
    bucket.pause = lambda _: None

    with pytest.raises(Refused, match="E_FEAT_FORMAT"):
        verify_back(bucket, HourEvent(ISSUE), 3, now=NOW)

    assert verified(folder) == [3]
    (failed,) = [one for one in entries(bucket) if one.job == "verify" and one.outcome == "failed"]
    assert failed.issue_time == ISSUE
    assert failed.errors


@pytest.mark.parametrize("back", ["-1", "169", "many"])
def test_a_look_back_that_is_none_is_refused(folder: Path, back: str) -> None:
    with pytest.raises(SystemExit, match="64") if back == "many" else pytest.MonkeyPatch.context():
        assert verify(folder, "--hours-back", back) == 64

    assert verified(folder) == []
