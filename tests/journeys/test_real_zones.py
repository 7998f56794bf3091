"""The laws on real data: no leak, the same bytes again, and no series that depends on its neighbours."""

import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from tests.journeys.futures import changed, rewritten
from tests.journeys.stores import DictStore, bucket_of
from tests.journeys.world import rows, whole_hour
from training.train import train
from wattahead.cli.catalog import find_catalog
from wattahead.domain.hours import DAY, instant
from wattahead.domain.plan import HourEvent
from wattahead.jobs.ingest import ingest
from wattahead.jobs.promote import register_baselines
from wattahead.sources.mapping_files import find_mapping
from wattahead.storage.catalogs import latest_catalog, publish_catalog
from wattahead.storage.tables import read_parquet

REAL = Path(os.environ.get("WATTAHEAD_DATA", "/nowhere"), "zones_production")
NOW = instant("2021-07-10T00:00Z")
ISSUE = instant("2021-03-03T07:00Z")
HOUR = HourEvent(ISSUE, "backfill", "laws")
ROWS = "backfills/forecasts/"

pytestmark = pytest.mark.skipif(not REAL.is_dir(), reason="WATTAHEAD_DATA does not name a folder with zones_production")


@pytest.fixture(scope="module")
def real_world() -> DictStore:
    """All real zones and all pools, with a champion for wind; nobody writes to it."""
    store = DictStore()
    bucket = bucket_of(store)
    catalog = find_catalog("zones_production")
    small = replace(catalog.pools["wind"], parameters={"rounds": 30, "folds": 2}, training_window="P100D")
    catalog = replace(catalog, pools={**catalog.pools, "wind": small})
    publish_catalog(bucket, catalog)
    register_baselines(bucket, catalog)
    assert ingest(bucket, find_mapping("zones_production"), REAL, now=NOW).refused == ()
    assert train(bucket, catalog, "wind", until=instant("2021-01-01T00:00Z"), seed=1, progress=lambda _: None).promoted
    return store


@pytest.fixture
def world(real_world: DictStore) -> DictStore:
    return DictStore(dict(real_world.objects))


def test_every_signal_of_the_catalog_is_forecast_for_every_zone(world: DictStore) -> None:
    whole_hour(bucket_of(world), HOUR, now=NOW)

    tables = [read_parquet(body, where=key) for key, body in rows(world.objects, ROWS).items()]
    served = {name for table in tables for name in table["series_id"].cast(pa.string()).unique().to_pylist()}
    assert len(served) == 21
    assert all(table["p50"].null_count == 0 for table in tables)


@pytest.mark.parametrize("seed", range(2))
def test_whatever_became_known_after_the_issue_time_moves_not_one_byte(world: DictStore, seed: int) -> None:
    other = rewritten(world, lambda body, key: changed(body, key, seed, ISSUE), "history/")
    assert len(set(other.objects) - set(world.objects)) > 30

    whole_hour(bucket_of(world), HOUR, now=NOW)
    whole_hour(bucket_of(other), HOUR, now=NOW)

    assert rows(other.objects, ROWS) == rows(world.objects, ROWS)
    assert len(rows(world.objects, ROWS)) == 7


def test_a_month_later_the_same_hour_gives_the_same_bytes(real_world: DictStore) -> None:
    once, again = (DictStore(dict(real_world.objects)) for _ in range(2))

    whole_hour(bucket_of(once), HOUR, now=NOW)
    whole_hour(bucket_of(again), HOUR, now=NOW + 30 * DAY)

    assert rows(again.objects, ROWS) == rows(once.objects, ROWS)


def test_a_zone_scored_alone_gets_the_values_it_gets_among_others(world: DictStore) -> None:
    alone = DictStore(dict(world.objects))
    _, catalog = latest_catalog(bucket_of(alone))
    single = {name: replace(pool, batch_size=1) for name, pool in catalog.pools.items()}
    publish_catalog(bucket_of(alone), replace(catalog, pools=single))

    whole_hour(bucket_of(world), HOUR, now=NOW)
    whole_hour(bucket_of(alone), HOUR, now=NOW)

    together, apart = (_values(store) for store in (world, alone))
    assert together.keys() == apart.keys()
    assert all(together[name].tobytes() == apart[name].tobytes() for name in together)


def _values(store: DictStore) -> dict[str, np.ndarray]:
    """Return series -> quantiles, flags and levels."""
    found = {}
    for key, body in rows(store.objects, ROWS).items():
        frame = read_parquet(body, where=key).to_pandas()
        for name, part in frame.groupby("series_id", observed=True):
            columns = ["p10", "p50", "p90", "quality_flags", "fallback_level", "input_age_minutes"]
            found[str(name)] = part[columns].to_numpy(dtype=float)
    return found
