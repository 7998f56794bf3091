"""How states are sampled, and which shift makes them unlike those that a model learns from."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from types import MappingProxyType
from typing import Final

import numpy as np

from wattahead.domain.errors import Refused
from wattahead.domain.grid import Line, Network

NONE, OUTAGES, LOADS = "none", "outages", "loads"
SHIFTS: Final[Mapping[str, str]] = MappingProxyType(
    {
        NONE: "recorded hours; reserved lines are never out",
        OUTAGES: "every state lacks one or two of the reserved lines, from the episode's first step to its last",
        LOADS: "loads follow those of another environment, scaled, generation following; reserved lines are never out",
    }
)
RESERVED_SEED: Final = 0  # sets of other seeds and shifts must reserve the same lines
FEWEST_RESERVED: Final = 2


@dataclass(frozen=True)
class Sampling:
    """How episodes go. A step is one of the recorded course, five minutes in every environment that is shipped.

    - `none`: loads, planned generation and voltages are those recorded. No reserved line is ever open in a state,
      though opening it is among the actions that are solved.
    - `outages`: the same, but an episode begins with one or two reserved lines open (as likely), which stay open.
    - `loads`: the course of each load is that of a load of another environment, the lender, brought to its own mean,
      and all are multiplied by one factor; both are drawn once for each episode. Reactive power keeps the power factor
      of the load whose course it is. Planned generation is multiplied by total load over recorded total load, step by
      step.
    """

    most_actions: int = 200  # candidates at most, nothing and every line's opening among them
    steps: int = 60  # of an episode at most
    every: int = 3  # steps between states that are kept; the first is
    tries: float = 0.13  # chance that a step tries an action
    opening: float = 0.3  # chance that this opens a line; it configures a substation otherwise
    back: float = 0.1  # chance that a step brings all busbars back to the episode's first
    reserved: float = 0.15  # share of the lines that only `outages` has open, two at least
    shift: str = NONE
    scale: tuple[float, float] = (0.8, 1.25)  # of all loads of an episode, where the shift is `loads`
    lender: str = "l2rpn_case14_sandbox"  # the environment whose loads are followed then

    def __post_init__(self) -> None:
        if self.shift not in SHIFTS:
            raise Refused("E_CONFIG", f"there is no shift {self.shift!r}", fix=f"use one of {', '.join(SHIFTS)}")
        chances = (self.tries, self.back, self.opening, self.reserved)
        if not (self.steps >= 1 <= self.every and all(0 <= one <= 1 for one in (*chances, self.tries + self.back))):
            raise Refused("E_CONFIG", f"{self} cannot be sampled", fix="use chances from 0 to 1, and steps from 1")


def reserved(network: Network, share: float) -> tuple[int, ...]:
    """Return the lines that training never sees open: a seeded draw from those that do not hold the grid together."""
    return _drawn(network.lines, share)


@cache
def _drawn(lines: tuple[Line, ...], share: float) -> tuple[int, ...]:
    spare = [number for number in range(len(lines)) if _whole_without(lines, number)]
    count = min(max(round(share * len(lines)), FEWEST_RESERVED), len(spare))
    drawn = np.random.default_rng(RESERVED_SEED).choice(np.array(spare, dtype=np.int64), count, replace=False)
    return tuple(sorted(drawn.tolist()))


def _whole_without(lines: tuple[Line, ...], without: int) -> bool:
    """Return whether the lines but one still connect every substation that they touch."""
    ends = [{line.origin, line.extremity} for line in lines]
    left = ends[:without] + ends[without + 1 :]
    reached = {next(iter(ends[0]))}
    while grown := [pair for pair in left if pair & reached and not pair <= reached]:
        reached = reached.union(*grown)
    return set().union(*ends) <= reached
