"""Print what an answer costs and how far off it is, way by way: `python -m tests.perf.grid.speed [--environment NAME]`.

Ways are measured in turns on the same states, in CPU seconds of one thread, the least of several turns. Exact is what
the simulator says; errors are root mean squares over actions that the grid survives, loadings up to 2.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from tests.perf.grid import ways, world
from training.grid.evaluate import CAP
from training.grid.simulation.case import Case
from training.grid.simulation.solver import Solved, Solver
from wattahead.grid.candidates import Action, Candidates
from wattahead.grid.columns import NAMES, columns
from wattahead.grid.flows import changes
from wattahead.grid.states import Floats, States, limits, loading
from wattahead.models.rows import Model, Rows
from wattahead.storage.objects import open_bucket


@dataclass(frozen=True)
class Size:
    """How much of an environment is measured."""

    states: int  # measured
    drawn: int  # actions of a state that `obs.simulate` is asked about
    most_actions: int
    learnt: int  # states that the screen is trained and judged on


SIZES: Final = {
    "rte_case14_realistic": Size(20, 60, 200, 800),
    "l2rpn_idf_2023": Size(4, 60, 1_500, 400),
}
TURNS: Final = 3
PAYS: Final = 2.0  # times as fast, at least
SIMULATE, SOLVER, CONTINGENCY, SWEEP = "obs.simulate", "our solver, batch", "ContingencyAnalysis", "ScenarioSweep"
SERIES, SETTLED = "TimeSerie", "our solver, by hour"
LINEAR, SCREEN, VERIFIED = "linear answer", "screen", "screen, 10 verified"


@dataclass(frozen=True)
class Row:
    """What one way costs."""

    way: str
    asked: str
    answers: float  # of a state
    seconds: float  # of all states
    states: int
    error: float  # of the highest loading
    lines: float  # of the loading of each line

    @property
    def each(self) -> float:
        """CPU time of one answer [s]."""
        return self.seconds / self.states / self.answers


@dataclass(frozen=True)
class Scene:
    """The states that everybody is asked about, and the exact answers."""

    solver: Solver
    shown: Sequence[Any]  # (S) observations
    states: States  # (S)
    solved: Solved  # (S, A, L)

    @classmethod
    def of(cls, solver: Solver, count: int) -> Scene:
        """Return some states of a solver's environment."""
        shown = list(world.observations(solver, count))
        states = world.states_of(solver, shown)
        return cls(solver, shown, states, solver.solve(states, Candidates(solver.network).actions))

    @property
    def candidates(self) -> Candidates:
        return Candidates(self.solver.network)

    @property
    def actions(self) -> tuple[Action, ...]:
        return self.candidates.actions

    @property
    def exact(self) -> Floats:
        """Loading of each line after each action, (S, A, L)."""
        return self.solved.rho.astype(np.float64)


# --- each way: what is to be timed, what it answers, and to which of the exact answers that is compared --------------

Timed = Callable[[], Any]


def simulate(scene: Scene, drawn: int) -> tuple[Timed, Floats]:
    """Return `obs.simulate` on a draw of actions of each state, the same in all, and the exact answers (S, N, L)."""
    count = len(scene.actions)
    chosen = np.sort(np.random.default_rng(1).choice(count, min(drawn, count), replace=False))
    some = [scene.actions[number] for number in chosen.tolist()]
    asked = [(one, world.words(scene.solver, one, some)) for one in scene.shown]
    return lambda: np.stack([world.simulated(*one) for one in asked]), scene.exact[:, chosen]


def contingency(scene: Scene) -> tuple[Timed, Floats]:
    """Return the contingency analysis of each state and the exact answers (S, N, L)."""
    limit, cases = limits(scene.solver.network), _cases(scene)
    return (
        lambda: np.stack([ways.contingencies(one, limit) for one in cases]),
        scene.exact[:, ways.openings(scene.actions)],
    )


def sweep(scene: Scene) -> tuple[Timed, Floats]:
    """Return the sweep of the configurations of each state that it is able to do, and the exact answers (N, L)."""
    limit, places = limits(scene.solver.network), ways.configurations(scene.actions)
    asked, exact = [], []
    some = [scene.actions[number] for number in places.tolist()]
    for at, case in enumerate(_cases(scene)):
        able, rows = ways.sweep_rows(scene.solver, case, some)
        asked.append((case, rows))
        exact.append(scene.exact[at, places[able]])
    return (
        lambda: np.concatenate([ways.sweep(case, rows, limit) for case, rows in asked]),
        np.concatenate(exact),
    )


