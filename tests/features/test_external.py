"""Somebody else's forecast as a feature: what it says, how wrong it was, and when it is owed."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from wattahead.domain.errors import Refused
from wattahead.domain.hours import DAY, HOUR
from wattahead.domain.quality import Quality
from wattahead.features.cube import Cube, Inputs, Recipe, build, overdue
from wattahead.features.grammar import feature, providers
from wattahead.features.panel import Panel

AT = 60 * DAY
STEPS = 24
START = AT - 40 * DAY
CELLS = np.arange(42 * 24)
READS = ("external_op", "external_op_minus_24h", "external_op_error_1", "external_op_error_24h")


def target(series: int = 1) -> Panel:
    """Return a series that is 100 but for a 200 long ago, every hour known at its end."""
    values = np.full((series, 40 * 24, 1), 100.0)
    values[:, 24] = 200.0
    known = np.broadcast_to(START + (CELLS[: 40 * 24, None] + 1) * HOUR, values.shape)
    return Panel(START, HOUR, values, known, {})


def said(values: np.ndarray, known_at: np.ndarray) -> Panel:
    """Return forecasts of one series for `CELLS`."""
    return Panel(START, HOUR, values[None, :, None].astype(float), known_at[None, :, None], {})


def inputs(external: Panel) -> Inputs:
    return Inputs(target(), {}, np.zeros(1), np.zeros(1), np.full(1, np.nan), external={"op": external})


def recipe(*features: str) -> Recipe:
    return Recipe(features, HOUR, STEPS, 60 * DAY, 0)


def made(external: Panel, *features: str, at: int = AT) -> Cube:
    return build(recipe(*features), inputs(external), [at])


def day_ahead() -> np.ndarray:
    """Return when each hour of `CELLS` becomes known: at 10 UTC of the day before."""
    return (START + CELLS * HOUR) // DAY * DAY - 14 * HOUR


def without(days: range) -> Panel:
    """Return day-ahead forecasts without those for some days, counted from the day of `AT`."""
    values = 50.0 + CELLS
    gone = np.isin(CELLS // 24 - 40, list(days))
    return said(np.where(gone, np.nan, values), day_ahead())


def test_forecasts_and_errors_are_in_units_of_the_targets_scale() -> None:
    found = made(said(np.full(len(CELLS), 80.0), day_ahead()), *READS)

    np.testing.assert_allclose(found.values[:, 0, 0].T, [[0.4, 0.4, 0.1, 0.1]] * STEPS, rtol=1e-6)
    assert found.flags.tolist() == [[0]]


def test_the_newest_revision_known_at_the_issue_time_speaks() -> None:
    values = np.stack([np.full(len(CELLS), 10.0), np.full(len(CELLS), 20.0)], axis=1)[None]
    known = np.stack([np.full(len(CELLS), START), np.full(len(CELLS), AT)], axis=1)[None]
    panel = Panel(START, HOUR, values, known, {})

    before, at = (made(panel, "external_op", at=when).values[0, 0, 0, 0] for when in (AT - HOUR, AT))

    assert (before, at) == pytest.approx((0.05, 0.1))


@given(st.integers(0, 2**32 - 1), st.integers(AT - 3 * DAY, AT))
def test_what_becomes_known_later_moves_no_bit(seed: int, issue_time: int) -> None:
    at = issue_time // HOUR * HOUR
    draw = np.random.default_rng(seed)
    plain = without(range(0))
    other = said(np.where(day_ahead() > at, draw.normal(0, 1e6, len(CELLS)), plain.values[0, :, 0]), day_ahead())

    same = [made(panel, *READS, at=at) for panel in (plain, other)]

    assert same[0].values.tobytes() == same[1].values.tobytes()
    assert same[0].flags.tobytes() == same[1].flags.tobytes()


@pytest.mark.parametrize(
    ("panel", "hour", "owed"),
    [
        (without(range(0)), 0, False),
        (without(range(0)), 9, False),  # tomorrow is not said before 10 on any day
        (without(range(1, 2)), 9, False),
        (without(range(1, 2)), 10, True),
        (without(range(1)), 0, True),
        (without(range(-21, 2)), 0, True),  # three weeks of silence are still a fault
        (without(range(-40, 2)), 0, False),  # never there
        (without(range(-22, 2)), 0, False),  # six days of the last 28 are no habit
        (without(range(-40, -6)), 0, False),  # begun lately, and there
    ],
)
def test_a_step_is_owed_when_it_was_there_at_this_hour_on_a_quarter_of_the_days(
    panel: Panel, hour: int, owed: bool
) -> None:
    at = AT + hour * HOUR

    assert overdue(recipe(*READS), inputs(panel), [at]).tolist() == [[owed]]
    assert ((made(panel, *READS, at=at).flags & Quality.INPUT_MISSING) != 0).tolist() == [[owed]]


def test_a_zone_that_is_never_forecast_is_nan_without_a_flag_and_its_neighbour_is_not() -> None:
    values = np.stack([np.full(len(CELLS), np.nan), np.full(len(CELLS), 80.0)])[:, :, None]
    panel = Panel(START, HOUR, values, np.broadcast_to(day_ahead()[None, :, None], values.shape), {})
    both = Inputs(target(2), {}, np.zeros(2), np.zeros(2), np.full(2, np.nan), external={"op": panel})

    found = build(recipe("lead", *READS), both, [AT])
    alone = build(recipe("lead", *READS), both.take(np.array([1])), [AT])

    assert np.isnan(found.values[1:, 0]).all()
    assert np.isfinite(found.values[:, 1]).all()
    assert found.flags.tolist() == [[0], [0]]
    assert alone.values.tobytes() == found.values[:, 1:].tobytes()


def test_a_provider_that_nobody_read_is_nan() -> None:
    plain = Inputs(target(), {}, np.zeros(1), np.zeros(1), np.full(1, np.nan))

    assert np.isnan(build(recipe(*READS), plain, [AT]).values).all()


def test_providers_are_read_from_the_names() -> None:
    names = ["external_my_operator_2_plus_3h", "external_iso_error_mean_7d", "external_iso", "newest"]

    assert providers(names) == ("iso", "my_operator_2")


@pytest.mark.parametrize("name", ["external_", "external_Operator", "external__plus_1h", f"external_{'a' * 41}"])
def test_what_names_no_provider_is_refused(name: str) -> None:
    with pytest.raises(Refused, match="E_CONFIG: there is no feature"):
        feature(name)


@pytest.mark.parametrize(
    "name", ["external_op_plus_7h", "external_op_minus_673h", "external_op_error_29", "external_op_error_mean_0d"]
)
def test_a_feature_that_reaches_too_far_is_refused(name: str) -> None:
    with pytest.raises(Refused, match="E_CONFIG: a feature asks for .* Fix: use 1 to "):
        feature(name)
