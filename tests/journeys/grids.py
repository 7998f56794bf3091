"""A small world of grids, and one hour of it."""

import numpy as np
import pyarrow as pa

from tests.grid.worlds import FIVE, acted, pool, solved, some_days
from tests.journeys.stores import DictStore, bucket_of
from wattahead.domain.catalog import Catalog
from wattahead.domain.grid import Network
from wattahead.domain.hours import DAY, HOUR, MINUTE, instant
from wattahead.domain.plan import HourEvent
from wattahead.grid.candidates import Candidates
from wattahead.jobs.build_features import build_features
from wattahead.jobs.finish import finish
from wattahead.jobs.plan import plan
from wattahead.jobs.promote import register_baselines
from wattahead.jobs.score import Scorer
from wattahead.storage.catalogs import publish_catalog
from wattahead.storage.objects import Bucket
from wattahead.storage.tables import read_parquet
from wattahead.storage.timeseries import states as states_of
from wattahead.storage.timeseries import store as store_states
from wattahead.workloads.grid_action.stored import to_stored

ISSUE = instant("2026-03-01T05:00Z")
EVENT = HourEvent(ISSUE)
NOW = ISSUE + 30 * MINUTE
GRIDS = ("five_east", "five_west")
KEY = "grid_actions/issue_date=2026-03-01/issue_hour=05/screen-0000.parquet"


def world(grids: tuple[str, ...] = GRIDS, *, until: int = ISSUE, **changed: object) -> DictStore:
    """Return a store with a pool of grids, its baseline, and states of the two days before `until`, hour by hour."""
    store = DictStore()
    bucket = bucket_of(store)
    catalog = Catalog({}, {}, {}, {}, {"five": FIVE}, {"screen": pool(FIVE, grids, **changed)})
    publish_catalog(bucket, catalog)
    register_baselines(bucket, catalog)
    times = np.arange(until - 2 * DAY, until, HOUR) + HOUR
    some_days(bucket, FIVE, grids, times - 10 * MINUTE)
    some_days(bucket, FIVE, grids, times[:-1])
    return store


def hour(bucket: Bucket, *, now: int = NOW) -> pa.Table:
    plan(bucket, EVENT, now=now)
    build_features(bucket, EVENT, now=now)
    Scorer(bucket).score(EVENT, now=now)
    assert finish(bucket, EVENT, now=now).outcome == "ok"
    return bucket.read(KEY, lambda body: read_parquet(body, where=KEY))


def rewired(network: Network) -> DictStore:
    """Return a store in which a line was opened in the hour before the issue time."""
    store = DictStore()
    bucket = bucket_of(store)
    catalog = Catalog({}, {}, {}, {}, {"five": network}, {"screen": pool(network, ("five_east",))})
    publish_catalog(bucket, catalog)
    register_baselines(bucket, catalog)
    before = some_days(bucket, network, ("five_east",), np.arange(ISSUE - DAY, ISSUE, HOUR))
    now = solved(network, acted(network, before.take(slice(-1, None)), Candidates(network).actions[3]))
    at = np.array([ISSUE])
    store_states(bucket, states_of("five"), to_stored(network, ("five_east",), at, at, now), closed_before=0)
    return store
