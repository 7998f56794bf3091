"""Forecasts of other signals in a backtest: the rows that the pools which make them have in the same run."""

from collections.abc import Iterator
from functools import partial

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from wattahead.domain.errors import Refused
from wattahead.domain.hours import month_of
from wattahead.domain.plan import PlannedPool
from wattahead.features.others import Issued
from wattahead.features.source import Source
from wattahead.jobs.upstream import COLUMNS, issued
from wattahead.storage import keys
from wattahead.storage.objects import Bucket
from wattahead.storage.tables import decode_table
from wattahead.workloads import forecast


def read_run(
    bucket: Bucket, run: str, planned: PlannedPool, source: Source, times: NDArray[np.int64]
) -> dict[str, Issued]:
    """Return, by signal, what the pools that forecast it for this one said in run `run` at `times` [µs].

    Raises `E_FEAT_MISSING` where such a pool has not been run for all of `times`: an hour's plan scores it before.
    """
    found = {}
    for signal, makers in planned.forecasters.items():
        rows = [_rows(bucket, run, maker, times) for maker in makers]
        found[signal] = issued(pa.concat_tables(rows).unify_dictionaries(), source.names, source.signal.step)
    return found


def _rows(bucket: Bucket, run: str, maker: str, times: NDArray[np.int64]) -> pa.Table:
    held = [pa.table({name: pa.array([], kind) for name, kind in COLUMNS.items()}), *months(bucket, run, maker, times)]
    rows = pa.concat_tables(held).unify_dictionaries()
    at = rows["issue_time"].cast(pa.int64())
    missing = np.setdiff1d(times, pc.unique(at).to_numpy())
    if len(missing):
        raise Refused(
            "E_FEAT_MISSING",
            f"run {run} has no rows of pool {maker} for {len(missing)} of {len(times)} issue times",
            fix=f"run the backtest of {maker} first, with --run {run} and the same issue times",
        )
    return rows.filter(pc.is_in(at, pa.array(times)))


def months(bucket: Bucket, run: str, maker: str, times: NDArray[np.int64]) -> Iterator[pa.Table]:
    """Yield the rows of the months of run `run` that the first and the last of `times` [µs] lie in."""
    wanted = {f"/issue_month={month_of(int(at))}/" for at in (times[0], times[-1])}
    for key in bucket.keys(f"{keys.table(forecast.NAME, 'backtest', run)}/pool={maker}"):
        if any(month in key for month in wanted):
            yield bucket.read(key, partial(decode_table, schema=COLUMNS, where=key))
