"""What every action would do in a state, solved exactly: full AC power flow by the simulator's own solver.

The rules of the end are the simulator's: no solution, an island, or a load or generator without a grid.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from training.grid.simulation.case import AWAY, Bits, Case, Floats, Layout, Places, Topology, layout
from training.grid.simulation.environment import Chronics, network, opened
from training.grid.simulation.sweep import answers
from wattahead.domain.grid import OUT, Network
from wattahead.grid.candidates import CONFIGURE, OPEN, Action
from wattahead.grid.states import States

Change = tuple[Places, Topology]  # the places that an action changes, and the busbars that it gives them

SOLVED: Final = ("line_p", "line_q", "line_v", "generator_p")
MEASURED: Final = (*SOLVED, "generator_v", "load_p", "load_q")


@dataclass(frozen=True)
class Solved:
    """What A actions would do in S states with L lines; NaN where an action fails, 0 in a line that is open."""

    rho: NDArray[np.float32]  # (S, A, L)
    line_p: NDArray[np.float32]  # (S, A, L) [MW] at the origin, as the next two
    line_q: NDArray[np.float32]  # (S, A, L) [MVAr]
    line_v: NDArray[np.float32]  # (S, A, L) [kV]
    failed: Bits  # (S, A) no solution, or the simulator's game over


class Solver:
    """The solver of one environment. Answers depend on the question only, not on what was asked before."""

    def __init__(self, name: str, most_actions: int) -> None:
        environment = opened(name)
        backend = environment.backend
        self.environment = environment
        self.network: Network = network(name, environment, most_actions)
        self.chronics = Chronics(environment)
        self._layout: Layout = layout(self.network, type(environment))
        self._model: Any = backend._grid.copy()  # noqa: SLF001 - its solver, without what the simulator does around it
        self._to_unit: Floats = np.asarray(backend.prod_pu_to_kv, dtype=np.float64)
        self._changes: dict[Action, Change] = {}

    def solve(self, states: States, actions: Sequence[Action]) -> Solved:
        """Return what each action would do in each state: (S, A, …)."""
        shape = (len(states), len(actions), len(self.network.lines))
        flows = np.full((4, *shape), np.nan, dtype=np.float32)  # p, q, v and rho
        failed = np.ones(shape[:2], dtype=bool)
        changes = [self._change(action) for action in actions]
        for at in range(len(states)):
            raw, failed[at] = self._answers(states, at, changes)
            raw[-1] *= 1000 / self._limits  # of kA
            flows[:, at, ~failed[at]] = np.nan_to_num(raw[:, ~failed[at]])
        p, q, v, rho = flows
        return Solved(rho, p, q, v, failed)

    def settled(self, states: States) -> tuple[States, Bits]:
        """Return states with the flows and the production that their injections and busbars lead to, and who failed.

        Production differs from the plan at the slack, which gives what is missing. Where there is no solution (S),
        a state stays as it is. Values are rounded to float32, which is what is stored and what the solver takes.
        """
        held = replace(states, **{name: getattr(states, name).copy() for name in SOLVED})
        failed = np.ones(len(states), dtype=bool)
        raw = np.zeros((4, len(self.network.lines)))
        for at in range(len(states)):
            topology = self._topology(states, at)
            case = self._case(states, at, topology)
            if case.run(topology):
                failed[at] = False
                case.flows(raw)
                held.line_p[at], held.line_q[at], held.line_v[at], _ = np.nan_to_num(raw)  # of open lines
                held.generator_p[at] = case.production()
        whole = {name: getattr(held, name).astype(np.float32).astype(np.float64) for name in MEASURED}
        return replace(held, **whole), failed

    def moved(self, states: States, action: Action) -> States:
        """Return states with the busbars as an action leaves them; flows are still those of before."""
        change = self._change(action)
        after = np.array([_changed(self._topology(states, at), change) for at in range(len(states))])
        buses = {name: np.maximum(after[:, place], OUT).astype(np.int8) for name, place in self._layout.places.items()}
        return replace(states, **{f"{name}_bus": bus for name, bus in buses.items()})

    @cached_property
    def _limits(self) -> Floats:
        return np.array([line.limit for line in self.network.lines])

    def _answers(self, states: States, at: int, changes: list[Change]) -> tuple[Floats, Bits]:
        """Return p, q, v and current of every line after each change of one state, (4, A, L), and which fail."""
        before = self._topology(states, at)
        asked: dict[bytes, int] = {}  # several actions often come to the same
        after = [_changed(before, change) for change in changes]
        which = [asked.setdefault(one.tobytes(), len(asked)) for one in after]
        _, firsts = np.unique(which, return_index=True)
        raw, failed = answers(self._case(states, at, before), [after[number] for number in firsts])
        return raw[:, which], failed[which]

    def _change(self, action: Action) -> Change:
        if action not in self._changes:
            self._changes[action] = self._new_change(action)
        return self._changes[action]

    def _new_change(self, action: Action) -> Change:
        places = self._layout.places
        if action.kind == OPEN:
            ends = [places["origin"][action.line], places["extremity"][action.line]]
            return np.array(ends, dtype=np.intp), np.full(2, AWAY, dtype=np.int32)
        elements = self.network.elements(action.substation) if action.kind == CONFIGURE else ()
        buses = [1 + (action.second >> bit & 1) for bit in range(len(elements))]
        return np.array([places[one.kind][one.number] for one in elements], dtype=np.intp), np.array(buses, np.int32)

    def _topology(self, states: States, at: int) -> Topology:
        found = np.ones(self._layout.size, dtype=np.int32)  # storage units stay on the first busbar
        for name, place in self._layout.places.items():
            found[place] = getattr(states, f"{name}_bus")[at]
        found[found == OUT] = AWAY
        origin, extremity = self._layout.places["origin"], self._layout.places["extremity"]
        out = (found[origin] == AWAY) | (found[extremity] == AWAY)  # a line is connected at both ends, or not at all
        found[origin[out]] = found[extremity[out]] = AWAY
        return found

    def _case(self, states: States, at: int, topology: Topology) -> Case:
        model = self._model.copy()
        for update, values in (
            (model.update_gens_p, states.generator_p[at]),
            (model.update_gens_v, states.generator_v[at] / self._to_unit),
            (model.update_loads_p, states.load_p[at]),
            (model.update_loads_q, states.load_q[at]),
        ):
            update(np.ones(len(values), dtype=bool), values.astype(np.float32))
        return Case(model, self._layout, topology)


def _changed(before: Topology, change: Change) -> Topology:
    """Return busbars after a change; what is connected to none stays so."""
    places, buses = change
    after = before.copy()
    after[places] = np.where(before[places] == AWAY, AWAY, buses)
    return after
