"""A small world: two generated zones, ingested, two trained pools, and one hour to score."""

import tomllib
from collections.abc import Mapping
from pathlib import Path

import pyarrow as pa

from tests.journeys.stores import DictStore, bucket_of
from training.train import train
from wattahead.cli.synthetic import catalog as catalog_text
from wattahead.domain.catalog import Catalog
from wattahead.domain.hours import DAY, HOUR, instant
from wattahead.domain.plan import HourEvent
from wattahead.jobs.build_features import build_features
from wattahead.jobs.ingest import ingest
from wattahead.jobs.plan import plan
from wattahead.jobs.promote import register_baselines
from wattahead.jobs.score import Scorer
from wattahead.sources.mapping_files import find_mapping
from wattahead.sources.synthetic import generate, write
from wattahead.storage.catalogs import publish_catalog, read_catalog
from wattahead.storage.documents import build
from wattahead.storage.objects import Bucket
from wattahead.storage.tables import read_parquet

NOW = instant("2026-03-01T05:30Z")
ISSUE = instant("2026-03-01T05:00Z")
UNTIL = instant("2026-02-27T00:00Z")
DAYS = 80
EVENT = HourEvent(ISSUE)


def prepared(folder: Path, *, zones: int = 2) -> DictStore:
    """Return a store with catalog, baselines, actuals and weather; nothing trained, nothing scored."""
    end = ISSUE + HOUR  # the hour after the issue time is in the data already, but was not known at it
    made = generate(zones, ISSUE - DAYS * DAY, end, seed=3)
    write(made, folder)
    (folder / "catalog.toml").write_text(small(catalog_text(made)), encoding="utf-8")
    store = DictStore()
    bucket = bucket_of(store)
    publish_catalog(bucket, read_catalog(folder / "catalog.toml"))
    register_baselines(bucket, read_catalog(folder / "catalog.toml"))
    report = ingest(bucket, find_mapping("synthetic"), folder, now=end)
    assert not report.refused
    return store


def one_zone_a_batch(folder: Path, *, zones: int) -> DictStore:
    """Return a store with one pool of many zones, a batch each, served by its baseline from a few month objects."""
    made = generate(zones, ISSUE - 40 * DAY, ISSUE, seed=3)
    write(made, folder)
    catalog = tomllib.loads(catalog_text(made))
    wind = {**catalog["pools"]["wind"], "zones": sorted(made.zones), "batch_size": 1}
    found = build(Catalog, {**catalog, "pools": {"wind": wind}}, where="catalog")
    store = DictStore()
    publish_catalog(bucket_of(store), found)
    register_baselines(bucket_of(store), found)
    # A clock a week on closes January and February.
    assert not ingest(bucket_of(store), find_mapping("synthetic"), folder, now=ISSUE + 8 * DAY).refused
    return store


def small(text: str) -> str:
    """Return the generator's catalog with few trees: these tests are about what happens, not about skill."""
    return text.replace("rounds = 150", "rounds = 25")


def trained(store: DictStore, catalog: Catalog, pools: tuple[str, ...]) -> DictStore:
    """Return a copy of the store in which `pools` have a champion."""
    found = DictStore(dict(store.objects))
    for pool in pools:
        assert train(bucket_of(found), catalog, pool, until=UNTIL, seed=1, progress=lambda _: None).promoted
    return found


def whole_hour(bucket: Bucket, event: HourEvent = EVENT, *, now: int = NOW) -> str:
    """Plan, build features and score one hour; return how scoring ended."""
    plan(bucket, event, now=now)
    build_features(bucket, event, now=now)
    return Scorer(bucket).score(event, now=now).outcome


def rows(objects: Mapping[str, bytes], root: str = "forecasts/") -> dict[str, bytes]:
    """Return the row objects below `root`: key -> bytes."""
    return {key: body for key, body in objects.items() if key.startswith(root)}


def table(objects: Mapping[str, bytes], batch: str) -> pa.Table:
    """Return the rows of one batch of the hour."""
    (key,) = [key for key in rows(objects) if key.endswith(f"/{batch}.parquet")]
    return read_parquet(objects[key], where=key)
