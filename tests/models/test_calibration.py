"""Calibration: the laws of a band that was widened or narrowed to its stated coverage."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray

from wattahead.models.calibration import (
    FEWEST,
    NARROWEST,
    POOLED,
    Calibration,
    distance,
    from_json,
    learn,
    part_of_day,
    to_json,
)

QUANTILES = ("p10", "p50", "p90")
PARTS = 4
ROWS = 4800

Floats = NDArray[np.float64]


def held_back(too_narrow: float, seed: int = 3) -> tuple[Floats, Floats, NDArray[np.str_], Floats]:
    """Return quantiles, truth, zones and hours; the true band is `too_narrow` times as wide, in FR twice that."""
    draw = np.random.default_rng(seed)
    zones = np.where(np.arange(ROWS) % 2, "FR", "DE")
    hours = draw.integers(0, 24, ROWS).astype(float)
    middle = draw.uniform(0.3, 0.7, ROWS)
    truth = middle + 0.05 * too_narrow * np.where(zones == "FR", 2, 1) * draw.laplace(size=ROWS)
    width = 0.05 * np.log(5)
    return np.stack([middle - width, middle, middle + width]), truth, zones, hours


def applied(calibration: Calibration, values: Floats, zones: NDArray[np.str_], hours: Floats) -> Floats:
    return calibration.apply(values, zones.tolist(), hours.astype(np.float32))


def flat(factor: float) -> Calibration:
    return Calibration(QUANTILES, {POOLED: np.array([[factor] * PARTS, [1.0] * PARTS, [factor] * PARTS])})


HOUR = np.zeros(1, dtype=np.float32)


# Applying


@pytest.mark.parametrize(
    ("factor", "expected"), [(1.0, [3, 5, 9]), (2.0, [1, 5, 13]), (0.5, [4, 5, 7]), (0.0, [5, 5, 5])]
)
def test_a_factor_moves_the_outer_quantiles_away_from_the_median(factor: float, expected: list[float]) -> None:
    values = np.array([[3.0], [5.0], [9.0]])

    assert flat(factor).apply(values, ["FR"], HOUR)[:, 0].tolist() == expected


def test_each_part_of_the_day_has_its_own_factor() -> None:
    factors = np.ones((3, PARTS))
    factors[2] = [1, 2, 3, 4]
    values = np.array([[0.0] * 4, [1.0] * 4, [2.0] * 4])

    found = Calibration(QUANTILES, {POOLED: factors}).apply(values, ["FR"], np.array([0, 6, 17, 23], dtype=np.float32))

    assert found[2].tolist() == [2.0, 3.0, 4.0, 5.0]


def test_a_zone_that_was_not_in_training_gets_the_pooled_factor() -> None:
    known = Calibration(QUANTILES, {**flat(2.0).factors, "FR": flat(3.0).factors[POOLED]})
    values = np.array([[0.0] * 4, [1.0] * 4, [2.0] * 4])

    assert known.apply(values, ["FR", "SE"], np.zeros(4, dtype=np.float32))[2].tolist() == [4.0, 4.0, 3.0, 3.0]


def test_a_band_of_no_width_stays_almost_without_one() -> None:
    values = np.full((3, 1), 0.4)

    found = flat(2.0).apply(values, ["FR"], HOUR)[:, 0]

    assert found.tolist() == pytest.approx([0.4 - 2 * NARROWEST, 0.4, 0.4 + 2 * NARROWEST])


VALUES = arrays(np.float64, (3, 6), elements=st.floats(-2, 2))
FACTORS = arrays(np.float64, (3, PARTS), elements=st.floats(0, 5))
HOURS = arrays(np.float32, 6, elements=st.integers(0, 23))


@given(VALUES, FACTORS, HOURS)
def test_quantiles_stay_ordered_and_the_median_stays(
    values: Floats, factors: Floats, hours: NDArray[np.float32]
) -> None:
    values = np.sort(values, axis=0)

    found = Calibration(QUANTILES, {POOLED: factors}).apply(values, ["FR", "DE"], hours)

    assert (np.diff(found, axis=0) >= 0).all()
    assert np.array_equal(found[1], values[1])


@given(VALUES, FACTORS, HOURS)
def test_a_series_is_calibrated_without_regard_to_its_neighbour(
    values: Floats, factors: Floats, hours: NDArray[np.float32]
) -> None:
    calibration = Calibration(QUANTILES, {POOLED: factors, "DE": factors / 2})

    together = calibration.apply(values, ["FR", "DE"], hours)

    assert np.array_equal(together[:, :3], calibration.apply(values[:, :3], ["FR"], hours[:3]))
    assert np.array_equal(together[:, 3:], calibration.apply(values[:, 3:], ["DE"], hours[3:]))


@given(VALUES)
def test_each_quantile_stands_on_its_own_side_of_the_median(values: Floats) -> None:
    found = distance(values, QUANTILES)

    assert (found[0] <= -NARROWEST).all()
    assert (found[1] == 0).all()
    assert (found[2] >= NARROWEST).all()


# Learning


@pytest.mark.parametrize("too_narrow", [0.3, 1.0, 3.0])
def test_held_back_days_have_the_stated_coverage(too_narrow: float) -> None:
    values, truth, zones, hours = held_back(too_narrow)

    found = applied(learn(values, truth, zones, hours, QUANTILES, parts=PARTS), values, zones, hours)

    for zone in ("DE", "FR"):
        rows = zones == zone  # 600 rows a part: the quantile of so many leaves at most one of them on the wrong side
        assert np.mean(truth[rows] <= found[0, rows]) == pytest.approx(0.1, abs=0.005)
        assert np.mean(truth[rows] <= found[2, rows]) == pytest.approx(0.9, abs=0.005)


def test_other_days_have_the_stated_coverage_within_chance() -> None:
    calibration = learn(*held_back(3.0), QUANTILES, parts=PARTS)
    values, truth, zones, hours = held_back(3.0, seed=4)

    found = applied(calibration, values, zones, hours)

    # 4800 rows of 80 %: a standard error of 0.6 %, and as much again from the factors that were learnt.
    assert np.mean((found[0] <= truth) & (truth <= found[2])) == pytest.approx(0.8, abs=0.03)


def test_a_zone_that_is_twice_as_uncertain_gets_twice_the_factor() -> None:
    calibration = learn(*held_back(1.0), QUANTILES, parts=PARTS)

    assert (calibration.factors["FR"][2] / calibration.factors["DE"][2]) == pytest.approx(np.full(PARTS, 2.0), rel=0.35)
    assert (calibration.factors["DE"][2] < calibration.factors[POOLED][2]).all()


def test_a_zone_with_too_few_rows_gets_the_pooled_factors() -> None:
    values, truth, zones, hours = held_back(2.0)
    zones = zones.copy()
    zones[: FEWEST - 1] = "SE"

    calibration = learn(values, truth, zones, hours, QUANTILES, parts=PARTS)

    assert np.array_equal(calibration.factors["SE"], calibration.factors[POOLED])


def test_too_few_rows_at_all_leave_the_band_as_it_is() -> None:
    values, truth, zones, hours = held_back(2.0)
    few = slice(FEWEST - 1)

    calibration = learn(values[:, few], truth[few], zones[few], hours[few], QUANTILES, parts=PARTS)

    assert (calibration.factors[POOLED] == 1).all()


def test_nights_and_unknown_truths_say_nothing_about_widths() -> None:
    values, truth, zones, hours = held_back(2.0)
    night, unknown = np.zeros((3, 900)), np.full(100, np.nan)
    more_values = np.concatenate([values, night, values[:, :100]], axis=1)
    more_truth = np.concatenate([truth, night[0], unknown])
    again = np.concatenate([np.arange(ROWS), np.arange(1000)])

    plain = learn(values, truth, zones, hours, QUANTILES, parts=PARTS)
    found = learn(more_values, more_truth, zones[again], hours[again], QUANTILES, parts=PARTS)

    assert to_json(found) == to_json(plain)


def test_a_factor_is_never_negative() -> None:
    values, _, zones, hours = held_back(1.0)

    calibration = learn(values, values[1] - 1, zones, hours, QUANTILES, parts=PARTS)  # the truth always far below

    assert (calibration.factors[POOLED][2] == 0).all()
    assert (calibration.factors[POOLED] >= 0).all()


# Parts of the day, and the file


def test_a_day_is_cut_into_equal_parts() -> None:
    assert part_of_day(np.array([0, 5, 6, 11, 12, 18, 23, 24]), 4).tolist() == [0, 0, 1, 1, 2, 3, 3, 0]
    assert part_of_day(np.arange(24.0), 24).tolist() == list(range(24))
    assert set(part_of_day(np.arange(24.0), 1).tolist()) == {0}


def test_a_calibration_read_back_is_the_calibration_to_six_digits() -> None:
    calibration = learn(*held_back(1.0), QUANTILES, parts=PARTS)

    found = from_json(QUANTILES, to_json(calibration))

    assert found.factors.keys() == calibration.factors.keys() == {POOLED, "DE", "FR"}
    assert all(np.allclose(found.factors[zone], calibration.factors[zone], atol=5e-7) for zone in found.factors)
    assert to_json(found) == to_json(calibration)
