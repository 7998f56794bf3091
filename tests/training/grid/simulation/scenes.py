"""What tests of the simulation share: the marks of those that need the simulator, and its own answers to compare with.

Nothing here imports the simulator when it is imported: tests without it are skipped, not broken.
"""

from __future__ import annotations

from functools import cache
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from training.grid.simulation.question import Question
from training.grid.simulation.sampling import Sampling
from wattahead.grid.candidates import OPEN, Action
from wattahead.grid.states import States

if TYPE_CHECKING:
    from training.grid.simulation.solver import Solver

NEEDS_SIMULATOR = [
    pytest.mark.grid,
    pytest.mark.skipif(find_spec("grid2op") is None, reason="the simulator is not installed (extra `grid`)"),
]
SMALL = "rte_case5_example"
BRIEF = Sampling(most_actions=20, steps=12, every=3, tries=0.3)
ASKED = Question(SMALL, sampling=BRIEF)


@cache
def solver(name: str, most_actions: int) -> Solver:
    """Open an environment once for all tests of a process."""
    from training.grid.simulation.solver import Solver

    return Solver(name, most_actions)


def seen(solver: Solver, observation: Any) -> States:
    """Return what the simulator's observation says, as one state."""
    kind = type(solver.environment)
    buses = np.maximum(observation.topo_vect, 0).astype(np.int8)[None]

    def of(name: str) -> np.ndarray:
        return np.array([getattr(observation, name)], dtype=np.float64)

    return States(
        of("gen_p"),
        of("gen_v"),
        of("load_p"),
        of("load_q"),
        of("p_or"),
        of("q_or"),
        of("v_or"),
        buses[:, kind.gen_pos_topo_vect],
        buses[:, kind.load_pos_topo_vect],
        buses[:, kind.line_or_pos_topo_vect],
        buses[:, kind.line_ex_pos_topo_vect],
    )


def theirs(solver: Solver, observation: Any, action: Action) -> Any:
    """Return an action in the simulator's words: elements that are connected to no busbar are not named."""
    words, kind = solver.environment.action_space, type(solver.environment)
    if action.kind == OPEN:
        return words({"set_line_status": [(action.line, -1)]})
    places = {
        "origin": kind.line_or_pos_topo_vect,
        "extremity": kind.line_ex_pos_topo_vect,
        "generator": kind.gen_pos_topo_vect,
        "load": kind.load_pos_topo_vect,
    }
    buses = np.zeros(kind.dim_topo, dtype=np.int32)
    elements = solver.network.elements(action.substation) if action.substation >= 0 else ()
    for bit, element in enumerate(elements):
        at = places[element.kind][element.number]
        if observation.topo_vect[at] > 0:
            buses[at] = 2 if action.second >> bit & 1 else 1
    return words({"set_bus": buses})