def hours(scene: Scene) -> tuple[Timed, Timed]:
    """Return the series of a day of doing nothing in each state, and the same hour by hour, (S, H, L)."""
    solver, cases = scene.solver, _cases(scene)
    days = [
        ways.day_ahead(solver, scene.states.take(slice(at, at + 1)), solver.chronics[0], 12 * at)
        for at in range(len(scene.states))
    ]
    limit, to_unit = limits(solver.network), solver._to_unit

    def settled(day: States) -> Floats:
        found, failed = solver.settled(day)
        return np.where(failed[:, None], np.nan, found.rho(solver.network))

    return (
        lambda: np.stack([ways.series(case, day, to_unit, limit) for case, day in zip(cases, days, strict=True)]),
        lambda: np.stack([settled(day) for day in days]),
    )


def line_loadings(scene: Scene) -> tuple[Floats, Floats]:
    """Return what the linear answer says of every line, (S, A, L): its loading, and its flow [MW]."""
    network, found = scene.solver.network, np.empty((2, *scene.exact.shape))
    for at in range(len(scene.states)):
        one = scene.states.take(slice(at, at + 1))
        for change in changes(network, scene.actions, one):
            reactive, kilovolts = np.nan_to_num(one.line_q)[:, None], one.line_v[:, None]
            found[0, at, change.actions] = loading(change.flows, reactive, kilovolts, limits(network))[0]
            found[1, at, change.actions] = change.flows[0]
    opened = ways.openings(scene.actions)
    found[0, :, opened, [scene.actions[place].line for place in opened]] = 0.0
    return found[0], found[1]


def best_verified(scene: Scene, model: Model) -> None:
    """Screen all states, and solve the best of each exactly, doing nothing among them."""
    ranked = world.screen(model, scene.solver.network, scene.states, candidates=scene.candidates)
    for at, chosen in enumerate(ranked.actions.tolist()):
        scene.solver.solve(scene.states.take(slice(at, at + 1)), [scene.actions[number] for number in chosen])


def _cases(scene: Scene) -> list[Case]:
    return [ways.solved_case(scene.solver, scene.states, at) for at in range(len(scene.states))]


# --- the table -----------------------------------------------------------------------------------------------------


def measured(scene: Scene, model: Model, *, drawn: int, turns: int) -> list[Row]:
    """Return a row for each way."""
    network, states, count = scene.solver.network, scene.states, len(scene.actions)
    simulating, simulate_exact = simulate(scene, drawn)
    opening, opening_exact = contingency(scene)
    sweeping, sweep_exact = sweep(scene)
    series, by_hour = hours(scene)
    candidates = scene.candidates
    works: dict[str, Timed] = {
        SIMULATE: simulating,
        SOLVER: lambda: scene.solver.solve(states, scene.actions),
        CONTINGENCY: opening,
        SWEEP: sweeping,
        SERIES: series,
        SETTLED: by_hour,
        LINEAR: lambda: columns(candidates, states),
        SCREEN: lambda: world.screen(model, network, states, candidates=candidates),
        VERIFIED: lambda: best_verified(scene, model),
    }
    seconds = world.least(works, turns)
    told = columns(candidates, states)
    of_lines, _ = line_loadings(scene)
    rows = Rows((network.name,) * len(states), count, NAMES, told.reshape(len(NAMES), -1), np.ones(len(states)))
    said = model.predict(rows)[1].reshape(len(states), count)
    exact = scene.exact.max(axis=2)
    errors = {
        SIMULATE: _errors(simulating(), simulate_exact),
        SOLVER: (0.0, 0.0),
        CONTINGENCY: _errors(opening(), opening_exact),
        SWEEP: _errors(sweeping(), sweep_exact),
        SERIES: _errors(series(), by_hour()),
        SETTLED: (0.0, 0.0),
        LINEAR: (rmse(told[NAMES.index("rho_1")], exact), rmse(of_lines, scene.exact)),
        SCREEN: (rmse(said, exact), np.nan),
        VERIFIED: (np.nan, np.nan),
    }
    held = len(states)
    answers = {
        SIMULATE: ("a draw of all", simulate_exact.shape[1]),
        CONTINGENCY: ("line openings", opening_exact.shape[1]),
        SWEEP: ("configurations", len(sweep_exact) / held),
        SERIES: ("hours of nothing", ways.HOURS),
        SETTLED: ("hours of nothing", ways.HOURS),
    }
    return [Row(way, *answers.get(way, ("all", count)), seconds[way], held, *errors[way]) for way in works]


