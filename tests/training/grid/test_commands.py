"""The command line without the simulator: told plainly, at once, and nothing of forecasts is imported."""

import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest


@pytest.mark.skipif(find_spec("grid2op") is not None, reason="the simulator is installed here")
def test_without_the_simulator_the_command_says_what_to_install(tmp_path: Path) -> None:
    asked = [sys.executable, "-m", "training", "grid", "simulate", "--bucket", str(tmp_path)]
    ended = subprocess.run(asked, check=False, capture_output=True, text=True)

    assert ended.returncode == 64
    assert "needs the simulator" in ended.stderr
    assert "wattahead[grid]" in " ".join(ended.stderr.split())


def test_grid_commands_and_the_training_of_forecasts_do_not_import_each_other() -> None:
    program = (
        "import sys, {module}; found = {{name for name in sys.modules if name.startswith({start!r})}}; "
        "assert not found, found"
    )
    for module, start in (("training.__main__", "training.grid"), ("training.grid.commands", "training.trainers")):
        subprocess.run([sys.executable, "-c", program.format(module=module, start=start)], check=True)
