"""The simulator's batch solvers, called directly: nothing one by one, nothing checked or converted around them.

Each is given a grid that is solved already, and what it is asked in its own words; its answers are loadings (N, L), NaN
where it says that there is none.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from lightsim2grid.lightsim2grid_cpp import ContingencyAnalysisCPP, TimeSeriesCPP
from numpy.typing import NDArray

from training.grid.simulation.case import MOST_ITERATIONS, TOLERANCE, Case
from training.grid.simulation.environment import ScenarioSweepCPP
from training.grid.simulation.episodes import BUSES, planned
from training.grid.simulation.solver import _changed
from training.grid.simulation.sweep import KINDS, _fixed, _row
from wattahead.grid.candidates import CONFIGURE, OPEN, Action
from wattahead.grid.states import Floats, States, joined

if TYPE_CHECKING:
    from training.grid.simulation.chronics import Chronic
    from training.grid.simulation.solver import Solver

HOURS: Final = 24


def solved_case(solver: Solver, states: States, at: int) -> Case:
    """Return one state in the solver's memory, solved."""
    case = solver._case(states, at, solver._topology(states, at))
    case.run(case.topology)
    return case


def contingencies(case: Case, limits: Floats) -> Floats:
    """Return what opening each line does, by `ContingencyAnalysis`, (L, L)."""
    batch = ContingencyAnalysisCPP(case.model)
    batch.add_all_n1()
    batch.compute(case.flat.copy(), MOST_ITERATIONS, TOLERANCE)
    return _loadings(batch, limits)


def sweep_rows(solver: Solver, case: Case, actions: Sequence[Action]) -> tuple[NDArray[np.intp], list[Any]]:
    """Return which actions a sweep is able to do, and they in its words: it cannot move what balances the grid."""
    elements = {int(place): (KINDS[kind], n) for kind, at in case.layout.places.items() for n, place in enumerate(at)}
    after = [_changed(case.topology, solver._change(action)) for action in actions]
    fixed = _fixed(case)
    able = np.array([number for number, one in enumerate(after) if (one[fixed] == case.topology[fixed]).all()])
    return able, [_row(case.topology, after[number], elements) for number in able]


def sweep(case: Case, rows: Sequence[Any], limits: Floats) -> Floats:
    """Return what topologies do, by `ScenarioSweep`, (N, L)."""
    batch = ScenarioSweepCPP(case.model)
    batch.set_topo_actions(list(rows))
    batch.compute(case.flat.copy(), MOST_ITERATIONS, TOLERANCE)
    return _loadings(batch, limits)


def day_ahead(solver: Solver, state: States, course: Chronic, step: int) -> States:
    """Return the state's busbars with a day of the injections of a recorded course, hour by hour."""
    steps = range(step, min(step + HOURS * 12, len(course)), 12)
    hours = joined([planned(solver.network, course, number) for number in steps])
    return replace(hours, **{name: np.repeat(getattr(state, name), len(hours), axis=0) for name in BUSES})


def series(case: Case, hours: States, to_unit: Floats, limits: Floats) -> Floats:
    """Return the loadings of hours of one topology, by `TimeSerie`, (H, L)."""
    batch = TimeSeriesCPP(case.model)
    for modify, values in (
        (batch.modify_gen_p, hours.generator_p),
        (batch.modify_gen_v, hours.generator_v / to_unit),
        (batch.modify_load_p, hours.load_p),
        (batch.modify_load_q, hours.load_q),
    ):
        modify(np.ascontiguousarray(values))
    batch.compute(case.flat.copy(), MOST_ITERATIONS, TOLERANCE)
    return _loadings(batch, limits)


def openings(actions: Sequence[Action]) -> NDArray[np.intp]:
    """Return the places of actions that open a line."""
    return np.flatnonzero([action.kind == OPEN for action in actions])


def configurations(actions: Sequence[Action]) -> NDArray[np.intp]:
    """Return the places of actions that configure a substation."""
    return np.flatnonzero([action.kind == CONFIGURE for action in actions])


def _loadings(batch: Any, limits: Floats) -> Floats:
    amperes = np.asarray(batch.compute_flows()) * 1000
    lives = np.asarray(batch.converged_mask(), dtype=bool)
    return np.where(lives[: len(amperes), None], amperes / limits, np.nan)
