"""Episodes: each is the same alone and in any order, and a shift does what it says."""

from dataclasses import replace

import numpy as np
import pytest

from tests.training.grid.simulation.scenes import BRIEF, NEEDS_SIMULATOR, SMALL, solver
from training.grid.simulation.sampling import LOADS, OUTAGES, Sampling, reserved
from wattahead.grid.candidates import Candidates

pytestmark = NEEDS_SIMULATOR


def test_an_episode_is_the_same_whatever_was_computed_before_it() -> None:
    from training.grid.simulation.episodes import episode
    from training.grid.simulation.solver import Solver

    first = episode(solver(SMALL, 20), BRIEF, 7, 3)
    for other in (0, 1, 2):
        episode(solver(SMALL, 20), BRIEF, 7, other)
    again, elsewhere = episode(solver(SMALL, 20), BRIEF, 7, 3), episode(Solver(SMALL, 20), BRIEF, 7, 3)

    for one in (again, elsewhere):
        assert first.times.tolist() == one.times.tolist()
        assert first.states.generator_p.tobytes() == one.states.generator_p.tobytes()
        assert first.states.line_p.tobytes() == one.states.line_p.tobytes()
        assert first.states.origin_bus.tobytes() == one.states.origin_bus.tobytes()


def test_episodes_of_other_numbers_and_seeds_are_others() -> None:
    from training.grid.simulation.episodes import episode

    asked = [(7, 0), (7, 1), (8, 0)]
    made = {episode(solver(SMALL, 20), BRIEF, *one).states.load_p.tobytes() for one in asked}

    assert len(made) == len(asked)


def test_every_nth_step_is_kept_and_doing_nothing_gives_the_state_itself() -> None:
    from training.grid.simulation.episodes import episode

    own = solver(SMALL, 20)
    made = episode(own, BRIEF, 7, 1)

    assert made.steps.tolist() == list(range(0, BRIEF.every * len(made.steps), BRIEF.every))
    assert (np.diff(made.times) == BRIEF.every * own.chronics[0].step).all()
    solved = own.solve(made.states, Candidates(own.network).actions)
    assert not solved.failed[:, 0].any()
    np.testing.assert_allclose(solved.rho[:, 0], made.states.rho(own.network), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("shift", ["none", "loads"])
def test_reserved_lines_are_never_out_without_the_shift(shift: str) -> None:
    from training.grid.simulation.episodes import episode

    own, sampling = solver(SMALL, 20), replace(BRIEF, shift=shift, tries=0.6, opening=0.9, back=0.2)
    made = [episode(own, sampling, 1, number) for number in range(8)]
    out = np.concatenate([one.states.origin_bus for one in made]) == 0
    kept = list(reserved(own.network, sampling.reserved))

    assert not out[:, kept].any()
    assert np.delete(out, kept, axis=1).any()


def test_with_outages_one_or_two_reserved_lines_are_out_in_every_state() -> None:
    from training.grid.simulation.episodes import episode

    own, sampling = solver(SMALL, 20), replace(BRIEF, shift=OUTAGES, tries=0.6, back=0.3)
    kept = list(reserved(own.network, sampling.reserved))
    numbers = set()
    for number in range(8):
        out = episode(own, sampling, 1, number).states.origin_bus[:, kept] == 0
        assert (out == out[0]).all()
        numbers.add(int(out[0].sum()))

    assert numbers == {1, 2}


def test_with_other_loads_generation_follows_and_the_grid_is_the_same() -> None:
    from training.grid.simulation.episodes import episode

    own = solver(SMALL, 20)
    sampling = replace(BRIEF, shift=LOADS, tries=0.0)
    for number in range(4):
        states = episode(own, sampling, 1, number).states
        losses = states.generator_p.sum(axis=1) - states.load_p.sum(axis=1)

        assert (np.abs(losses) < 0.25 * states.load_p.sum(axis=1)).all()  # this grid loses 13 % as recorded
        assert (states.origin_bus == 1).all()


def test_an_episode_that_is_not_survived_is_short() -> None:
    from training.grid.simulation.episodes import episode

    rough = Sampling(most_actions=20, steps=60, every=1, tries=1.0, opening=1.0, back=0.0)
    lengths = [len(episode(solver(SMALL, 20), rough, 0, number).states) for number in range(6)]

    assert min(lengths) >= 1
    assert max(lengths) < rough.steps
