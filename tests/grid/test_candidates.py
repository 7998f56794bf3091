"""Candidate actions: what counts as one, in which order, and how it is told."""

from dataclasses import replace

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from tests.grid.worlds import FIVE, random_network
from wattahead.grid.candidates import CONFIGURE, NOTHING, OPEN, Candidates, configurations


def test_nothing_comes_first_then_every_line_then_configurations() -> None:
    actions = Candidates(FIVE).actions

    assert [one.kind for one in actions[:9]] == [NOTHING, *[OPEN] * 8]
    assert {one.kind for one in actions[9:]} == {CONFIGURE}
    assert [one.substation for one in actions[9:]] == sorted(one.substation for one in actions[9:])


@given(st.integers(0, 2**32))
def test_each_busbar_of_a_divided_substation_has_a_line_and_one_element_more(seed: int) -> None:
    network = random_network(np.random.default_rng(seed))

    for at, ways in network.configurations.items():
        elements = network.elements(at)
        for bits in ways:
            second = [one for bit, one in enumerate(elements) if bits >> bit & 1]
            first = [one for bit, one in enumerate(elements) if not bits >> bit & 1]
            for side in (first, second) if bits else ():
                assert len(side) > 1
                assert any(one.is_line for one in side)


def test_no_two_configurations_differ_only_by_the_names_of_the_busbars() -> None:
    for at, ways in FIVE.configurations.items():
        every = 2 ** len(FIVE.elements(at)) - 1
        assert len({min(bits, every ^ bits) for bits in ways}) == len(ways)


def test_all_divisions_are_there_when_there_is_room_for_them() -> None:
    # Of the 2^4 ways to put four of five elements with the first, five leave one alone; the load has no line with it.
    substation = FIVE.substations.index("C")
    ways = configurations(replace(FIVE, configurations={}), most=1000)[substation]

    assert len(FIVE.elements(substation)) == 5
    assert len(ways) == 1 + 2**4 - 1 - 5


def test_a_cap_draws_from_all_substations_and_the_same_seed_draws_the_same() -> None:
    bare = replace(FIVE, configurations={})

    assert sum(len(ways) - 1 for ways in configurations(bare, most=7, seed=1).values()) == 7
    assert configurations(bare, most=7, seed=1) == configurations(bare, most=7, seed=1)
    assert configurations(bare, most=7, seed=1) != configurations(bare, most=7, seed=2)


def test_actions_have_names_that_tell_them_apart_and_words_for_people() -> None:
    candidates = Candidates(FIVE)

    assert len({candidates.name(one) for one in candidates.actions}) == len(candidates.actions)
    assert candidates.words(candidates.actions[0]) == "do nothing"
    assert candidates.words(candidates.actions[1]) == "open line AB"
    divided = next(one for one in candidates.actions if one.kind == CONFIGURE and one.second)
    assert candidates.words(divided).endswith("on the second busbar")
    merged = next(one for one in candidates.actions if one.kind == CONFIGURE and not one.second)
    assert candidates.words(merged).endswith(": everything on one busbar")
