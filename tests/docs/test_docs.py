"""The README tells the same story as the code: commands, targets, columns, codes, variables and links exist."""

import argparse
import re
import shlex
from pathlib import Path

import pytest

from training.grid import commands as grid_commands
from wattahead.cli import main
from wattahead.domain.errors import CODES
from wattahead.domain.quality import Quality
from wattahead.queries.grid_views import GRID_ACTIONS

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
OPERATING = (ROOT / "infra" / "OPERATING.md").read_text(encoding="utf-8")
GRID = (ROOT / "infra" / "GRID.md").read_text(encoding="utf-8")
PAGES = [ROOT / "README.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "infra").rglob("*.md"))]


def typed_lines(program: str = "wattahead ") -> list[list[str]]:
    """Every command line of the pages' code blocks that begins with `program`."""
    blocks = re.findall(r"```(?:sh|console)\n(.*?)```", README + OPERATING + GRID, flags=re.DOTALL)
    lines = "\n".join(blocks).replace("\\\n", " ").replace(" && ", "\n").splitlines()
    return [
        shlex.split(line.removeprefix("$ "), comments=True)
        for line in lines
        if line.removeprefix("$ ").startswith(program)
    ]


@pytest.mark.parametrize("words", typed_lines(), ids=lambda words: " ".join(words)[:60])
def test_every_command_line_of_the_readme_is_one_the_program_takes(
    words: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_self: argparse.ArgumentParser, message: str) -> None:
        raise AssertionError(message)

    monkeypatch.setattr(argparse.ArgumentParser, "error", refuse)

    assert main._parser(words[1]).parse_args(words[1:]).command == words[1]


@pytest.mark.parametrize("words", typed_lines("python -m training grid "), ids=lambda words: " ".join(words)[24:80])
def test_every_command_line_about_grids_is_one_the_program_takes(words: list[str]) -> None:
    asked = words[4:]

    assert grid_commands._parser(asked[0]).parse_args(asked).call


def test_every_command_about_grids_is_on_its_page() -> None:
    assert [name for name in grid_commands.COMMANDS if f"python -m training grid {name}" not in GRID] == []


def test_every_column_of_grid_actions_is_on_its_page() -> None:
    shared = {"issue_time", "model_name", "model_version", "run_id", "fallback_level", "quality_flags"}
    more = {"input_age_minutes", "issue_date", "issue_hour"}

    assert [name for name in GRID_ACTIONS if name not in shared | more and f"`{name}`" not in GRID] == []


def test_every_command_of_the_program_is_in_the_readme() -> None:
    assert [name for name in main.COMMANDS if f"wattahead {name}" not in README] == []


def test_every_alarm_of_the_template_is_explained_and_the_reverse() -> None:
    templates = "".join((ROOT / "infra" / f"{one}.yaml").read_text(encoding="utf-8") for one in ("watching", "grid"))
    rings = re.findall(r'AlarmName: !Sub "\$\{Name\}-([a-z-]+)"', templates)

    assert sorted(rings) == sorted(re.findall(r"^\| `([a-z-]+)` \|", OPERATING, flags=re.MULTILINE))


def test_every_make_target_of_the_readme_exists_and_the_reverse() -> None:
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), flags=re.MULTILINE))
    named = set(re.findall(r"\bmake ([a-z]+)", README))

    assert named <= targets
    assert targets - named <= {"help", "format", "lock", "clean"}


def test_every_column_of_the_forecast_table_is_in_the_readme() -> None:
    columns = [
        "series_id",
        "issue_time",
        "model_name",
        "model_version",
        "run_id",
        "fallback_level",
        "quality_flags",
        "input_age_minutes",
        "zone",
        "key",
        "subkey",
        "valid_time",
        "lead_time_minutes",
        "unit",
        "p10",
        "p50",
        "p90",
    ]

    assert [name for name in columns if f"`{name}`" not in README] == []


def test_every_quality_flag_is_in_the_readme() -> None:
    assert [str(flag.name).lower() for flag in Quality if f"`{str(flag.name).lower()}`" not in README] == []


def test_every_environment_variable_that_code_reads_is_in_the_readme() -> None:
    code = "".join(
        path.read_text(encoding="utf-8")
        for folder in ("shared", "functions", "training", "infra")
        for path in (ROOT / folder).rglob("*.py")
    )
    read = set(re.findall(r"WATTAHEAD_[A-Z_]+", code))

    assert [name for name in sorted(read) if name not in README] == []


def test_every_error_code_is_raised_somewhere() -> None:
    code = "".join(
        path.read_text(encoding="utf-8")
        for folder in ("shared", "functions", "training")
        for path in (ROOT / folder).rglob("*.py")
        if path.name != "errors.py"
    )

    assert [name for name in CODES if f'"{name}"' not in code] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_relative_link_of_a_page_leads_somewhere(page: Path) -> None:
    links = re.findall(r"\]\((?!https?:|#)([^)#]+)", page.read_text(encoding="utf-8"))

    assert [link for link in links if not (page.parent / link).exists()] == []


def test_locks_hold_hashes_and_no_address() -> None:
    for lock in (ROOT / "infra" / "locks").glob("*.txt"):
        text = lock.read_text(encoding="utf-8")
        assert "--hash=sha256:" in text
        assert "://" not in text


def test_no_module_is_longer_than_its_subject() -> None:
    modules = [
        path for folder in ("shared", "functions", "training", "infra") for path in (ROOT / folder).rglob("*.py")
    ]
    lengths = {str(path.relative_to(ROOT)): len(path.read_text(encoding="utf-8").splitlines()) for path in modules}

    assert {name: lines for name, lines in lengths.items() if lines > 320} == {}


def test_handlers_only_translate() -> None:
    lengths = {
        path.parent.name: len(path.read_text(encoding="utf-8").splitlines())
        for path in (ROOT / "functions").glob("*/app.py")
    }

    assert len(lengths) == 7
    assert max(lengths.values()) <= 45
