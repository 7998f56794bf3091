"""What a process of a simulation does: it opens the environment once, and answers by episode.

Only where something is computed the simulator is imported: that takes seconds, and the parent of processes needs none.
"""

from __future__ import annotations

import os
import signal
import threading
from functools import cache
from multiprocessing import parent_process
from typing import TYPE_CHECKING

import numpy as np

from training.grid.simulation.dataset import Dataset, encoded, reduced, together
from training.grid.simulation.question import Question
from wattahead.domain.grid import Network
from wattahead.grid.candidates import Candidates

if TYPE_CHECKING:
    from training.grid.simulation.episodes import Episode
    from training.grid.simulation.solver import Solver


def begun() -> None:
    """Prepare a process: Ctrl-C is for its parent to answer, and a parent that was killed needs no more work."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()


def network(asked: Question) -> Network:
    """Return the network that is asked about."""
    return _solver(asked.environment, asked.sampling.most_actions).network


def part(asked: Question, number: int) -> tuple[int, bytes]:
    """Return how many states an episode has, and their parquet with what every candidate action would do in each."""
    from training.grid.simulation.episodes import episode  # noqa: PLC0415

    solver = _solver(asked.environment, asked.sampling.most_actions)
    made = episode(solver, asked.sampling, asked.seed, number)
    # State by state: all answers of an episode are gigabytes where a network has ten thousands of actions.
    held = together([_answered(solver, made, number, at) for at in range(len(made.states))])
    return len(held), encoded(held)


def _answered(solver: Solver, made: Episode, number: int, at: int) -> Dataset:
    one = slice(at, at + 1)
    states = made.states.take(one)
    solved = solver.solve(states, Candidates(solver.network).actions)
    episode = np.full(1, number, dtype=np.int32)
    return reduced(
        Dataset(solver.network, states, episode, made.steps[one], made.times[one], solved.rho, solved.failed)
    )


@cache
def _solver(environment: str, most_actions: int) -> Solver:
    from training.grid.simulation.solver import Solver  # noqa: PLC0415

    return Solver(environment, most_actions)


def _end_with_parent() -> None:
    if parent := parent_process():
        parent.join()
        os._exit(1)
