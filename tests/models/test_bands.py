"""Bands: ascending for anything, covering what they say, and following what the errors do now."""

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray

from tests.models.blends import ZONES, parts, rows
from wattahead.models.bands import FEWEST, NARROWEST, POOLED, Bands, learn, weighted_quantiles
from wattahead.models.rows import Floats, Rows

QUANTILES = ("p10", "p50", "p90")
LEVELS = (0.1, 0.5, 0.9)
MANY = ("FR", "DE", "NO", "SE") * 6


class Expected:
    """A member that expects the error that stands in a column."""

    def predict(self, asked: Rows) -> Floats:
        return asked.column("weather_wind").astype(np.float64)


def told(relative: Floats, weight: Floats | None = None, zones: Sequence[str] = ZONES) -> dict[str, Floats]:
    """Return distances learnt from rows whose zone and hour change from row to row."""
    number = np.arange(len(relative))
    even = np.ones(len(relative)) if weight is None else weight
    return learn(
        relative, even, np.array(zones)[number % len(zones)], number // len(zones) % 24 * 1.0, QUANTILES, parts=4
    )


VALUES = arrays(np.float64, st.integers(1, 60), elements=st.floats(-1e6, 1e6))


@given(VALUES, st.integers(0, 2**32 - 1))
def test_quantiles_ascend_for_any_errors_and_any_weights(relative: Floats, seed: int) -> None:
    draw = np.random.default_rng(seed)
    weight = 0.5 ** draw.uniform(0, 20, len(relative))
    found = told(np.tile(relative, 10), np.tile(weight, 10))
    asked = rows(MANY[:4], holes=0, seed=seed % 7)

    bands = Bands(Expected(), found).apply(draw.normal(size=(asked.block.shape[1],)), asked)

    assert all((np.diff(table, axis=0) >= 0).all() for table in found.values())
    assert (np.diff(bands, axis=0) >= 0).all()


@given(st.permutations(range(len(MANY))), st.sampled_from([1, 2, 24]))
def test_any_series_in_any_order_give_the_bits_they_have_together(order: list[int], count: int) -> None:
    draw, asked, series = np.random.default_rng(1), rows(MANY, holes=0), np.array(order[:count])
    bands, median = Bands(Expected(), told(draw.normal(0, 1, 3000))), draw.normal(0, 1, len(MANY) * 24)

    alone = bands.apply(parts(median, series), asked.take(series))

    assert alone.tobytes() == parts(bands.apply(median, asked), series).tobytes()


def test_a_band_is_the_median_and_its_distances_in_units_of_the_expected_error() -> None:
    asked = rows(("FR", "SE"), holes=0)
    tables = {zone: np.arange(12.0).reshape(3, 4) * factor for zone, factor in (("", 1), ("FR", 10))}
    median = np.linspace(0, 1, 48)

    found = Bands(Expected(), tables).apply(median, asked)

    for row in range(48):
        part, wide = int(asked.column("hour")[row]) // 6, max(float(asked.column("weather_wind")[row]), NARROWEST)
        own = tables["FR" if row < 24 else ""][:, part]
        np.testing.assert_allclose(found[:, row], median[row] + own * wide, rtol=1e-12)


# Weighted quantiles


@given(VALUES, st.lists(st.floats(0.01, 0.99), min_size=1, max_size=5))
def test_with_equal_weights_they_are_those_of_hazen(values: Floats, levels: list[float]) -> None:
    expected = np.quantile(values, levels, method="hazen")

    np.testing.assert_allclose(weighted_quantiles(values, np.ones(len(values)), levels), expected, rtol=1e-9, atol=1e-6)


