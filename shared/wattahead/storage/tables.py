"""Parquet in the bucket: how every table is written, and what is checked before a row of it is believed."""

from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from wattahead.domain.errors import Damaged, Refused

SCHEMA_VERSION: Final = "1.0"  # within a major version columns are only added
MARK: Final = b"wattahead_schema"
INSTANT: Final = pa.timestamp("us", tz="UTC")
NAME: Final = pa.dictionary(pa.int32(), pa.string())

MOST_BYTES: Final = 512 * 2**20
MOST_ROWS: Final = 20_000_000  # a footer's byte counts can lie about a decompression bomb, its row count cannot
MOST_COLUMNS: Final = 500


def encode_table(table: pa.Table) -> bytes:
    """Return `table` as parquet: zstd, page checksums, schema version. Equal tables are equal bytes."""
    sink = pa.BufferOutputStream()
    marked = table.replace_schema_metadata({MARK: SCHEMA_VERSION})
    # Measured values hardly repeat: a dictionary of them costs a third more bytes and three times the time.
    repeated = [field.name for field in table.schema if not pa.types.is_floating(field.type)]
    pq.write_table(
        marked, sink, compression="zstd", write_page_checksum=True, store_schema=True, use_dictionary=repeated
    )
    return bytes(sink.getvalue())


def decode_table(body: bytes, schema: Mapping[str, pa.DataType], *, where: str) -> pa.Table:
    """Return the columns of `schema`, in its order, from parquet bytes; refuse anything else.

    Columns are chosen by name, extra ones are ignored, types are compared and never cast from text.
    """
    table = read_parquet(body, where=where, columns=list(schema))
    complete = table.num_columns == len(schema)
    names = (
        table.column_names if complete else pq.read_schema(pa.BufferReader(body)).names
    )  # the near misses were not read
    return select(table, schema, where=where, names=names)


def read_parquet(body: bytes, *, where: str, columns: list[str] | None = None, most_rows: int = MOST_ROWS) -> pa.Table:
    """Return a parquet file's rows after every check that needs no schema. Damage is told from a wrong file."""
    if not body:
        raise Refused("E_FEAT_EMPTY_FILE", f"{where} has 0 bytes", fix="write the file again")
    if len(body) > MOST_BYTES:
        raise Refused("E_FEAT_TOO_BIG", f"{where} has {len(body)} bytes, more than {MOST_BYTES}", fix="split it")
    if body[:4] != b"PAR1":
        raise Refused(
            "E_FEAT_FORMAT",
            f"{where} is not parquet, it begins with {body[:8].hex(' ')}",
            fix="export it as parquet, or name it .csv",
        )
    try:
        file = pq.ParquetFile(pa.BufferReader(body), page_checksum_verification=True)
        _check_shape(file, where, most_rows)
        present = file.schema_arrow.names
        table = file.read(columns=[name for name in columns if name in present] if columns else None)
        table.validate(full=True)
        _ = [
            field.type.tz for field in table.schema if pa.types.is_timestamp(field.type)
        ]  # decoded only when it is asked for
    except (pa.ArrowException, OSError, UnicodeDecodeError) as error:
        code = "E_FEAT_CHECKSUM" if "crc" in str(error).lower() else "E_FEAT_CORRUPT"
        raise Damaged(code, f"{where} cannot be decoded", fix="write or upload the file again") from error
    if table.num_rows != file.metadata.num_rows:  # pages have checksums, the footer that counts their rows has none
        raise Damaged(
            "E_FEAT_CORRUPT",
            f"{where} holds {table.num_rows} rows, its footer says {file.metadata.num_rows}",
            fix="write or upload the file again",
        )
    return table


def _check_shape(file: pq.ParquetFile, where: str, most_rows: int) -> None:
    names, rows = file.schema_arrow.names, file.metadata.num_rows
    if rows == 0:
        raise Refused("E_FEAT_NO_ROWS", f"{where} has no rows", fix="check the export that wrote it")
    if rows > most_rows:
        raise Refused(
            "E_FEAT_TOO_MANY_ROWS", f"{where} has {rows} rows, more than {most_rows}", fix="split it by month"
        )
    if len(names) > MOST_COLUMNS:
        raise Refused(
            "E_FEAT_TOO_MANY_COLUMNS",
            f"{where} has {len(names)} columns, more than {MOST_COLUMNS}",
            fix="leave out what the mapping does not name",
        )
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise Refused("E_FEAT_COLUMN_DUP", f"{where} has column {twice[0]!r} more than once", fix="rename one of them")


