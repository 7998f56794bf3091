"""What a catalog may set of a trainer, and what it is told where it may not."""

from dataclasses import fields
from importlib import import_module
from typing import Any

import pytest

from training.trainers.parameters import BOUNDS, chosen
from wattahead.domain.errors import Refused

NAMES = ("ensemble", "lightgbm", "linear", "quantiles", "xgboost")


def defaults(name: str) -> Any:
    return import_module(f"training.trainers.{name}").Parameters()


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("lead_hours", 0, "a whole number from 1 to 24"),
        ("lead_hours", 25, "a whole number from 1 to 24"),
        ("leaves", 1, "a whole number from 2"),
        ("folds", 1, "a whole number from 2"),
        ("rounds", 2.7, "a whole number from 1"),
        ("strength", 0.0, "a number above 0"),
        ("memory_days", float("nan"), "a number above 0"),
        ("even", float("inf"), "a number from 0"),
        ("max_missing", 1.5, "a number from 0 to 1"),
    ],
)
def test_a_value_that_nothing_can_be_trained_with_is_refused_with_what_can(name: str, value: float, said: str) -> None:
    with pytest.raises(Refused, match=f"E_CONFIG: parameter {name} of trainer ensemble is .*give {said}"):
        chosen(defaults("ensemble"), "ensemble", {name: value})


@pytest.mark.parametrize("name", NAMES)
def test_every_trainer_may_be_given_its_own_defaults(name: str) -> None:
    own = defaults(name)

    assert chosen(own, name, vars(own)) == own
    assert chosen(own, name, {"folds": 3.0}).folds == 3


def test_bounds_are_of_parameters_that_some_trainer_has() -> None:
    assert BOUNDS.keys() <= {field.name for name in NAMES for field in fields(defaults(name))}
