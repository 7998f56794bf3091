"""The cube: equal to the slow reference, blind to the future, and the same bits whoever is asked beside it."""

import os
import re
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.features import reference
from tests.features.reference import DAYS, HOURS, Moment, World
from tests.features.worlds import FEATURES, ISSUE_TIMES, LAST, PLACES, inputs, micros, recipe, world
from wattahead.domain.hours import DAY, HOUR, MINUTE, to_datetime
from wattahead.domain.quality import Quality, names
from wattahead.features import cube as cubes
from wattahead.features.cube import Cube, Inputs, Recipe, build
from wattahead.features.grammar import FAMILIES, feature
from wattahead.features.panel import Panel, panel

QUARTER = pd.Timedelta(minutes=15)

# A sum in another order differs by one last place of float32 at most; the sun's place is pvlib's within 0.02 degrees,
# and 1098 W/m2 * 0.02 degrees is 0.4 W/m2; of the 20 W/m2 that a share is of at least, that is 0.02 times at most 1.2.
# All other features are equal to the last bit.
ULP = float(np.finfo(np.float32).eps)
TOLERANCE = {
    **{name: (0.0, 0.02) for name in FEATURES if name.startswith("sun_elevation")},
    **{name: (0.0, 0.5) for name in FEATURES if name.startswith("clear_sky")},
    **{name: (0.0, 0.025) for name in FEATURES if "clear_index" in name},
    **{name: (0.0, 2.0) for name in FEATURES if "by_sun" in name},
    **{name: (ULP, 1e-7) for name in FEATURES if "_sin" in name or "_cos" in name},
    "weather_by_sun_light_at_output_24h": (0.01, 0.01),
    **{name: (ULP, 1e-7) for name in FEATURES if "_error_" in name},  # differences: what is left may be next to nothing
}


@cache
def _world(seed: int = 1, *, quarter: bool = False) -> World:
    return world(seed, step=QUARTER, steps=96) if quarter else world(seed)


def _same_bits(one: Cube, other: Cube) -> None:
    assert one.names == other.names
    for name in ("values", "scale", "age_minutes", "flags"):
        assert getattr(one, name).tobytes() == getattr(other, name).tobytes(), name


def _of(made: Cube, series: int | slice, moment: int | slice) -> Cube:
    """Return a part of a cube; give slices to keep the axes."""
    part = (series, moment)
    return Cube(made.names, made.values[:, series, moment], made.scale[part], made.age_minutes[part], made.flags[part])


# --- a second opinion -------------------------------------------------------------------------------------------------


