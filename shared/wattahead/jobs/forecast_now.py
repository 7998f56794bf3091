"""Answer with an hour's forecasts of some series: the live rows where there are any, else scored here and now.

Scoring on the spot runs the jobs of an hour on a bucket whose writes stay in memory. Live rows are final, so a question
must not freeze an hour ahead of the run that is scheduled for it.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from difflib import get_close_matches
from fnmatch import fnmatchcase
from functools import partial
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from wattahead.domain.catalog import Catalog
from wattahead.domain.errors import Refused
from wattahead.domain.hours import duration
from wattahead.domain.plan import Batch, HourEvent, Plan, admit
from wattahead.domain.series import Series
from wattahead.jobs.build_features import build_features
from wattahead.jobs.hour import read_plan
from wattahead.jobs.plan import make_plan
from wattahead.jobs.score import Scorer
from wattahead.jobs.upstream import sources
from wattahead.storage import keys
from wattahead.storage.aside import aside
from wattahead.storage.catalogs import latest_catalog
from wattahead.storage.documents import decode, encode
from wattahead.storage.ledger import Entry
from wattahead.storage.objects import Bucket
from wattahead.storage.tables import read_parquet
from wattahead.workloads import forecast

RUN: Final = "on-the-spot"  # names the run within memory; no row of it is ever seen by its name
NO_RUN: Final = ""  # the `run_id` of rows that are written nowhere
WILD: Final = frozenset("*?[")


@dataclass(frozen=True)
class Found:
    """The forecasts of one hour."""

    rows: pa.Table  # the columns of `forecasts`, by series and valid time; `run_id` is empty where scored on the spot
    on_the_spot: tuple[str, ...] = ()  # series that had no live rows
    errors: Mapping[str, str] = field(default_factory=dict)  # batch and what of it -> why it could not be used

    @property
    def degraded(self) -> bool:
        """Whether any series was not served by its champion."""
        return bool(pc.any(pc.greater(self.rows["fallback_level"], 0)).as_py())


def forecast_now(bucket: Bucket, wanted: Sequence[str], issue_time: int, *, now: int) -> Found:
    """Return the forecasts that were, or would have been, made at `issue_time` [µs, on the hour] for `wanted` series.

    `wanted` are names or patterns such as `US-*/production/solar`. Only what was known at `issue_time` counts, and
    nothing is written. Unknown series raise `E_CONFIG`, malformed ones `E_NAME`, hours ahead of `now` `E_EVENT_FUTURE`.
    """
    event = HourEvent(issue_time)
    admit(event, now)
    sequence, catalog = latest_catalog(bucket)
    pool_of = {str(one): name for name in sorted(catalog.pools) for one in catalog.series(name)}
    series = select(tuple(pool_of), wanted)
    live = _live(bucket, event, series, {pool_of[one] for one in series})
    served = {one for rows in live for one in pc.unique(rows["series_id"]).to_pylist()}
    missing = tuple(one for one in series if one not in served)
    if not missing:
        return Found(_together(live))
    scored, errors = _scored(bucket, _pinned(bucket, event, sequence, catalog, missing), missing, now)
    return Found(_together([*live, *scored]), missing, errors)


def select(known: Sequence[str], wanted: Iterable[str]) -> tuple[str, ...]:
    """Return the series that names and shell patterns choose from the `known` ones, sorted, each once."""
    chosen: set[str] = set()
    for name in wanted:
        matched = {one for one in known if fnmatchcase(one, name)} if WILD & set(name) else {name} & set(known)
        if not matched:
            raise _unknown(name, known)
        chosen |= matched
    return tuple(sorted(chosen))


def _unknown(name: str, known: Sequence[str]) -> Refused:
    by_lower = {one.lower(): one for one in known}
    near = [by_lower[one] for one in get_close_matches(name.lower(), by_lower, n=3)]
    if not near and not WILD & set(name):
        Series.parse(name)  # what is no name at all is told so
    what = "no series matches" if WILD & set(name) else "there is no series"
    fix = f"use one of {', '.join(near or sorted(known)[:3])}; `wattahead catalog` prints all zones and pools"
    return Refused("E_CONFIG", f"{what} {ascii(name)[:80]}", fix=fix)


def _live(bucket: Bucket, event: HourEvent, series: Sequence[str], pools: set[str]) -> list[pa.Table]:
    """Return the live rows of some series, from the batches of their pools."""
    folder = f"{keys.table(forecast.NAME, 'live', '')}/{keys.hour_folder(event.issue_time)}"
    batches = [key for key in bucket.keys(folder) if key.rpartition("/")[2].rpartition("-")[0] in pools]
    tables = bucket.read_all([(key, partial(read_parquet, where=key)) for key in batches])
    return [rows for rows in (_only(table, series) for table in tables) if rows.num_rows]


def _only(rows: pa.Table, series: Sequence[str]) -> pa.Table:
    return rows.filter(pc.is_in(rows["series_id"].cast(pa.string()), pa.array(series, pa.string())))


def _together(parts: Sequence[pa.Table]) -> pa.Table:
    """Return one table by series and valid time; a quantile that only some pools have is null for the others."""
    rows = pa.concat_tables(parts, promote_options="default").unify_dictionaries()
    order = np.lexsort([rows["valid_time"].cast(pa.int64()).to_numpy(), rows["series_id"].to_numpy().astype(str)])
    return rows.take(order)


# --- on the spot ---------------------------------------------------------------------------------------------------


def _pinned(bucket: Bucket, event: HourEvent, sequence: int, catalog: Catalog, series: Sequence[str]) -> Plan:
    """Return the live plan of the hour if it knows all of `series`, else the one that a backfill would begin with."""
    try:
        plan, _ = read_plan(bucket, event)
        if set(series) <= {one for batch in plan.batches for one in batch.series}:
            return plan
    except Refused as error:
        if error.code != "E_PLAN_MISSING":
            raise
    return make_plan(bucket, event, sequence, catalog)


def _narrowed(plan: Plan, series: Iterable[str]) -> tuple[Batch, ...]:
    """Return the batches of a plan with only `series` in them, and those whose forecasts they read."""
    wanted, kept = set(series), []
    for batch in sorted(plan.batches, key=lambda batch: -batch.stage):
        few = tuple(one for one in batch.series if one in wanted)
        if few:
            kept.append(replace(batch, series=few))
            wanted |= _read_by(plan, kept[-1])
    return tuple(reversed(kept))


def _read_by(plan: Plan, batch: Batch) -> set[str]:
    planned = forecast.own(plan.pools[batch.pool])
    zones = [one.split("/", 1)[0] for one in batch.series]
    return {
        f"{zone}/{planned.others[signal].key}/{planned.others[signal].subkey}"
        for signal in planned.forecasters
        for _, held in sources(plan, planned, signal, zones)
        for zone in held
    }


def _scored(bucket: Bucket, plan: Plan, series: Sequence[str], now: int) -> tuple[list[pa.Table], dict[str, str]]:
    """Return the rows of `series` as the jobs of the hour write them, and what stood in their way."""
    memory, written = aside(bucket)
    few = replace(plan, run_kind="backfill", run=RUN, batches=_narrowed(plan, series))
    event = HourEvent(few.issue_time, few.run_kind, few.run)
    memory.create(keys.plan(event), encode(few))
    # Nobody comes back later: sources that are late are not waited for, and the rows say so.
    late = max(now, few.issue_time + max(duration(planned.pool.input_deadline) for planned in few.pools.values()))
    scorer = Scorer(memory)
    for batch in few.batches:
        build_features(memory, replace(event, batch=batch.name), now=late)
        scorer.score(replace(event, batch=batch.name), now=late)
    tables = [_rows(written, keys.rows(few, few.pools[batch.pool].workload, batch.name)) for batch in few.batches]
    return [rows for rows in (_only(table, series) for table in tables) if rows.num_rows], _errors(written)


def _rows(written: Mapping[str, bytes], key: str) -> pa.Table:
    rows = read_parquet(written[key], where=key)
    nobody = pa.array([NO_RUN] * rows.num_rows).dictionary_encode()
    return rows.set_column(rows.column_names.index("run_id"), "run_id", nobody)


def _errors(written: Mapping[str, bytes]) -> dict[str, str]:
    entries = [decode(Entry, body, where=key) for key, body in written.items() if key.startswith("ledger/")]
    return {f"{entry.batch} {name}".strip(): why for entry in entries for name, why in entry.errors.items()}
