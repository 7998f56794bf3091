"""Print what it costs to find good actions among many, and how good they are: `python -m tests.perf.grid.screening`.

A screen learns from simulated states with so many candidates and is asked about whole episodes that it has not seen:
its best ten are verified exactly. Against it stand all candidates simulated (`obs.simulate`, its cost measured on a
draw and multiplied) and all candidates solved by our batch. Then one state with every arrangement of every substation:
the linear answer for all, the boosters for the most promising of them (`screening.ASKED`).

Regret is how much lower the highest loading is after the best of all candidates than after the best verified one.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from typing import Final

import numpy as np
from numpy.typing import NDArray

from tests.perf.grid import world
from tests.perf.grid.world import Learnt, Wider
from training.grid.evaluate import OVERLOAD, measures, say
from training.grid.simulation.solver import Solver
from wattahead.domain.grid import Network
from wattahead.evaluation.actions import hit, regret
from wattahead.grid.candidates import Candidates
from wattahead.grid.states import Floats, States
from wattahead.models.rows import Model
from wattahead.storage.objects import open_bucket

ENVIRONMENT: Final = "l2rpn_idf_2023"
EVERY: Final = 10**7  # more candidates than there are
TURNS: Final = 3
DRAWN: Final = 60  # candidates that `obs.simulate` is asked about
SOLVED: Final = 4  # states of which all candidates are solved to measure the time
SCREEN, LINEAR, HALVES = "screen, 10 verified", "linear, 10 verified", "5 of each, verified"
BATCH, SIMULATE, NOTHING = "all by our batch", "all by obs.simulate", "doing nothing"


@dataclass(frozen=True)
class Found:
    """What one way comes to, for a state."""

    way: str
    seconds: float  # CPU
    regret: float
    best: float  # share of the states whose best action, or one as good, is among those solved
    relieved: float  # share of the overloaded states that an action relieves in which one of those solved does


def compared(
    solver: Solver, models: Mapping[str, Model], states: States, truth: Floats, *, solved: int, turns: int
) -> list[Found]:
    """Return all ways for S states whose answers `truth` (S, A) are known, infinite where an action fails.

    What it costs to solve every candidate is measured on `solved` states.
    """
    candidates, (count, width) = Candidates(solver.network), truth.shape
    chosen: dict[str, NDArray[np.int64]] = {}

    def screened(name: str) -> None:
        chosen[name] = world.screen(models[name], solver.network, states, candidates=candidates).actions

    some = states.take(slice(solved))
    drawn, simulated = simulating(solver)
    works: dict[str, Callable[[], object]] = {name: partial(screened, name) for name in models}
    works |= {"verify": lambda: verify(solver, candidates, states, chosen[SCREEN]), SIMULATE: simulated}
    spent = world.least(works | {BATCH: lambda: solver.solve(some, candidates.actions)}, turns)
    seconds = {name: (spent[name] + spent["verify"]) / count for name in models}
    chosen[HALVES], seconds[HALVES] = halves(chosen[SCREEN], chosen[LINEAR]), seconds[SCREEN]  # the linear one is known
    chosen[NOTHING], seconds[NOTHING] = np.zeros((count, 1), dtype=np.int64), 0.0
    seconds |= {BATCH: spent[BATCH] / len(some), SIMULATE: spent[SIMULATE] / drawn * width}
    every = np.tile(np.arange(width), (count, 1))
    return [Found(name, cost, *judged(truth, chosen.get(name, every))) for name, cost in seconds.items()]


def verify(solver: Solver, candidates: Candidates, states: States, chosen: NDArray[np.int64]) -> None:
    """Solve the chosen actions of each state exactly."""
    for at, some in enumerate(chosen.tolist()):
        solver.solve(states.take(slice(at, at + 1)), [candidates.actions[number] for number in some])


def halves(one: NDArray[np.int64], other: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the first half of both, doing nothing first; (S, K) each, doing nothing among them."""
    half = (one.shape[1] - 1) // 2
    parts = [np.array([[place for place in row if place][:half] for row in ranked]) for ranked in (one, other)]
    return np.concatenate([np.zeros((len(one), 1), dtype=np.int64), *parts], axis=1)


def judged(truth: Floats, chosen: NDArray[np.int64]) -> tuple[float, float, float]:
    """Return regret, hits and reliefs of the actions (S, K) that are solved."""
    width = chosen.shape[1]
    taken = np.take_along_axis(truth, chosen, axis=1).min(axis=1)
    able = (truth[:, 0] > OVERLOAD) & (truth.min(axis=1) <= OVERLOAD)
    relieved = float((taken[able] <= OVERLOAD).mean()) if able.any() else float("nan")
    return regret(truth, chosen, width), hit(truth, chosen, width), relieved


def simulating(solver: Solver) -> tuple[int, Callable[[], object]]:
    """Return how often `obs.simulate` is asked, and that: about a draw of the candidates in three states."""
    actions = Candidates(solver.network).actions
    chosen = np.random.default_rng(1).choice(len(actions), min(DRAWN, len(actions)), replace=False)
    some = [actions[number] for number in chosen.tolist()]
    asked = [(one, world.words(solver, one, some)) for one in world.observations(solver, 3)]
    return len(asked) * len(some), lambda: [world.simulated(*one) for one in asked]


