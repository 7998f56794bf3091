"""Bands: ascending for anything, covering what they say, and following what the errors do now."""

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from tests.models.blends import ZONES, parts, rows
from wattahead.models.bands import FEWEST, MEDIAN, NARROWEST, POOLED, Bands, learn, outward, weighted_quantiles
from wattahead.models.rows import Floats, Rows

QUANTILES = ("p10", "p50", "p90")
LEVELS = (0.1, 0.5, 0.9)
MANY = ("FR", "DE", "NO", "SE") * 6


class Told:
    """A member that tells the spread that stands in a column."""

    def predict(self, asked: Rows) -> Floats:
        return asked.column("weather_wind").astype(np.float64)


def told(relative: Floats, weight: Floats | None = None, zones: Sequence[str] = ZONES) -> dict[str, Floats]:
    """Return distances learnt from rows whose zone changes from row to row."""
    even = np.ones(len(relative)) if weight is None else weight
    return learn(relative, even, np.array(zones)[np.arange(len(relative)) % len(zones)], QUANTILES)


VALUES = arrays(np.float64, st.integers(1, 60), elements=st.floats(-1e6, 1e6))


@given(VALUES, st.integers(0, 2**32 - 1))
def test_quantiles_ascend_for_any_errors_and_any_weights(relative: Floats, seed: int) -> None:
    draw = np.random.default_rng(seed)
    weight = 0.5 ** draw.uniform(0, 20, len(relative))
    found = told(np.tile(relative, 10), np.tile(weight, 10))
    asked = rows(MANY[:4], holes=0, seed=seed % 7)

    bands = Bands(Told(), found).apply(draw.normal(size=(asked.block.shape[1],)), asked)

    assert all((np.diff(table) >= 0).all() for table in found.values())
    assert (np.diff(bands, axis=0) >= 0).all()


@given(st.permutations(range(len(MANY))), st.sampled_from([1, 2, 24]))
def test_any_series_in_any_order_give_the_bits_they_have_together(order: list[int], count: int) -> None:
    draw, asked, series = np.random.default_rng(1), rows(MANY, holes=0), np.array(order[:count])
    bands, median = Bands(Told(), told(draw.normal(0, 1, 3000))), draw.normal(0, 1, len(MANY) * 24)

    alone = bands.apply(parts(median, series), asked.take(series))

    assert alone.tobytes() == parts(bands.apply(median, asked), series).tobytes()


def test_a_band_is_the_median_and_its_distances_in_units_of_the_spread() -> None:
    asked = rows(("FR", "SE"), holes=0)
    tables = {zone: np.arange(3.0) * factor for zone, factor in (("", 1), ("FR", 10))}
    median = np.linspace(0, 1, 48)

    found = Bands(Told(), tables).apply(median, asked)

    for row in range(48):
        wide, own = max(float(asked.column("weather_wind")[row]), NARROWEST), tables["FR" if row < 24 else ""]
        np.testing.assert_allclose(found[:, row], median[row] + own * wide, rtol=1e-12)


def test_the_spread_is_asked_beside_the_median() -> None:
    class Half:
        def predict(self, asked: Rows) -> Floats:
            return asked.column(MEDIAN).astype(np.float64) / 2

    median = np.repeat([0.5, 1.0], 24)

    found = Bands(Half(), {"": np.array([-1.0, 0.0, 2.0])}).apply(median, rows(("FR", "SE")))

    np.testing.assert_allclose(found, [0.5 * median, median, 2.0 * median])


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
    """Of each zone; 2,000 rows a zone, whose quantile leaves at most one on the wrong side."""
    draw, count = np.random.default_rng(2), 6000
    zones = np.array(ZONES)[np.arange(count) % 3]
    relative = draw.laplace(shift, 1 + np.arange(count) % 3, count)

    found = learn(relative, np.ones(count), zones, QUANTILES)

    for zone in ZONES:
        chosen = relative[zones == zone]
        assert [np.mean(chosen <= edge) for edge in found[zone]] == pytest.approx(LEVELS, abs=1.5 / len(chosen))


def test_other_rows_are_covered_as_stated_within_chance() -> None:
    draw = np.random.default_rng(3)
    first, later = draw.laplace(0, 1, (2, 6000))

    found = told(first)[POOLED]

    assert [np.mean(later <= edge) for edge in found] == pytest.approx(LEVELS, abs=0.03)


@pytest.mark.parametrize("unlike", [0.025, 0.1])
def test_rows_unlike_all_others_leave_the_coverage_of_all_as_stated(unlike: float) -> None:
    """Known rows, and beside them others far out on both sides."""
    relative = np.random.default_rng(8).laplace(0, 1, 40_000)
    far = np.repeat([-1e9, 1e9], round(len(relative) * unlike / 2))

    found = learn(relative, np.ones(len(relative)), np.full(len(relative), "FR"), QUANTILES, unlike=unlike)["FR"]

    together = np.concatenate([relative, far])
    assert [np.mean(together <= edge) for edge in found] == pytest.approx(LEVELS, abs=1e-4)


@given(st.lists(st.floats(0.001, 0.999), min_size=1).map(sorted), st.floats(0, 5))
def test_levels_move_outward_keep_their_order_and_stay_levels(levels: list[float], unlike: float) -> None:
    before = np.array(levels)

    after = outward(before, unlike)

    assert (np.diff(after) >= 0).all()
    assert ((after >= 0) & (after <= 1)).all()
    assert (np.abs(after - 0.5) >= np.abs(before - 0.5) - 1e-12).all()


def test_recent_errors_count_for_more_after_a_change_of_level() -> None:
    draw, count = np.random.default_rng(4), 3 * 24 * 100
    late = np.arange(count) > count * 0.75
    relative = np.where(late, 5.0, 0.0) + draw.normal(0, 1, count)
    age = np.linspace(300, 0, count)

    even, recent = (told(relative, 0.5 ** (age / half_life))[POOLED][1] for half_life in (1e9, 25.0))

    assert even == pytest.approx(0.3, abs=0.5)
    assert recent == pytest.approx(5.0, abs=0.5)


def test_a_zone_with_few_rows_takes_the_pooled_distances_and_one_with_enough_its_own() -> None:
    draw = np.random.default_rng(5)
    zones = np.repeat(["DE", "FR", "NO"], [3000, FEWEST, FEWEST - 1])
    relative = draw.normal(0, np.where(zones == "DE", 1, 5))

    found = learn(relative, np.ones(len(zones)), zones, QUANTILES)

    assert np.array_equal(found["NO"], found[POOLED])
    assert found["FR"][2] > 2 * found[POOLED][2]


def test_nothing_to_learn_from_is_a_band_of_no_width() -> None:
    assert (told(np.zeros(0))[POOLED] == 0).all()
