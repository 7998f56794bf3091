"""A value that stood for weeks is told, unless the plant often stands at it."""

from itertools import groupby

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from training.estimates import longest_run
from training.findings import stuck
from wattahead.domain.catalog import Signal
from wattahead.domain.hours import instant
from wattahead.models.rows import Floats

START = instant("2024-03-04T00:00Z")
DEMAND = Signal("consumption", "demand", "MW", "consumption_positive")


def _plant(days: int) -> Floats:
    return np.round(np.random.default_rng(1).gamma(2, 500, days * 24))


@pytest.mark.parametrize("value", [0.0, 812.0])
def test_a_value_that_stood_for_weeks_is_told_with_its_dates(value: float) -> None:
    values = _plant(200)
    values[50 * 24 + 5 : 90 * 24 + 5] = value

    found = stuck("Z", values, START, DEMAND)

    assert found
    assert found.unit == "d"
    assert found.value == pytest.approx(40, abs=0.1)
    assert f"stands at {value:g} MW for 40 days, from 2024-0" in found.sentence
    assert found.fix.startswith("leave these hours out")


def test_a_plant_that_often_rests_is_not_told_to_be_wrong_and_short_rests_are_not_told() -> None:
    rests = _plant(200) * np.repeat(np.arange(200) % 4 == 0, 24)
    short = rests.copy()
    rests[50 * 24 : 70 * 24] = 0

    found = stuck("Z", rests, START, DEMAND)

    assert found
    assert found.fix == ""
    assert stuck("Z", short, START, DEMAND) is None


@given(st.lists(st.sampled_from([0.0, 1.0, np.nan]), max_size=40))
def test_a_run_is_of_one_known_value_and_none_is_longer(given_values: list[float]) -> None:
    values = np.array(given_values)
    first, cells = longest_run(values)

    runs = ["".join(run) for _, run in groupby("-" if np.isnan(one) else str(int(one)) for one in given_values)]
    known = max((len(run) for run in runs if run[0] != "-"), default=min(len(values), 1))
    assert cells == known
    assert len(set(values[first : first + cells].tolist())) <= 1