def rmse(said: Floats, exact: Floats) -> float:
    """Return the error of loadings up to `CAP`, of what both have an answer for."""
    both = np.isfinite(said) & np.isfinite(exact)
    return float(np.sqrt(np.mean((np.minimum(said[both], CAP) - np.minimum(exact[both], CAP)) ** 2)))


def _errors(said: Floats, exact: Floats) -> tuple[float, float]:
    """Return the errors of the highest loadings, and of the loadings of all lines, (…, L)."""
    return rmse(said.max(axis=-1), exact.max(axis=-1)), rmse(said, exact)


TITLE: Final = (
    f"{'way':<21}{'asked about':<17}{'answers':>8}{'µs each':>10}{'ms a state':>12}{'of simulate':>13}"
    f"{'error':>10}{'by line':>10}"
)


def lines(rows: Sequence[Row]) -> list[str]:
    """Return the table."""
    base = next(row.each for row in rows if row.way == SIMULATE)
    table = [TITLE]
    for row in rows:
        error, by_line = (f"{one:.1e}" if one == one else "" for one in (row.error, row.lines))  # noqa: PLR0124 - NaN
        table.append(
            f"{row.way:<21}{row.asked:<17}{row.answers:>8,.0f}{row.each * 1e6:>10.1f}"
            f"{row.seconds / row.states * 1e3:>12.2f}{row.each / base:>13.5f}{error:>10}{by_line:>10}"
        )
    return table


def conclusion(substations: int, rows: Sequence[Row]) -> str:
    """Say where a learnt screen pays."""
    each = {row.way: row.each * 1e6 for row in rows}
    ours, exact = each[VERIFIED], min(each[SOLVER], each[SWEEP])
    times = exact / ours
    told = (
        f"{substations} substations: screened and its best 10 verified, an action costs {ours:.0f} µs; solved exactly, "
        f"{each[SOLVER]:.0f} by our batch, {each[SWEEP]:.0f} by the bare sweep, {each[SIMULATE]:,.0f} by obs.simulate."
    )
    if times < PAYS:
        return f"{told}\nAgainst the sweep that is a factor of {times:.1f}: solve everything, a screen does not pay."
    simulate = each[SIMULATE] / ours
    return f"{told}\nAgainst the sweep that is a factor of {times:.1f}, against obs.simulate {simulate:,.0f}: it pays."


def show(environment: str, size: Size, turns: int) -> None:
    """Train a screen, and print the table of an environment."""
    with tempfile.TemporaryDirectory() as folder:
        made = world.learnt(open_bucket(folder), environment, states=size.learnt, most_actions=size.most_actions)
    scene = Scene.of(Solver(environment, size.most_actions), size.states)
    network = scene.solver.network
    rows = measured(scene, made.model, drawn=size.drawn, turns=turns)
    _, flows = line_loadings(scene)
    off = flows - scene.solved.line_p
    print(
        f"{environment}: {len(network.substations)} substations, {len(network.lines)} lines, {len(scene.actions):,} "
        f"candidates, {size.states} states, the screen learnt from {made.states} others"
    )
    print("\n".join(lines(rows)))
    print(f"the linear flow of a line is off by {np.sqrt(np.nanmean(off**2)):.2f} MW (root mean square)")
    print(conclusion(len(network.substations), rows), flush=True)
    world.closed(scene.solver)


def main(arguments: list[str] | None = None) -> int:
    """Print the tables."""
    parser = argparse.ArgumentParser(prog="python -m tests.perf.grid.speed", description="What answers cost.")
    parser.add_argument("--environment", action="append", help="one that the simulator ships; all measured if left out")
    parser.add_argument("--turns", type=int, default=TURNS)
    asked = parser.parse_args(arguments)
    world.one_thread_only()
    for name in asked.environment or list(SIZES):
        show(name, SIZES.get(name, SIZES["l2rpn_idf_2023"]), asked.turns)
    return 0


if __name__ == "__main__":
    sys.exit(main())
