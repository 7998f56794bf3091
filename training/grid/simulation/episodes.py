"""Episodes: states of a grid under stress, found by trying actions along recorded hours; one number, one episode."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

from training.grid.simulation.chronics import Chronic
from training.grid.simulation.environment import Chronics, opened
from training.grid.simulation.sampling import LOADS, OUTAGES, Sampling, reserved
from training.grid.simulation.solver import Solver
from wattahead.domain.errors import Refused
from wattahead.domain.grid import Network
from wattahead.grid.candidates import CONFIGURE, OPEN, Action, Candidates
from wattahead.grid.states import States, joined

MOST_STARTS: Final = 100
BUSES: Final = ("origin_bus", "extremity_bus", "generator_bus", "load_bus")


@dataclass(frozen=True)
class Episode:
    """S states of one course."""

    times: NDArray[np.int64]  # (S) [µs]
    steps: NDArray[np.int32]  # (S) since the episode began
    states: States


def episode(solver: Solver, sampling: Sampling, seed: int, number: int) -> Episode:
    """Return one episode: the same from the same question, whatever was computed before it, and in which process.

    It begins at a random hour of a random course, and goes on step by step with the course's loads and generation.
    At a step, with a chance each, an action is tried or all busbars go back to those of the beginning; an action that
    the grid does not survive ends the episode, as do the end of the course and `sampling.steps`.
    """
    rng = np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(number,)))
    walk = _Walk(solver, sampling, rng)
    course, first, begin = walk.start()
    kept = [(step, state) for step, state in walk.states(begin) if step % sampling.every == 0]
    steps = np.array([step for step, _ in kept], dtype=np.int32)
    states = joined([held for _, held in kept])
    times = course.first + (first + steps.astype(np.int64)) * course.step
    return Episode(times, steps, states)


class _Walk:
    """One way through a course; every choice comes from the episode's own random numbers."""

    def __init__(self, solver: Solver, sampling: Sampling, rng: np.random.Generator) -> None:
        self._solver, self._sampling, self._rng = solver, sampling, rng
        network = solver.network
        self._kept_closed = reserved(network, sampling.reserved)
        actions = Candidates(network).actions
        self._openings = [one for one in actions if one.kind == OPEN and one.line not in self._kept_closed]
        self._configurations = [one for one in actions if one.kind == CONFIGURE]

    def start(self) -> tuple[Chronic, int, States]:
        """Return a course, its step and the state that the episode begins with. What has no solution is drawn again."""
        for _ in range(MOST_STARTS):
            course = self._solver.chronics[int(self._rng.integers(len(self._solver.chronics)))]
            first = int(self._rng.integers(max(len(course) - self._sampling.steps, 1)))
            course = self._shifted(course)
            self._course, self._first = course, first
            state = planned(self._solver.network, course, first)
            for line in self._opened():
                state = self._solver.moved(state, Action(OPEN, line=line))
            held, failed = self._solver.settled(state)
            if not failed[0]:
                self._reference = held
                return course, first, held
        fact = f"no state of {self._solver.network.name} with shift {self._sampling.shift!r} has a solution"
        raise Refused("E_CONFIG", fact, fix="use another environment or shift")

    def states(self, state: States) -> Iterator[tuple[int, States]]:
        """Yield steps and states, the first included, as long as the grid lives and the course goes on."""
        last = min(self._sampling.steps, len(self._course) - self._first)
        yield 0, state
        for step in range(1, last):
            busbars = self._tried(state)
            now = planned(self._solver.network, self._course, self._first + step)
            later = replace(now, **{name: getattr(busbars, name) for name in BUSES})
            state, failed = self._solver.settled(later)
            if failed[0]:
                return
            yield step, state

    def _tried(self, state: States) -> States:
        chance = self._rng.random()
        if chance < self._sampling.tries:
            return self._solver.moved(state, self._action())
        return self._reference if chance < self._sampling.tries + self._sampling.back else state

    def _action(self) -> Action:
        opens = self._rng.random() < self._sampling.opening or not self._configurations
        choices = self._openings if opens and self._openings else self._configurations
        return choices[int(self._rng.integers(len(choices)))]

    def _opened(self) -> Iterator[int]:
        if self._sampling.shift == OUTAGES:
            count = int(self._rng.integers(1, 3))
            yield from self._rng.choice(self._kept_closed, count, replace=False).tolist()

    def _shifted(self, course: Chronic) -> Chronic:
        if self._sampling.shift != LOADS:
            return course
        factor = float(self._rng.uniform(*self._sampling.scale))
        lenders = courses(self._sampling.lender)
        lender = lenders[int(self._rng.integers(len(lenders)))]
        order = np.asarray(self._rng.integers(lender.load_p.shape[1], size=course.load_p.shape[1]))
        return course.with_other_loads(factor, order, lender, int(self._rng.integers(len(lender))))


@cache
def courses(environment: str) -> Chronics:
    """Return the recorded courses of an environment, opened once."""
    return Chronics(opened(environment))


def planned(network: Network, course: Chronic, step: int) -> States:
    """Return the one state of a step as it is planned, all closed and on the first busbar; its flows are not known."""
    now, lines = slice(step, step + 1), (1, len(network.lines))
    return States(
        generator_p=course.generator_p[now],
        generator_v=course.generator_v[now],
        load_p=course.load_p[now],
        load_q=course.load_q[now],
        line_p=np.zeros(lines),
        line_q=np.zeros(lines),
        line_v=np.zeros(lines),
        generator_bus=np.ones((1, len(network.generators)), dtype=np.int8),
        load_bus=np.ones((1, len(network.loads)), dtype=np.int8),
        origin_bus=np.ones(lines, dtype=np.int8),
        extremity_bus=np.ones(lines, dtype=np.int8),
    )
