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
from dataclasses import dataclass
from functools import cached_property
from typing import Final

import numpy as np
from numpy.typing import NDArray

from wattahead.domain.grid import BUSBARS, OUT, Network
from wattahead.grid.candidates import CONFIGURE, OPEN, Action
from wattahead.grid.states import Buses, Floats, States

BASE: Final = 100.0  # MVA of the per-unit system
BRIDGE: Final = 1e-6  # of the susceptance of what is moved: less than this goes around, so the action cuts in two
IDLE: Final = 0.01  # [MW] a part that takes no more, such as the open end of a line, is not missed


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
        return injections @ (self.susceptance[:, None] * self.difference).T

    def gap(self, flows: Floats, substation: int) -> Floats:
        """Return by how much the angle on the first busbar of a substation is ahead of that on its second, (S) [rad].

        From flows (S, L) [MW], whose injections are where they do not add up.
        """
        count = len(self.angles) // 2
        row = self.angles[substation] - self.angles[substation + count]
        return flows @ (row[self.origin] - row[self.extremity])


@dataclass(frozen=True)
class Change:
    """What some actions do in some states. S states, B actions of one kind and place, L lines."""

    actions: slice  # which of the candidates
    flows: Floats  # (S, B, L) [MW] at the origins, afterwards
    coupler: Floats  # (S, B) [MW] over the place that is parted, before it is
    angle: Floats  # (S, B) [rad] that opens there
    stiffness: Floats  # (B) [MW/rad] what goes around per angle
    moved: NDArray[np.int64]  # (B) ends of lines that move
    isolates: NDArray[np.bool_]  # (S, B) something is cut off that gives or takes power


def changes(network: Network, actions: tuple[Action, ...], states: States) -> Iterator[Change]:
    """Yield what actions do in states that all have one topology, for runs of actions of one kind and substation."""
    wiring = Wiring.of(network, states.origin_bus[0], states.extremity_bus[0])
    flows = np.where(wiring.susceptance != 0, states.line_p, 0.0)
    injected = np.concatenate([states.generator_p, -states.load_p], axis=1)
    for run in _runs(actions):
        first = actions[run.start]
        if first.kind == CONFIGURE:
            yield _configured(network, wiring, states, flows, injected, run, actions[run])
        elif first.kind == OPEN:
            yield _changed(wiring.shifted, flows, injected, run, _opened(wiring, actions[run]), _nobody(injected, run))
        else:
            yield _changed(wiring.shifted, flows, injected, run, np.zeros((1, flows.shape[1])), _nobody(injected, run))


def _runs(actions: tuple[Action, ...]) -> Iterator[slice]:
    """Yield slices of neighbours of one kind and substation."""
    start = 0
    for number in range(1, len(actions) + 1):
        if number == len(actions) or _place(actions[number]) != _place(actions[start]):
            yield slice(start, number)
            start = number


def _place(action: Action) -> tuple[str, int]:
    return action.kind, action.substation


def _nobody(injected: Floats, run: slice) -> NDArray[np.bool_]:
    return np.zeros((run.stop - run.start, injected.shape[1]), dtype=bool)


def _opened(wiring: Wiring, actions: tuple[Action, ...]) -> Floats:
    """Return the signs (B, L) of lines that are opened; opening one that is out moves nothing."""
    signs = np.zeros((len(actions), len(wiring.susceptance)))
    lines = np.array([action.line for action in actions])
    signs[np.arange(len(actions)), lines] = wiring.susceptance[lines] != 0
    return signs


def _configured(
    network: Network,
    wiring: Wiring,
    states: States,
    flows: Floats,
    injected: Floats,
    run: slice,
    actions: tuple[Action, ...],
) -> Change:
    """Return what configurations of one substation do. One that is divided now is joined first, then divided anew."""
    substation = actions[0].substation
    elements = network.elements(substation)
    bits = np.array([action.second for action in actions])[:, None] >> np.arange(len(elements)) & 1 == 1
    signs, units = np.zeros((len(actions), flows.shape[1])), np.zeros((len(actions), injected.shape[1]), dtype=bool)
    now = np.zeros(flows.shape[1])
    held = {"origin": states.origin_bus[0], "extremity": states.extremity_bus[0]}
    here, there = np.zeros(len(actions), dtype=int), np.zeros(len(actions), dtype=int)  # lines on the busbars
    for place, element in enumerate(elements):
        if element.is_line:
            if wiring.susceptance[element.number]:
                sign = 1.0 if element.kind == "origin" else -1.0
                signs[:, element.number] += sign * bits[:, place]
                now[element.number] += sign * (held[element.kind][element.number] == BUSBARS[1])
                there += bits[:, place]
                here += ~bits[:, place]
        else:
            units[:, element.number + (len(network.generators) if element.kind == "load" else 0)] = bits[:, place]
    count = np.array([sum(not one.is_line for one in elements)])
    alone = ((there == 0) & units.any(axis=1)) | ((here == 0) & (units.sum(axis=1) < count))
    signs[(there == 0) | (here == 0)] = 0.0  # all lines stay together
    units[(there == 0) | (here == 0)] = False
    response = wiring.shifted
    if now.any():
        joined = Wiring.of(network, *_joined(states, substation, network))
        response = joined.shifted
        flows = flows + wiring.gap(flows, substation)[:, None] * (response @ now)
    return _changed(response, flows, injected, run, signs, units, alone)


def _joined(states: States, substation: int, network: Network) -> tuple[Buses, Buses]:
    """Return the busbars of all ends of lines (L each) once a substation stands on one."""
    found = []
    for buses, at in (
        (states.origin_bus[0], [line.origin for line in network.lines]),
        (states.extremity_bus[0], [line.extremity for line in network.lines]),
    ):
        found.append(np.where((np.array(at) == substation) & (buses != OUT), BUSBARS[0], buses).astype(np.int8))
    return found[0], found[1]


def _changed(
    response: Floats,
    flows: Floats,
    injected: Floats,
    run: slice,
    signs: Floats,
    units: NDArray[np.bool_],
    alone: NDArray[np.bool_] | bool = False,  # noqa: FBT001, FBT002 - an array where it matters
) -> Change:
    """Return the change by the formula above."""
    answers = signs @ response  # (B, L)
    stiffness = (answers * signs).sum(axis=1)
    parted = (signs != 0).any(axis=1)
    whole = parted & (stiffness > BRIDGE * (np.abs(signs) @ np.abs(np.diag(response))).clip(1.0))
    coupler = flows @ signs.T - injected @ units.T.astype(float)
    angle = np.where(whole, coupler / np.where(whole, stiffness, 1.0), 0.0)
    cut = parted & ~whole & (np.abs(coupler) > IDLE)
    after = flows[:, None, :] - angle[:, :, None] * answers
    return Change(run, after, coupler, angle, stiffness, (signs != 0).sum(axis=1), cut | alone)
