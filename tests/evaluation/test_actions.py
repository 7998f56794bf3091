"""Measures of screenings, on answers that can be counted by hand."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from wattahead.evaluation.actions import DARK, auc, hit, r2, regret, rmse, unverified_regret

# Two states with doing nothing and three actions; in the second the third action is not survived.
TRUTH = np.array([[1.2, 0.9, 1.0, 1.5], [0.8, 0.7, np.inf, 0.6]])
GOOD = np.array([[1, 2, 0, 3], [3, 1, 0, 2]])
BAD = np.array([[3, 0, 2, 1], [2, 0, 1, 3]])


def test_an_order_that_begins_with_the_best_has_no_regret() -> None:
    assert hit(TRUTH, GOOD, 1) == 1
    assert regret(TRUTH, GOOD, 1) == 0
    assert unverified_regret(TRUTH, GOOD) == 0


def test_the_best_is_found_as_soon_as_it_is_among_those_verified() -> None:
    assert [hit(TRUTH, BAD, first) for first in (1, 2, 3, 4)] == [0, 0, 0, 1]
    assert regret(TRUTH, BAD, 3) == pytest.approx((0.1 + 0.1) / 2)


def test_doing_nothing_is_left_when_all_that_was_verified_is_worse_or_fails() -> None:
    assert regret(TRUTH, BAD, 1) == pytest.approx((1.2 - 0.9 + 0.8 - 0.6) / 2)


def test_a_grid_that_goes_dark_though_it_need_not_costs_as_much_as_is_counted_for_it() -> None:
    dark = np.array([[np.inf, np.inf, 0.5]])

    assert regret(dark, np.array([[1, 0, 2]]), 1) == pytest.approx(DARK - 0.5)
    assert hit(dark, np.array([[1, 0, 2]]), 2) == 0


def test_an_action_taken_unseen_costs_what_it_does_and_one_that_fails_at_least_as_much_as_doing_nothing() -> None:
    assert unverified_regret(TRUTH, BAD) == pytest.approx((1.5 - 0.9 + 0.8 - 0.6) / 2)


def test_a_state_that_nothing_saves_is_not_counted() -> None:
    lost = np.array([[np.inf, np.inf, np.inf, np.inf]])

    assert np.isnan(regret(lost, GOOD[:1], 2))
    assert regret(np.concatenate([TRUTH, lost]), np.concatenate([BAD, BAD[:1]]), 1) == regret(TRUTH, BAD, 1)


@given(st.integers(0, 2**32))
def test_the_area_is_the_share_of_pairs_in_the_right_order(seed: int) -> None:
    rng = np.random.default_rng(seed)
    happened, score = rng.random(30) < 0.4, rng.integers(0, 6, 30) / 2
    pairs = [1.0 if yes > no else 0.5 if yes == no else 0.0 for yes in score[happened] for no in score[~happened]]

    found = auc(happened, score)

    assert (found == pytest.approx(np.mean(pairs))) if pairs else np.isnan(found)


@given(st.integers(0, 2**32), st.integers(1, 8))
def test_verifying_more_never_costs_more_and_verifying_all_costs_nothing(seed: int, first: int) -> None:
    rng = np.random.default_rng(seed)
    truth = np.where(rng.random((5, 9)) < 0.2, np.inf, rng.random((5, 9)))
    truth[:, 0] = 1.0
    order = np.argsort(rng.random((5, 9)), axis=1)

    assert regret(truth, order, first + 1) <= regret(truth, order, first)
    assert regret(truth, order, 9) == 0
    assert hit(truth, order, 9) == 1


def test_a_perfect_answer_explains_all_and_the_mean_explains_nothing() -> None:
    truth = np.array([1.0, 2.0, 4.0])

    assert (rmse(truth, truth), r2(truth, truth)) == (0, 1)
    assert r2(truth, np.full(3, truth.mean())) == pytest.approx(0)
    assert rmse(truth, truth + 0.5) == pytest.approx(0.5)