@given(VALUES, st.integers(0, 2**32 - 1), st.floats(0.1, 10))
def test_they_grow_with_their_level_lie_within_the_values_and_need_no_sum(
    values: Floats, seed: int, times: float
) -> None:
    weight = np.random.default_rng(seed).uniform(0.01, 1, len(values))

    found = weighted_quantiles(values, weight, (0.05, 0.3, 0.31, 0.9))

    assert (np.diff(found) >= 0).all()
    assert values.min() <= found[0]
    assert found[-1] <= values.max()
    again = weighted_quantiles(values, times * weight, (0.05, 0.3, 0.31, 0.9))
    np.testing.assert_allclose(again, found, rtol=1e-6, atol=1e-3)


def test_a_value_that_counts_for_almost_nothing_moves_almost_nothing() -> None:
    values, weight = np.arange(100.0), np.ones(100)

    found = weighted_quantiles(np.append(values, 1e3), np.append(weight, 1e-9), LEVELS)

    np.testing.assert_allclose(found, weighted_quantiles(values, weight, LEVELS), atol=1e-4)


# Learning


@pytest.mark.parametrize("shift", [0.0, 3.0])
def test_rows_that_were_learnt_from_are_covered_as_stated(shift: float) -> None:
    """Of each zone and part; 500 rows a part, whose quantile leaves at most one on the wrong side."""
    draw, count = np.random.default_rng(2), 3 * 24 * 84
    number = np.arange(count)
    zones, hour = np.array(ZONES)[number % 3], number // 3 % 24 * 1.0
    relative = draw.laplace(shift, 1 + number % 3, count)

    found = learn(relative, np.ones(count), zones, hour, QUANTILES, parts=4)

    for zone in ZONES:
        for part in range(4):
            chosen = relative[(zones == zone) & (hour // 6 == part)]
            below = [np.mean(chosen <= edge) for edge in found[zone][:, part]]
            assert below == pytest.approx(LEVELS, abs=1.5 / len(chosen))


def test_other_rows_are_covered_as_stated_within_chance() -> None:
    draw = np.random.default_rng(3)
    first, later = draw.laplace(0, 1, (2, 6000))

    found = told(first)[POOLED].mean(axis=1)

    assert [np.mean(later <= edge) for edge in found] == pytest.approx(LEVELS, abs=0.03)


def test_recent_errors_count_for_more_after_a_change_of_level() -> None:
    draw, count = np.random.default_rng(4), 3 * 24 * 100
    late = np.arange(count) > count * 0.75
    relative = np.where(late, 5.0, 0.0) + draw.normal(0, 1, count)
    age = np.linspace(300, 0, count)

    even, recent = (told(relative, 0.5 ** (age / half_life))[POOLED][1] for half_life in (1e9, 25.0))

    assert even == pytest.approx(np.full(4, 0.3), abs=0.5)
    assert recent == pytest.approx(np.full(4, 5.0), abs=0.5)


def test_a_part_with_few_rows_takes_the_pooled_distances_and_one_with_enough_its_own() -> None:
    draw, count = np.random.default_rng(5), 24 * 120
    hour = np.arange(count) % 24 * 1.0
    zones: NDArray[np.str_] = np.where(np.arange(count) % 2, "FR", "DE")
    night = np.flatnonzero((zones == "FR") & (hour < 6))
    keep = np.setdiff1d(np.arange(count), night[FEWEST - 1 :])
    relative = draw.normal(0, np.where(zones == "FR", 5, 1))

    found = learn(relative[keep], np.ones(len(keep)), zones[keep], hour[keep], QUANTILES, parts=4)

    assert np.array_equal(found["FR"][:, 0], found[POOLED][:, 0])
    assert not (found["FR"][:, 1:] == found[POOLED][:, 1:]).any()


def test_few_rows_at_all_take_the_distances_of_the_whole_day() -> None:
    relative = np.random.default_rng(6).normal(0, 1, 90)

    found = told(relative)

    expected = weighted_quantiles(relative, np.ones(90), LEVELS)
    assert all(np.array_equal(table, np.repeat(expected[:, None], 4, axis=1)) for table in found.values())


def test_nothing_to_learn_from_is_a_band_of_no_width() -> None:
    assert (told(np.zeros(0))[POOLED] == 0).all()
