"""Features of other signals: the same as the signal's own, in its own scale, and blind to what was issued elsewhere."""

from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from wattahead.domain.catalog import Catalog, Pool, Signal, Zone
from wattahead.domain.errors import Refused
from wattahead.domain.hours import DAY, HOUR
from wattahead.domain.quality import Quality
from wattahead.features.cube import Cube, Inputs, Recipe, build
from wattahead.features.grammar import check, feature, past_of, signals_of
from wattahead.features.others import Issued
from wattahead.features.panel import Panel
from wattahead.jobs.upstream import issued
from wattahead.storage.tables import INSTANT

AT = 60 * DAY
TIMES = np.array([AT - 6 * HOUR, AT])
STEPS = 24
FACTORS = {"wind": 12.0, "gas": 370.0}
PAST = ("same_time_1", "newest", "newest_mean_24h", "lag_24h", "max_3d_lag_1d", "newest_age_h")
READS = (
    "lead", *(f"of_wind_{name}" for name in PAST),
    "forecast_wind", "forecast_wind_plus_3h", "forecast_wind_minus_2h", "forecast_wind_horizon_mean", "mix",
)  # fmt: skip


def panel(seed: int, series: int, *, ends: int = AT) -> Panel:
    """Return 40 days of hourly values, each known an hour after its own end, the last one at `ends`."""
    cells = 40 * 24
    start = AT - 40 * DAY
    known_at = start + (np.arange(cells) + 2) * HOUR
    values = np.random.default_rng(seed).gamma(2, 100, (series, cells, 1))
    values[:, start + np.arange(cells) * HOUR >= ends] = np.nan
    return Panel(start, HOUR, values, np.broadcast_to(known_at[None, :, None], values.shape), {})


def plain(target: Panel) -> Inputs:
    count = len(target.values)
    return Inputs(target, {}, np.zeros(count), np.zeros(count), np.full(count, np.nan))


def recipe(features: tuple[str, ...]) -> Recipe:
    other = Recipe(past_of(features).get("wind", ()), HOUR, STEPS, 28 * DAY, HOUR)
    return Recipe(features, HOUR, STEPS, 60 * DAY, HOUR, {"wind": other, "gas": replace(other, features=())}, FACTORS)


def inputs(*, series: int = 3, wind: Panel | None = None, forecast: Issued | None = None) -> Inputs:
    made = Issued(TIMES, np.random.default_rng(9).gamma(2, 100, (series, len(TIMES), STEPS)))
    gas = Issued(TIMES, np.random.default_rng(10).gamma(2, 100, (series, len(TIMES), STEPS)))
    others = {"wind": plain(wind or panel(2, series)), "gas": plain(panel(3, series))}
    return replace(plain(panel(1, series)), others=others, forecasts={"wind": forecast or made, "gas": gas})


def column(made: Cube, name: str) -> np.ndarray:
    return made.values[made.names.index(name)]


@given(st.integers(0, 2**32 - 1))
def test_a_mix_is_the_mean_of_its_factors_weighted_by_amounts_in_units_of_its_own_scale(seed: int) -> None:
    draw = np.random.default_rng(seed)
    made = {name: Issued(TIMES, draw.gamma(0.5, 100, (3, len(TIMES), STEPS))) for name in ("wind", "gas", "solar")}
    made["gas"].values[0, 0, :3] = made["gas"].values[2, :, 12:] = np.nan
    no_gas = panel(3, 3)
    no_gas.values[2] = np.nan
    others = dict.fromkeys(made, Recipe((), HOUR, STEPS, 28 * DAY, HOUR))
    asked = replace(
        plain(panel(1, 3)), others=dict.fromkeys(made, plain(panel(2, 3))) | {"gas": plain(no_gas)}, forecasts=made
    )

    found = build(Recipe(("mix",), HOUR, STEPS, 60 * DAY, HOUR, others, FACTORS), asked, TIMES)

    mix = column(found, "mix") * found.scale[:, :, None]
    wind, gas = made["wind"].values, made["gas"].values  # solar is read and no part of this mix
    expected = (12 * wind + 370 * gas) / (wind + gas)
    expected[2, :, 12:] = 12  # of a zone that has no gas, and of which nobody says that it will
    np.testing.assert_allclose(mix, expected, rtol=1e-5)
    assert np.isnan(mix[0, 0, :3]).all()


def test_a_mix_is_not_known_without_the_forecast_of_one_of_its_signals_or_if_nothing_runs() -> None:
    still = Issued(TIMES, np.zeros((3, len(TIMES), STEPS)))
    oil = build(replace(recipe(("mix",)), factors={**FACTORS, "oil": 400.0}), inputs(), TIMES)

    assert np.isnan(oil.values).all()
    assert (oil.flags & Quality.INPUT_MISSING).all()
    assert np.isnan(build(replace(recipe(("mix",)), factors={"wind": 1}), inputs(forecast=still), TIMES).values).all()


