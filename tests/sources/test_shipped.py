"""Catalogs that ship: each passes the checks, and its own mapping brings all that it reads, in the same units."""

import pytest

from wattahead.cli.catalog import find_catalog, shipped
from wattahead.domain.catalog import Catalog
from wattahead.domain.hours import duration
from wattahead.features.grammar import check, variables
from wattahead.sources.mapping import SourceMapping
from wattahead.sources.mapping_files import find_mapping

MAPPINGS = {"zones_operator": "zones_production"}  # the same files, read with one more kind of feature


@pytest.fixture(params=shipped())
def pair(request: pytest.FixtureRequest) -> tuple[Catalog, SourceMapping]:
    """Give a catalog and its mapping, which has the same name unless it is told."""
    return check(find_catalog(request.param)), find_mapping(MAPPINGS.get(request.param, request.param))


def test_every_signal_is_mapped_in_its_unit_and_resolution(pair: tuple[Catalog, SourceMapping]) -> None:
    catalog, mapping = pair
    brought = {(column.to, column.unit, table.step) for table, column in mapping.columns() if table.kind == "actuals"}

    asked = {(f"{held.key}/{held.subkey}", held.unit, held.step) for held in catalog.signals.values()}

    assert asked - brought == set()
    assert {pool.signal for pool in catalog.pools.values()} == set(catalog.signals)


def test_every_feature_of_the_weather_is_mapped_at_its_provider(pair: tuple[Catalog, SourceMapping]) -> None:
    catalog, mapping = pair
    brought = {(table.provider, column.to) for table, column in mapping.columns() if table.kind == "weather"}

    for pool in catalog.pools.values():
        asked = {(pool.weather, name) for name in variables(catalog.feature_sets[pool.feature_set])}
        assert asked - brought == set()


def test_weather_is_as_fine_as_the_signals_that_read_it(pair: tuple[Catalog, SourceMapping]) -> None:
    catalog, mapping = pair
    steps = {table.provider: table.step for table in mapping.tables if table.kind == "weather"}

    for pool in catalog.pools.values():
        own = catalog.signals[pool.signal].step
        assert steps[pool.weather] == (duration(pool.weather_resolution) if pool.weather_resolution else own)


def test_zones_that_a_mapping_names_are_the_zones_of_the_catalog(pair: tuple[Catalog, SourceMapping]) -> None:
    catalog, mapping = pair
    named = {table.zone for table in mapping.tables if table.zone} | set(mapping.zones.names.values())

    assert not named or set(catalog.zones) <= named
