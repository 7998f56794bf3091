"""Codes: stable, known, and each of use."""

import ast
import pickle
from functools import cache
from pathlib import Path

import pytest

from wattahead.domain.errors import CODES, Damaged, LostRace, Refused, Transient, WattaheadError

ROOT = Path(__file__).parents[2]
ERRORS = {"WattaheadError", "Refused", "Transient", "Damaged", "LostRace"}


@cache
def _literals() -> set[str]:
    """Return every text in the code that looks like a code, apart from the table of codes."""
    found = set()
    for folder in ("shared", "training", "functions"):
        for path in (ROOT / folder).rglob("*.py"):
            if path.parts[-2:] != ("domain", "errors.py"):
                texts = (node.value for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Constant))
                found |= {text for text in texts if isinstance(text, str) and text.startswith("E_") and text.isupper()}
    return found


def test_every_code_in_the_sources_is_in_the_table() -> None:
    assert _literals() <= set(CODES)


def test_every_code_in_the_table_is_used() -> None:
    assert set(CODES) <= _literals()


def test_every_error_is_raised_under_a_code() -> None:
    for path in (*(ROOT / "shared").rglob("*.py"), *(ROOT / "training").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in ERRORS:
                assert node.args, f"{path}:{node.lineno} has no code"
                assert not isinstance(node.args[0], ast.Constant) or node.args[0].value in CODES, (
                    f"{path}:{node.lineno}"
                )


def test_an_unknown_code_cannot_be_raised() -> None:
    with pytest.raises(KeyError):
        Refused("E_SOMETHING", "a fact", fix="a step")


@pytest.mark.parametrize("kind", [Refused, Transient, Damaged, LostRace])
def test_an_error_is_a_code_a_fact_and_the_next_step(kind: type[WattaheadError]) -> None:
    error = kind("E_CONFIG", "the sky is green", fix="look again")

    assert str(error) == "E_CONFIG: the sky is green. Fix: look again."
    assert (error.code, error.fact, error.fix) == ("E_CONFIG", "the sky is green", "look again")


def test_damage_is_permanent_and_a_fault_that_may_pass_is_not() -> None:
    assert issubclass(Damaged, Refused)
    assert not issubclass(Transient, Refused)
    assert not issubclass(LostRace, Refused)


@pytest.mark.parametrize("kind", [Refused, Transient, Damaged, LostRace])
def test_an_error_comes_whole_out_of_another_process(kind: type[WattaheadError]) -> None:
    error = pickle.loads(pickle.dumps(kind("E_CONFIG", "it is so", fix="mend it")))  # noqa: S301 - our own bytes

    assert type(error) is kind
    assert (error.code, error.fact, error.fix) == ("E_CONFIG", "it is so", "mend it")
    assert str(error) == "E_CONFIG: it is so. Fix: mend it."
