"""The graph of forecasts: stages, circles, and what a catalog is told that reads a forecast which nobody makes."""

from collections.abc import Mapping
from dataclasses import replace
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wattahead.domain.catalog import Catalog, Pool, Signal, Zone, check_forecasts, check_once, in_order
from wattahead.domain.errors import Refused
from wattahead.domain.graph import forecasts_of, stages

ZONES = {"SE": Zone(60, 15), "US-TEX-ERCO": Zone(31, -99)}


@st.composite
def graphs(draw: st.DrawFn) -> dict[str, set[str]]:
    """Pools of which each reads some of those drawn before it: no circle."""
    names = draw(st.permutations([f"pool_{letter}" for letter in "abcdef"]))
    return {name: draw(st.sets(st.sampled_from(names[:at]))) if at else set() for at, name in enumerate(names)}


@given(graphs())
def test_a_pool_comes_right_behind_the_last_one_that_it_reads(reads: Mapping[str, set[str]]) -> None:
    found = stages(reads)

    assert {name: 1 + max((found[one] for one in read), default=-1) for name, read in reads.items()} == found


@given(graphs(), st.data())
def test_a_circle_is_refused_and_named(reads: dict[str, set[str]], data: st.DataObject) -> None:
    first = data.draw(st.sampled_from(sorted(reads)))
    last = data.draw(st.sampled_from(sorted(reads)))
    closed = {**reads, "middle": {last}, first: reads[first] | {"middle"}, last: reads[last] | {first}}

    with pytest.raises(Refused, match="E_CONFIG: pools read each other's forecasts: ") as refused:
        stages(closed)

    path = refused.value.fact.partition(": ")[2].split(" reads ")
    assert path[0] == path[-1]
    assert len(path) > 1
    assert all(later in closed[one] for one, later in pairwise(path))


@pytest.mark.parametrize(
    ("name", "signal"),
    [
        ("forecast_wind", "wind"), ("forecast_wind_plus_3h", "wind"), ("forecast_wind_10_minus_24h", "wind_10"),
        ("forecast_wind_horizon_mean", "wind"), ("forecast_wind_p10", "wind_p10"), ("forecast_wind_plus", "wind_plus"),
    ],
)  # fmt: skip
def test_the_longest_suffix_is_no_part_of_the_signals_name(name: str, signal: str) -> None:
    assert forecasts_of([name, "hour"]) == (signal,)


@pytest.mark.parametrize("name", ["hour", "forecast_", "of_wind_newest", "weather_forecast_wind", "forecast_wind "])
def test_other_features_read_no_forecast(name: str) -> None:
    assert forecasts_of([name]) == ()


MIXED = {"solar": 0.0, "wind": 11.0}


def _signal(subkey: str, **changes: Any) -> Signal:
    return Signal("production", subkey, "MW", "none", **changes)


def _catalog(**changes: Any) -> Catalog:
    plain: dict[str, Any] = {
        "zones": ZONES,
        "signals": {"solar": _signal("solar"), "wind": _signal("wind"), "net": _signal("net")},
        "feature_sets": {"plain": ("hour",), "net": ("hour", "forecast_solar", "forecast_wind_plus_1h")},
        "pools": {
            "solar": Pool("solar", tuple(ZONES), "plain"),
            "wind_north": Pool("wind", ("SE",), "plain"),
            "wind_south": Pool("wind", ("US-TEX-ERCO",), "plain"),
            "net": Pool("net", tuple(ZONES), "net"),
        },
    }
    return Catalog(**(plain | changes))


def test_a_forecast_may_come_from_a_pool_for_each_zone() -> None:
    catalog = _catalog()

    check_forecasts(catalog)

    assert catalog.read_by("net") == ("solar", "wind_north", "wind_south")
    assert catalog.forecasters("wind", ["SE"]) == ("wind_north",)
    assert in_order(catalog, ["net", "wind_south", "solar"]) == ["solar", "wind_south", "net"]


def test_a_series_that_two_pools_forecast_is_refused_with_both() -> None:
    twice = _catalog(pools={"a": Pool("wind", ("SE",), "plain"), "b": Pool("wind", tuple(ZONES), "plain")})

    check_once(_catalog())
    with pytest.raises(Refused, match="E_CONFIG: SE/production/wind stands in the pools a and b"):
        check_once(twice)


@pytest.mark.parametrize("factor", [float("inf"), float("nan")])
def test_a_factor_that_is_no_number_is_refused(factor: float) -> None:
    with pytest.raises(Refused, match="E_CONFIG: the factor of .wind. is"):
        _signal("net", factors={"wind": factor})


def test_a_pool_cannot_read_its_own_forecast() -> None:
    with pytest.raises(Refused, match="E_CONFIG.*net reads net.*Fix: leave the forecast out"):
        _catalog(feature_sets={"plain": ("hour",), "net": ("forecast_net",)})


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"feature_sets": {"plain": (), "net": ("forecast_win",)}}, "forecast_win.*use one of wind"),
        ({"pools": {"wind_south": None}}, "0 pools make for US-TEX-ERCO.*name US-TEX-ERCO in one pool of wind"),
        ({"pools": {"more": Pool("solar", ("SE",), "plain")}}, "2 pools make for SE"),
        ({"pools": {"solar": Pool("solar", tuple(ZONES), "plain", horizon="PT12H")}}, "horizon PT24H, beyond PT12H"),
        ({"pools": {"solar": Pool("solar", tuple(ZONES), "plain", input_deadline="PT40M")}}, "ahead of PT40M"),
        ({"pools": {"solar": Pool("solar", tuple(ZONES), "plain", issue_hours=(0, 12))}}, "issue hours beside"),
        ({"signals": {"wind": _signal("wind", resolution="PT15M")}}, "resolution PT1H, not PT15M"),
        ({"feature_sets": {"net": ("mix", "forecast_wind")}}, "production/net has no factors.*factors = "),
        (
            {
                "feature_sets": {"net": ("mix", "forecast_wind", "forecast_solar")},
                "signals": {"net": _signal("net", factors=MIXED), "wind": replace(_signal("wind"), unit="GW")},
            },
            "solar in MW, wind in GW.*one unit",
        ),
        (
            {"feature_sets": {"net": ("mix", "forecast_wind")}, "signals": {"net": _signal("net", factors=MIXED)}},
            "does not read the forecast of solar.*add forecast_solar ",
        ),
    ],
)
def test_a_forecast_that_would_never_fit_is_refused_with_what_to_do(changes: dict[str, Any], said: str) -> None:
    made = _catalog()
    merged = {
        part: {name: one for name, one in {**getattr(made, part), **changed}.items() if one is not None}
        for part, changed in changes.items()
    }

    with pytest.raises(Refused, match=f"E_CONFIG.*{said}"):
        check_forecasts(_catalog(**merged))
