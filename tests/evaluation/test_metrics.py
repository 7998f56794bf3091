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


def test_the_signed_error_is_positive_when_forecasts_are_too_high() -> None:
    assert losses.signed(np.array([1.0, 1.0]), np.array([2.0, 4.0])).tolist() == [1.0, 3.0]


def test_the_relative_error_leaves_out_hours_whose_truth_is_zero() -> None:
    assert np.array_equal(losses.relative(np.array([0.0, 50.0]), np.array([9.0, 40.0])), [np.nan, 0.2], equal_nan=True)


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


def test_no_ramp_is_found_where_nothing_changes_or_nothing_is_known() -> None:
    assert metrics.ramp_threshold(np.ones((2, 5))) == np.inf
    assert metrics.ramp_threshold(np.full((2, 5), np.nan)) == np.inf


def test_a_plant_that_hardly_ever_moves_has_its_ramps_all_the_same() -> None:
    rests = np.zeros((10, 24))
    rests[3, 12:] = 80.0
    rests[7, 5:] = 50.0

    assert metrics.ramp_threshold(rests) == 50.0


@given(st.lists(st.floats(-1e3, 1e3).map(lambda value: max(value, 0.0)), min_size=2, max_size=60))
def test_the_ramps_of_a_truth_are_its_largest_changes_and_the_smallest_of_them_is_the_threshold(
    given_truth: list[float],
) -> None:
    truth = np.array([given_truth])
    sizes, threshold = np.abs(np.diff(truth[0])), metrics.ramp_threshold(truth)
    ramps = losses.ramps(losses.change(truth), threshold)[0, 1:] != 0

    assert ramps.any() == sizes.any()
    assert ramps.sum() <= max(len(sizes) // 10 + 1, (sizes == threshold).sum() + len(sizes) // 10)
    assert not ramps.any() or sizes[ramps].min() == threshold
    assert not ramps.any() or sizes[~ramps].max(initial=0.0) < threshold


def test_percentages_are_not_for_series_that_come_near_zero() -> None:
    assert metrics.far_from_zero(np.array([90.0, 110.0, np.nan]))
    assert not metrics.far_from_zero(np.array([0.0, 110.0]))
    assert not metrics.far_from_zero(np.array([np.nan]))
