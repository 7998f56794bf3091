"""Actuals, weather, external forecasts and states: day objects, month objects for closed months, and copies of days.

Rows are only ever added. All revisions are kept; the newest one known at an issue time wins when features are built.
"""

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from wattahead.domain.errors import Damaged, Refused
from wattahead.domain.hours import DAY, date_of, month_of
from wattahead.storage import keys
from wattahead.storage.copies import PART, Days, copy_of, day_of, newest
from wattahead.storage.objects import Bucket, sha256
from wattahead.storage.tables import INSTANT, NAME, encode_table, read_parquet, select

ACTUALS: Final[dict[str, pa.DataType]] = {
    "zone": NAME,
    "valid_time": INSTANT,
    "value": pa.float64(),
    "available_at": INSTANT,
    "availability": NAME,
}
FORECASTS: Final[dict[str, pa.DataType]] = {  # weather, external forecasts, states; a float32 column per variable
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


def states(network: str) -> Root:
    """States of grids, a row per element, cut by the time they are of."""
    return Root(keys.states(network), "date", "valid_time")


def store(bucket: Bucket, root: Root, rows: pa.Table, *, closed_before: int) -> list[str]:
    """Write `rows` as month objects for months that end before `closed_before` [µs], as day objects otherwise.

    The key holds the hash of the content: the same rows again meet their own key and change nothing.
    Returns the keys that this call created.
    """
    at = _instants(rows[root.by])
    order = np.lexsort(
        [*_ties(rows), _instants(rows["available_at"]), _instants(rows["valid_time"]), codes(rows["zone"]), at // DAY]
    )
    rows, at = rows.take(order), at[order]
    created = []
    for first, last, closed in _cuts(at, closed_before):
        body = encode_table(sorted_names(rows.slice(first, last - first)))
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
    there = listed(bucket, root, start // DAY, end // DAY)
    copied, single = read_days(bucket, there, partial(_decoded, schema))
    parts = [*(table.drop_columns(PART) for table in copied), *single.values()]
    return (
        pa.concat_tables(parts).unify_dictionaries()
        if parts
        else pa.table({name: pa.array([], kind) for name, kind in schema.items()})
    )


def listed(bucket: Bucket, root: Root, first: int, last: int) -> Days:
    """Return what the bucket holds of the days from `first` to `last`, by its keys."""
    start, end = first * DAY, last * DAY
    closed = keys.history(root.prefix)
    months = bucket.keys(closed, after=f"{closed}/month={month_of(start)}")
    past = [key for key in months if _part(key, "month=") <= month_of(end)]
    copies = [copy for key in past if (copy := copy_of(key))]
    parts: dict[int, list[str]] = {}
    days = f"{root.prefix}/{root.label}={date_of(start)}"
    for key in bucket.keys(root.prefix, after=days):
        if (date := _part(key, f"{root.label}=")) <= date_of(end):
            parts.setdefault(day_of(date), []).append(key)
    return Days(first, last, parts, newest(copies), tuple(key for key in past if "/days=" not in key))


def read_days(
    bucket: Bucket, there: Days, decode: Callable[[str, bytes], pa.Table]
) -> tuple[list[pa.Table], dict[str, pa.Table]]:
    """Return the rows of copies, with the part of each row, and by its key each object that no copy stands for.

    Every part of `there` gives its rows once: from the copy that names it, or itself. A part that came after the copy
    is not in it and is read; rows of a part that is not asked for, or no longer there, are left out.
    """
    wanted = {key for keys_ in there.parts.values() for key in keys_}
    copied = []
    for table in _copies(bucket, [(copy.key, partial(decode, copy.key)) for copy in there.chosen]):
        copied.append(_of_parts(table.unify_dictionaries(), wanted))
        wanted = wanted.difference(copied[-1][PART].unique().to_pylist())
    single = [*there.months, *sorted(wanted)]
    tables = bucket.read_all([(key, partial(decode, key)) for key in single])
    return copied, dict(zip(single, tables, strict=True))


def _copies(bucket: Bucket, wanted: list[tuple[str, Callable[[bytes], pa.Table]]]) -> list[pa.Table]:
    """Return the copies that can be read. Without one nothing is lost: it has no row that its parts do not have."""
    try:
        return bucket.read_all(wanted)
    except (Damaged, Refused) as error:
        if error.code == "E_S3_DENIED":
            raise
    found = []
    for key, decode in wanted:  # one after the other, to find out which one it is
        with suppress(Damaged, Refused):
            found.append(bucket.read(key, decode))
    return found


def verified(key: str, body: bytes, columns: list[str] | None = None) -> pa.Table:
    """Return the rows of an object, all columns or some, when its bytes are those that its key was made from."""
    if sha256(body)[:DIGITS] not in key:
        raise Damaged(
            "E_FEAT_CHECKSUM", f"{key} does not match the hash in its name", fix="write or upload the file again"
        )
    return read_parquet(body, where=key, columns=columns)


def typed(found: pa.Table, schema: Mapping[str, pa.DataType], key: str) -> pa.Table:
    """Return the columns of `schema`; a weather variable that an older object lacks is null, not an error."""
    for name, kind in schema.items():
        if name not in found.column_names and name not in FORECASTS and name not in ACTUALS and name != PART:
            found = found.append_column(name, pa.nulls(found.num_rows, kind))
    return select(found, schema, where=key)


def _decoded(schema: Mapping[str, pa.DataType], key: str, body: bytes) -> pa.Table:
    wanted = {**schema, PART: NAME} if copy_of(key) else schema
    return typed(verified(key, body, list(wanted)), wanted, key)


def _of_parts(table: pa.Table, wanted: set[str]) -> pa.Table:
    """Return the rows of the wanted parts: of most copies all of them."""
    if wanted.issuperset(table[PART].unique().to_pylist()):
        return table
    return table.filter(pc.is_in(table[PART].cast(pa.string()), value_set=pa.array(sorted(wanted), pa.string())))


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
        codes(rows[name])
        if pa.types.is_dictionary(rows[name].type)
        else pc.rank(rows[name], tiebreaker="dense").to_numpy()
        for name in reversed(others)
    ]


def codes(column: pa.ChunkedArray) -> np.ndarray:
    """Ranks of names in alphabetical order, so that sorting does not depend on who came first."""
    plain = column.cast(pa.string())
    return pc.index_in(plain, value_set=pc.unique(plain).sort()).to_numpy()


def sorted_names(rows: pa.Table) -> pa.Table:
    """Rebuild dictionaries in alphabetical order: equal rows become equal bytes."""
    for index, field in enumerate(rows.schema):
        if pa.types.is_dictionary(field.type):
            plain = rows.column(index).cast(pa.string()).combine_chunks()
            names = pc.unique(plain).drop_null().sort()
            column = pa.DictionaryArray.from_arrays(pc.index_in(plain, value_set=names), names)
            rows = rows.set_column(index, pa.field(field.name, NAME), column)
    return rows
