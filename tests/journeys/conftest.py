"""Worlds are made once; every test works on a copy."""

from collections.abc import Callable

import pytest

from tests.journeys.stores import DictStore, bucket_of
from tests.journeys.world import one_zone_a_batch, prepared, trained
from wattahead.storage.catalogs import latest_catalog


@pytest.fixture(scope="session")
def untrained_world(tmp_path_factory: pytest.TempPathFactory) -> DictStore:
    """Data and baselines of two zones; nobody writes to it."""
    return prepared(tmp_path_factory.mktemp("world"))


@pytest.fixture(scope="session")
def trained_world(untrained_world: DictStore) -> DictStore:
    """The same with a champion for solar and wind; demand is left to its baseline. Nobody writes to it."""
    _, catalog = latest_catalog(bucket_of(untrained_world))
    return trained(untrained_world, catalog, ("solar", "wind"))


@pytest.fixture
def world(trained_world: DictStore) -> DictStore:
    """A copy of the trained world."""
    return DictStore(dict(trained_world.objects))


@pytest.fixture
def worlds(trained_world: DictStore) -> Callable[[], DictStore]:
    """As many copies as a test wants."""
    return lambda: DictStore(dict(trained_world.objects))


@pytest.fixture(scope="session")
def many_zones(tmp_path_factory: pytest.TempPathFactory) -> DictStore:
    """A wind pool of 25 generated zones with a batch each, a baseline, and few objects of history."""
    return one_zone_a_batch(tmp_path_factory.mktemp("many"), zones=25)


@pytest.fixture(scope="session")
def few_zones(tmp_path_factory: pytest.TempPathFactory) -> DictStore:
    """The same with three zones."""
    return one_zone_a_batch(tmp_path_factory.mktemp("few"), zones=3)