def select(table: pa.Table, schema: Mapping[str, pa.DataType], *, where: str, names: Sequence[str] = ()) -> pa.Table:
    """Return the columns of `schema` from `table`, in order; a missing one is named with its nearest neighbour.

    `names` are the columns of the file, where `table` holds only some of them.
    """
    present = set(table.column_names)
    missing = [name for name in schema if name not in present]
    if missing:
        names = names or table.column_names
        near = {name: get_close_matches(name, [c.strip().lower() for c in names], n=1) for name in missing}
        hints = ", ".join(f"{name} (nearest: {near[name][0]})" if near[name] else name for name in missing)
        raise Refused(
            "E_FEAT_COLUMN_MISSING",
            f"{where} lacks {hints}; it has {', '.join(map(repr, names[:12]))}",
            fix="name the columns exactly, case and blanks included",
        )
    _check_units(table, schema, where)
    return pa.table({name: _typed(table[name], kind, name, where) for name, kind in schema.items()})


def _check_units(table: pa.Table, schema: Mapping[str, pa.DataType], where: str) -> None:
    """A file we wrote has its times in our unit; another one is a flipped bit in the footer, which has no checksum."""
    if MARK not in (table.schema.metadata or {}):
        return
    for name, kind in schema.items():
        found = table.schema.field(name).type
        if pa.types.is_timestamp(kind) and pa.types.is_timestamp(found) and found.unit != kind.unit:
            raise Damaged(
                "E_FEAT_CORRUPT",
                f"{where}: the footer gives column {name} as {found}, written was {kind}",
                fix="write or upload the file again",
            )


def _typed(column: pa.ChunkedArray, kind: pa.DataType, name: str, where: str) -> pa.ChunkedArray:
    found = column.type
    if found == kind:
        return column
    safe = (
        (
            pa.types.is_floating(kind)
            and (pa.types.is_integer(found) or pa.types.is_float32(found) or pa.types.is_float64(found))
        )
        or (pa.types.is_integer(kind) and pa.types.is_integer(found))
        or (pa.types.is_dictionary(kind) and _is_text(found.value_type if pa.types.is_dictionary(found) else found))
        or (pa.types.is_timestamp(kind) and pa.types.is_timestamp(found) and found.tz is not None)
    )
    if pa.types.is_timestamp(kind) and pa.types.is_timestamp(found) and found.tz is None:
        raise Refused("E_TIME_NAIVE", f"{where}: column {name} has no time zone", fix="write it in UTC with its zone")
    if not safe:
        raise Refused(
            "E_FEAT_DTYPE",
            f"{where}: column {name} is {found}, not {kind}",
            fix="export it as a number, text or time; nothing is cast silently",
        )
    try:
        return column.cast(kind, safe=not pa.types.is_floating(kind))
    except pa.ArrowInvalid as error:
        raise Refused(
            "E_FEAT_DTYPE",
            f"{where}: a value of column {name} ({found}) does not fit {kind}",
            fix="export it in that type; nothing is cut off silently",
        ) from error


def _is_text(kind: pa.DataType) -> bool:
    return pa.types.is_string(kind) or pa.types.is_large_string(kind)


def repeated(names: Sequence[str | None], times: int | NDArray[np.integer] = 1) -> pa.DictionaryArray:
    """Return each name `times` times as a dictionary in alphabetical order; no name is null."""
    distinct = sorted({name for name in names if name is not None})
    where = {name: number for number, name in enumerate(distinct)}
    codes = np.repeat(np.array([-1 if name is None else where[name] for name in names], dtype=np.int32), times)
    missing = codes < 0 if None in names else None
    return pa.DictionaryArray.from_arrays(pa.array(codes, mask=missing), pa.array(distinct, pa.string()))
