"""A small world: two generated zones, ingested, two trained pools, and one hour to score."""

import tomllib
from collections.abc import Mapping
from pathlib import Path

import pyarrow as pa

from tests.journeys.stores import DictStore, bucket_of
from training.candidate import candidate, material
from training.train import train
from wattahead.cli.synthetic import catalog as catalog_text
from wattahead.domain.catalog import Catalog, in_order
from wattahead.domain.hours import DAY, HOUR, instant
from wattahead.domain.plan import HourEvent
from wattahead.features.grammar import check
from wattahead.jobs.build_features import build_features
from wattahead.jobs.ingest import ingest
from wattahead.jobs.plan import plan
from wattahead.jobs.promote import Verdict, promote, register_baselines
from wattahead.jobs.score import Scorer
from wattahead.sources.mapping_files import find_mapping
from wattahead.sources.synthetic import generate, write
from wattahead.storage.catalogs import latest_catalog, publish_catalog, read_catalog
from wattahead.storage.documents import build
from wattahead.storage.objects import Bucket
from wattahead.storage.tables import read_parquet

NOW = instant("2026-03-01T05:30Z")
ISSUE = instant("2026-03-01T05:00Z")
UNTIL = instant("2026-02-27T00:00Z")
DAYS = 80
EVENT = HourEvent(ISSUE)
WIND = HourEvent(ISSUE, batch="wind-0000")


def prepared(folder: Path, *, zones: int = 2, days: int = DAYS) -> DictStore:
    """Return a store with catalog, baselines, actuals and weather; nothing trained, nothing scored."""
    end = ISSUE + HOUR  # the hour after the issue time is in the data already, but was not known at it
    made = generate(zones, ISSUE - days * DAY, end, seed=3)
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


CARBON = """
[signals.gas]
key = "production"
subkey = "gas"
unit = "MW"
sign = "generation_positive"

[signals.carbon]
key = "carbon_intensity"
subkey = "direct"
unit = "g/kWh"
sign = "none"
factors = { solar = 45, wind = 11 }

[pools.carbon]
signal = "carbon"
zones = "all"
feature_set = "carbon"
batch_size = 1
"""
READS = (
    "zone", "lead", "same_time_1", "newest", "of_gas_same_time_1", "of_wind_newest_mean_24h",
    "forecast_solar", "forecast_wind", "forecast_wind_plus_1h", "forecast_wind_horizon_mean", "mix",
)  # fmt: skip


def two_stages(folder: Path) -> DictStore:
    """Return a store whose carbon pool reads the forecasts of solar and wind; all three have a small champion.

    Two zones: one batch each of solar and wind, two of carbon.
    """
    made = generate(2, ISSUE - DAYS * DAY, ISSUE, seed=3)
    write(made, folder)
    plain = tomllib.loads(catalog_text(made) + CARBON)
    wanted = {"issue_hours": (5,), "parameters": {"rounds": 8, "folds": 2, "least_rows": 20}}
    pools = {
        name: {**plain["pools"][name], "zones": sorted(made.zones), **wanted} for name in ("carbon", "solar", "wind")
    }
    sets = {**plain["feature_sets"], "carbon": READS}
    catalog = check(build(Catalog, {**plain, "pools": pools, "feature_sets": sets}, where="catalog"))
    store = DictStore()
    publish_catalog(bucket_of(store), catalog)
    # A clock a week on closes January and February.
    assert not ingest(bucket_of(store), find_mapping("synthetic"), folder, now=ISSUE + 8 * DAY).refused
    _, published = latest_catalog(bucket_of(store))
    for name in in_order(published, published.pools):
        crowned(bucket_of(store), published, name)
    return store


def crowned(bucket: Bucket, catalog: Catalog, pool: str) -> None:
    """Train a pool and make its candidate the champion, however good it is."""
    made = candidate(bucket, material(bucket, catalog, pool, until=UNTIL), seed=1, progress=lambda _: None)
    judge = Verdict(promoted=True, reason="for a test")
    promote(bucket, pool, made.rung, made.baselines, lambda _: judge, effective_from=UNTIL)


def small(text: str) -> str:
    """Return the generator's catalog with few trees: these tests are about what happens, not about skill."""
    return text.replace("rounds = 150", "rounds = 25\nspread_rounds = 15\nleaves = 15")


def trained(store: DictStore, catalog: Catalog, pools: tuple[str, ...]) -> DictStore:
    """Return a copy of the store in which `pools` have a champion."""
    found = DictStore(dict(store.objects))
    for pool in pools:
        assert train(bucket_of(found), catalog, pool, until=UNTIL, seed=1, progress=lambda _: None).promoted
    return found


def ready(store: DictStore) -> None:
    """Plan the hour and build its features."""
    plan(bucket_of(store), EVENT, now=NOW)
    build_features(bucket_of(store), EVENT, now=NOW)


def whole_hour(bucket: Bucket, event: HourEvent = EVENT, *, now: int = NOW) -> str:
    """Plan, build features and score one hour, stage after stage; return how scoring ended."""
    plan(bucket, event, now=now)
    scorer = Scorer(bucket)
    while build_features(bucket, event, now=now).outcome == "waiting":
        answer = scorer.score(event, now=now)
        if not answer.rows:
            return answer.outcome
    return scorer.score(event, now=now).outcome


def rows(objects: Mapping[str, bytes], root: str = "forecasts/") -> dict[str, bytes]:
    """Return the row objects below `root`: key -> bytes."""
    return {key: body for key, body in objects.items() if key.startswith(root)}


def table(objects: Mapping[str, bytes], batch: str) -> pa.Table:
    """Return the rows of one batch of the hour."""
    (key,) = [key for key in rows(objects) if key.endswith(f"/{batch}.parquet")]
    return read_parquet(objects[key], where=key)


def levels(store: DictStore, batch: str = "wind-0000") -> set[int]:
    return set(table(store.objects, batch)["fallback_level"].to_pylist())
