"""The linear answer is the linear power flow, solved anew."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.grid.worlds import FIVE, acted, balanced, islands, random_network, random_state, reference, solved
from wattahead.grid.candidates import OPEN, Candidates
from wattahead.grid.columns import NAMES, columns
from wattahead.grid.flows import IDLE, changes
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
        cut = np.array([islands(network, acted(network, state, one)) > 1 for one in candidates.actions[change.actions]])
        missed = ~cut | (np.abs(change.coupler[0]) > IDLE)  # a part that is in balance by itself is not
        assert change.isolates[0][missed].tolist() == cut[missed].tolist()


def test_states_of_several_topologies_are_answered_each_by_its_own() -> None:
    candidates = Candidates(FIVE)
    state = reference(FIVE, balanced(FIVE, 1, np.random.default_rng(1)))
    others = [solved(FIVE, acted(FIVE, state, one)) for one in candidates.actions[:20:3]]

    together = columns(candidates, joined(others))

    for place, one in enumerate(others):
        assert together[:, place] == pytest.approx(columns(candidates, one)[:, 0], rel=1e-5, abs=1e-5)


@given(SEEDS)
def test_a_state_is_answered_to_the_last_bit_as_it_is_among_others(seed: int) -> None:
    rng = np.random.default_rng(seed)
    candidates, state = random_state(rng)
    network = candidates.network
    rest = solved(
        network, replace(state.take(np.zeros(23, dtype=int)), load_p=rng.uniform(5, 60, (23, len(network.loads))))
    )

    together = columns(candidates, joined([state, rest]))

    assert together[:, 0].tobytes() == columns(candidates, state)[:, 0].tobytes()


def test_a_unit_that_is_out_injects_nothing() -> None:
    state = reference(FIVE, balanced(FIVE, 1, np.random.default_rng(5)))
    out = replace(state, load_bus=state.load_bus * np.array([0, 1, 1], dtype=np.int8))
    nobody = replace(state, load_p=state.load_p * np.array([0, 1, 1]))

    one, other = (columns(Candidates(FIVE), held)[NAMES.index("coupler")] for held in (out, nobody))

    assert one.tolist() == other.tolist()


def test_some_actions_are_answered_as_they_are_among_all() -> None:
    candidates = Candidates(FIVE)
    state = reference(FIVE, balanced(FIVE, 2, np.random.default_rng(2)))

    some = columns(candidates, state, actions=slice(5, 30))

    assert some == pytest.approx(columns(candidates, state)[:, :, 5:30], rel=1e-5, abs=1e-5)


@settings(max_examples=30)
@given(SEEDS)
def test_a_line_that_is_opened_is_not_loaded_whatever_reactive_power_it_carried(seed: int) -> None:
    candidates, state = random_state(np.random.default_rng(seed))
    opened = [(place, one.line) for place, one in enumerate(candidates.actions) if one.kind == OPEN]
    assert opened

    for place, line in opened:
        alone = replace(state, line_q=np.where(np.arange(state.line_q.shape[1]) == line, 1e6, 0.0)[None])
        told = dict(zip(NAMES, columns(candidates, alone, actions=slice(place, place + 1))[:, 0, 0], strict=True))
        assert told["line_1"] != line or told["isolates"]


def test_doing_nothing_leaves_the_loading_that_is() -> None:
    network = random_network(np.random.default_rng(3))
    state = reference(network, balanced(network, 3, np.random.default_rng(3)))

    told = columns(Candidates(network), state)[:, :, 0]

    assert told[NAMES.index("rho_1")] == pytest.approx(state.rho(network).max(axis=1), rel=1e-6)
    assert told[NAMES.index("worst_now")] == pytest.approx(told[NAMES.index("rho_now")])
    assert not told[NAMES.index("largest_change")].any()
    assert not told[NAMES.index("isolates")].any()
