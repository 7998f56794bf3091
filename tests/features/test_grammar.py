"""Names of features: each means one thing, and what cannot be had is refused."""

import pytest

from wattahead.domain.errors import Refused
from wattahead.features.grammar import columns, feature, lookback_days, variables


@pytest.mark.parametrize(
    ("name", "days"),
    [
        ("lag_24h", 2),
        ("lag_23h", 1),
        ("newest_mean_48h", 3),
        ("max_7d_lag_28d", 35),
        ("mean_1d_lag_0d", 1),
        ("same_time_28", 0),
        ("hour", 0),
    ],
)
def test_a_feature_says_how_many_days_of_history_it_needs(name: str, days: int) -> None:
    assert feature(name).lookback_days == days


def test_no_feature_needs_no_history() -> None:
    assert lookback_days([]) == 0


@pytest.mark.parametrize(
    ("name", "variable"),
    [
        ("weather_wind_speed_10m", "wind_speed_10m"), ("weather_wind_speed_10m_plus_1h", "wind_speed_10m"),
        ("weather_wind_10m_around_2h", "wind_10m"),
        ("weather_t_2m_minus_24h", "t_2m"), ("weather_light_horizon_mean", "light"),
        ("weather_light_highest", "light"), ("weather_light_lowest", "light"),
        ("hour", ""), ("newest", ""),
    ],
)  # fmt: skip
def test_a_weather_feature_names_the_variable_it_reads(name: str, variable: str) -> None:
    assert feature(name).variable == variable


def test_variables_are_sorted_and_stand_once() -> None:
    assert variables(["weather_wind", "hour", "weather_light_plus_1h", "weather_light"]) == ("light", "wind")


def test_columns_keep_their_order_once_and_leave_out_the_zone() -> None:
    assert columns(["lead", "zone", "hour", "lead"]) == ("lead", "hour")


@pytest.mark.parametrize(
    "name", ["", "Hour", "lag_h", "lag_-1h", "lag_24h ", "lag_24h\n", "lag_٢h", "same_time_1d", "weather_", "max_3d"]
)
def test_an_unknown_name_is_refused_with_the_forms_nearest_to_it(name: str) -> None:
    with pytest.raises(Refused, match="E_CONFIG: there is no feature .* Fix: use a form such as "):
        feature(name)


@pytest.mark.parametrize(
    "name",
    [
        "same_time_0", "same_time_29", "same_time_mean_29d", "same_time_max_0d", "same_time_min_100d",
        "weather_light_plus_7h", "weather_light_plus_12h", "weather_light_minus_25h",
        "weather_light_around_7h", "weather_light_plus_0h",
    ],
)  # fmt: skip
def test_a_feature_that_reaches_further_than_the_view_is_refused(name: str) -> None:
    with pytest.raises(Refused, match="E_CONFIG: a feature asks for .* Fix: use 1 to "):
        feature(name)