def _assert_equal_to_reference(asked: World, times: tuple[int, ...], steps: range) -> None:
    series = list(asked.places)
    made = build(recipe(asked), inputs(asked, times), times)
    moments = [[Moment(asked, name, pd.Timestamp(to_datetime(at))) for at in times] for name in series]
    for number, name in enumerate(asked.features):
        expected = np.array([[[one.answer(name, step) for step in steps] for one in row] for row in moments]).astype(
            np.float32
        )
        mean = "mean" in name or "around" in name or name.startswith("weather_") or name in {"solar_hour", "local_hour"}
        relative, absolute = TOLERANCE.get(name, (ULP, 0.0) if mean else (0.0, 0.0))
        np.testing.assert_allclose(
            made.values[number][:, :, list(steps)], expected, rtol=relative, atol=absolute, equal_nan=True, err_msg=name
        )
    np.testing.assert_array_equal(made.scale, [[one.scale for one in row] for row in moments])
    np.testing.assert_array_equal(
        made.age_minutes, [[one.age // pd.Timedelta(minutes=1) for one in row] for row in moments]
    )
    assert [[set(names(flags)) for flags in row] for row in made.flags.tolist()] == [
        [one.flags for one in row] for row in moments
    ]


@pytest.mark.parametrize("seed", [1, 2])
def test_every_feature_scale_age_and_flag_of_hourly_series_equals_the_reference(seed: int) -> None:
    _assert_equal_to_reference(_world(seed), ISSUE_TIMES, range(24))


def test_every_feature_scale_age_and_flag_of_quarter_hours_equals_the_reference() -> None:
    _assert_equal_to_reference(_world(quarter=True), (LAST - 19 * HOUR, LAST - HOUR), range(0, 96, 5))


def test_the_reference_knows_every_family_and_the_world_asks_for_each() -> None:
    asked = {
        next(pattern for pattern in FAMILIES if feature(name) and re.fullmatch(pattern, name)) for name in FEATURES
    }

    assert asked == set(FAMILIES)
    assert len(reference.FAMILIES) == len(FAMILIES)


def test_the_world_holds_the_cases_it_is_for() -> None:
    asked = _world()
    made = build(recipe(asked), inputs(asked, ISSUE_TIMES), ISSUE_TIMES)

    assert set(names(int(np.bitwise_or.reduce(made.flags, axis=None)))) == {
        "weather_missing",
        "target_stale",
        "target_gap",
        "no_scale",
        "input_missing",
    }
    assert (made.flags == 0).any()


@pytest.mark.skipif(
    "WATTAHEAD_DATA" not in os.environ, reason="WATTAHEAD_DATA does not name a folder with zones_production"
)
def test_a_week_of_real_data_equals_the_reference() -> None:
    rows = pd.read_parquet(Path(os.environ["WATTAHEAD_DATA"]) / "zones_production/production_weather.parquet")
    rows = rows[(rows.ts >= "2020-12-01") & (rows.ts < "2021-02-10")].assign(
        series=lambda held: held.zone_key.astype(str)
    )
    known = {"valid_time": rows.ts, "available_at": rows.ts + 3 * HOURS}
    target = rows[["series"]].assign(**known, value=rows.solar.astype("float64"))
    run = {
        "point": 0,
        "valid_time": rows.ts,
        "available_at": rows.ts.dt.floor("D") - DAYS + 5 * HOURS,
    }  # one run a day, for the next day
    weather = rows[["series"]].assign(
        **run, wind_10m=rows.wind_speed_10m.astype("float64"), light=rows.dswrf_avg.astype("float64")
    )
    places = {"US-CAL-CISO": (36.5, -119.5), "US-MIDA-PJM": (40.0, -79.0), "US-TEX-ERCO": (31.0, -99.0)}
    asked = World(target, weather, places, {}, {}, FEATURES, HOURS, 24, publication_delay=2 * HOURS, memory=33 * DAYS)
    first = int(pd.Timestamp("2021-02-01T05:00Z").value // 1000)

    _assert_equal_to_reference(asked, tuple(first + day * (DAY + HOUR) for day in range(7)), range(24))


# --- nothing from the future ------------------------------------------------------------------------------------------


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), moment=st.sampled_from(ISSUE_TIMES), share=st.floats(0, 1))
def test_rows_known_later_change_added_or_taken_away_move_no_bit(seed: int, moment: int, share: float) -> None:
    asked, draw = _world(), np.random.default_rng(seed)
    before = build(recipe(asked), inputs(asked, [moment]), [moment])

    changed = replace(
        asked,
        target=_rewritten(draw, asked.target, moment, share),
        weather=_rewritten(draw, asked.weather, moment, share),
        external=_rewritten(draw, asked.external, moment, share),
    )

    _same_bits(before, build(recipe(asked), inputs(changed, [moment]), [moment]))


def _rewritten(draw: np.random.Generator, rows: pd.DataFrame, moment: int, share: float) -> pd.DataFrame:
    """Return rows of which those known after `moment` are changed, dropped and invented at random."""
    later = micros(rows.available_at) > moment
    past, future = rows[~later], rows[later & (draw.random(len(rows)) < share)].copy()
    columns = [name for name in rows.columns if name not in {"series", "point", "valid_time", "available_at"}]
    future[columns] = draw.normal(0, 1e6, (len(future), len(columns)))
    invented = past.sample(frac=0.2 * share, random_state=int(draw.integers(1000))).assign(
        available_at=pd.Timestamp(to_datetime(moment + 1))
    )
    invented[columns] = draw.choice([np.inf, -np.inf, -1.0, 1e9], (len(invented), len(columns)))
    return pd.concat([future, invented, past])


def test_a_row_known_at_the_issue_time_counts_and_one_a_microsecond_later_does_not() -> None:
    at = 10 * DAY

    newest = [
        build(Recipe(("newest_age_h",), HOUR, 1, 28 * DAY, 0), _one_value(at - HOUR, known_at, at), [at]).values[
            0, 0, 0, 0
        ]
        for known_at in (at, at + 1)
    ]

    assert newest == [0, 28 * 24]


def _one_value(valid_time: int, available_at: int, issue_time: int) -> Inputs:
    """Return one series that knows a single value, 5."""
    who, valid, known = (np.array([number]) for number in (0, valid_time, available_at))
    target = panel(who, valid, known, np.array([5.0]), series=1, start=issue_time - 28 * DAY, end=issue_time, step=HOUR)
    return Inputs(target, {}, np.zeros(1), np.zeros(1), np.full(1, np.nan))


# --- the same bits ----------------------------------------------------------------------------------------------------


def test_one_issue_time_gives_the_bits_it_has_among_many() -> None:
    asked = _world()
    many = build(recipe(asked), inputs(asked, ISSUE_TIMES), ISSUE_TIMES)

    for number, at in enumerate(ISSUE_TIMES):
        _same_bits(build(recipe(asked), inputs(asked, [at]), [at]), _of(many, slice(None), slice(number, number + 1)))


def test_a_series_alone_gives_the_bits_it_has_among_others() -> None:
    asked = _world()
    together = build(recipe(asked), inputs(asked, ISSUE_TIMES), ISSUE_TIMES)

    for number, name in enumerate(PLACES):
        _same_bits(
            build(recipe(asked), inputs(asked, ISSUE_TIMES, [name]), ISSUE_TIMES),
            _of(together, slice(number, number + 1), slice(None)),
        )


def _fifty(count: int) -> Inputs:
    """Return `count` series of random history and weather at three points, the first ones the same for any count."""

    def panel_of(rows: int, cells: int, start: int, salt: int) -> Panel:
        values = np.stack([np.random.default_rng([salt, row]).gamma(2, 50, (cells, 1)) for row in range(rows)])
        return Panel(start, HOUR, values, np.where(values > 10, start, 2**62), {})

    weather = {"wind_10m": panel_of(3 * count, 60, 99 * DAY, 1), "light": panel_of(3 * count, 60, 99 * DAY, 2)}
    latitude, longitude = np.linspace(-60, 60, 50)[:count], np.linspace(-170, 170, 50)[:count]
    return Inputs(panel_of(count, 24 * 33, 67 * DAY, 3), weather, latitude, longitude, np.full(count, np.nan))


@pytest.mark.parametrize("steps", [1, 2, 24])
@pytest.mark.parametrize("count", [1, 7])
def test_series_give_the_bits_they_have_among_fifty(count: int, steps: int) -> None:
    asked = Recipe(FEATURES, HOUR, steps, 28 * DAY, 0)

    few, many = (build(asked, _fifty(size), [100 * DAY]) for size in (count, 50))

    _same_bits(few, _of(many, slice(0, count), slice(None)))


def test_the_order_of_rows_does_not_matter() -> None:
    asked = _world()
    turned = replace(asked, target=asked.target[::-1], weather=asked.weather.sort_values(["valid_time", "point"]))

    one, other = (build(recipe(asked), inputs(each, ISSUE_TIMES), ISSUE_TIMES) for each in (asked, turned))

    _same_bits(one, other)


@pytest.mark.parametrize("cells", [1, 8_000, 10**9])
def test_the_size_of_a_chunk_does_not_matter(cells: int, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = _world()
    expected = build(recipe(asked), inputs(asked, ISSUE_TIMES), ISSUE_TIMES)

    monkeypatch.setattr(cubes, "_CELLS_AT_ONCE", cells)

    _same_bits(build(recipe(asked), inputs(asked, ISSUE_TIMES), ISSUE_TIMES), expected)


def test_some_of_the_series_can_be_taken() -> None:
    asked = _world()
    everything = inputs(asked, ISSUE_TIMES)
    whole = build(recipe(asked), everything, ISSUE_TIMES)

    taken = build(recipe(asked), everything.take(np.array([3, 1])), ISSUE_TIMES)

    for place, number in enumerate((3, 1)):
        _same_bits(_of(taken, slice(place, place + 1), slice(None)), _of(whole, slice(number, number + 1), slice(None)))


# --- what it says of itself -------------------------------------------------------------------------------------------


def test_a_series_with_two_truths_is_emptied_and_named_and_no_other() -> None:
    asked = _world()
    row = (
        asked.target[asked.target.series == "AA"]
        .dropna()
        .sort_values(["valid_time", "available_at"])
        .drop_duplicates("valid_time", keep="last")
        .iloc[[-500]]
    )
    torn = replace(asked, target=pd.concat([asked.target, row.assign(value=-1.0)]))

    held = inputs(torn, ISSUE_TIMES)
    made, healthy = (build(recipe(asked), each, ISSUE_TIMES) for each in (held, inputs(asked, ISSUE_TIMES)))

    assert {number: error.code for number, error in held.target.conflicts.items()} == {0: "E_TIME_CONFLICT"}
    assert "AA" in str(held.target.conflicts[0])
    assert np.isnan(made.scale[0]).all()
    _same_bits(_of(made, slice(1, None), slice(None)), _of(healthy, slice(1, None), slice(None)))


def test_weeks_of_zeros_have_no_scale_and_are_not_stale() -> None:
    zeros = np.zeros((1, 28 * 24, 1))
    target = Panel(0, HOUR, zeros, np.zeros(zeros.shape, dtype=np.int64), {})

    made = build(
        Recipe(("newest_age_h",), HOUR, 24, 28 * DAY, 0),
        Inputs(target, {}, np.zeros(1), np.zeros(1), np.full(1, np.nan)),
        [28 * DAY],
    )

    assert made.flags[0, 0] == Quality.NO_SCALE
    assert made.age_minutes[0, 0] == 0


@pytest.mark.parametrize(
    ("delay", "flags"), [(2 * HOUR, 0), (90 * MINUTE, 0), (HOUR, Quality.TARGET_STALE | Quality.TARGET_GAP)]
)
def test_values_within_their_publication_delay_are_not_stale(delay: int, flags: int) -> None:
    values = np.ones((1, 28 * 24, 1))
    values[0, -2:] = np.nan  # the last two hours are not published yet

    target = Panel(0, HOUR, values, np.zeros(values.shape, dtype=np.int64), {})
    made = build(
        Recipe((), HOUR, 24, 28 * DAY, delay),
        Inputs(target, {}, np.zeros(1), np.zeros(1), np.full(1, np.nan)),
        [28 * DAY],
    )

    assert made.flags[0, 0] == flags


def test_nothing_known_is_the_age_of_the_whole_window() -> None:
    made = build(Recipe(("newest",), HOUR, 24, 28 * DAY, 0), _one_value(200 * DAY, 200 * DAY, 100 * DAY), [100 * DAY])

    assert made.age_minutes[0, 0] == 28 * 24 * 60
    assert np.isnan(made.values).all()


def test_a_horizon_longer_than_a_day_does_not_see_its_own_days() -> None:
    values: npt.NDArray[np.float64] = np.arange(1, 28 * 24 + 1, dtype=np.float64).reshape(1, -1, 1)
    target = Panel(0, HOUR, values, np.zeros(values.shape, dtype=np.int64), {})

    made = build(
        Recipe(("same_time_1", "lag_24h"), HOUR, 48, 28 * DAY, 0),
        Inputs(target, {}, np.zeros(1), np.zeros(1), np.ones(1)),
        [28 * DAY],
    )

    assert made.values[0, 0, 0].tolist() == [*range(649, 673), *range(649, 673)]
    assert np.isnan(made.values[1, 0, 0, 24:]).all()
