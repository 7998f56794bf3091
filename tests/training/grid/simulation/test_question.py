"""What a set depends on: any of it changed is another set. Needs no simulator."""

import ast
from dataclasses import replace
from importlib.metadata import PackageNotFoundError
from pathlib import Path
from typing import Any

import pytest

import training.grid.simulation
from training.grid.simulation import question
from training.grid.simulation.question import Question, digest, ingredients
from training.grid.simulation.sampling import Sampling
from wattahead.domain.errors import Refused

ASKED = Question("rte_case5_example")
OTHERS = {
    "environment": replace(ASKED, environment="rte_case14_realistic"),
    "seed": replace(ASKED, seed=1),
    "most_actions": replace(ASKED, sampling=Sampling(most_actions=100)),
    "steps": replace(ASKED, sampling=Sampling(steps=61)),
    "every": replace(ASKED, sampling=Sampling(every=4)),
    "tries": replace(ASKED, sampling=Sampling(tries=0.14)),
    "opening": replace(ASKED, sampling=Sampling(opening=0.31)),
    "back": replace(ASKED, sampling=Sampling(back=0.11)),
    "reserved": replace(ASKED, sampling=Sampling(reserved=0.2)),
    "shift": replace(ASKED, sampling=Sampling(shift="loads")),
    "scale": replace(ASKED, sampling=Sampling(scale=(0.9, 1.25))),
    "lender": replace(ASKED, sampling=Sampling(lender="rte_case5_example")),
}


@pytest.fixture
def versions(monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """Give the versions that are found, to be changed at will."""
    found = dict.fromkeys(question.LIBRARIES, "1.0")
    monkeypatch.setattr(question, "version", found.__getitem__)
    return found


def test_the_same_question_has_the_same_digest(versions: dict[str, str]) -> None:
    assert digest(ingredients(ASKED)) == digest(ingredients(Question("rte_case5_example", 0, Sampling())))


def test_every_part_of_the_question_changes_the_digest(versions: dict[str, str]) -> None:
    digests = {digest(ingredients(one)) for one in (ASKED, *OTHERS.values())}

    assert len(digests) == 1 + len(OTHERS)
    assert set(OTHERS) >= set(Sampling.__dataclass_fields__)


@pytest.mark.parametrize("library", question.LIBRARIES)
def test_another_version_of_a_library_changes_the_digest(versions: dict[str, str], library: str) -> None:
    before = digest(ingredients(ASKED))
    versions[library] = "1.1"

    assert digest(ingredients(ASKED)) != before


def test_another_line_of_code_changes_the_digest(
    versions: dict[str, str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    before = digest(ingredients(ASKED))
    folder = Path(training.grid.simulation.__file__).parent
    for name in question.HERE:
        (tmp_path / name).write_bytes((folder / name).read_bytes())
    (tmp_path / "__init__.py").touch()
    monkeypatch.setattr(training.grid.simulation, "__file__", str(tmp_path / "__init__.py"))
    assert digest(ingredients(ASKED)) == before

    for name in question.HERE:
        held = (tmp_path / name).read_bytes()
        (tmp_path / name).write_bytes(held + b"\n")
        assert digest(ingredients(ASKED)) != before
        (tmp_path / name).write_bytes(held)


def test_every_file_that_decides_what_a_set_holds_is_an_ingredient() -> None:
    folder = Path(training.grid.simulation.__file__).parent
    found, left = set[str](), ["worker"]
    while left:
        name = left.pop()
        found.add(f"{name}.py")
        asked = [*ast.walk(ast.parse((folder / f"{name}.py").read_text()))]
        named = [str(one.module) for one in asked if isinstance(one, ast.ImportFrom)]
        ours = [
            one.removeprefix("training.grid.simulation.")
            for one in named
            if one.startswith("training.grid.simulation.")
        ]
        left += [one for one in ours if f"{one}.py" not in found]

    no_values = {"kept.py", "question.py"}  # names of files and of sets
    assert found - no_values == set(question.HERE)


def test_without_the_simulator_the_question_is_refused_with_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(name: str) -> Any:
        raise PackageNotFoundError(name)

    monkeypatch.setattr(question, "version", missing)

    with pytest.raises(Refused, match=r"needs the simulator, and grid2op is not installed.*wattahead\[grid\]"):
        ingredients(ASKED)
