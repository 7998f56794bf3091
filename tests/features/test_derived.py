"""Weather made of other weather: equal to a slow loop, at the edges too, and blind to neighbours and the future."""

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from wattahead.domain import sun
from wattahead.domain.errors import Refused
from wattahead.domain.hours import DAY, HOUR, MINUTE, instant
from wattahead.features import derived
from wattahead.features.cube import Cube, Inputs, Recipe, build
from wattahead.features.grammar import feature, variables
from wattahead.features.panel import Panel
from wattahead.features.view import View

Floats = NDArray[np.float64]

ISSUE = instant("2021-06-10T05:00Z")  # two hours into a step of three
PLACES = np.array([[36.5, -119.5], [60.0, 25.0], [-41.0, 146.5]])
LATER = np.array([0, 7 * HOUR, 24 * HOUR])
STEPS = [HOUR, 15 * MINUTE, 10 * MINUTE]
HORIZON = 24 * HOUR
WITHIN = 1e-12  # sums of a handful of terms in another order


def cells(step: int) -> int:
    return (DAY + HORIZON + 6 * HOUR) // step


def view(light: Floats, step: int = HOUR, history: Floats | None = None) -> View:
    """Return a view of radiation and wind (S, T, cells, P) at the first places and later issue times."""
    series, moments = light.shape[:2]
    past = np.ones((series, moments, 2 * DAY // step)) if history is None else history
    places = PLACES[:series]
    held = {"light": light, "wind": light / 100}
    scale = np.ones((series, moments))
    return View(ISSUE + LATER[:moments], HORIZON // step, step, past, scale, held, places[:, 0], places[:, 1])


def light_of(step: int, *, series: int = 3, moments: int = 3, points: int = 2, holes: float = 0.1) -> Floats:
    draw = np.random.default_rng(5)
    found = draw.uniform(0, 900, (series, moments, cells(step), points))
    return np.where(draw.random(found.shape) < holes, np.nan, found)


def slow_index(light: Floats, place: Floats, issue: int, cell: int, step: int) -> float:
    """Return the clear index of one cell of one point: light (cells), one number at a time."""
    at = issue - DAY + cell * step
    away = (at + step / 2 - (at // (3 * HOUR) * 3 * HOUR + 1.5 * HOUR)) / (3 * HOUR)
    beside = cell + 3 * HOUR // step * (1 if away >= 0 else -1)
    if not 0 <= beside < len(light) or math.isnan(light[beside]):
        beside, away = cell, 0.0
    weights = {cell: 1 - abs(away), beside: abs(away)} if beside != cell else {cell: 1.0}
    given_light = sum(share * light[one] for one, share in weights.items())
    sky = sum(
        share * slow_sky((at + (one - cell) * step) // (3 * HOUR) * 3 * HOUR, 3 * HOUR, place)
        for one, share in weights.items()
    )
    return float(np.clip(given_light / max(sky, 20.0), 0, 1.2))


def slow_sky(start: int, length: int, place: Floats) -> float:
    """Return the mean clear sky of six equal parts, each in its middle."""
    middles = [start + length * (2 * part + 1) // 12 for part in range(6)]
    return math.fsum(float(sun.clear_sky(sun.direction(np.array(at), *place)[0])) for at in middles) / 6


@pytest.mark.parametrize("step", STEPS)
def test_every_cell_equals_a_slow_loop_to_the_first_and_the_last(step: int) -> None:
    light = light_of(step)
    found = {name: derived.cells(view(light, step), f"{name}_light") for name in ("clear_index", "by_sun")}
    asked = {0, 1, 3 * HOUR // step - 1, DAY // step, cells(step) // 2, cells(step) - 3 * HOUR // step, cells(step) - 1}

    for series, moment, point in ((0, 0, 0), (1, 1, 1), (2, 2, 0)):
        for cell in sorted(asked):
            issue = ISSUE + int(LATER[moment])
            share = slow_index(light[series, moment, :, point], PLACES[series], issue, cell, step)
            sky = slow_sky(issue - DAY + cell * step, step, PLACES[series])
            where = (series, moment, cell, point)
            np.testing.assert_allclose(found["clear_index"][where], share, rtol=0, atol=WITHIN)
            np.testing.assert_allclose(found["by_sun"][where], share * sky, rtol=WITHIN, atol=WITHIN)


@pytest.mark.parametrize("step", STEPS)
def test_half_of_the_clear_sky_in_every_step_is_half_of_it_in_every_cell(step: int) -> None:
    """Radiation that a weather model gives as means over its steps gets the shape of the sun back."""
    bare = view(light_of(step), step)
    starts = bare.issue_times[:, None] - DAY + np.arange(cells(step)) * step
    sky = derived._mean_clear_sky(bare, starts - starts % (3 * HOUR), 3 * HOUR)
    day = sky[..., 0] > 2 * derived.FAINT

    found = view(0.5 * sky, step)

    share = derived.cells(found, "clear_index_light")[..., 0]
    bright = day & (np.roll(day, 3 * HOUR // step, axis=2)) & np.roll(day, -3 * HOUR // step, axis=2)
    np.testing.assert_allclose(share[bright], 0.5, rtol=WITHIN)
    own = derived._mean_clear_sky(bare, starts, step)[..., 0]
    np.testing.assert_allclose(derived.cells(found, "by_sun_light")[..., 0][bright], 0.5 * own[bright], rtol=WITHIN)
    assert bright.sum() > bright.size / 5


def test_values_of_one_step_lead_on_to_the_next_in_a_line() -> None:
    """Radiation that is constant over steps of three hours does not jump at their edges, on a grid of ten minutes."""
    step = 10 * MINUTE
    starts = ISSUE - DAY + np.arange(cells(step)) * step
    levels = np.random.default_rng(1).uniform(100, 900, 30)
    held = levels[(starts - starts[0] + starts[0] % (3 * HOUR)) // (3 * HOUR)]

    mixed = derived._between(held[None, None, :, None], starts[None], step)[0, 0, :, 0]

    inner = slice(18, -18)
    most = np.abs(np.diff(levels)).max() / 18
    assert np.abs(np.diff(mixed[inner])).max() <= most * (1 + WITHIN)
    assert np.abs(np.diff(held[inner])).max() > 10 * most / 2
    assert {starts[0] % (3 * HOUR), starts[-1] % (3 * HOUR)} != {0}  # the window begins and ends within a step


@pytest.mark.parametrize("name", ["clear_index", "by_sun", "cubed"])
def test_what_is_missing_stays_missing_and_nothing_beside_it_is_lost(name: str) -> None:
    light = light_of(HOUR)

    found = derived.cells(view(light), f"{name}_light")

    assert np.array_equal(np.isnan(found), np.isnan(light))


def test_a_missing_neighbour_leaves_a_cell_its_own_share_of_its_own_sky() -> None:
    noon = 26  # 07Z, at 25 degrees east
    whole = np.full((1, 1, cells(HOUR), 1), 300.0)
    alone = whole.copy()
    alone[0, 0, [noon - 3, noon + 3]] = np.nan
    places = view(whole)
    at_east = replace(places, latitude=PLACES[1:2, 0], longitude=PLACES[1:2, 1])
    start = (ISSUE - DAY + noon * HOUR) // (3 * HOUR) * 3 * HOUR

    found = derived.clear_index(at_east, alone)[0, 0, noon, 0]

    assert found == pytest.approx(300 / slow_sky(start, 3 * HOUR, PLACES[1]), rel=WITHIN)


def test_there_is_no_share_at_night_and_no_more_than_the_edge_of_clouds_by_day() -> None:
    found = view(np.full((3, 3, cells(HOUR), 1), 1e4))
    sky = derived._mean_clear_sky(found, derived._times(found, cells(HOUR)), HOUR)

    share, light = (derived.cells(found, f"{name}_light") for name in ("clear_index", "by_sun"))
    dark = derived.cells(view(np.zeros((3, 3, cells(HOUR), 1))), "clear_index_light")

    assert share.max() == derived.BRIGHTEST
    assert (light[sky == 0] == 0).all()
    assert (sky == 0).any()
    assert (dark == 0).all()


def test_power_grows_with_the_cube() -> None:
    wind = light_of(HOUR)

    np.testing.assert_array_equal(derived.cells(view(wind), "cubed_wind"), (wind / 100) ** 3)


def test_a_variable_is_derived_once_for_all_features_of_it() -> None:
    one = view(light_of(HOUR))

    assert derived.cells(one, "by_sun_light") is derived.cells(one, "by_sun_light")
    assert derived.cells(one, "light") is one.weather["light"]


# The grammar


@pytest.mark.parametrize(
    ("name", "read"),
    [
        ("weather_by_sun_light", "light"), ("weather_clear_index_dswrf_avg_plus_1h", "dswrf_avg"),
        ("weather_cubed_wind_10m_at_output_24h", "wind_10m"), ("weather_wind_10m_output_3h", "wind_10m"),
        ("weather_cubed_wind_10m_highest", "wind_10m"), ("weather_by_moon_light", "by_moon_light"),
        ("weather_cubed", "cubed"),
    ],
)  # fmt: skip
def test_a_feature_reads_the_stored_variable_that_its_own_is_made_of(name: str, read: str) -> None:
    assert variables([name]) == (read,)


def test_variables_of_many_forms_stand_once() -> None:
    names = ["weather_light", "weather_by_sun_light_output_24h", "weather_clear_index_light", "weather_cubed_wind"]

    assert variables(names) == ("light", "wind")


@pytest.mark.parametrize("hours", [0, 25, 100])
def test_an_output_of_more_hours_than_are_kept_is_refused(hours: int) -> None:
    with pytest.raises(Refused, match="E_CONFIG: a feature asks for .* Fix: use 1 to 24"):
        feature(f"weather_light_output_{hours}h")


# Output per weather


def one_output(came: Floats, given_light: Floats, hours: int = 24) -> float:
    """Return the output of the last hours of a view whose last day came like this."""
    light = np.full((1, 1, cells(HOUR), 1), 1e6)  # what is forecast does not count
    light[0, 0, :24, 0] = given_light
    return float(feature(f"weather_light_output_{hours}h").compute(view(light, history=came[None, None]))[0, 0, 0])


AMOUNTS = st.lists(st.floats(1, 1000), min_size=24, max_size=24).map(np.array)


@given(AMOUNTS, AMOUNTS, st.floats(0.01, 100))
def test_weather_times_a_number_is_output_over_that_number(came: Floats, light: Floats, times: float) -> None:
    assert one_output(came, times * light) == pytest.approx(one_output(came, light) / times, rel=1e-9)
    assert one_output(times * came, light) == pytest.approx(one_output(came, light) * times, rel=1e-9)


@given(AMOUNTS, AMOUNTS, st.lists(st.integers(0, 23), max_size=20), st.lists(st.integers(0, 23), max_size=20))
def test_only_hours_of_which_both_are_known_count(
    came: Floats, light: Floats, silent: list[int], blind: list[int]
) -> None:
    holed_came, holed_light = came.copy(), light.copy()
    holed_came[silent], holed_light[blind] = np.nan, np.nan
    both = np.isfinite(holed_came) & np.isfinite(holed_light)

    found = one_output(holed_came, holed_light)

    expected = came[both].sum() / light[both].sum() if both.any() else math.nan
    assert found == pytest.approx(expected, rel=1e-9, nan_ok=True)


@pytest.mark.parametrize("hours", [1, 6, 24])
def test_no_older_hour_counts(hours: int) -> None:
    came, light = np.arange(1.0, 25), np.arange(25.0, 49)

    assert one_output(came, light, hours) == pytest.approx(came[-hours:].sum() / light[-hours:].sum())


def test_without_weather_there_is_no_output_per_weather() -> None:
    assert math.isnan(one_output(np.ones(24), np.zeros(24)))


# The same bits in the cube, and nothing from the future

NAMES = tuple(
    f"weather_{form}_light{rest}"
    for form in ("by_sun", "clear_index", "cubed")
    for rest in ("", "_minus_24h", "_plus_6h", "_highest", "_output_24h", "_at_output_24h")
)


def world(step: int, series: int = 3) -> Inputs:
    draw = np.random.default_rng(8)
    start, length = ISSUE - 2 * DAY, 5 * DAY // step
    light = draw.uniform(0, 900, (series * 2, length, 1))
    known = np.full(light.shape, start)
    known[:, length // 2 :] = ISSUE + HOUR  # a later run
    back = 29 * DAY // step
    past = draw.uniform(1, 9, (series, back + DAY // step, 1))
    target = Panel(ISSUE - 29 * DAY, step, past, np.full(past.shape, ISSUE - 29 * DAY), {})
    places = PLACES[np.arange(series) % 3]
    panel = Panel(start, step, light, known, {})
    return Inputs(target, {"light": panel}, places[:, 0], places[:, 1], np.full(series, np.nan))


def made(step: int, held: Inputs, *times: int) -> Cube:
    return build(Recipe(NAMES, step, HORIZON // step, 28 * DAY, 0), held, list(times))


@pytest.mark.parametrize("step", STEPS)
def test_a_series_alone_and_one_issue_time_give_the_bits_they_have_among_others(step: int) -> None:
    held, times = world(step), (ISSUE, ISSUE + 4 * HOUR, ISSUE + 24 * HOUR)
    whole = made(step, held, *times)

    for series in range(3):
        alone = made(step, held.take(np.array([series])), *times)
        assert alone.values.tobytes() == whole.values[:, series : series + 1].tobytes()
    for moment, at in enumerate(times):
        assert made(step, held, at).values.tobytes() == whole.values[:, :, moment : moment + 1].tobytes()
    assert np.isfinite(whole.values).any(axis=(1, 2, 3)).all()


def test_a_later_run_moves_no_bit_until_it_is_known() -> None:
    held = world(HOUR)
    panel = held.weather["light"]
    other = np.where(panel.available > ISSUE, panel.values + 50, panel.values)
    changed = replace(held, weather={"light": replace(panel, values=other)})

    before, after = (made(HOUR, each, ISSUE).values.tobytes() for each in (held, changed))
    later = [made(HOUR, each, ISSUE + HOUR).values.tobytes() for each in (held, changed)]

    assert before == after
    assert later[0] != later[1]