def test_a_forecast_of_what_a_zone_does_not_have_is_not_missed() -> None:
    never = replace(panel(2, 3), values=np.zeros_like(panel(2, 3).values))
    nothing = Issued(TIMES, np.full((3, len(TIMES), STEPS), np.nan))

    made = build(recipe(("lead", "forecast_wind", "mix")), inputs(wind=never, forecast=nothing), TIMES)

    assert (made.flags == 0).all()
    assert np.isnan(column(made, "forecast_wind")).all()
    np.testing.assert_allclose(column(made, "mix") * made.scale[:, :, None], 370.0, rtol=1e-5)


def test_the_past_of_another_signal_is_what_its_own_pool_would_see() -> None:
    own = build(Recipe(PAST, HOUR, STEPS, 28 * DAY, HOUR), plain(panel(2, 3)), TIMES)

    made = build(recipe(READS), inputs(), TIMES)

    for name in PAST:
        np.testing.assert_array_equal(column(made, f"of_wind_{name}"), column(own, name), err_msg=name)
    assert (made.flags == 0).all()


def test_a_forecast_is_in_units_of_the_other_signals_scale_and_shifts_within_the_horizon() -> None:
    asked = inputs()
    wind = build(Recipe((), HOUR, STEPS, 28 * DAY, HOUR), asked.others["wind"], TIMES)
    expected = (asked.forecasts["wind"].values / wind.scale[:, :, None]).astype(np.float32)

    made = build(recipe(READS), asked, TIMES)

    np.testing.assert_array_equal(column(made, "forecast_wind"), expected)
    np.testing.assert_array_equal(column(made, "forecast_wind_plus_3h")[:, :, :-3], expected[:, :, 3:])
    np.testing.assert_array_equal(column(made, "forecast_wind_minus_2h")[:, :, 2:], expected[:, :, :-2])
    assert np.isnan(column(made, "forecast_wind_plus_3h")[:, :, -3:]).all()
    assert np.isnan(column(made, "forecast_wind_minus_2h")[:, :, :2]).all()
    mean = np.repeat(expected.mean(axis=2, dtype=np.float64)[:, :, None], STEPS, axis=2)
    np.testing.assert_allclose(column(made, "forecast_wind_horizon_mean"), mean, rtol=1e-6)


@given(st.integers(0, 2**32 - 1), st.lists(st.integers(0, 2), min_size=1, max_size=3, unique=True))
def test_neighbours_and_other_issue_times_move_no_bit(seed: int, chosen: list[int]) -> None:
    draw = np.random.default_rng(seed)
    asked, whole = inputs(), build(recipe(READS), inputs(), TIMES)
    crowd = np.sort(np.append(TIMES, draw.choice(np.arange(AT - 9 * DAY, AT + DAY, 7 * HOUR), 5, replace=False)))
    crowded = Issued(np.unique(crowd), draw.normal(0, 1e6, (3, len(np.unique(crowd)), STEPS)))
    for number, at in enumerate(TIMES):
        crowded.values[:, np.searchsorted(crowded.issue_times, at)] = asked.forecasts["wind"].values[:, number]

    among = replace(asked, forecasts={**asked.forecasts, "wind": crowded})

    few = build(recipe(READS), among.take(np.array(chosen)), TIMES[1:])

    assert few.values.tobytes() == whole.values[:, chosen, 1:].tobytes()
    assert few.flags.tobytes() == whole.flags[chosen, 1:].tobytes()


def test_what_becomes_known_of_another_signal_after_the_issue_time_moves_no_bit() -> None:
    wind = panel(2, 3)
    late = wind.available > AT
    other = replace(wind, values=np.where(late, 1e9, wind.values))
    assert late.any()

    same = [build(recipe(READS), inputs(wind=held), TIMES).values.tobytes() for held in (wind, other)]

    assert same[0] == same[1]


def test_a_forecast_that_is_not_there_is_nan_and_flagged_for_its_series_alone() -> None:
    there = Issued(TIMES, np.ones((3, 2, STEPS)))
    there.values[1] = np.nan

    made = build(recipe(READS), inputs(forecast=there), np.append(TIMES, AT + HOUR))

    assert np.isnan(column(made, "forecast_wind")[1]).all()
    assert np.isnan(column(made, "forecast_wind")[:, 2]).all()
    missing = (made.flags & Quality.INPUT_MISSING) != 0
    np.testing.assert_array_equal(missing, [[False, False, True], [True, True, True], [False, False, True]])


def test_a_longer_forecast_is_cut_and_a_shorter_one_ends_in_nan() -> None:
    longer = Issued(TIMES, np.ones((3, 2, 48)))
    shorter = Issued(TIMES, np.ones((3, 2, 6)))

    assert np.isfinite(longer.at(TIMES, STEPS)).all()
    np.testing.assert_array_equal(np.isfinite(shorter.at(TIMES, STEPS)).sum(axis=2), 6)


