"""Step Functions transitions, counted by walking a machine's own file: a changed machine changes the figure."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

STATES: Final = Path(__file__).parent.parent / "states"
CHILD_START: Final = 1  # a distributed map counts one transition for every child it starts


@dataclass(frozen=True)
class Transitions:
    """Transitions of an execution: so many whatever its size, and so many for each item of its map."""

    fixed: int
    per_item: int

    def of(self, items: int) -> int:
        """Return the transitions of an execution whose map has so many items."""
        return self.fixed + self.per_item * items


def machine(name: str) -> dict[str, Any]:
    """Return a machine of `infra/states` as plain values."""
    held: dict[str, Any] = json.loads((STATES / f"{name}.asl.json").read_text(encoding="utf-8"))
    return held


def hour() -> Transitions:
    """Return what one live hour of one stage costs when every source is there: an item is a batch."""
    return walk(machine("hour"), one_item=("Hours", "Stages"))


def night() -> Transitions:
    """Return what one night of training of one stage costs: an item is a pool."""
    return walk(machine("training"), one_item=("Stages",))


def walk(states: Mapping[str, Any], *, one_item: tuple[str, ...] = ()) -> Transitions:
    """Count the states on the path without faults: a choice takes its default, nothing is caught or retried.

    A map named in `one_item` has one item. Every other map has any number, counted apart.
    """
    fixed = per_item = 0
    name: str | None = states["StartAt"]
    while name:
        state = states["States"][name]
        fixed += 1
        if state["Type"] == "Map":
            inside = _inside(state, one_item)
            if name in one_item:
                fixed, per_item = fixed + inside.fixed, per_item + inside.per_item
            else:
                per_item += inside.fixed
        name = state["Default"] if state["Type"] == "Choice" else state.get("Next")
    return Transitions(fixed, per_item)


def most_at_once(states: Mapping[str, Any]) -> int:
    """Return `MaxConcurrency` of the innermost map."""
    found = 0
    for state in states["States"].values():
        if state["Type"] == "Map":
            found = most_at_once(state["ItemProcessor"]) or int(state["MaxConcurrency"])
    return found


def _inside(state: Mapping[str, Any], one_item: tuple[str, ...]) -> Transitions:
    processor = state["ItemProcessor"]
    inside = walk(processor, one_item=one_item)
    start = CHILD_START if processor["ProcessorConfig"]["Mode"] == "DISTRIBUTED" else 0
    return Transitions(inside.fixed + start, inside.per_item)
