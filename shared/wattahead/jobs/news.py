"""What live files say that the bucket does not know yet, known from the moment it was read."""

from typing import Final

import numpy as np
import polars as pl
import pyarrow as pa

from wattahead.storage import timeseries
from wattahead.storage.objects import Bucket
from wattahead.storage.tables import INSTANT, NAME
from wattahead.storage.timeseries import Root

ABOUT: Final = ("available_at", "availability")
KEYS: Final = ("zone", "point", "nwp_init_time", "valid_time")


def news(bucket: Bucket, root: Root, rows: pa.Table, *, now: int) -> pa.Table:
    """Return the rows whose value is not the newest one stored, available at `now` [µs] at the earliest.

    A file that is delivered again with one hour more, or one hour corrected, gives that hour alone. Without the
    moment of reading, a late value would look in training as if it had been there in time.
    """
    by = rows[root.by].cast(pa.int64()).to_numpy()
    fixed = set(timeseries.ACTUALS) | set(timeseries.FORECASTS)
    variables = [name for name in rows.column_names if name not in fixed]
    held = timeseries.load(bucket, root, int(by.min()), int(by.max()), variables=variables or None)
    changed = rows.filter(pa.array(_differs(_plain(rows), _plain(held)).to_numpy()))
    known = np.maximum(changed["available_at"].cast(pa.int64()).to_numpy(), now)
    changed = _replaced(changed, "available_at", pa.array(known).cast(INSTANT))
    if "availability" in changed.column_names:
        changed = _replaced(changed, "availability", pa.array(["ingested"] * changed.num_rows).cast(NAME))
    return changed


def _differs(rows: pl.DataFrame, held: pl.DataFrame) -> pl.Series:
    """Return for every row whether the newest stored row of its hour says something else, or is not there."""
    keys = [name for name in KEYS if name in rows.columns]
    values = [name for name in rows.columns if name not in (*keys, *ABOUT)]
    newest = (
        held.sort("available_at", *values)
        .unique(keys, keep="last")
        .select(*keys, *values, pl.lit(value=True).alias("held"))
    )
    both = rows.join(newest, on=keys, how="left", suffix="_held", maintain_order="left")
    says = [pl.col(name).ne_missing(pl.col(f"{name}_held")) for name in values]
    return both.select(pl.any_horizontal(pl.col("held").is_null(), *says).alias("changed"))["changed"]


def _plain(table: pa.Table) -> pl.DataFrame:
    """Return a table with names as text: the categories of two tables need not be the same."""
    frame = pl.DataFrame(pl.from_arrow(table))
    return frame.with_columns(
        pl.col(name).cast(pl.String) for name in ("zone", "availability") if name in frame.columns
    )


def _replaced(table: pa.Table, name: str, column: pa.Array) -> pa.Table:
    return table.set_column(table.column_names.index(name), name, column)
