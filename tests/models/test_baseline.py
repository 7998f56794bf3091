"""Seasonal naive and climatology on rows small enough to work out by hand."""

import json
from statistics import NormalDist

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from wattahead.domain.errors import Refused
from wattahead.models.baseline import (
    CLIMATE_FEATURES,
    NAIVE_FEATURES,
    Climatology,
    SeasonalNaive,
    laplace,
    level,
    load_climatology,
)
from wattahead.models.rows import Rows

QUANTILES = ("p10", "p50", "p90")
NAN = float("nan")
NAIVE = SeasonalNaive(QUANTILES)
LN5 = 1.6094379124341003  # the 90 % quantile of a Laplace distribution whose mean distance is 1


def days(*series: list[list[float]], scale: list[float] | None = None) -> Rows:
    """Return rows from the last days of each series: series, then day (the last one first), then hour."""
    known = np.array(series, dtype=np.float32)  # (S, days, H)
    block = np.full((len(NAIVE_FEATURES), *known.shape[::2]), np.nan, dtype=np.float32)
    block[: known.shape[1]] = known.transpose(1, 0, 2)
    scales = np.array(scale or [1.0] * len(series))
    zones = tuple(f"Z{chr(65 + number)}" for number in range(len(series)))
    return Rows(zones, known.shape[2], NAIVE_FEATURES, block.reshape(len(NAIVE_FEATURES), -1), scales)


def dates(zones: tuple[str, ...], months: list[int], hours: list[int], scale: list[float]) -> Rows:
    block = np.tile(np.array([months, hours], dtype=np.float32), len(zones))
    return Rows(zones, len(hours), CLIMATE_FEATURES, block, np.array(scale))


# Seasonal naive


def test_the_median_is_the_same_hour_of_the_last_known_day() -> None:
    rows = days([[3.0, 0.0, 7.0], [2.0, 0.0, 7.5]])

    assert NAIVE.predict(rows)[1].tolist() == [3.0, 0.0, 7.0]


def test_the_band_is_the_mean_change_from_day_to_day() -> None:
    rows = days([[4.0], [2.0], [3.0], [0.0]])  # changes of 2, 1 and 3

    assert NAIVE.predict(rows)[:, 0] == pytest.approx([4 - 2 * LN5, 4, 4 + 2 * LN5])


def test_an_hour_that_never_changes_has_no_band() -> None:
    rows = days([[0.0, 5.0]] * 8)

    assert NAIVE.predict(rows).tolist() == [[0.0, 5.0]] * 3


def test_one_known_day_has_no_band() -> None:
    assert NAIVE.predict(days([[4.0]])).tolist() == [[4.0]] * 3


def test_days_that_are_missing_say_nothing_about_the_band() -> None:
    rows = days([[4.0], [NAN], [9.0], [7.0]])  # only 9 to 7 is a change between two known days

    assert NAIVE.predict(rows)[2, 0] == pytest.approx(4 + 2 * LN5)


def test_values_are_in_the_unit_of_the_scale() -> None:
    rows = days([[0.5, 1.0]], [[0.5, 1.0]], scale=[10.0, 3000.0])

    assert NAIVE.predict(rows)[1].tolist() == [5.0, 10.0, 1500.0, 3000.0]


@pytest.mark.parametrize(
    ("last_day", "scale", "usable"),
    [
        ([1.0, 2.0], 1.0, True),
        ([0.0, 0.0], 1.0, True),
        ([1.0, NAN], 1.0, False),
        ([NAN, NAN], 1.0, False),
        ([1.0, 2.0], NAN, False),
    ],
)
def test_a_series_is_usable_when_its_last_day_and_scale_are_known(
    last_day: list[float], scale: float, usable: bool
) -> None:
    rows = days([last_day, [1.0, 1.0]], [[1.0, 1.0], [1.0, 1.0]], scale=[scale, 1.0])

    assert NAIVE.usable(rows).tolist() == [usable, True]


HOURS = st.lists(st.floats(0, 1, width=32), min_size=3, max_size=3)


@given(st.lists(st.lists(HOURS, min_size=4, max_size=4), min_size=1, max_size=4))
def test_quantiles_are_ordered_and_a_neighbour_moves_nothing(series: list[list[list[float]]]) -> None:
    together = NAIVE.predict(days(*series)).reshape(3, len(series), 3)
    alone = [NAIVE.predict(days(one)) for one in series]

    assert np.array_equal(together, np.stack(alone, axis=1))
    assert (np.diff(together, axis=0) >= 0).all()


# Climatology: hour + month / 100, plus 0, 1, 2 by quantile

TABLE = np.arange(3)[:, None, None] + np.arange(1, 13)[:, None] / 100 + np.arange(24)
CLIMATE = Climatology(QUANTILES, {"FR": TABLE, "DE": TABLE * 10}, {"FR": 200.0, "DE": 5.0})


def test_climatology_picks_month_and_hour_of_its_zone() -> None:
    rows = dates(("DE", "FR"), [1, 12], [0, 23], [1.0, 1.0])

    assert CLIMATE.predict(rows)[1] == pytest.approx([10.1, 241.2, 1.01, 24.12])


def test_climatology_uses_the_present_scale_where_there_is_one() -> None:
    rows = dates(("FR", "FR"), [1, 1], [0, 1], [100.0, NAN])

    assert CLIMATE.predict(rows)[1] == pytest.approx([101.0, 201.0, 202.0, 402.0])


def test_climatology_serves_a_zone_of_its_table_whatever_else_is_missing() -> None:
    rows = dates(("FR", "SE", "DE"), [1], [0], [NAN, 1.0, NAN])

    assert CLIMATE.usable(rows).tolist() == [True, False, True]
    assert np.isfinite(CLIMATE.predict(rows.take(np.array([0, 2])))).all()


def test_a_climatology_is_loaded_from_its_file() -> None:
    body = json.dumps({"FR": {"values": TABLE.tolist(), "scale": 200}}).encode()

    found = load_climatology(QUANTILES, {"climatology.json": body})

    assert np.array_equal(found.tables["FR"], TABLE)
    assert found.scales == {"FR": 200.0}


def test_rows_without_a_baselines_features_are_refused() -> None:
    with pytest.raises(Refused, match="E_BUNDLE_FEATURES: the bundle asks for same_time_1"):
        NAIVE.usable(dates(("FR",), [1], [0], [1.0]))


# Quantile names


@pytest.mark.parametrize(("name", "expected"), [("p50", 0.5), ("p10", 0.1), ("p05", 0.05), ("p99", 0.99)])
def test_a_column_name_is_a_probability(name: str, expected: float) -> None:
    assert level(name) == expected


@given(st.floats(0.01, 0.99))
def test_the_laplace_quantile_undoes_its_distribution(probability: float) -> None:
    found = laplace(probability)
    below = 0.5 * np.exp(found) if found < 0 else 1 - 0.5 * np.exp(-found)

    assert below == pytest.approx(probability)


def test_the_laplace_quantile_has_fatter_tails_than_a_normal_one_of_the_same_mean_distance() -> None:
    normal = NormalDist(sigma=np.sqrt(np.pi / 2))  # whose mean distance is 1 as well

    assert laplace(0.5) == 0
    assert laplace(0.99) > normal.inv_cdf(0.99)
