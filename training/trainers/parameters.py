"""A trainer's parameters: a dataclass of defaults, and what the catalog sets of it under a pool's `parameters`."""

from collections.abc import Mapping
from dataclasses import fields, replace
from math import inf
from typing import Final, TypeVar

from wattahead.domain.errors import Refused

Settings = TypeVar("Settings")

# Bounds, both allowed. Whole numbers are 1 or more, all others above 0, unless it is said here.
BOUNDS: Final = {
    "leaves": (2, inf),
    "folds": (2, inf),
    "random_cuts": (0, 1),
    "lead_hours": (1, 24),
    "weight_hours": (1, 24),
    "calibration_parts": (1, 24),
    "even": (0, inf),
    "unlike": (0, 1),
    "max_missing": (0, 1),
    "feature_share": (1e-6, 1),
    "row_share": (1e-6, 1),
}
_SMALLEST: Final = 1e-9


def chosen(defaults: Settings, trainer: str, given: Mapping[str, float]) -> Settings:
    """Return the defaults with what is given; refuse an unknown name, and a value that nothing can be trained with."""
    known = {field.name: field.type for field in fields(defaults)}  # type: ignore[arg-type]
    unknown = sorted(set(given) - set(known))
    if unknown:
        raise Refused("E_CONFIG", f"trainer {trainer} has no parameter {unknown[0]!r}", fix=f"use {', '.join(known)}")
    return replace(defaults, **{name: _within(trainer, name, value, known[name]) for name, value in given.items()})  # type: ignore[type-var]


def _within(trainer: str, name: str, value: float, kind: object) -> float:
    low, high = BOUNDS.get(name, (1 if kind is int else _SMALLEST, inf))
    if low <= value <= high and value < inf and (kind is not int or value == int(value)):
        return int(value) if kind is int else value
    needed = "a whole number" if kind is int else "a number"
    least = "above 0" if low == _SMALLEST else f"from {low:g}"
    most = f" to {high:g}" if high < inf else ""
    raise Refused("E_CONFIG", f"parameter {name} of trainer {trainer} is {value:g}", fix=f"give {needed} {least}{most}")