@pytest.mark.parametrize(("ends", "stale"), [(AT - HOUR, False), (AT - 3 * HOUR, True), (AT - 60 * DAY, False)])
def test_another_signal_is_stale_when_it_is_late_and_not_when_a_place_never_had_it(ends: int, stale: bool) -> None:
    made = build(recipe(("lead", "of_wind_newest")), inputs(wind=panel(2, 3, ends=ends)), TIMES[1:])

    assert ((made.flags & Quality.INPUT_STALE) != 0).all() == stale
    assert ((made.flags & Quality.INPUT_MISSING) != 0).any() == np.False_


def test_a_stale_past_is_no_fault_of_a_pool_that_reads_the_forecast_alone() -> None:
    made = build(recipe(("lead", "forecast_wind")), inputs(wind=panel(2, 3, ends=AT - 9 * HOUR)), TIMES[1:])

    assert (made.flags == 0).all()


def test_a_signal_that_the_catalog_no_longer_holds_is_nan_and_flagged() -> None:
    made = build(Recipe(READS, HOUR, STEPS, 60 * DAY, HOUR), plain(panel(1, 3)), TIMES)

    assert np.isnan(made.values[1:]).all()
    assert (made.flags == Quality.INPUT_MISSING).all()


def test_many_issue_times_in_chunks_are_what_they_are_one_by_one(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = build(recipe(READS), inputs(), TIMES)
    monkeypatch.setattr("wattahead.features.cube._CELLS_AT_ONCE", 1)

    assert build(recipe(READS), inputs(), TIMES).values.tobytes() == whole.values.tobytes()


# Names -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "signal", "past"),
    [
        ("of_gas_same_time_1", "gas", "same_time_1"),
        ("of_wind_newest_mean_24h", "wind", "newest_mean_24h"),
        ("of_wind_off_shore_2_lag_24h", "wind_off_shore_2", "lag_24h"),
        ("of_newest_newest", "newest", "newest"),
        ("of_max_3d_lag_1d_max_3d_lag_1d", "max_3d_lag_1d", "max_3d_lag_1d"),
    ],
)
def test_the_longest_feature_is_no_part_of_the_signals_name(name: str, signal: str, past: str) -> None:
    assert (feature(name).past_of, feature(name).past) == (signal, past)
    assert signals_of([name, "hour"]) == (signal,)


@pytest.mark.parametrize(
    "name", ["of_wind", "of__newest", "of_newest", "of_wind_hour", "of_wind_weather_light", "forecast_"]
)
def test_what_is_no_feature_of_another_signal_is_refused(name: str) -> None:
    with pytest.raises(Refused, match="E_CONFIG: there is no feature"):
        feature(name)


@pytest.mark.parametrize("name", ["forecast_wind_plus_25h", "forecast_wind_minus_0h", "of_wind_same_time_29"])
def test_a_feature_that_reaches_too_far_is_refused(name: str) -> None:
    with pytest.raises(Refused, match="E_CONFIG: a feature asks for .* Fix: use 1 to "):
        feature(name)


@pytest.mark.parametrize(
    ("features", "said"),
    [
        (("of_gaz_newest",), "of_gaz_….*use one of gas"),
        (("of_quick_newest",), "pool load has a resolution of PT1H, quick, which it reads, PT15M"),
        (("forecast_gas",), "0 pools make for SE"),
    ],
)
def test_a_catalog_that_reads_what_it_cannot_is_refused(features: tuple[str, ...], said: str) -> None:
    signals = {
        "load": Signal("consumption", "load", "MW", "none"),
        "gas": Signal("production", "gas", "MW", "none"),
        "quick": Signal("production", "quick", "MW", "none", resolution="PT15M"),
    }
    catalog = Catalog({"SE": Zone(60, 15)}, signals, {"load": features}, {"load": Pool("load", ("SE",), "load")})

    with pytest.raises(Refused, match=f"E_CONFIG.*{said}"):
        check(catalog)


# Rows as forecasts --------------------------------------------------------------------------------------------------


def test_rows_become_an_array_whatever_their_order_and_the_last_word_counts() -> None:
    rows = [
        ("BB", 0, 0, 1.0), ("AA", 0, 0, 2.0), ("BB", 0, 1, 3.0), ("AA", 6, 0, 4.0), ("XX", 0, 0, 5.0),
        ("BB", 0, 0, 6.0), ("AA", 0, 1, None), ("BB", 0, 0, None),
    ]  # fmt: skip
    table = pa.table(
        {
            "zone": pa.array([zone for zone, *_ in rows]).dictionary_encode(),
            "issue_time": pa.array([at * HOUR for _, at, *_ in rows]).view(INSTANT),
            "valid_time": pa.array([(at + lead) * HOUR for _, at, lead, _ in rows]).view(INSTANT),
            "p50": pa.array([value for *_, value in rows], pa.float64()),
        }
    )

    found = issued(table, ["AA", "BB"], HOUR)

    assert found.issue_times.tolist() == [0, 6 * HOUR]
    np.testing.assert_array_equal(found.values, [[[2, np.nan], [4, np.nan]], [[6, 3], [np.nan, np.nan]]])
    assert issued(table.slice(0, 0), ["AA", "BB"], HOUR).at(TIMES, 2).shape == (2, 2, 2)
