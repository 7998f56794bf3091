"""A trainer's parameters: a dataclass of defaults, and what the catalog sets of it under a pool's `parameters`."""

from collections.abc import Mapping
from dataclasses import fields, replace
from typing import Any, TypeVar

from wattahead.domain.errors import Refused

Settings = TypeVar("Settings")


def chosen(defaults: Settings, trainer: str, given: Mapping[str, float]) -> Settings:
    """Return the defaults with what is given; an unknown name is refused with the known ones."""
    known = {field.name: field.type for field in fields(defaults)}  # type: ignore[arg-type]
    unknown = sorted(set(given) - set(known))
    if unknown:
        raise Refused("E_CONFIG", f"trainer {trainer} has no parameter {unknown[0]!r}", fix=f"use {', '.join(known)}")
    values: dict[str, Any] = {name: int(value) if known[name] is int else value for name, value in given.items()}
    return replace(defaults, **values)  # type: ignore[type-var]
