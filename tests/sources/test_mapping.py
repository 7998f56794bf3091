"""Mapping files: what they may say, and how a wrong one is refused."""

from pathlib import Path

import pytest

from wattahead.domain.errors import Refused
from wattahead.sources.mapping import with_publication_delay
from wattahead.sources.mapping_files import find_mapping, parse_mapping

METERS = """
name = "meters"

[[tables]]
kind = "actuals"
files = ["*.parquet"]
format = "parquet"
zone_column = "zone"
time_column = "ts"
publication_delay = "PT30M"

[tables.columns]
solar = { to = "production/solar", unit = "MW", range = [0, 100] }
"""

FORECASTS = """
name = "weather"

[[tables]]
kind = "weather"
provider = "gfs"
files = ["*.csv"]
format = "csv"
zone = "SE"
time_column = "ts"
init_column = "run"
available_after_init = "PT4H"

[tables.columns]
wind = { to = "wind_speed_10m", unit = "m/s", range = [0, 75] }
"""


def test_a_mapping_says_what_a_column_becomes() -> None:
    mapping = parse_mapping(METERS, where="meters.toml")

    column = mapping.tables[0].columns["solar"]
    assert (column.to, column.unit, column.range) == ("production/solar", "MW", (0.0, 100.0))
    assert (mapping.tables[0].hour_label, mapping.tables[0].resolution) == ("beginning", "PT1H")


@pytest.mark.parametrize(
    "name",
    ["zones_production", "dacf", "synthetic", "openstef_nl_2020", "tetouan_2017", "spain_2015_2018", "gefcom2014_wind"],
)
def test_shipped_mappings_are_found_by_name(name: str) -> None:
    assert find_mapping(name).name == name


def test_a_mapping_is_also_found_by_its_path(tmp_path: Path) -> None:
    file = tmp_path / "mine.toml"
    file.write_text(METERS, encoding="utf-8")

    assert find_mapping(str(file)).name == "meters"


def test_an_unknown_mapping_names_the_nearest_shipped_one() -> None:
    with pytest.raises(Refused, match=r"E_FEAT_MISSING.*zones_production"):
        find_mapping("zone_production")


def test_the_dacf_mapping_states_that_its_weather_is_valid_24_hours_after_its_row() -> None:
    weather = [table for table in find_mapping("dacf").tables if table.kind != "actuals"]

    assert {table.valid_shift for table in weather} == {"PT24H"}


@pytest.mark.parametrize(
    ("wrong", "right", "code"),
    [
        ('name = "meters', 'name = "meters"', "E_CONFIG"),  # not TOML
        ('time_colum = "ts"', 'time_column = "ts"', "E_CONFIG"),  # unknown key
        ('range = "0"', "range = [0, 100]", "E_CONFIG"),  # text for numbers
        ("range = [true, 100]", "range = [0, 100]", "E_CONFIG"),
        ("range = [100, 0]", "range = [0, 100]", "E_CONFIG"),
        ("range = [0, 100], outside_limit = 1.5", "range = [0, 100]", "E_CONFIG"),
        ('range = [0, 100], blocks = "mean"', "range = [0, 100]", "E_CONFIG"),  # without block
        ('block = "PT3H"\nzone_column = "zone"', 'zone_column = "zone"', "E_CONFIG"),  # actuals
        ('persistence = "PT24H"\nzone_column = "zone"', 'zone_column = "zone"', "E_CONFIG"),
        ("range = [0, 100], clip_from = 5", "range = [0, 100]", "E_CONFIG"),
        ('publication_delay = "30 min"', 'publication_delay = "PT30M"', "E_CONFIG"),
        ('publication_delay = "PT30M"\navailable_column = "seen"', 'publication_delay = "PT30M"', "E_CONFIG"),
        ('zone_column = "zone"\nzone = "SE"', 'zone_column = "zone"', "E_CONFIG"),
        ('resolution = "PT7H"\nzone_column = "zone"', 'zone_column = "zone"', "E_CONFIG"),
        ('time_zone = "Europe/Nowhere"\nzone_column = "zone"', 'zone_column = "zone"', "E_CONFIG"),
        ('layout = "long"\nzone_column = "zone"', 'zone_column = "zone"', "E_CONFIG"),
        ('to = "../models"', 'to = "production/solar"', "E_NAME"),
        ('to = "production/../solar"', 'to = "production/solar"', "E_NAME"),
    ],
)  # fmt: skip
def test_a_wrong_statement_is_refused_before_a_row_is_read(wrong: str, right: str, code: str) -> None:
    with pytest.raises(Refused) as refused:
        parse_mapping(METERS.replace(right, wrong), where="meters.toml")

    assert refused.value.code == code


@pytest.mark.parametrize(
    ("wrong", "right"),
    [
        ('provider = "../gfs"', 'provider = "gfs"'),
        ('to = "valid_time"', 'to = "wind_speed_10m"'),
        ('init_column = ""', 'init_column = "run"'),
        ('available_after_init = ""', 'available_after_init = "PT4H"'),
    ],
)
def test_a_forecast_states_its_run_and_when_it_was_known(wrong: str, right: str) -> None:
    parse_mapping(FORECASTS, where="weather.toml")

    with pytest.raises(Refused):
        parse_mapping(FORECASTS.replace(right, wrong), where="weather.toml")


def test_two_tables_of_one_signal_must_state_the_same_unit() -> None:
    second = METERS.replace('name = "meters"', "").replace('"MW"', '"kW"')

    with pytest.raises(Refused, match="do not agree"):
        parse_mapping(METERS + second, where="meters.toml")


def test_a_delay_given_on_the_command_line_replaces_the_assumed_one() -> None:
    mapping = parse_mapping(METERS, where="meters.toml")

    assert with_publication_delay(mapping, "PT1H").tables[0].publication_delay == "PT1H"


def test_a_delay_given_on_the_command_line_does_not_replace_a_stated_time() -> None:
    stated = parse_mapping(
        METERS.replace('publication_delay = "PT30M"', 'available_column = "seen"'), where="meters.toml"
    )

    assert with_publication_delay(stated, "PT1H") == stated
