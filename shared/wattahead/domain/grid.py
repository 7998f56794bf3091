"""An electrical network: its lines and units, and which actions an operator considers in it.

A substation has two busbars, and every element at it (an end of a line, a generator, a load) is connected to one of
them or to none. An action opens a line, or says which elements of one substation stand on its second busbar.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from math import isfinite
from typing import Final

from wattahead.domain.errors import Refused
from wattahead.domain.hours import DAY, duration
from wattahead.domain.names import check_quantiles, checked

OUT: Final = 0  # the busbar of an element that is connected to none
BUSBARS: Final = (1, 2)


@dataclass(frozen=True)
class Line:
    """A line or transformer from one substation (its origin) to another (its extremity)."""

    name: str
    origin: int
    extremity: int
    resistance: float  # per unit on 100 MVA
    reactance: float  # per unit on 100 MVA, the transformer's ratio included
    limit: float  # [A] at the origin; loading (rho) is the current there over this

    def __post_init__(self) -> None:
        # A line of no reactance would carry any flow; one of no limit could not be loaded.
        numbers = (self.resistance, self.reactance, self.limit)
        sound = all(map(isfinite, numbers)) and self.reactance and self.limit > 0
        if not sound or self.origin == self.extremity:
            told = f"reactance {self.reactance}, limit {self.limit}, from {self.origin} to {self.extremity}"
            raise Refused("E_CONFIG", f"line {self.name} has {told}", fix="leave it out, or give it both")


@dataclass(frozen=True)
class Unit:
    """A generator or a load."""

    name: str
    substation: int


@dataclass(frozen=True)
class Element:
    """One thing at a substation: the end of a line, a generator or a load."""

    kind: str  # "origin", "extremity", "generator" or "load"
    number: int  # of the line, the generator or the load

    @property
    def is_line(self) -> bool:
        """Whether it is the end of a line."""
        return self.kind in ("origin", "extremity")


@dataclass(frozen=True)
class Network:
    """What is fixed of a grid, and its candidate actions: nothing, each line opened, and these configurations."""

    name: str
    substations: tuple[str, ...]
    lines: tuple[Line, ...]
    generators: tuple[Unit, ...]
    loads: tuple[Unit, ...]
    # Substation -> sets of its elements on the second busbar, as bits in the order of `elements`; 0 is one busbar.
    configurations: Mapping[int, tuple[int, ...]] = field(default_factory=dict)
    environment: str = ""  # where exact solutions come from: a name that the simulator knows; empty: nowhere
    most_actions: int = 0  # what the configurations were drawn for: the simulator draws the same ones again

    def __post_init__(self) -> None:
        checked("network", self.name)
        ends = [end for line in self.lines for end in (line.origin, line.extremity)]
        asked = {*ends, *(unit.substation for unit in (*self.generators, *self.loads)), *self.configurations}
        if not self.lines or not asked <= set(range(len(self.substations))):
            raise Refused(
                "E_CONFIG",
                f"network {self.name} has {len(self.lines)} lines, and names substations that it does not have",
                fix=f"number the substations from 0 to {len(self.substations) - 1}",
            )

        names = [line.name for line in self.lines]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise Refused("E_CONFIG", f"network {self.name} has line {twice[0]} twice", fix="rename one of them")
        for at, ways in self.configurations.items():
            most = 2 ** len(self.elements(at))
            if len(set(ways)) != len(ways) or not all(0 <= bits < most for bits in ways):
                told = f"configurations of substation {at} of {self.name} stand twice, or name elements it has not"
                raise Refused("E_CONFIG", told, fix=f"give different numbers from 0 to {most - 1}")

    def elements(self, substation: int) -> tuple[Element, ...]:
        """Return what stands at a substation: origins and extremities of lines, generators, loads."""
        sides = {
            "origin": [line.origin for line in self.lines],
            "extremity": [line.extremity for line in self.lines],
            "generator": [unit.substation for unit in self.generators],
            "load": [unit.substation for unit in self.loads],
        }
        return tuple(
            Element(kind, number) for kind, at in sides.items() for number, one in enumerate(at) if one == substation
        )


@dataclass(frozen=True)
class GridPool:
    """Grids of one network, such as the same country seen by several forecasts, that share a bundle."""

    network: str
    grids: tuple[str, ...]
    trainer: str = "lightgbm"
    top: int = 10  # actions that get a row at each hour, beside doing nothing
    horizon: str = "PT24H"
    quantiles: tuple[str, ...] = ("p10", "p50", "p90")
    input_deadline: str = "PT20M"
    batch_size: int = 50
    parameters: Mapping[str, float] = field(default_factory=dict)  # of the trainer

    def __post_init__(self) -> None:
        checked("network", self.network)
        for grid in self.grids:
            checked("grid", grid)
        if len(set(self.grids)) != len(self.grids) or not self.grids:
            raise Refused(
                "E_CONFIG", f"grids of a pool of {self.network} are none, or stand twice", fix="name each grid once"
            )
        if not 1 <= self.batch_size <= 1000 or not 0 < duration(self.horizon) <= 7 * DAY or self.top < 1:  # noqa: PLR2004 - DESIGN: a batch is up to 1,000 series
            told = f"batch size {self.batch_size}, horizon {self.horizon}, top {self.top}"
            raise Refused("E_CONFIG", f"{told} of {self.network}", fix="use 1 to 1000 grids, at most P7D, at least 1")
        duration(self.input_deadline)
        check_quantiles(self.quantiles)
