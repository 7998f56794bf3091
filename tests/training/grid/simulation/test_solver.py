"""The solver against the simulator: the same loadings, the same failures, whatever was asked before."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from tests.training.grid.simulation.scenes import NEEDS_SIMULATOR, SMALL, seen, solver, theirs
from wattahead.domain.errors import Refused
from wattahead.grid.candidates import CONFIGURE, OPEN, Action, Candidates
from wattahead.grid.states import States, joined

pytestmark = NEEDS_SIMULATOR
REALISTIC = "rte_case14_realistic"


def observations(name: str, count: int, seed: int) -> Iterator[Any]:
    """Yield what is observed while random actions are carried out, so most states are no reference states."""
    own, rng = solver(name, 60), np.random.default_rng(seed)
    actions = Candidates(own.network).actions
    own.environment.set_id(0)
    observation = own.environment.reset()
    while count:
        action = actions[int(rng.integers(len(actions)))]
        observation, _, over, _ = own.environment.step(theirs(own, observation, action))
        if over:
            observation = own.environment.reset()
            continue
        count -= 1
        yield observation


@pytest.mark.parametrize(("name", "states"), [(REALISTIC, 16), (SMALL, 16)])
def test_every_answer_is_that_of_the_simulator(name: str, states: int) -> None:
    own, rng = solver(name, 60), np.random.default_rng(5)
    actions = Candidates(own.network).actions
    failures, divided = 0, 0
    for observation in observations(name, states, seed=3):
        asked = [actions[number] for number in rng.choice(len(actions), 20, replace=False)]
        answers = own.solve(seen(own, observation), asked)
        divided += bool((observation.topo_vect == 2).any())
        for number, action in enumerate(asked):
            told, _, over, _ = observation.simulate(theirs(own, observation, action), time_step=0)
            assert answers.failed[0, number] == over, action
            failures += over
            if not over:
                for found, expected in (("rho", "rho"), ("line_p", "p_or"), ("line_q", "q_or"), ("line_v", "v_or")):
                    np.testing.assert_allclose(
                        getattr(answers, found)[0, number], getattr(told, expected), rtol=1e-5, atol=1e-4
                    )

    assert failures > 5
    assert divided > states / 2


@pytest.mark.parametrize("name", [REALISTIC, SMALL])
def test_arrangements_that_nobody_would_ask_for_end_as_the_simulator_says(name: str) -> None:
    # Loads and generators left alone, islands, the balancing generator moved: what is no candidate is solved too.
    own, rng, failures = solver(name, 60), np.random.default_rng(9), 0
    for observation in observations(name, 6, seed=4):
        at = [0, *rng.integers(len(own.network.substations), size=15).tolist()]
        sizes = [2 ** len(own.network.elements(one)) for one in at]
        asked = [Action(CONFIGURE, -1, one, int(rng.integers(size))) for one, size in zip(at, sizes, strict=True)]
        answers = own.solve(seen(own, observation), asked)
        for number, action in enumerate(asked):
            told, _, over, _ = observation.simulate(theirs(own, observation, action), time_step=0)
            assert answers.failed[0, number] == over, action
            failures += over
            if not over:
                np.testing.assert_allclose(answers.rho[0, number], told.rho, rtol=1e-5, atol=1e-5)

    assert failures > 10


def test_many_at_a_time_are_answered_as_one_by_one() -> None:
    own = solver(REALISTIC, 200)
    actions = Candidates(own.network).actions
    states = joined([seen(own, one) for one in observations(REALISTIC, 4, seed=6)])
    batch = own.solve(states, actions)
    for number, action in enumerate(actions):
        alone = own.solve(states, [action])

        assert (alone.failed[:, 0] == batch.failed[:, number]).all()
        np.testing.assert_allclose(alone.rho[:, 0], batch.rho[:, number], rtol=1e-5, atol=1e-6)
        np.testing.assert_allclose(alone.line_v[:, 0], batch.line_v[:, number], rtol=1e-5)


def test_what_fails_has_no_numbers_and_what_lives_has_all() -> None:
    own = solver(SMALL, 60)
    states = joined([seen(own, one) for one in observations(SMALL, 4, seed=1)])
    answers = own.solve(states, Candidates(own.network).actions)

    for numbers in (answers.rho, answers.line_p, answers.line_q, answers.line_v):
        assert np.isnan(numbers).any(axis=2).tolist() == answers.failed.tolist()
        assert np.isnan(numbers).all(axis=2).tolist() == answers.failed.tolist()


def test_an_answer_depends_on_no_other_question() -> None:
    own = solver(REALISTIC, 60)
    actions = Candidates(own.network).actions
    states = joined([seen(own, one) for one in observations(REALISTIC, 3, seed=2)])
    whole = own.solve(states, actions)
    backwards = own.solve(states.take(slice(None, None, -1)), actions[::-1])

    assert (backwards.failed[::-1, ::-1] == whole.failed).all()
    np.testing.assert_allclose(backwards.rho[::-1, ::-1], whole.rho, rtol=1e-6, atol=1e-6)


def test_settling_a_plan_gives_what_the_environment_shows_at_that_step() -> None:
    from training.grid.simulation.episodes import planned

    own = solver(REALISTIC, 60)
    course = own.chronics[1]
    own.environment.set_id(1)
    observation = own.environment.reset()
    for step in range(5):
        state, failed = own.settled(planned(own.network, course, step))
        shown = seen(own, observation)

        assert not failed.any()
        assert course.first + step * course.step == np.datetime64(observation.get_time_stamp(), "us").astype(int)
        for name in ("generator_p", "generator_v", "load_p", "load_q", "line_p", "line_q", "line_v"):
            np.testing.assert_allclose(getattr(state, name), getattr(shown, name), rtol=1e-5, atol=1e-4, err_msg=name)
        np.testing.assert_allclose(state.rho(own.network)[0], observation.rho, rtol=1e-5)
        observation, *_ = own.environment.step(own.environment.action_space())


def test_a_configuration_leaves_open_lines_open() -> None:
    from training.grid.simulation.episodes import planned

    own = solver(SMALL, 60)
    configured = next(one for one in Candidates(own.network).actions if one.kind == CONFIGURE and one.second)
    line = next(one.number for one in own.network.elements(configured.substation) if one.is_line)
    state = own.moved(planned(own.network, own.chronics[0], 0), Action(OPEN, line=line))
    after = own.moved(state, configured)

    assert state.origin_bus[0, line] == state.extremity_bus[0, line] == 0
    assert after.origin_bus[0, line] == after.extremity_bus[0, line] == 0
    assert (after.generator_bus == 2).any() or (after.load_bus == 2).any() or (after.origin_bus == 2).any()


def test_opening_an_open_line_changes_nothing() -> None:
    from training.grid.simulation.episodes import planned

    own = solver(SMALL, 60)
    opened = Action(OPEN, line=0)
    state = own.moved(planned(own.network, own.chronics[0], 0), opened)
    answers = own.solve(state, [Candidates(own.network).actions[0], opened])

    assert not answers.failed.any()
    assert (answers.rho[0, 0] == answers.rho[0, 1]).all()
    assert answers.rho[0, 0, 0] == 0


def test_a_load_without_a_busbar_is_a_failure() -> None:
    from dataclasses import replace

    from training.grid.simulation.episodes import planned

    own = solver(SMALL, 60)
    state = planned(own.network, own.chronics[0], 0)
    alone: States = replace(state, load_bus=np.zeros_like(state.load_bus))

    assert own.solve(alone, Candidates(own.network).actions[:1]).failed.all()
    assert own.settled(alone)[1].all()


@pytest.mark.parametrize("most", [9, 12, 30, 200])
def test_a_network_has_at_most_the_actions_that_are_asked_for(most: int) -> None:
    from training.grid.simulation.environment import network

    made = network(SMALL, solver(SMALL, 60).environment, most)
    actions = Candidates(made).actions

    assert len(actions) <= most
    assert len(actions) >= min(most, 40) - len(made.substations)


def test_an_unknown_environment_is_refused_with_those_that_are_known() -> None:
    from training.grid.simulation.environment import opened

    with pytest.raises(Refused, match="no environment 'nowhere'.*rte_case5_example"):
        opened("nowhere")


def test_too_few_actions_for_the_lines_are_refused() -> None:
    from training.grid.simulation.environment import network

    with pytest.raises(Refused, match="allow 9 or more"):
        network(SMALL, solver(SMALL, 60).environment, 8)
