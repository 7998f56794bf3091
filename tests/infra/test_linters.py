"""The linters of `make check` find nothing, would find a slip, and are told to overlook little."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.infra.templates import ROOT, TEMPLATES


@pytest.mark.parametrize("path", TEMPLATES.values())
def test_cfn_lint_finds_nothing(path: str) -> None:
    assert lint(ROOT / path) == (0, "")


def test_cfn_lint_would_find_a_slip(tmp_path: Path) -> None:
    slip = tmp_path / "template.yaml"
    text = (ROOT / "template.yaml").read_text(encoding="utf-8")
    slip.write_text(text.replace("!GetAtt Bucket.Arn", "!GetAtt Bucket.Arm", 1), encoding="utf-8")

    assert lint(slip)[0] != 0


def test_checkov_skips_at_most_three_checks_each_with_its_reason() -> None:
    lines = (ROOT / "infra/checkov.yaml").read_text(encoding="utf-8").splitlines()
    skips = [number for number, line in enumerate(lines) if re.fullmatch(r"  - CKV\w+", line)]

    assert 1 <= len(skips) <= 3
    assert all(lines[number - 1].startswith("  # ") for number in skips)
    assert [path for path in TEMPLATES.values() if "checkov" in (ROOT / path).read_text(encoding="utf-8")] == []


def lint(path: Path) -> tuple[int, str]:
    """Return how cfn-lint ends and what it says."""
    # It has no `python -m cfnlint`: this is what its command runs.
    command = [sys.executable, "-c", "import sys; from cfnlint.runner import main; sys.exit(main())", str(path)]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    return done.returncode, done.stdout.strip()
