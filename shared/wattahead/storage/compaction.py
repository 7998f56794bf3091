"""Compaction: which days deserve a copy, and the copy itself. Nothing is taken away, and nothing changes for readers.

Spans are days, pairs of days, and so on up to whole months, each inside the next: any run of days is few of them.
"""

from collections.abc import Iterator
from typing import Final

import numpy as np
import pyarrow as pa

from wattahead.domain.hours import DAY, month_of
from wattahead.storage import keys
from wattahead.storage.copies import PART, Copy, Days, Span, copy_of, day_of
from wattahead.storage.objects import Bucket, sha256
from wattahead.storage.tables import NAME, encode_table
from wattahead.storage.timeseries import (
    ACTUALS,
    DIGITS,
    FORECASTS,
    Root,
    codes,
    read_days,
    sorted_names,
    typed,
    verified,
)

MOST_ROWS: Final = 3_000_000  # of a copy, and cells: actuals of 3.8 million rows took 1.3 GB to copy, weather of as
MOST_CELLS: Final = 40_000_000  # many rows and 26 columns 1.9 GB, and a function has 1.8
AGAIN: Final = 4  # objects that a span of many days takes before it is copied anew: each late value would do it
LENGTHS: Final = (1, 2, 4, 8, 16, 31)  # days from the first of a month on; the last span of a month may be shorter


def lengths(root: Root) -> tuple[int, ...]:
    """Return the spans that are worth a copy: an hour looks back a few days at weather, and weeks at all else."""
    return LENGTHS[:1] if root.prefix.startswith("weather/") else LENGTHS


def spans(first: int, last: int, of: tuple[int, ...]) -> Iterator[Span]:
    """Yield the spans of the months from that of day `first` to day `last`, the short ones first, then the old ones."""
    for length in of:
        start = day_of(f"{month_of(first * DAY)}-01")
        while start <= last:
            after = _next_month(start)
            yield from ((day, min(day + length, after) - 1) for day in range(start, min(after, last + 1), length))
            start = after


def due(there: Days, today: int) -> bool:
    """Return whether a copy of just these days would save requests; days together only when late values are in."""
    if sum(copy.rows for copy in there.chosen) > MOST_ROWS:
        return False
    if there.first == there.last:
        return there.reads > 1
    settled = there.last < today - 1
    return settled and there.reads >= (AGAIN if (there.first, there.last) in there.copies else 2)


def copy_days(bucket: Bucket, root: Root, there: Days) -> Copy | None:
    """Write one object with the rows of all parts of `there`; None where they are too many for one.

    Rows are in the order of their parts, so whoever copies the same parts, from whichever objects, writes equal bytes.
    """
    there = there.within(there.first, there.last)  # what imports wrote by the month has no parts, and needs no copy
    copied, single = read_days(bucket, there, verified)
    named = [*((there.chosen[0].key, table) for table in copied), *map(_named, single.items())]
    if _too_large([table for _, table in named]):
        return None
    schema = _schema({name for _, table in named for name in table.column_names})
    joined = pa.concat_tables([typed(table, schema, key) for key, table in named]).unify_dictionaries()
    rows = sorted_names(joined.take(np.argsort(codes(joined[PART]), kind="stable")))
    body = encode_table(rows)
    first, last = there.first * DAY, there.last * DAY
    parts = sum(map(len, there.parts.values()))
    key = keys.days_copy(root.prefix, first, last, parts, rows.num_rows, sha256(body)[:DIGITS])
    bucket.create(key, body)
    return copy_of(key)


def _too_large(tables: list[pa.Table]) -> bool:
    rows = sum(table.num_rows for table in tables)
    return rows > MOST_ROWS or rows * max((table.num_columns for table in tables), default=0) > MOST_CELLS


def _named(part: tuple[str, pa.Table]) -> tuple[str, pa.Table]:
    """Add the column that says which part the rows are from."""
    key, table = part
    numbers = pa.array(np.zeros(table.num_rows, dtype=np.int32))
    return key, table.append_column(PART, pa.DictionaryArray.from_arrays(numbers, pa.array([key])))


def _schema(names: set[str]) -> dict[str, pa.DataType]:
    """Return the columns of a copy: those of every part, so that none is lost that only some parts have."""
    if "point" not in names:
        return {**ACTUALS, PART: NAME}
    more = sorted(names - set(FORECASTS) - {PART})
    return {**FORECASTS, **dict.fromkeys(more, pa.float32()), PART: NAME}


def _next_month(start: int) -> int:
    """Return the first day of the month after the one that begins on day `start`."""
    return day_of(f"{month_of((start + 31) * DAY)}-01")
