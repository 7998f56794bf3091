"""What leaves: laws for any values, and which interventions are told."""

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from wattahead.domain.catalog import Signal, Zone
from wattahead.domain.hours import DAY, HOUR, instant
from wattahead.domain.quality import Quality
from wattahead.domain.sun import elevation
from wattahead.workloads.forecast.guards import FAINT, dark_hours, guard

Floats = npt.NDArray[np.float64]

SOLAR = Signal("production", "solar", "MW", "generation_positive", night_zero=True)
WIND = Signal("production", "wind", "MW", "generation_positive")
EXCHANGE = Signal("exchange", "net", "MW", "none", lower=None)
SIGNALS = st.sampled_from([SOLAR, WIND, EXCHANGE])
ROWS = 6
VALUES = arrays(np.float64, (3, ROWS), elements=st.floats(-500, 500, width=32))
SCALES = arrays(np.float64, ROWS, elements=st.sampled_from([np.nan, 1.0, 100.0, 250.0]))
DARK = arrays(np.bool_, ROWS)
FIXED = Quality.CLIPPED | Quality.NIGHT_ZEROED | Quality.REORDERED


@given(VALUES, SCALES, SIGNALS, DARK)
def test_quantiles_leave_ordered(values: Floats, scale: Floats, signal: Signal, dark: npt.NDArray[np.bool_]) -> None:
    safe, _ = guard(values, scale, signal, dark)

    assert (np.diff(safe, axis=0) >= 0).all()


@given(VALUES, SCALES, SIGNALS, DARK)
def test_values_leave_finite_and_within_bounds(
    values: Floats, scale: Floats, signal: Signal, dark: npt.NDArray[np.bool_]
) -> None:
    safe, _ = guard(values, scale, signal, dark)

    assert np.isfinite(safe).all()
    assert signal.lower is None or (safe >= signal.lower).all()
    assert (safe <= np.where(np.isnan(scale), np.inf, scale * signal.upper_of_scale)).all()


@given(VALUES, SCALES, DARK)
def test_no_solar_power_leaves_in_the_dark(values: Floats, scale: Floats, dark: npt.NDArray[np.bool_]) -> None:
    safe, _ = guard(values, scale, SOLAR, dark)

    assert not safe[:, dark].any()


@given(VALUES, SCALES, SIGNALS, DARK)
def test_rows_that_were_not_touched_have_no_flag(
    values: Floats, scale: Floats, signal: Signal, dark: npt.NDArray[np.bool_]
) -> None:
    safe, flags = guard(values, scale, signal, dark)

    assert not flags[(safe == values).all(axis=0)].any()


@given(VALUES, SCALES, SIGNALS, DARK)
def test_a_value_that_moved_by_more_than_rounding_has_a_flag(
    values: Floats, scale: Floats, signal: Signal, dark: npt.NDArray[np.bool_]
) -> None:
    safe, flags = guard(values, scale, signal, dark)

    moved = (np.abs(safe - np.sort(values, axis=0)) > FAINT * np.nan_to_num(scale)).any(axis=0) | (
        np.diff(values, axis=0) < 0
    ).any(axis=0)
    assert ((flags & FIXED) != 0)[moved].all()


@given(VALUES, SCALES, SIGNALS, DARK)
def test_guarding_twice_is_guarding_once(
    values: Floats, scale: Floats, signal: Signal, dark: npt.NDArray[np.bool_]
) -> None:
    safe, _ = guard(values, scale, signal, dark)

    again, flags = guard(safe, scale, signal, dark)

    np.testing.assert_array_equal(again, safe)
    assert not flags.any()


@given(VALUES, SCALES, SIGNALS, DARK)
def test_a_row_is_guarded_alone_as_among_others(
    values: Floats, scale: Floats, signal: Signal, dark: npt.NDArray[np.bool_]
) -> None:
    safe, flags = guard(values, scale, signal, dark)

    for row in range(ROWS):
        one, flag = guard(values[:, [row]], scale[[row]], signal, dark[[row]])
        np.testing.assert_array_equal(one, safe[:, [row]])
        assert flag == flags[row]


