"""The catalog refuses what would fail later, and says what to do."""

from typing import Any

import pytest

from wattahead.domain.catalog import Catalog, Pool, Signal, Zone
from wattahead.domain.errors import Refused
from wattahead.domain.hours import HOUR, MINUTE

ZONES = {"SE": Zone(60, 15), "US-TEX-ERCO": Zone(31, -99)}


def _signal(**changes: Any) -> Signal:
    return Signal(**({"key": "production", "subkey": "solar", "unit": "MW", "sign": "generation_positive"} | changes))


def _pool(**changes: Any) -> Pool:
    return Pool(**({"signal": "solar", "zones": ("US-TEX-ERCO", "SE"), "feature_set": "plain"} | changes))


def _catalog(**changes: Any) -> Catalog:
    plain: dict[str, Any] = {
        "zones": ZONES,
        "signals": {"solar": _signal()},
        "feature_sets": {"plain": ("hour",)},
        "pools": {"solar": _pool()},
    }
    return Catalog(**(plain | changes))


def test_series_of_a_pool_are_sorted_by_name() -> None:
    assert [str(one) for one in _catalog().series("solar")] == ["SE/production/solar", "US-TEX-ERCO/production/solar"]


@pytest.mark.parametrize(("resolution", "step"), [("PT1H", HOUR), ("PT15M", 15 * MINUTE), ("PT5M", 5 * MINUTE)])
def test_the_resolution_is_the_length_of_an_interval(resolution: str, step: int) -> None:
    assert _signal(resolution=resolution).step == step


@pytest.mark.parametrize(("latitude", "longitude"), [(-119.5, 36.5), (91, 0), (0, 181), (float("nan"), 0)])
def test_a_place_that_is_not_on_the_globe_is_refused(latitude: float, longitude: float) -> None:
    with pytest.raises(Refused, match="E_GRID_LOCATION.*swapped"):
        Zone(latitude, longitude)


@pytest.mark.parametrize("capacity", [0, -1, float("nan"), float("inf")])
def test_a_capacity_that_nothing_can_be_divided_by_is_refused(capacity: float) -> None:
    with pytest.raises(Refused, match="E_CAPACITY"):
        _signal(capacity={"SE": capacity})


@pytest.mark.parametrize(
    "changes",
    [
        {"resolution": "PT7M"},
        {"resolution": "PT2H"},
        {"resolution": "hourly"},
        {"publication_delay": "2h"},
        {"scaling_window": "28"},
    ],
)
def test_times_of_a_signal_that_do_not_hold_are_refused(changes: dict[str, str]) -> None:
    with pytest.raises(Refused, match="E_CONFIG"):
        _signal(**changes)


@pytest.mark.parametrize("changes", [{"key": "Production"}, {"subkey": "so lar"}])
def test_a_signal_that_cannot_be_part_of_a_key_is_refused(changes: dict[str, str]) -> None:
    with pytest.raises(Refused, match="E_NAME"):
        _signal(**changes)


@pytest.mark.parametrize(
    "changes",
    [
        {"zones": ()}, {"zones": ("SE", "SE")}, {"batch_size": 0}, {"batch_size": 1001}, {"horizon": "P8D"},
        {"issue_hours": ()}, {"issue_hours": (24,)}, {"quantiles": ("p10", "p90")},
        {"quantiles": ("p90", "p50", "p10")},
    ],
)  # fmt: skip
def test_a_pool_that_cannot_be_planned_is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(Refused, match="E_CONFIG"):
        _pool(**changes)


@pytest.mark.parametrize(
    ("changes", "hint"),
    [
        ({"signal": "sollar"}, "use one of solar"),
        ({"feature_set": "plane"}, "use one of plain"),
        ({"zones": ("SF",)}, "use one of SE"),
    ],
)
def test_a_name_the_catalog_does_not_hold_is_answered_with_the_nearest(changes: dict[str, Any], hint: str) -> None:
    with pytest.raises(Refused, match=f"E_CONFIG.*{hint}"):
        _catalog(pools={"solar": _pool(**changes)})


@pytest.mark.parametrize("changes", [{"zones": {"se": Zone(0, 0)}}, {"pools": {"Solar": _pool()}}])
def test_names_of_the_catalog_itself_keep_their_rules(changes: dict[str, Any]) -> None:
    with pytest.raises(Refused, match="E_NAME"):
        _catalog(**changes)


@pytest.mark.parametrize("quantiles", [("a", "p50"), ("p100", "p50"), ("p50", "p50"), ("p00", "p50"), ("p90", "p50")])
def test_quantiles_that_are_not_two_digits_in_order_are_refused(quantiles: tuple[str, ...]) -> None:
    with pytest.raises(Refused, match="E_CONFIG"):
        _pool(quantiles=quantiles)


@pytest.mark.parametrize("coarse", ["PT0H", "PT3H", "PT40M", "PT30M"])
def test_weather_is_held_over_whole_intervals_of_the_signal_within_an_hour(coarse: str) -> None:
    with pytest.raises(Refused, match="E_CONFIG"):
        _catalog(pools={"solar": _pool(weather_resolution=coarse)})

    assert _catalog(pools={"solar": _pool(weather_resolution="PT1H")})
