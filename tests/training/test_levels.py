"""Growth and new levels: told from the season, and found where training looks for them."""

import numpy as np
import pytest

from training.findings import capacity_growth, findings, level_shift
from wattahead.domain.catalog import Signal
from wattahead.domain.hours import DAY, HOUR, instant
from wattahead.features.cube import Inputs
from wattahead.features.panel import Panel
from wattahead.models.rows import Floats

START = instant("2024-03-04T00:00Z")
DEMAND = Signal("consumption", "demand", "MW", "consumption_positive", scaling_window="P180D")


def load(days: int, growth: float = 0.0, seed: int = 1) -> Floats:
    """Return a demand-like series: hours, seasons, growth a year, slow noise."""
    draw, hours = np.random.default_rng(seed), np.arange(days * 24)
    noise = np.repeat(np.cumprod(1 + 0.01 * draw.standard_normal(days)) ** 0.3, 24)
    seasons = 1 + 0.15 * np.cos(2 * np.pi * hours / 24 / 365)
    return np.asarray(
        1000 * seasons * (1 + 0.2 * np.sin(2 * np.pi * hours / 24)) * noise * (1 + growth) ** (hours / 8760)
    )


@pytest.mark.parametrize("growth", [-0.2, 0.0, 0.1, 1.0])
def test_growth_is_told_from_the_season(growth: float) -> None:
    found = capacity_growth("Z", load(800, growth), HOUR, 28 * DAY)

    assert found is not None
    assert found.value == pytest.approx(growth, rel=0.1, abs=0.03)


def test_a_scaling_window_that_growth_outruns_is_shortened() -> None:
    fast, slow = (capacity_growth("Z", load(800, growth), HOUR, 60 * DAY) for growth in (1.3, 0.05))

    assert fast is not None
    assert slow is not None
    assert (fast.fix, slow.fix) == ('scaling_window = "P14D"', "")


def test_less_than_a_year_says_nothing_of_growth() -> None:
    assert capacity_growth("Z", load(380), HOUR, 28 * DAY) is None


@pytest.mark.parametrize("seed", range(5))
def test_a_new_level_is_found_and_the_season_is_none(seed: int) -> None:
    values = load(500, seed=seed)
    moved = values.copy()
    moved[-14 * 24 :] *= 0.6

    calm, found = level_shift("Z", values, HOUR), level_shift("Z", moved, HOUR)

    assert calm is not None
    assert found is not None
    assert calm.fix == ""
    assert found.value == pytest.approx(0.6 * calm.value, rel=0.01)
    assert found.fix != ""


@pytest.mark.parametrize("later", [0, 5 * HOUR, 14 * DAY])
def test_a_new_level_is_found_before_days_that_are_kept_from_what_is_learnt(later: int) -> None:
    days, end = 500, START + 500 * DAY
    values = load(days + 20)
    values[(days - 14) * 24 :] *= 2.5
    known = Panel(
        START, HOUR, values[None, : (days * DAY + later) // HOUR, None],
        (START + np.arange(days * 24 + later // HOUR) * HOUR + HOUR)[None, :, None], {},
    )  # fmt: skip
    inputs = Inputs(known, {}, np.zeros(1), np.zeros(1), np.full(1, np.nan))

    (found,) = (one for one in findings(inputs, ["Z"], DEMAND, end) if one.what == "level_shift")

    assert found.value == pytest.approx(2.5, rel=0.1)
    assert "a shorter training_window" in found.fix
    assert "at 2" in found.sentence


@pytest.mark.parametrize("values", [load(120), np.full(500 * 24, np.nan), np.zeros(500 * 24)])
def test_too_little_to_compare_with_says_nothing_of_levels(values: Floats) -> None:
    assert level_shift("Z", values, HOUR) is None
