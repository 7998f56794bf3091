"""Reserved lines and shifted courses: rules that need no simulator."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from training.grid.simulation.chronics import Chronic
from training.grid.simulation.sampling import Sampling, reserved
from wattahead.domain.errors import Refused
from wattahead.domain.grid import Line, Network


def network(*pairs: tuple[int, int]) -> Network:
    lines = tuple(Line(f"l{number}", *pair, 0.01, 0.1, 100.0) for number, pair in enumerate(pairs))
    return Network("some", tuple(f"s{number}" for number in range(1 + max(map(max, pairs)))), lines, (), ())


def test_a_line_that_holds_the_grid_together_is_never_reserved() -> None:
    # A ring of three, and a fourth substation on a line of its own.
    ring = network((0, 1), (1, 2), (2, 0), (2, 3))

    assert set(reserved(ring, 1.0)) == {0, 1, 2}


def test_two_lines_are_reserved_at_least_and_always_the_same() -> None:
    twice = network((0, 1), (0, 1), (1, 2), (1, 2), (2, 0))

    assert len(reserved(twice, 0.0)) == 2
    assert reserved(twice, 0.4) == reserved(twice, 0.4)
    assert reserved(network((0, 1), (1, 2)), 0.5) == ()


@pytest.mark.parametrize("wrong", [{"shift": "weather"}, {"steps": 0}, {"every": 0}, {"tries": 0.95}, {"opening": 2.0}])
def test_a_sampling_that_cannot_be_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(Refused, match="E_CONFIG"):
        Sampling(**wrong)  # type: ignore[arg-type]


LOADS = st.lists(st.lists(st.floats(1, 100), min_size=3, max_size=3), min_size=2, max_size=6)


def course(loads: list[list[float]]) -> Chronic:
    load = np.array(loads)
    plan = np.column_stack([load.sum(axis=1) * 0.7, load.sum(axis=1) * 0.3])
    return Chronic(0, 1, plan, np.ones_like(plan), load, load * 0.4)


@settings(deadline=None)
@given(LOADS, st.permutations(range(3)), st.floats(0.5, 2.0))
def test_other_loads_keep_each_mean_times_the_factor_and_what_generation_covers(
    loads: list[list[float]], order: list[int], factor: float
) -> None:
    before = course(loads)
    after = before.with_other_loads(factor, np.array(order))

    np.testing.assert_allclose(after.load_p.mean(axis=0), factor * before.load_p.mean(axis=0))
    np.testing.assert_allclose(after.load_q, 0.4 * after.load_p)
    np.testing.assert_allclose(after.generator_p.sum(axis=1), after.load_p.sum(axis=1))


def test_loads_follow_another_course_from_its_offset_on_and_around_its_end() -> None:
    before = course([[10.0, 20.0, 30.0]] * 4)
    lender = course([[1.0, 4.0, 1.0], [3.0, 4.0, 1.0], [2.0, 4.0, 1.0]])

    after = before.with_other_loads(1.5, np.array([0, 0, 1]), lender, 1)

    np.testing.assert_allclose(after.load_p[:, 0] / 10, np.array([3, 2, 1, 3]) / 2 * 1.5)
    np.testing.assert_allclose(after.load_p[:, 1] / 20, np.array([3, 2, 1, 3]) / 2 * 1.5)
    np.testing.assert_allclose(after.load_p[:, 2], 45.0)
    np.testing.assert_allclose(after.generator_p.sum(axis=1), after.load_p.sum(axis=1))


def test_a_load_that_gives_keeps_its_own_course() -> None:
    loads = np.array([[10.0, -2.0, 5.0], [20.0, -4.0, 7.0]])
    before = Chronic(0, 1, loads, loads, loads, loads)
    after = before.with_other_loads(1.0, np.array([1, 2, 0]))

    assert after.load_p[:, :2].tolist() == loads[:, :2].tolist()
    assert (after.load_p[:, 2] / after.load_p[0, 2]).tolist() == [1.0, 2.0]