@pytest.mark.parametrize(
    ("values", "signal", "dark", "expected", "flag"),
    [
        ((10, 20, 30), SOLAR, False, (10, 20, 30), 0),
        ((30, 20, 10), WIND, False, (10, 20, 30), Quality.REORDERED),
        ((-5, 20, 30), WIND, False, (0, 20, 30), Quality.CLIPPED),
        ((-1, 20, 30), WIND, False, (0, 20, 30), 0),  # one percent of the scale is rounding
        ((-5, 20, 30), EXCHANGE, False, (-5, 20, 30), 0),
        ((10, 20, 160), WIND, False, (10, 20, 150), Quality.CLIPPED),
        ((0, 1, 2), SOLAR, True, (0, 0, 0), Quality.NIGHT_ZEROED),
        ((0, 0.5, 1), SOLAR, True, (0, 0, 0), 0),
        ((1, 2, 3), WIND, True, (1, 2, 3), 0),
        ((300, 20, -9), SOLAR, True, (0, 0, 0), Quality.REORDERED | Quality.CLIPPED | Quality.NIGHT_ZEROED),
    ],
)
def test_what_is_done_to_a_row_of_scale_100(
    values: tuple[float, ...], signal: Signal, dark: bool, expected: tuple[float, ...], flag: int
) -> None:
    safe, flags = guard(np.array(values, dtype=float)[:, None], np.array([100.0]), signal, np.array([dark]))

    assert tuple(safe[:, 0]) == expected
    assert flags.tolist() == [flag]


def test_a_series_that_nobody_served_stays_null_by_night_too() -> None:
    safe, flags = guard(np.full((3, 2), np.nan), np.array([100.0, np.nan]), SOLAR, np.array([True, False]))

    assert np.isnan(safe).all()
    assert flags.tolist() == [0, 0]


@pytest.mark.parametrize("place", [Zone(36.5, -119.5), Zone(60, 15), Zone(-42, 146.5)])
def test_an_hour_is_dark_only_with_the_sun_down_two_hours_to_both_sides(place: Zone) -> None:
    hours = np.arange(instant("2021-01-01T00:00Z"), instant("2022-01-01T00:00Z"), HOUR)

    dark = hours[dark_hours(hours, HOUR, [place])[0]]

    around = dark[:, None] + np.arange(-120, 181, 5) * HOUR // 60
    # Between the three instants that are looked at the sun may just reach the horizon: a winter day of 60 N at most.
    assert elevation(around, np.array(place.latitude), np.array(place.longitude)).max() < 0


def test_deep_night_is_dark_and_day_is_not() -> None:
    hours = np.arange(instant("2021-03-20T00:00Z"), instant("2021-03-20T00:00Z") + DAY, HOUR)

    dark = dark_hours(hours, HOUR, [Zone(0, 0)])  # sunrise about 06:04, sunset about 18:11

    assert np.flatnonzero(dark[0]).tolist() == [0, 1, 2, 3, 21, 22, 23]


def test_the_midnight_sun_leaves_no_dark_hour_and_the_polar_night_nothing_else() -> None:
    day = np.arange(24) * HOUR

    assert not dark_hours(instant("2021-06-21T00:00Z") + day, HOUR, [Zone(78, 15)]).any()
    assert dark_hours(instant("2021-12-21T00:00Z") + day, HOUR, [Zone(78, 15)]).all()


def test_hours_that_series_have_in_common_are_as_dark_as_asked_one_by_one() -> None:
    places = [Zone(36.5, -119.5), Zone(60, 15), Zone(36.5, -119.5)]
    hours = instant("2021-03-20T00:00Z") + (np.arange(24) + np.array([[5], [0], [-3]])) * HOUR

    together = dark_hours(hours, HOUR, places)

    for place, row, dark in zip(places, hours, together, strict=True):
        assert np.array_equal(dark_hours(row, HOUR, [place]), dark[None])
    assert dark_hours(hours[0], HOUR, []).shape == (0, 24)
