"""Actuals, weather and external forecasts: day objects, and month objects for closed months.

Rows are only ever added. All revisions are kept; the newest one known at an issue time wins when features are built.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from wattahead.domain.errors import Damaged
from wattahead.domain.hours import DAY, date_of, month_of
from wattahead.storage import keys
from wattahead.storage.objects import Bucket, sha256
from wattahead.storage.tables import INSTANT, NAME, encode_table, read_parquet, select

ACTUALS: Final[dict[str, pa.DataType]] = {
    "zone": NAME,
    "valid_time": INSTANT,
    "value": pa.float64(),
    "available_at": INSTANT,
    "availability": NAME,
}
FORECASTS: Final[dict[str, pa.DataType]] = {  # weather and external forecasts; one float32 column per variable follows
    "zone": NAME,
    "point": pa.int16(),
    "nwp_init_time": INSTANT,
    "available_at": INSTANT,
    "valid_time": INSTANT,
}

DIGITS: Final = 16  # of the content's hash in a key


@dataclass(frozen=True)
class Root:
    """Where one kind of rows lives and by which time it is cut into days and months."""

    prefix: str
    label: str  # `date` or `init_date`
    by: str  # the column that decides the day


def actuals(key: str, subkey: str) -> Root:
    """Measured values of one signal, cut by valid time."""
    return Root(keys.actuals(key, subkey), "date", "valid_time")


def weather(provider: str) -> Root:
    """Weather forecasts of one provider, cut by the day of the weather model's run."""
    return Root(keys.weather(provider), "init_date", "nwp_init_time")


def external(provider: str) -> Root:
    """Forecasts made by somebody else, cut by the day they were made."""
    return Root(keys.external(provider), "init_date", "nwp_init_time")


def store(bucket: Bucket, root: Root, rows: pa.Table, *, closed_before: int) -> list[str]:
    """Write `rows` as month objects for months that end before `closed_before` [µs], as day objects otherwise.

    The key holds the hash of the content: the same rows again meet their own key and change nothing.
    Returns the keys that this call created.
    """
    at = _instants(rows[root.by])
    order = np.lexsort(
        [*_ties(rows), _instants(rows["available_at"]), _instants(rows["valid_time"]), _codes(rows["zone"]), at // DAY]
    )
    rows, at = rows.take(order), at[order]
    created = []
    for first, last, closed in _cuts(at, closed_before):
        body = encode_table(_sorted_names(rows.slice(first, last - first)))
        digest, day = sha256(body)[:DIGITS], int(at[first])
        key = (
            keys.month_part(root.prefix, day, digest)
            if closed
            else keys.date_part(root.prefix, root.label, day, digest)
        )
        if bucket.create(key, body).created:
            created.append(key)
    return created


def load(bucket: Bucket, root: Root, start: int, end: int, *, variables: Sequence[str] | None = None) -> pa.Table:
    """Return all rows whose cutting time lies in the UTC days from `start` to `end` [µs], every revision.

    `variables` are the columns to read beside the fixed ones of weather; None means actuals.
    """
    schema = dict(ACTUALS) if variables is None else FORECASTS | dict.fromkeys(variables, pa.float32())
    months = f"{keys.history(root.prefix)}/month={month_of(start)}"
    days = f"{root.prefix}/{root.label}={date_of(start)}"
    wanted = [
        key for key in bucket.keys(keys.history(root.prefix), after=months) if _part(key, "month=") <= month_of(end)
    ]
    wanted += [key for key in bucket.keys(root.prefix, after=days) if _part(key, f"{root.label}=") <= date_of(end)]
    parts = [_rows(bucket, key, schema) for key in wanted]
    return (
        pa.concat_tables(parts).unify_dictionaries()
        if parts
        else pa.table({name: pa.array([], kind) for name, kind in schema.items()})
    )


def _rows(bucket: Bucket, key: str, schema: Mapping[str, pa.DataType]) -> pa.Table:
    """Read one object; a weather variable that an older object lacks is null, not an error."""

    def decode(body: bytes) -> pa.Table:
        if sha256(body)[:DIGITS] not in key:
            raise Damaged(
                "E_FEAT_CHECKSUM", f"{key} does not match the hash in its name", fix="write or upload the file again"
            )
        found = read_parquet(body, where=key, columns=list(schema))
        for name, kind in schema.items():
            if name not in found.column_names and name not in FORECASTS and name not in ACTUALS:
                found = found.append_column(name, pa.nulls(found.num_rows, kind))
        return select(found, schema, where=key)

    return bucket.read(key, decode)


def _cuts(at: np.ndarray, closed_before: int) -> list[tuple[int, int, bool]]:
    """Cut ascending times into runs of one day, or of one month where that month is closed."""
    cuts: list[tuple[int, int, bool]] = []
    days, starts = np.unique(at // DAY, return_index=True)
    ends = [*starts.tolist(), len(at)][1:]
    for day, first, last in zip(days.tolist(), starts.tolist(), ends, strict=True):
        closed = _month_end(day * DAY) <= closed_before
        if closed and cuts and cuts[-1][2] and month_of(int(at[cuts[-1][0]])) == month_of(day * DAY):
            cuts[-1] = (cuts[-1][0], last, True)
        else:
            cuts.append((first, last, closed))
    return cuts


def _month_end(at: int) -> int:
    start = np.datetime64(month_of(at), "M") + 1
    return int(start.astype("datetime64[us]").astype(np.int64))


def _part(key: str, label: str) -> str:
    return next(part.removeprefix(label) for part in key.split("/") if part.startswith(label))


def _instants(column: pa.ChunkedArray) -> np.ndarray:
    return column.cast(pa.int64()).to_numpy()


def _ties(rows: pa.Table) -> list[np.ndarray]:
    """Ranks of all other columns: the points of a place share zone and times, whoever came first."""
    others = [name for name in rows.column_names if name not in ("zone", "valid_time", "available_at")]
    return [
        _codes(rows[name])
        if pa.types.is_dictionary(rows[name].type)
        else pc.rank(rows[name], tiebreaker="dense").to_numpy()
        for name in reversed(others)
    ]


def _codes(column: pa.ChunkedArray) -> np.ndarray:
    """Ranks of names in alphabetical order, so that sorting does not depend on who came first."""
    plain = column.cast(pa.string())
    return pc.index_in(plain, value_set=pc.unique(plain).sort()).to_numpy()


def _sorted_names(rows: pa.Table) -> pa.Table:
    """Rebuild dictionaries in alphabetical order: equal rows become equal bytes."""
    for index, field in enumerate(rows.schema):
        if pa.types.is_dictionary(field.type):
            plain = rows.column(index).cast(pa.string()).combine_chunks()
            names = pc.unique(plain).drop_null().sort()
            column = pa.DictionaryArray.from_arrays(pc.index_in(plain, value_set=names), names)
            rows = rows.set_column(index, pa.field(field.name, NAME), column)
    return rows
