"""The linear answer is the linear power flow, solved anew."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.grid.worlds import FIVE, acted, balanced, islands, random_network, random_state, reference, solved
from wattahead.grid.candidates import OPEN, Candidates
from wattahead.grid.columns import NAMES, columns
from wattahead.grid.flows import changes
from wattahead.grid.states import joined

SEEDS = st.integers(0, 2**32)


@given(SEEDS)
def test_the_answer_for_every_action_is_the_power_flow_solved_anew(seed: int) -> None:
    candidates, state = random_state(np.random.default_rng(seed))
    network = candidates.network

    for change in changes(network, candidates.actions, state):
        for place, action in enumerate(candidates.actions[change.actions]):
            then = acted(network, state, action)
            if islands(network, then) == 1:
                assert change.flows[0, place] == pytest.approx(solved(network, then).line_p[0], abs=1e-6)


@given(SEEDS)
def test_an_action_is_said_to_isolate_exactly_where_it_cuts_the_grid_in_two(seed: int) -> None:
    candidates, state = random_state(np.random.default_rng(seed))
    network = candidates.network

    for change in changes(network, candidates.actions, state):
        cut = [islands(network, acted(network, state, one)) > 1 for one in candidates.actions[change.actions]]
        assert change.isolates[0].tolist() == cut


def test_states_of_several_topologies_are_answered_each_by_its_own() -> None:
    candidates = Candidates(FIVE)
    state = reference(FIVE, balanced(FIVE, 1, np.random.default_rng(1)))
    others = [solved(FIVE, acted(FIVE, state, one)) for one in candidates.actions[:20:3]]

    together = columns(candidates, joined(others))

    for place, one in enumerate(others):
        assert together[:, place] == pytest.approx(columns(candidates, one)[:, 0], rel=1e-5, abs=1e-5)


def test_some_actions_are_answered_as_they_are_among_all() -> None:
    candidates = Candidates(FIVE)
    state = reference(FIVE, balanced(FIVE, 2, np.random.default_rng(2)))

    some = columns(candidates, state, actions=slice(5, 30))

    assert some == pytest.approx(columns(candidates, state)[:, :, 5:30], rel=1e-5, abs=1e-5)


@given(SEEDS)
def test_a_line_that_is_opened_is_not_loaded_whatever_reactive_power_it_carried(seed: int) -> None:
    candidates, state = random_state(np.random.default_rng(seed))
    told = columns(candidates, replace(state, line_q=np.full_like(state.line_q, 1e6)))

    for place, action in enumerate(candidates.actions):
        if action.kind == OPEN and not told[NAMES.index("isolates"), 0, place]:
            assert action.line not in told[[NAMES.index("line_1"), NAMES.index("line_2")], 0, place]


def test_doing_nothing_leaves_the_loading_that_is() -> None:
    network = random_network(np.random.default_rng(3))
    state = reference(network, balanced(network, 3, np.random.default_rng(3)))

    told = columns(Candidates(network), state)[:, :, 0]

    assert told[NAMES.index("rho_1")] == pytest.approx(state.rho(network).max(axis=1), rel=1e-6)
    assert told[NAMES.index("worst_now")] == pytest.approx(told[NAMES.index("rho_now")])
    assert not told[NAMES.index("largest_change")].any()
    assert not told[NAMES.index("isolates")].any()
