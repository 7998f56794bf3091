"""Every rule for what is deployed holds, and is shown to fail on a copy that was broken."""

from types import ModuleType
from typing import Any

import pytest

from tests.infra.rules import data, machines, rights, running, tasks
from tests.infra.templates import Rule, broken, load

SUBJECTS: tuple[ModuleType, ...] = (data, machines, rights, running, tasks)
RULES: dict[str, Rule] = {name: rule for subject in SUBJECTS for name, rule in subject.RULES.items()}
BROKEN: list[tuple[Rule, str, Any]] = [one for subject in SUBJECTS for one in subject.BROKEN]


@pytest.mark.parametrize("name", RULES)
def test_what_is_deployed_keeps_the_rule(name: str) -> None:
    assert RULES[name](load()) == []


@pytest.mark.parametrize(("rule", "where", "instead"), BROKEN, ids=lambda value: getattr(value, "__name__", None))
def test_the_rule_notices_a_broken_copy(rule: Rule, where: str, instead: Any) -> None:
    assert rule(broken(load(), where, instead)) != []


def test_no_rule_goes_untried() -> None:
    assert {rule.__name__ for rule, _, _ in BROKEN} == set(RULES)
