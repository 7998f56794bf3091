"""Forecasts of other signals as inputs: the rows of the batches that the same plan scores in earlier stages."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Final

import numpy as np
import pyarrow as pa

from wattahead.domain.errors import Refused, Transient
from wattahead.domain.plan import Batch, Plan, PlannedPool
from wattahead.features.others import Issued
from wattahead.features.source import Source
from wattahead.jobs.inputs import zone_numbers
from wattahead.storage import keys
from wattahead.storage.objects import Bucket
from wattahead.storage.tables import INSTANT, NAME, decode_table

COLUMNS: Final[dict[str, pa.DataType]] = {
    "zone": NAME,
    "issue_time": INSTANT,
    "valid_time": INSTANT,
    "p50": pa.float64(),
}


@dataclass(frozen=True)
class Upstream:
    """What earlier stages have written for a pool of a later one."""

    rows: Mapping[str, pa.Table] = field(default_factory=dict)  # signal -> COLUMNS
    late: frozenset[str] = frozenset()  # zones for which a batch has no rows yet
    errors: Mapping[str, str] = field(default_factory=dict)  # batch -> why its rows can never be read

    def issued(self, source: Source) -> dict[str, Issued]:
        """Return the forecasts by signal, for the zones in the order of `source.names`."""
        return {signal: issued(rows, source.names, source.signal.step) for signal, rows in self.rows.items()}


def issued(rows: pa.Table, zones: Sequence[str], step: int) -> Issued:
    """Return the medians in forecast rows with the columns `COLUMNS` as an array over `zones`, in their order.

    Rows of other zones and null medians count for nothing; of two for the same hour the one further down counts.
    """
    who = zone_numbers(rows, zones)
    issue_time, valid_time = (rows[name].cast(pa.int64()).to_numpy() for name in ("issue_time", "valid_time"))
    median, lead = rows["p50"].to_numpy().astype(np.float64), (valid_time - issue_time) // step
    kept = (who >= 0) & (lead >= 0) & np.isfinite(median)
    who, issue_time, median, lead = who[kept], issue_time[kept], median[kept], lead[kept]
    times = np.unique(issue_time)
    values = np.full((len(zones), len(times), int(lead.max(initial=-1)) + 1), np.nan)
    values[who, np.searchsorted(times, issue_time), lead] = median
    return Issued(times, values)


def read_upstream(bucket: Bucket, plan: Plan, planned: PlannedPool, zones: Sequence[str]) -> Upstream:
    """Return the rows that the plan's earlier batches hold for `zones`: one object a batch, nothing where none is read.

    A storage that is away, or denies the read, raises `Transient`.
    """
    rows: dict[str, pa.Table] = {}
    late: set[str] = set()
    errors: dict[str, str] = {}
    for signal in planned.forecasters:
        parts = []
        for batch, held in sources(plan, planned, signal, zones):
            try:
                parts.append(_read(bucket, plan, batch))
            except Refused as error:
                if error.code == "E_S3_DENIED":  # a policy can be mended within the hour
                    raise Transient(error.code, error.fact, fix=error.fix) from error
                if error.code == "E_FEAT_MISSING":
                    late |= held
                else:
                    errors[batch.name] = str(error)
        if parts:
            rows[signal] = pa.concat_tables(parts).unify_dictionaries()
    return Upstream(rows, frozenset(late), errors)


def sources(plan: Plan, planned: PlannedPool, signal: str, zones: Sequence[str]) -> list[tuple[Batch, set[str]]]:
    """Return the batches that forecast `signal` for some of `zones`, each with the zones it is asked for."""
    other = planned.others[signal]
    wanted = {f"{zone}/{other.key}/{other.subkey}": zone for zone in zones}
    makers = [batch for batch in plan.batches if batch.pool in planned.forecasters[signal]]
    found = [(batch, {wanted[one] for one in batch.series if one in wanted}) for batch in makers]
    return [(batch, held) for batch, held in found if held]


def _read(bucket: Bucket, plan: Plan, batch: Batch) -> pa.Table:
    key = keys.rows(plan, plan.pools[batch.pool].workload, batch.name)
    return bucket.read(key, partial(decode_table, schema=COLUMNS, where=key))
