"""A grid to measure on: states of the simulator, and a screen that learnt from simulated ones."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from tests.perf.meter import cpu_seconds
from tests.training.grid.simulation.scenes import seen, theirs
from training.grid.candidate import candidate
from training.grid.lessons import Lesson, lesson_of, split
from training.grid.simulation.dataset import Dataset, load
from training.grid.simulation.question import Question
from training.grid.simulation.sampling import Sampling
from training.grid.simulation.simulate import simulate
from wattahead.domain.bundle import Rung
from wattahead.domain.grid import GridPool, Network
from wattahead.domain.plan import Batch, Plan, PlannedGrids
from wattahead.grid.candidates import Action, Candidates
from wattahead.grid.states import States, joined
from wattahead.models.rows import Floats, Model, Rows
from wattahead.models.screen import LinearFlows
from wattahead.storage.objects import Bucket
from wattahead.workloads.grid_action.planning import NAME, output_of
from wattahead.workloads.grid_action.rows import Ranked
from wattahead.workloads.grid_action.sample import COLUMNS
from wattahead.workloads.grid_action.screening import screened
from wattahead.workloads.protocol import Task

if TYPE_CHECKING:
    from training.grid.simulation.solver import Solver

GRID: Final = "one"
TOP: Final = 10
SEED: Final = 0


@dataclass(frozen=True)
class Learnt:
    """A screen, and the simulated states of whole episodes that it has not seen."""

    model: Model
    judged: Dataset
    lesson: Lesson  # of the judged states
    states: int  # learnt from
    seconds: Mapping[str, float]  # CPU time of each step


def learnt(
    bucket: Bucket, environment: str, *, states: int, most_actions: int, parameters: Mapping[str, float] | None = None
) -> Learnt:
    """Simulate states, and train on three quarters of the episodes."""
    seconds: dict[str, float] = {}

    def timed(name: str, work: Callable[[], Any]) -> Any:
        found: list[Any] = []
        seconds[name] = cpu_seconds(lambda: found.append(work()))
        return found[0]

    asked = Question(environment, SEED, Sampling(most_actions=most_actions))
    done = timed("simulating", lambda: simulate(bucket, asked, states, progress=_quiet))
    dataset = load(bucket, done.digest, states)
    pool = pool_of(dataset.network, parameters or {})
    lesson = timed("columns", lambda: lesson_of(dataset, quantiles=pool.quantiles, parameters=pool.parameters))
    held = split(lesson.episode, SEED)
    made = timed("training", lambda: candidate(bucket, "screen", pool, dataset, lesson.take(~held), _quiet))
    return Learnt(made.model, dataset.take(held), lesson.take(held), int((~held).sum()), seconds)


def pool_of(network: Network, parameters: Mapping[str, float]) -> GridPool:
    """Return a pool of one grid."""
    return GridPool(network.name, (GRID,), top=TOP, parameters=parameters)


def screen(model: Model, network: Network, states: States, *, candidates: Candidates | None = None) -> Ranked:
    """Return the best ten actions of each state, found as an hour's batch finds them."""
    held = pool_of(network, {})
    planned = PlannedGrids("screen", NAME, held, network, tuple(COLUMNS), ())
    batch = Batch("screen-0000", "screen", 0, (GRID,))
    rung = Rung("champion", "0" * 64, "screen", ())
    task = Task(Plan(0, "live", "", 1, {"screen": planned}, (batch,)), batch, (rung,), lambda _: model, "0" * 16)
    found, climbed = screened(task, GRID, candidates or Candidates(network), states, output_of(held).quantiles, top=TOP)
    if climbed.errors:
        raise RuntimeError(climbed.errors)
    return found


def linear(network: Network) -> LinearFlows:
    """Return the linear answer, as it serves before a training."""
    return LinearFlows(output_of(pool_of(network, {})).quantiles)


@dataclass(frozen=True)
class Wider:
    """A screen asked about more candidates than it learnt from: those that it does not know have the number -1."""

    inner: Model
    known: Mapping[int, int]  # place among all candidates -> among those learnt from

    @classmethod
    def of(cls, inner: Model, learnt_from: Network, network: Network) -> Wider:
        """Return a screen of one set of candidates for another of the same network."""
        old = {action: place for place, action in enumerate(Candidates(learnt_from).actions)}
        places = enumerate(Candidates(network).actions)
        return cls(inner, {place: old[action] for place, action in places if action in old})

    def usable(self, rows: Rows) -> Any:
        return self.inner.usable(rows)

    def predict(self, rows: Rows) -> Floats:
        block = rows.block.copy()
        action = block[rows.names.index("action")]
        action[:] = [self.known.get(place, -1) for place in action.astype(int).tolist()]
        return self.inner.predict(replace(rows, block=block))


# --- the simulator -------------------------------------------------------------------------------------------------


def observations(solver: Solver, count: int, *, seed: int = SEED) -> Iterator[Any]:
    """Yield what the simulator shows along a recorded course, actions tried as often as in simulated sets."""
    rng, actions, how = np.random.default_rng(seed), Candidates(solver.network).actions, Sampling()
    environment = solver.environment
    environment.set_id(0)
    observation, step = environment.reset(), 0
    whole = environment.action_space({"set_bus": np.ones(type(environment).dim_topo, dtype=np.int32)})
    while count:
        chance, asked = rng.random(), environment.action_space()
        if chance < how.tries:
            asked = theirs(solver, observation, actions[int(rng.integers(len(actions)))])
        elif chance < how.tries + how.back:
            asked = whole
        observation, _, over, _ = environment.step(asked)
        observation, step = (environment.reset(), 0) if over else (observation, step + 1)
        if step % how.every == 1:
            count -= 1
            yield observation


def states_of(solver: Solver, shown: Sequence[Any]) -> States:
    """Return what observations show."""
    return joined([seen(solver, one) for one in shown])


def words(solver: Solver, observation: Any, actions: Sequence[Action]) -> list[Any]:
    """Return actions in the simulator's words."""
    return [theirs(solver, observation, action) for action in actions]


def simulated(observation: Any, asked: Sequence[Any]) -> Floats:
    """Return the loading of every line after each action by `obs.simulate`, (A, L); NaN where the grid fails."""
    found = np.full((len(asked), len(observation.rho)), np.nan)
    for number, action in enumerate(asked):
        told, _, over, _ = observation.simulate(action, time_step=0)
        if not over:
            found[number] = told.rho
    return found


def closed(solver: Solver) -> None:
    """Close an environment: left to the interpreter's end, it complains."""
    from training.grid.simulation.environment import silenced

    with silenced():
        solver.environment.close()


# --- measuring -----------------------------------------------------------------------------------------------------


def least(works: Mapping[str, Callable[[], object]], turns: int) -> dict[str, float]:
    """Return the least CPU seconds of each, taken A B C A B C, so that a slow minute meets all alike."""
    found = {name: float("inf") for name in works}
    for _ in range(turns):
        for name, work in works.items():
            found[name] = min(found[name], cpu_seconds(work))
    return found


def one_thread_only() -> None:
    """Refuse to measure with threads: those of the matrix products wait for each other, and waiting is CPU time."""
    if os.environ.get("OMP_NUM_THREADS") != "1":
        sys.exit("set OMP_NUM_THREADS=1: threads that wait for each other count as CPU time")


def _quiet(_: object) -> None:
    """Tell nobody."""
