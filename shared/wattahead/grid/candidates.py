"""Which actions are considered in a network, in a fixed order, and how they are told."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from wattahead.domain.grid import Element, Network

NOTHING, OPEN, CONFIGURE = "nothing", "open", "configure"
MOST_ELEMENTS = 20  # of one substation that are divided: half a million ways are looked at, not more


@dataclass(frozen=True)
class Action:
    """Nothing, a line to open, or the elements of a substation that shall stand on its second busbar."""

    kind: str
    line: int = -1
    substation: int = -1
    second: int = 0  # bits in the order of `Network.elements`


@dataclass(frozen=True)
class Candidates:
    """All actions of a network: nothing first, then each line opened, then configurations by substation."""

    network: Network

    @cached_property
    def actions(self) -> tuple[Action, ...]:
        """The actions in order; an action is known by its place."""
        lines = (Action(OPEN, line=number) for number in range(len(self.network.lines)))
        held = sorted(self.network.configurations.items())
        ways = (Action(CONFIGURE, substation=at, second=bits) for at, masks in held for bits in masks)
        return (Action(NOTHING), *lines, *ways)

    def name(self, action: Action) -> str:
        """Return the name of an action that stays the same when others come or go."""
        if action.kind == NOTHING:
            return NOTHING
        if action.kind == OPEN:
            return f"open/{self.network.lines[action.line].name}"
        return f"configure/{self.network.substations[action.substation]}/{action.second:x}"

    def words(self, action: Action) -> str:
        """Return an action as a sentence for people."""
        if action.kind == NOTHING:
            return "do nothing"
        if action.kind == OPEN:
            return f"open line {self.network.lines[action.line].name}"
        at = self.network.substations[action.substation]
        if not action.second:
            return f"{at}: everything on one busbar"
        return f"{at}: {', '.join(self._word(one) for one in self.moved(action))} on the second busbar"

    def moved(self, action: Action) -> list[Element]:
        """Return the elements that a configuration puts on the second busbar."""
        elements = self.network.elements(action.substation)
        return [one for bit, one in enumerate(elements) if action.second >> bit & 1]

    def _word(self, element: Element) -> str:
        if element.is_line:
            return f"line {self.network.lines[element.number].name}"
        units = self.network.generators if element.kind == "generator" else self.network.loads
        return f"{element.kind} {units[element.number].name}"


def configurations(network: Network, *, most: int, seed: int = 0) -> Mapping[int, tuple[int, ...]]:
    """Return ways to arrange the elements of each substation: all that make sense, or a seeded draw of `most`.

    Each busbar of a divided substation holds a line and one element more: a line alone, or a unit without one, would
    be cut off. Two arrangements that differ by the names of the busbars are one: the first element stays on the first.
    Where there is a choice, everything on one busbar is among them.
    """
    every = {at: list(_ways(network.elements(at))) for at in range(len(network.substations))}
    pairs = np.array([(at, bits) for at, ways in every.items() for bits in ways], dtype=np.int64).reshape(-1, 2)
    chosen: NDArray[np.int64] = pairs
    if len(pairs) > most:
        chosen = pairs[np.sort(np.random.default_rng(seed).choice(len(pairs), most, replace=False))]
    return {at: (0, *chosen[chosen[:, 0] == at, 1].tolist()) for at in np.unique(chosen[:, 0]).tolist()}


def _ways(elements: tuple[Element, ...]) -> Iterator[int]:
    """Yield the divisions of a substation as bits of the elements on its second busbar, ascending."""
    count = len(elements)
    if count > MOST_ELEMENTS:
        elements, count = elements[:MOST_ELEMENTS], MOST_ELEMENTS  # the rest stays on the first busbar
    is_line = np.array([one.is_line for one in elements], dtype=bool)
    bits = np.arange(0, 2**count, 2, dtype=np.int64)  # the first element has bit 0
    second = (bits[:, None] >> np.arange(count)) & 1 == 1
    sides = (second, ~second)
    enough = np.all([(side.sum(axis=1) > 1) & (side & is_line).any(axis=1) for side in sides], axis=0)
    yield from bits[enough].tolist()
