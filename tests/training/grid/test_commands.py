"""The command line without the simulator: told plainly, at once, and nothing of forecasts is imported."""

import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

from tests.grid.worlds import FIVE, pool
from training.grid.commands import main
from wattahead.domain.catalog import Catalog
from wattahead.domain.hours import instant
from wattahead.jobs.promote import register_baselines
from wattahead.storage.catalogs import latest_catalog, publish_catalog
from wattahead.storage.objects import open_bucket


@pytest.mark.skipif(find_spec("grid2op") is not None, reason="the simulator is installed here")
def test_without_the_simulator_the_command_says_what_to_install(tmp_path: Path) -> None:
    asked = [sys.executable, "-m", "training", "grid", "simulate", "--bucket", str(tmp_path)]
    ended = subprocess.run(asked, check=False, capture_output=True, text=True)

    assert ended.returncode == 64
    assert "needs the simulator" in ended.stderr
    assert "wattahead[grid]" in " ".join(ended.stderr.split())


@pytest.mark.parametrize(
    "asked",
    [
        ["simulate", "--seed", "-1"],
        ["simulate", "--states", "0"],
        ["simulate", "--processes", "-3"],
        ["train", "--seed", "-1"],
        ["observe", "--course", "-1"],
        ["describe", "--most-actions", "0"],
        ["simulate", "--shift", "sideways"],
        ["dance"],
        [],
    ],
    ids=" ".join,
)
def test_a_mistake_on_the_command_line_is_told_with_64(asked: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(asked)

    assert ended.value.code == 64
    assert "usage:" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["train", "--pool", "nobody"], "'nobody' is not in the catalog"),
        (["train", "--trainer", "oracle"], "no trainer of grids 'oracle'"),
        (["train", "--until", "2999-01-01T00:00Z"], "ahead of the clock"),
        (["train", "--until", "2020-01-01T00:00Z"], "holds a decision of"),
        (["observe", "--grid", "nobody"], "'nobody' is not in the catalog"),
    ],
)
def test_a_question_that_cannot_be_answered_is_refused_before_anything_is_simulated(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], words: list[str], told: str
) -> None:
    bucket = open_bucket(str(tmp_path))
    publish_catalog(bucket, Catalog({}, {}, {}, {}, {"five": FIVE}, {"screen": pool(FIVE, ("one",))}))
    register_baselines(bucket, latest_catalog(bucket)[1], effective_from=instant("2026-01-01T00:00Z"))
    if words[0] == "observe" and find_spec("grid2op") is None:
        pytest.skip("the simulator is not installed (extra `grid`)")

    assert main([*words, "--bucket", str(tmp_path)]) == 64

    said = " ".join(capsys.readouterr().err.split())
    assert told in said
    assert "simulated" not in said


def test_grid_commands_and_the_training_of_forecasts_do_not_import_each_other() -> None:
    program = (
        "import sys, {module}; found = {{name for name in sys.modules if name.startswith({start!r})}}; "
        "assert not found, found"
    )
    for module, start in (("training.__main__", "training.grid"), ("training.grid.commands", "training.trainers")):
        subprocess.run([sys.executable, "-c", program.format(module=module, start=start)], check=True)