def lines(found: Sequence[Found]) -> list[str]:
    """Return the table."""
    cost = {one.way: one.seconds for one in found}
    table = [
        f"{'way':<22}{'ms a state':>12}{'by batch':>10}{'simulate':>13}{'regret':>9}{'best found':>12}{'relieved':>10}"
    ]
    for one in found:
        ratios = [times(cost[way], one.seconds) for way in (BATCH, SIMULATE)]
        table.append(
            f"{one.way:<22}{one.seconds * 1e3:>12,.1f}{ratios[0]:>10}{ratios[1]:>13}{one.regret:>9.4f}"
            f"{one.best:>12.1%}{one.relieved:>10.1%}"
        )
    return table


def times(cost: float, seconds: float) -> str:
    """Say how many times as much something costs."""
    ratio = cost / seconds if seconds else float("nan")
    return "" if not seconds else f"{ratio:,.0f}x" if ratio > 100 else f"{ratio:.1f}x"


def same_candidates(made: Learnt, environment: str, most_actions: int, turns: int) -> list[Found]:
    """Compare on the candidates that the screen learnt from, in all states that were held back."""
    solver = Solver(environment, most_actions)
    models: dict[str, Model] = {SCREEN: made.model, LINEAR: world.linear(solver.network)}
    found = compared(solver, models, made.judged.states, made.lesson.truth, solved=SOLVED, turns=turns)
    world.closed(solver)
    return found


def all_candidates(made: Learnt, environment: str, count: int, turns: int) -> tuple[int, list[Found]]:
    """Compare on everything that can be done in a few of the held-back states, and return how much that is."""
    solver = Solver(environment, EVERY)
    actions = Candidates(solver.network).actions
    states = made.judged.states.take(stressed(made, count))
    truth = np.empty((len(states), len(actions)))
    for at in range(len(states)):  # one by one: all flows of a state are 200 MB
        solved = solver.solve(states.take(slice(at, at + 1)), actions)
        truth[at] = np.where(solved.failed[0], np.inf, solved.rho[0].max(axis=1))
    wider = Wider.of(made.model, made.judged.network, solver.network)
    models: dict[str, Model] = {SCREEN: wider, LINEAR: world.linear(solver.network)}
    found = compared(solver, models, states, truth, solved=1, turns=turns)
    world.closed(solver)
    return len(actions), found


def stressed(made: Learnt, count: int) -> NDArray[np.int64]:
    """Return states of different episodes in which a line is overloaded, and an action would help most."""
    truth, episode = made.lesson.truth, made.lesson.episode
    gain = np.where(truth[:, 0] > OVERLOAD, truth[:, 0] - truth.min(axis=1), -np.inf)
    best = [int(np.flatnonzero(episode == one)[gain[episode == one].argmax()]) for one in np.unique(episode)]
    return np.array(sorted(best, key=lambda at: -gain[at])[:count])


def main(arguments: list[str] | None = None) -> int:
    """Train, and print both tables."""
    parser = argparse.ArgumentParser(prog="python -m tests.perf.grid.screening", description="Many candidates.")
    parser.add_argument("--environment", default=ENVIRONMENT, help="one that the simulator ships")
    parser.add_argument("--states", type=int, default=800)
    parser.add_argument("--most-actions", type=int, default=1_500)
    parser.add_argument("--all-of", type=int, default=6, help="states in which every arrangement is solved; 10 s each")
    parser.add_argument("--turns", type=int, default=TURNS)
    parser.add_argument("--bucket", help="a folder that keeps what is simulated; a temporary one if left out")
    asked = parser.parse_args(arguments)
    world.one_thread_only()
    began = time.perf_counter()
    with ExitStack() as stack:
        folder = asked.bucket or stack.enter_context(tempfile.TemporaryDirectory())
        made = world.learnt(
            open_bucket(folder), asked.environment, states=asked.states, most_actions=asked.most_actions
        )
    _print_training(made)
    print("by batch, simulate: how many times as long it takes to solve all candidates, and to simulate all")
    print(f"\n{made.lesson.failed.shape[1]:,} candidates, {len(made.lesson)} states of episodes not learnt from")
    print("\n".join(lines(same_candidates(made, asked.environment, asked.most_actions, asked.turns))), flush=True)
    if asked.all_of:
        count, found = all_candidates(made, asked.environment, asked.all_of, asked.turns)
        print(f"\nall {count:,} candidates, {asked.all_of} overloaded states of different episodes")
        print("\n".join(lines(found)))
    print(f"took {time.perf_counter() - began:.0f} s")
    return 0


def _print_training(made: Learnt) -> None:
    network: Network = made.judged.network
    told = ", ".join(f"{name} {seconds:.0f}" for name, seconds in made.seconds.items())
    print(f"{network.environment}: {len(network.substations)} substations, {len(network.lines)} lines")
    print(f"learnt from {made.states} states of other episodes; CPU seconds: {told}")
    outputs = ("p10", "p50", "p90", "fail")
    for name, model in (("screen", made.model), ("linear", world.linear(network))):
        found = measures(made.lesson, say(model, made.lesson, outputs))
        print(
            f"{name}: RMSE {found['rmse']:.4f}, R2 {found['r2']:.4f}, overload AUC {found['overload_auc']:.4f}, "
            f"failures counted {found['rmse_failures']:.4f}, first action unseen: regret {found['regret']:.4f}"
        )


if __name__ == "__main__":
    sys.exit(main())
