"""Plan an hour: pin catalog, batches and bundles in one object that every worker reads, and nobody changes."""

from collections.abc import Callable, Iterable, Iterator
from functools import partial

from wattahead.domain.bundle import RegistryEntry
from wattahead.domain.catalog import Catalog
from wattahead.domain.errors import Refused, WattaheadError
from wattahead.domain.graph import stages
from wattahead.domain.hours import HOUR, iso
from wattahead.domain.plan import Batch, HourEvent, Plan, Planned
from wattahead.jobs.hour import Answer, Attempt, closed, refuse_closed
from wattahead.storage import keys
from wattahead.storage.catalogs import latest_catalog
from wattahead.storage.documents import canonical, decode, encode
from wattahead.storage.ledger import Outcome
from wattahead.storage.objects import Bucket, sha256
from wattahead.storage.registry import effective
from wattahead.workloads import WORKLOADS, workload

RECOVER_HOURS = 3  # earlier hours whose missing batches are handed out again


def plan(bucket: Bucket, event: HourEvent, *, now: int) -> Answer:
    """Write the plan of an hour unless it exists; answer with the list of what it and the hours before still lack."""
    if closed(event, now):
        return refuse_closed(bucket, "plan", event, now)
    attempt = Attempt(bucket, "plan", event, now)
    sequence, catalog = latest_catalog(bucket)

    def pin(hour: HourEvent) -> tuple[Plan, bool]:
        key = keys.plan(hour)
        put = bucket.create(key, encode(make_plan(bucket, hour, sequence, catalog)))
        return decode(Plan, put.body, where=key), put.created

    pinned, created = pin(event)
    earlier, errors = _earlier(bucket, event, lambda hour: pin(hour)[0])
    work = by_stage((planned, batch) for planned in (pinned, *earlier) for batch in unscored(bucket, planned))
    listed = [write_work(bucket, event, items) for items in work]
    outcome: Outcome = "ok" if created else "duplicate"
    attempt.record(outcome, errors=errors)
    # The event of finish: sources that come after this moment are looked for again.
    told = {"issue_time": iso(event.issue_time), "run_kind": event.run_kind, "run": event.run, "looked_at": iso(now)}
    facts = {"plan": keys.plan(event), "work": listed, "items": sum(map(len, work)), "event": told}
    return Answer("plan", event, outcome, facts=facts)


def make_plan(bucket: Bucket, event: HourEvent, sequence: int, catalog: Catalog) -> Plan:
    """Return the plan that the catalog and the registries give for an hour."""

    def held(pool: str) -> RegistryEntry | None:
        return effective(bucket, pool, event.issue_time)

    pools = {name: pool for kind in map(workload, WORKLOADS) for name, pool in kind.plan(catalog, held).items()}
    stage = stages({name: pool.reads for name, pool in pools.items()})
    order = sorted(pools, key=lambda name: (stage[name], name))
    batches = [batch for name in order for batch in _batches(catalog, pools[name], stage[name])]
    return Plan(event.issue_time, event.run_kind, event.run, sequence, pools, tuple(batches))


def by_stage(work: Iterable[tuple[Plan, Batch]]) -> list[list[dict[str, str]]]:
    """Return the events of batches as a list for each stage, in order: a list waits for the one before it."""
    found: dict[int, list[dict[str, str]]] = {}
    for planned, batch in work:
        about = {"issue_time": iso(planned.issue_time), "run_kind": planned.run_kind, "run": planned.run}
        found.setdefault(batch.stage, []).append({**about, "batch": batch.name})
    return [found[stage] for stage in sorted(found)]


def write_work(bucket: Bucket, event: HourEvent, work: list[dict[str, str]]) -> str:
    """Write a list of batches and return its key: a map over it reads any number of items."""
    body = canonical(work)
    key = keys.work(event, sha256(body)[:16])
    bucket.create(key, body)
    return key


def _batches(catalog: Catalog, planned: Planned, stage: int) -> Iterator[Batch]:
    series = workload(planned.workload).series(catalog, planned.name)
    size = planned.pool.batch_size
    for number, first in enumerate(range(0, len(series), size)):
        yield Batch(f"{planned.name}-{number:04d}", planned.name, stage, series[first : first + size])


def _earlier(bucket: Bucket, event: HourEvent, pin: Callable[[HourEvent], Plan]) -> tuple[list[Plan], dict[str, str]]:
    """Return the plans of the last live hours, and why one cannot be read.

    An hour that was never planned, after one that was, is planned now: nobody else would.
    """
    plans: list[Plan] = []
    errors: dict[str, str] = {}
    for back in range(RECOVER_HOURS, 0, -1) if event.run_kind == "live" else ():
        hour = HourEvent(event.issue_time - back * HOUR)
        key = keys.plan(hour)
        try:
            plans.append(bucket.read(key, partial(decode, Plan, where=key)))
        except Refused as error:
            if error.code != "E_FEAT_MISSING":  # what is wrong with an earlier hour does not stop this one
                errors[iso(hour.issue_time)] = str(error)
            elif plans or errors:
                try:
                    plans.append(pin(hour))
                except WattaheadError as failed:
                    errors[iso(hour.issue_time)] = str(failed)
    return plans[::-1], errors


def unscored(bucket: Bucket, planned: Plan) -> Iterator[Batch]:
    """Yield the batches of a plan that have no rows: what was planned minus what is there."""
    there = scored(bucket, planned)
    yield from (batch for batch in planned.batches if batch.name not in there)


def scored(bucket: Bucket, planned: Plan) -> set[str]:
    """Return the batches of a plan whose rows exist. One LIST per workload."""
    workloads = {pool.workload for pool in planned.pools.values()}
    folders = [
        f"{keys.table(workload, planned.run_kind, planned.run)}/{keys.hour_folder(planned.issue_time)}"
        for workload in workloads
    ]
    return {key.rsplit("/", 1)[1].removesuffix(".parquet") for folder in folders for key in bucket.keys(folder)}
