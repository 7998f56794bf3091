"""Plan an hour: pin catalog, batches and bundles in one object that every worker reads, and nobody changes."""

from collections.abc import Iterator
from functools import partial

from wattahead.domain.bundle import Rung
from wattahead.domain.catalog import Catalog
from wattahead.domain.errors import Refused
from wattahead.domain.hours import HOUR, iso
from wattahead.domain.plan import Batch, HourEvent, Plan, PlannedPool
from wattahead.features.grammar import columns
from wattahead.jobs.hour import Answer, Attempt, closed, refuse_closed
from wattahead.models.baseline import CLIMATE_FEATURES, NAIVE_FEATURES
from wattahead.storage import keys
from wattahead.storage.catalogs import latest_catalog
from wattahead.storage.documents import decode, encode
from wattahead.storage.ledger import Outcome
from wattahead.storage.objects import Bucket
from wattahead.storage.registry import ladder
from wattahead.workloads import forecast

RECOVER_HOURS = 3  # earlier hours whose missing batches are handed out again


def plan(bucket: Bucket, event: HourEvent, *, now: int) -> Answer:
    """Write the plan of an hour unless it exists; answer with its batches and what earlier hours still lack."""
    if closed(event, now):
        return refuse_closed(bucket, "plan", event, now)
    attempt = Attempt(bucket, "plan", event, now)
    key = keys.plan(event)
    sequence, catalog = latest_catalog(bucket)
    put = bucket.create(key, encode(make_plan(bucket, event, sequence, catalog)))
    pinned = decode(Plan, put.body, where=key)
    missing = {iso(at): names for at, names in _unfinished(bucket, event)} if event.run_kind == "live" else {}
    outcome: Outcome = "ok" if put.created else "duplicate"
    attempt.record(outcome)
    return Answer(
        "plan",
        event,
        outcome,
        dict.fromkeys((batch.name for batch in pinned.batches), "planned"),
        facts={"plan": key, "missing": missing},
    )


def make_plan(bucket: Bucket, event: HourEvent, sequence: int, catalog: Catalog) -> Plan:
    """Return the plan that the catalog and the registries give for an hour."""
    pools = {
        name: planned_pool(catalog, name, ladder(bucket, name, event.issue_time)) for name in sorted(catalog.pools)
    }
    batches = [batch for name in pools for batch in _batches(catalog, name)]
    return Plan(event.issue_time, event.run_kind, event.run, sequence, pools, tuple(batches))


def planned_pool(catalog: Catalog, name: str, rungs: tuple[Rung, ...]) -> PlannedPool:
    """Return all that workers need to know of a pool: the features of its bundles, and always the baselines'."""
    pool = catalog.pools[name]
    asked = [feature for rung in rungs for feature in rung.features]
    features = columns([*asked, *NAIVE_FEATURES, *CLIMATE_FEATURES])
    zones = {zone: catalog.zones[zone] for zone in sorted(pool.zones)}
    return PlannedPool(name, forecast.NAME, pool, catalog.signals[pool.signal], zones, features, rungs)


def _batches(catalog: Catalog, pool: str) -> Iterator[Batch]:
    series = [str(one) for one in catalog.series(pool)]
    size = catalog.pools[pool].batch_size
    for number, first in enumerate(range(0, len(series), size)):
        yield Batch(f"{pool}-{number:04d}", pool, 0, tuple(series[first : first + size]))


def _unfinished(bucket: Bucket, event: HourEvent) -> Iterator[tuple[int, list[str]]]:
    """Yield the last hours that were planned but not finished: planned batches minus existing objects."""
    for back in range(1, RECOVER_HOURS + 1):
        earlier = HourEvent(event.issue_time - back * HOUR)
        key = keys.plan(earlier)
        try:
            planned = bucket.read(key, partial(decode, Plan, where=key))
        except Refused as error:
            if error.code != "E_FEAT_MISSING":
                raise
            continue  # an hour that was never planned has nothing to recover
        there = scored(bucket, planned)
        missing = [batch.name for batch in planned.batches if batch.name not in there]
        if missing:
            yield earlier.issue_time, missing


def scored(bucket: Bucket, planned: Plan) -> set[str]:
    """Return the batches of a plan whose rows exist. One LIST per workload."""
    workloads = {pool.workload for pool in planned.pools.values()}
    folders = [
        f"{keys.table(workload, planned.run_kind, planned.run)}/{keys.hour_folder(planned.issue_time)}"
        for workload in workloads
    ]
    return {key.rsplit("/", 1)[1].removesuffix(".parquet") for folder in folders for key in bucket.keys(folder)}
