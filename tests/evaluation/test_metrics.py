from statistics import NormalDist

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from wattahead.evaluation import losses, metrics

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


def test_the_crps_of_a_median_alone_is_the_absolute_error() -> None:
    assert metrics.crps(TRUTH, MEDIAN[None], [0.5]) == pytest.approx(metrics.mae(TRUTH, MEDIAN))


def test_the_crps_of_many_quantiles_is_the_one_that_is_known_for_a_normal_distribution() -> None:
    levels = [(number + 0.5) / 2000 for number in range(2000)]
    normal = NormalDist()
    quantiles = np.array([[normal.inv_cdf(level)] for level in levels])
    exact = 0.7 * (2 * normal.cdf(0.7) - 1) + 2 * normal.pdf(0.7) - np.pi**-0.5  # Gneiting and Raftery 2007, eq. 21

    assert metrics.crps(np.array([0.7]), quantiles, levels) == pytest.approx(exact, rel=1e-3)


@given(st.lists(st.integers(1, 99), min_size=1, max_size=20, unique=True))
def test_quantiles_share_the_probabilities_between_them(levels: list[int]) -> None:
    shares = losses.weights([level / 100 for level in sorted(levels)])

    assert shares.sum() == pytest.approx(1)
    assert (shares > 0).all()


def test_a_quantile_weighs_what_lies_nearest_to_it() -> None:
    assert losses.weights([0.1, 0.5, 0.9]) == pytest.approx([0.3, 0.4, 0.3])


@given(st.floats(0.01, 1e4), st.floats(-1e4, 1e4))
def test_the_relative_crps_is_the_same_in_any_unit(size: float, shift: float) -> None:
    truth, quantiles = np.arange(50.0), np.stack([np.arange(50.0) - 3, np.arange(50.0) + 1, np.arange(50.0) + 4])
    levels = [0.1, 0.5, 0.9]

    found = metrics.rcrps(truth * size + shift, quantiles * size + shift, levels)

    assert found == pytest.approx(metrics.rcrps(truth, quantiles, levels), rel=1e-6)


def test_the_normalised_error_is_over_hours_that_both_are_known_in() -> None:
    by = np.array([100.0, np.nan, 100.0, 100.0])

    assert metrics.nmae(TRUTH, MEDIAN, by) == pytest.approx(0.01)
    assert np.isnan(metrics.nmae(TRUTH, MEDIAN, np.zeros(4)))


def test_a_ramp_is_missed_that_comes_an_hour_late_and_hit_that_comes_in_time() -> None:
    truth = np.tile([0.0, 0.0, 100.0, 100.0], 3)[None]
    late, smooth = np.roll(truth, 1), truth * 0.5

    assert (metrics.ramp_hits(truth, truth), metrics.ramp_hits(truth, late)) == (1.0, 0.0)
    assert metrics.ramp_hits(truth, smooth) == 0.0
    assert (metrics.ramp_mae(truth, truth), metrics.ramp_mae(truth, late)) == (0.0, 100.0)


def test_no_ramp_is_found_where_nothing_changes() -> None:
    assert np.isnan(metrics.ramp_hits(np.ones((2, 5)), np.ones((2, 5))))


def test_percentages_are_not_for_series_that_come_near_zero() -> None:
    assert metrics.far_from_zero(np.array([90.0, 110.0, np.nan]))
    assert not metrics.far_from_zero(np.array([0.0, 110.0]))
    assert not metrics.far_from_zero(np.array([np.nan]))
