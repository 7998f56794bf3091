"""The same hours one by one through the jobs that score live: what they cost, and whether they say the same."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Final
from uuid import uuid4

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from training.backtest.question import Question
from training.backtest.upstream import months
from wattahead.domain.bundle import RegistryEntry
from wattahead.domain.catalog import Catalog
from wattahead.domain.plan import Batch, HourEvent, Plan
from wattahead.jobs.build_features import build_features
from wattahead.jobs.hour import read_plan
from wattahead.jobs.plan import plan
from wattahead.jobs.score import Scorer
from wattahead.storage import keys
from wattahead.storage.catalogs import publish_catalog
from wattahead.storage.objects import Bucket, Store, open_bucket
from wattahead.storage.registry import registry
from wattahead.storage.tables import INSTANT, encode_table, read_parquet
from wattahead.workloads import forecast
from wattahead.workloads.forecast.planning import planned_pool

BY_NATURE: Final = ("run_id",)  # columns that name the run and not what it found


@dataclass
class Overlay:
    """A store whose writes stay in memory, above one that is only read."""

    below: Store
    above: Store = field(default_factory=lambda: open_bucket(f"memory://{uuid4().hex}").store)
    written: set[str] = field(default_factory=set)

    def get(self, key: str) -> bytes:
        """Return an object from above or below."""
        return (self.above if key in self.written else self.below).get(key)

    def create(self, key: str, body: bytes) -> None:
        """Write an object above unless it is there."""
        self.above.create(key, body)
        self.written.add(key)

    def keys(self, prefix: str, after: str) -> Iterator[str]:
        """Yield the keys of both."""
        own = {key for key in self.written if key.startswith(prefix) and key > after}
        yield from sorted(own.union(self.below.keys(prefix, after)))


@dataclass
class Hourly:
    """Scores hours of one pool through plan, features and score; the bucket below never sees it."""

    bucket: Bucket
    scorer: Scorer
    asked: Question
    seconds: float = 0.0  # CPU, of the jobs

    @classmethod
    def over(cls, bucket: Bucket, catalog: Catalog, asked: Question, held: RegistryEntry) -> "Hourly":
        """Return hours over `bucket` whose registry holds `held` from the beginning."""
        copied = Bucket(Overlay(bucket.store))
        makers = {one for held_by in planned_pool(catalog, held.pool, held).forecasters.values() for one in held_by}
        few = {name: catalog.pools[name] for name in {held.pool, *makers}}
        publish_catalog(copied, replace(catalog, pools=few, grid_pools={}))
        log = registry(copied, held.pool)
        newest = max(log.sequences(), default=0)
        log.append(replace(held, sequence=newest + 1, decided_against=newest, effective_from=0), after=newest)
        return cls(copied, Scorer(copied), asked)

    def rows(self, issue_time: int) -> pa.Table:
        """Return the rows of one hour."""
        event, now = HourEvent(issue_time, "backfill", "one-by-one"), time.time_ns() // 1000
        self._timed(lambda: plan(self.bucket, event, now=now))
        pinned, _ = read_plan(self.bucket, event)
        found = []
        for batch in pinned.batches:
            if batch.pool == self.asked.pool:
                found.append(self._scored(pinned, batch, replace(event, batch=batch.name), now))
            else:
                self._given(pinned, batch)
        return pa.concat_tables(found)

    def _scored(self, pinned: Plan, batch: Batch, event: HourEvent, now: int) -> pa.Table:
        self._timed(lambda: build_features(self.bucket, event, now=now))
        self._timed(lambda: self.scorer.score(event, now=now))
        key = keys.rows(pinned, forecast.NAME, batch.name)
        return self.bucket.read(key, partial(read_parquet, where=key))

    def _given(self, pinned: Plan, batch: Batch) -> None:
        """Put the rows that another pool has in this run where a batch of the plan will look for them."""
        at = np.array([pinned.issue_time])
        made = pa.concat_tables(months(self.bucket, self.asked.run, batch.pool, at)).unify_dictionaries()
        here = pc.and_(
            pc.equal(made["issue_time"], pa.scalar(pinned.issue_time, INSTANT)),
            pc.is_in(made["zone"].cast(pa.string()), pa.array([name.split("/", 1)[0] for name in batch.series])),
        )
        self.bucket.create(keys.rows(pinned, forecast.NAME, batch.name), encode_table(made.filter(here)))

    def _timed(self, work: Callable[[], object]) -> None:
        began = time.process_time()
        work()
        self.seconds += time.process_time() - began


def differing(ours: pa.Table, theirs: pa.Table) -> list[str]:
    """Return the columns in which two tables of rows differ in any bit, those aside that differ by nature."""
    if ours.column_names != theirs.column_names or ours.num_rows != theirs.num_rows:
        return ["the columns or the number of rows"]
    return [name for name in ours.column_names if name not in BY_NATURE and not _same(ours[name], theirs[name])]


def _same(ours: pa.ChunkedArray, theirs: pa.ChunkedArray) -> bool:
    if ours.type != theirs.type:
        return False
    if pa.types.is_floating(ours.type):
        left, right = (np.ascontiguousarray(column.to_numpy()) for column in (ours, theirs))
        return ours.is_null().equals(theirs.is_null()) and left.tobytes() == right.tobytes()
    plain = pa.string() if pa.types.is_dictionary(ours.type) else ours.type
    return bool(ours.cast(plain).combine_chunks().equals(theirs.cast(plain).combine_chunks()))
