"""What an action does to the flows of all lines, by the linear power flow, from the flows before it.

Moving ends of lines to a busbar of their own is a phase shift on these lines, of the angle that opens between the two
busbars; the angle is the one at which the power that the moved lines carry away is what the moved units inject. Opening
a line is the same with a single end and no unit. So the answer for an action is the flows before it plus a multiple of
one vector, which depends on the topology alone:

    change = -(s p - u) / (s H s) x H s

with p (L) the flows, s (L) the signs of the moved ends (+1 origin, -1 extremity), u the power the moved units inject
and H (L, L) the response of flows to phase shifts, H = diag(b) - diag(b) A X A' diag(b), X the pseudo-inverse of the
susceptance matrix A' diag(b) A. It generalises line outage distribution factors (s a unit vector) and bus split
distribution factors (van Dijk, Viebahn, Cijsouw and van Casteren, "Bus split distribution factors", IEEE Trans. Power
Syst. 39, 2024). Flows before the action are those of the AC state, so the linear model answers for the change only.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import groupby
from operator import attrgetter
from typing import Final

import numpy as np
from numpy.typing import NDArray

from wattahead.domain.grid import BUSBARS, OUT, Network
from wattahead.grid.candidates import CONFIGURE, OPEN, Action
from wattahead.grid.states import Buses, Floats, States

BASE: Final = 100.0  # MVA of the per-unit system
BRIDGE: Final = 1e-6  # of the susceptance of what is moved: less than this goes around, so the action cuts in two
IDLE: Final = 0.01  # [MW] a part that takes no more, such as the open end of a line, is not missed
AT_ONCE: Final = 50_000  # flows in one array: 400 kB stay in a processor's cache, where work is four times as fast


@dataclass(frozen=True)
class Wiring:
    """One topology: which lines are on, and how flows answer to phase shifts and injections. n nodes, L lines."""

    origin: NDArray[np.intp]  # (L) node of each line's origin: substation, or substation + their number
    extremity: NDArray[np.intp]  # (L)
    susceptance: Floats  # (L) [MW/rad]; 0 where a line is out
    angles: Floats  # (n, n) [rad/MW] of injections; angles of an island add up to 0

    @classmethod
    def of(cls, network: Network, origin_bus: Buses, extremity_bus: Buses) -> "Wiring":
        """Return the wiring of lines whose ends stand on these busbars, (L) each."""
        count = len(network.substations)
        on = (origin_bus != OUT) & (extremity_bus != OUT)
        origin = np.array([line.origin for line in network.lines]) + count * (origin_bus == BUSBARS[1])
        extremity = np.array([line.extremity for line in network.lines]) + count * (extremity_bus == BUSBARS[1])
        susceptance = np.where(on, [BASE / line.reactance for line in network.lines], 0.0)
        matrix = np.zeros((2 * count, 2 * count))
        for one, other, sign in ((origin, origin, 1), (extremity, extremity, 1), (origin, extremity, -1)):
            np.add.at(matrix, (one, other), sign * susceptance)
        np.add.at(matrix, (extremity, origin), -susceptance)
        used = np.flatnonzero(np.diag(matrix))
        angles = np.zeros_like(matrix)
        angles[np.ix_(used, used)] = np.linalg.pinv(matrix[np.ix_(used, used)], rcond=1e-12, hermitian=True)
        return cls(origin, extremity, susceptance, angles)

    @cached_property
    def difference(self) -> Floats:
        """Difference of angles along each line by injection at each node, (L, n) [rad/MW]."""
        return self.angles[self.origin] - self.angles[self.extremity]

    @cached_property
    def shifted(self) -> Floats:
        """H: flow of each line by phase shift on each line, (L, L) [MW/rad]."""
        along = self.difference[:, self.origin] - self.difference[:, self.extremity]
        scaled = self.susceptance[:, None] * along * self.susceptance
        return np.diag(self.susceptance) - scaled

    def flows(self, injections: Floats) -> Floats:
        """Return the flows (S, L) [MW] of injections (S, n) [MW]; what an island has too much is taken everywhere."""
        return np.einsum("sn,ln->sl", injections, self.susceptance[:, None] * self.difference)  # not by BLAS, as below

    def gap(self, flows: Floats, substation: int) -> Floats:
        """Return by how much the angle on the first busbar of a substation is ahead of that on its second, (S) [rad].

        From flows (S, L) [MW], whose injections are where they do not add up.
        """
        count = len(self.angles) // 2
        row = self.angles[substation] - self.angles[substation + count]
        return np.einsum("sl,l->s", flows, row[self.origin] - row[self.extremity])


@dataclass(frozen=True)
class Change:
    """What some actions do in some states. S states, B actions of one kind and place, L lines."""

    states: slice  # which of the states
    actions: slice  # which of the candidates
    flows: Floats  # (S, B, L) [MW] at the origins, afterwards
    coupler: Floats  # (S, B) [MW] over the place that is parted, before it is
    angle: Floats  # (S, B) [rad] that opens there
    stiffness: Floats  # (B) [MW/rad] what goes around per angle
    moved: NDArray[np.int64]  # (B) ends of lines that move
    isolates: NDArray[np.bool_]  # (S, B) something is cut off that gives or takes power


@dataclass(frozen=True)
class _Moves:
    """What B actions of one kind and place move: ends of K lines, and U units. Of S states what they are moved in."""

    actions: slice  # which of the candidates
    lines: NDArray[np.intp]  # (K)
    signs: Floats  # (B, K)
    units: Floats  # (B, U) 1 where a unit moves
    alone: NDArray[np.bool_]  # (B) units are left without a line
    injected: Floats  # (S, U) [MW]
    flows: Floats  # (S, L) [MW] before
    response: Floats  # (L, L) [MW/rad]

    def cut(self, width: int) -> Iterator["_Moves"]:
        """Yield so many of the actions after the other."""
        for first in range(self.actions.start, self.actions.stop, width):
            part = slice(first, min(first + width, self.actions.stop))
            own = slice(part.start - self.actions.start, part.stop - self.actions.start)
            yield replace(self, actions=part, signs=self.signs[own], units=self.units[own], alone=self.alone[own])


def changes(network: Network, actions: tuple[Action, ...], states: States) -> Iterator[Change]:
    """Yield what actions do in states that all have one topology, for actions of one kind and substation.

    How actions are cut does not depend on the states, so the answer for one is the same whatever stands beside it.
    """
    wiring = Wiring.of(network, states.origin_bus[0], states.extremity_bus[0])
    flows = np.where(wiring.susceptance != 0, states.line_p, 0.0)
    given = np.where(states.generator_bus != OUT, states.generator_p, 0.0)
    taken = np.where(states.load_bus != OUT, states.load_p, 0.0)
    injected = np.concatenate([given, -taken], axis=1)
    for run in _runs(actions):
        some = actions[run]
        if some[0].kind == CONFIGURE:
            moves = _configured(network, wiring, states, flows, injected, run, some)
        else:
            moves = _opened(wiring, flows, run, some)
        for part in moves.cut(max(1, AT_ONCE // flows.shape[1])):
            yield from _changed(part)


def _runs(actions: tuple[Action, ...]) -> Iterator[slice]:
    """Yield slices of neighbours of one kind and substation."""
    start = 0
    for _, alike in groupby(actions, key=attrgetter("kind", "substation")):
        stop = start + sum(1 for _ in alike)
        yield slice(start, stop)
        start = stop


def _opened(wiring: Wiring, flows: Floats, run: slice, actions: tuple[Action, ...]) -> _Moves:
    """Return what opening lines moves: one end of each. Opening one that is out moves nothing, as doing nothing."""
    lines = np.array([action.line for action in actions if action.kind == OPEN], dtype=np.intp)
    signs = np.zeros((len(actions), len(lines)))
    np.fill_diagonal(signs, wiring.susceptance[lines] != 0)
    nobody, alone = np.zeros((len(actions), 0)), np.zeros(len(actions), dtype=bool)
    return _Moves(run, lines, signs, nobody, alone, np.zeros((len(flows), 0)), flows, wiring.shifted)


def _configured(
    network: Network,
    wiring: Wiring,
    states: States,
    flows: Floats,
    injected: Floats,
    run: slice,
    actions: tuple[Action, ...],
) -> _Moves:
    """Return what configurations of one substation move. One that is divided now is joined first, then divided anew."""
    substation = actions[0].substation
    elements = network.elements(substation)
    bits = np.array([action.second for action in actions])[:, None] >> np.arange(len(elements)) & 1 == 1
    ends = [place for place, one in enumerate(elements) if one.is_line and wiring.susceptance[one.number]]
    held = [place for place, one in enumerate(elements) if not one.is_line]
    lines = np.array([elements[place].number for place in ends], dtype=np.intp)
    origin = np.array([elements[place].kind == "origin" for place in ends], dtype=bool)
    units = [one.number + len(network.generators) * (one.kind == "load") for one in map(elements.__getitem__, held)]
    sign = np.where(origin, 1.0, -1.0)
    there = bits[:, ends].sum(axis=1)
    nowhere, everywhere = there == 0, there == len(ends)
    alone = (nowhere & bits[:, held].any(axis=1)) | (everywhere & ~bits[:, held].all(axis=1))
    parts = ~(nowhere | everywhere)[:, None]  # else all lines stay together
    response = wiring.shifted
    now = sign * (np.where(origin, states.origin_bus[0, lines], states.extremity_bus[0, lines]) == BUSBARS[1])
    if now.any():
        response = Wiring.of(network, *_joined(states, substation, network)).shifted
        flows = flows + wiring.gap(flows, substation)[:, None] * (response[:, lines] @ now)
    signs, moved = sign * (bits[:, ends] & parts), (bits[:, held] & parts).astype(np.float64)
    return _Moves(run, lines, signs, moved, alone, injected[:, units], flows, response)


def _joined(states: States, substation: int, network: Network) -> tuple[Buses, Buses]:
    """Return the busbars of all ends of lines (L each) once a substation stands on one."""
    found = []
    for buses, at in (
        (states.origin_bus[0], [line.origin for line in network.lines]),
        (states.extremity_bus[0], [line.extremity for line in network.lines]),
    ):
        found.append(np.where((np.array(at) == substation) & (buses != OUT), BUSBARS[0], buses).astype(np.int8))
    return found[0], found[1]


def _changed(moves: _Moves) -> Iterator[Change]:
    """Yield the change by the formula above, for some of the states at a time."""
    signs, lines = moves.signs, moves.lines
    answers = signs @ moves.response[lines]  # (B, L)
    stiffness = (answers[:, lines] * signs).sum(axis=1)
    count = np.count_nonzero(signs, axis=1)
    most = np.abs(signs) @ np.abs(np.diag(moves.response)[lines])
    whole = (count > 0) & (stiffness > BRIDGE * most.clip(1.0))
    stiff = np.where(whole, stiffness, 1.0)
    # Not by BLAS, which adds up in another order when there are more states.
    coupler = np.einsum("sk,bk->sb", moves.flows[:, lines], signs) - np.einsum("su,bu->sb", moves.injected, moves.units)
    angle = np.where(whole, coupler / stiff, 0.0)
    isolates = ((count > 0) & ~whole & (np.abs(coupler) > IDLE)) | moves.alone
    size = max(1, AT_ONCE // max(1, answers.size))
    for first in range(0, len(coupler), size):
        part = slice(first, min(first + size, len(coupler)))
        after = angle[part, :, None] * answers
        np.subtract(moves.flows[part, None, :], after, out=after)
        yield Change(part, moves.actions, after, coupler[part], angle[part], stiffness, count, isolates[part])
