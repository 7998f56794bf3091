import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from wattahead.evaluation import metrics

TRUTH = np.array([10.0, 20.0, np.nan, 40.0])
MEDIAN = np.array([12.0, 17.0, 5.0, 40.0])


def test_the_mean_absolute_error_leaves_out_hours_without_a_truth() -> None:
    assert metrics.mae(TRUTH, MEDIAN) == pytest.approx(5 / 3)


def test_the_bias_is_positive_when_forecasts_are_too_high() -> None:
    assert metrics.bias(np.array([1.0, 1.0]), np.array([2.0, 4.0])) == 2.0


def test_the_root_mean_squared_error_weighs_large_errors_more() -> None:
    assert metrics.rmse(np.array([0.0, 0.0]), np.array([3.0, 4.0])) == pytest.approx(12.5**0.5)


def test_the_percentage_error_leaves_out_hours_whose_truth_is_zero() -> None:
    assert metrics.mape(np.array([0.0, 50.0]), np.array([9.0, 40.0])) == 20.0


def test_the_pinball_loss_of_a_low_quantile_punishes_being_too_high() -> None:
    assert metrics.pinball(np.array([10.0]), np.array([15.0]), 0.1) == pytest.approx(4.5)
    assert metrics.pinball(np.array([10.0]), np.array([5.0]), 0.1) == pytest.approx(0.5)


def test_coverage_counts_hours_with_a_truth_and_a_band() -> None:
    assert metrics.coverage(TRUTH, MEDIAN - 2, MEDIAN + 2) == pytest.approx(2 / 3)


def test_nothing_known_gives_nan_and_not_zero() -> None:
    assert np.isnan(metrics.mae(np.array([np.nan]), np.array([1.0])))


def test_skill_is_zero_for_the_reference_itself_and_one_for_a_perfect_forecast() -> None:
    assert (metrics.skill(5.0, 5.0), metrics.skill(0.0, 5.0)) == (0.0, 1.0)


@given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=30), st.floats(-1e6, 1e6))
def test_the_pinball_loss_of_the_median_is_half_the_absolute_error(truth: list[float], guess: float) -> None:
    found = metrics.pinball(np.array(truth), np.full(len(truth), guess), 0.5)

    assert found == pytest.approx(metrics.mae(np.array(truth), np.full(len(truth), guess)) / 2)
