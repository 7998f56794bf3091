"""CSV bytes to a table, with the checks that parquet gets from the storage layer."""

from collections.abc import Mapping
from io import BytesIO
from typing import Final

import pyarrow as pa
from pyarrow import csv

from wattahead.domain.errors import Damaged, Refused

MOST_ROWS: Final = 20_000_000
MOST_COLUMNS: Final = 500

# Beginnings of files that are certainly not CSV: parquet, zip (xlsx), gzip, and markup such as an error page.
_NOT_CSV: Final = (b"PAR1", b"PK\x03\x04", b"\x1f\x8b", b"<", b"{")


def read_csv(body: bytes, *, where: str, time_formats: Mapping[str, str]) -> pa.Table:
    """Return all rows of a CSV file; numbers and ISO 8601 times are recognised, anything else stays text.

    `time_formats` holds strptime formats of time columns that are not ISO 8601.
    """
    if not body.strip():
        raise Refused("E_FEAT_EMPTY_FILE", f"{where} has {len(body)} bytes and no text", fix="write the file again")
    if body.removeprefix(b"\xef\xbb\xbf").lstrip().startswith(_NOT_CSV) or b"\0" in body[:4096]:
        raise Refused(
            "E_FEAT_FORMAT",
            f"{where} is not CSV, it begins with {body[:8].hex(' ')}",
            fix="export it as CSV, or state its format in the mapping",
        )
    try:
        body.split(b"\n", 1)[0].decode()  # the names of columns; text below them is checked by its column's type
        # One block: types are guessed from the first, and a later 0.5 would not fit where that one held only 0.
        whole = csv.ReadOptions(block_size=len(body) + 1)
        table = csv.read_csv(BytesIO(body), read_options=whole, convert_options=_convert(time_formats))
    except (pa.ArrowException, UnicodeDecodeError) as error:  # its message would quote the row, so it stays out of ours
        raise Damaged(
            "E_FEAT_CORRUPT",
            f"{where} cannot be decoded as CSV in UTF-8 with the same number of fields in every line",
            fix="write or upload the file again",
        ) from error
    _check_shape(table, where)
    return table


def _convert(time_formats: Mapping[str, str]) -> csv.ConvertOptions:
    parsers = [*dict.fromkeys(time_formats.values()), csv.ISO8601]
    return csv.ConvertOptions(timestamp_parsers=parsers)


def _check_shape(table: pa.Table, where: str) -> None:
    names = table.column_names
    if table.num_rows == 0:
        raise Refused("E_FEAT_NO_ROWS", f"{where} has no rows", fix="check the export that wrote it")
    if table.num_rows > MOST_ROWS:
        raise Refused(
            "E_FEAT_TOO_MANY_ROWS", f"{where} has {table.num_rows} rows, more than {MOST_ROWS}", fix="split it by month"
        )
    if len(names) > MOST_COLUMNS:
        raise Refused(
            "E_FEAT_TOO_MANY_COLUMNS",
            f"{where} has {len(names)} columns, more than {MOST_COLUMNS}",
            fix="leave out what the mapping does not name",
        )
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise Refused(
            "E_FEAT_COLUMN_DUP", f"{where} has column {ascii(twice[0])[:60]} more than once", fix="rename one of them"
        )
