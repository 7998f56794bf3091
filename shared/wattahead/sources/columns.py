"""Columns of somebody's table, found by name and checked for their type; nothing is cast silently."""

from dataclasses import dataclass
from difflib import get_close_matches

import polars as pl
import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import types

from wattahead.domain.errors import Refused
from wattahead.sources.findings import Findings, shown
from wattahead.sources.mapping import Table


@dataclass(frozen=True)
class FileRows:
    """Rows of one file, and the names of all its columns, read or not: a near miss can then be named."""

    where: str
    rows: pa.Table
    names: tuple[str, ...]


def require(file: FileRows, names: tuple[str, ...]) -> None:
    """Refuse a file that lacks one of `names`; all of them are listed, each with its nearest neighbour."""
    missing = [name for name in dict.fromkeys(names) if name not in file.names]
    if not missing:
        return
    plain = {name.strip().lower(): name for name in file.names}
    near = {name: get_close_matches(name.strip().lower(), plain, n=1) for name in missing}
    listed = ", ".join(f"{name} (nearest: {plain[near[name][0]]!a})" if near[name] else name for name in missing)
    held = ", ".join(ascii(name)[:60] for name in file.names[:12])
    raise Refused(
        "E_FEAT_COLUMN_MISSING",
        f"{file.where} lacks {listed}; it has {held}",
        fix="name the columns exactly, case and blanks included",
    )


def numbers(file: FileRows, name: str) -> pl.Series:
    """Return a column of integers or 32 and 64 bit floats as float64; missing values are null, never NaN."""
    column = file.rows[name]
    kind = column.type
    if not (types.is_integer(kind) or types.is_float32(kind) or types.is_float64(kind) or types.is_null(kind)):
        raise Refused(
            "E_FEAT_DTYPE",
            f"{file.where}: column {shown(name)} is {kind}, not a number",
            fix="export it as a number; nothing is cast silently",
        )
    return pl.Series(name, pc.cast(column, pa.float64(), safe=False).combine_chunks()).fill_nan(None)


def magnitude(file: FileRows, names: tuple[str, ...]) -> pl.Series:
    """Return the length of the vector with the components `names`; a missing component makes it missing."""
    parts = [numbers(file, name) for name in names]
    return pl.select(pl.sum_horizontal(*(part**2 for part in parts), ignore_nulls=False).sqrt()).to_series()


def texts(file: FileRows, name: str, *, numbered: bool = False) -> pl.Series:
    """Return a column of text, plain or dictionary-encoded; with `numbered`, whole numbers are names too, as `287`."""
    column = file.rows[name]
    kind = column.type.value_type if types.is_dictionary(column.type) else column.type
    if numbered and types.is_integer(kind):
        return pl.Series(name, pc.cast(column, pa.int64()).cast(pa.large_string()).combine_chunks())
    if not (types.is_string(kind) or types.is_large_string(kind) or types.is_string_view(kind)):
        raise Refused(
            "E_FEAT_DTYPE", f"{file.where}: column {shown(name)} is {column.type}, not text", fix="export it as text"
        )
    return pl.Series(name, pc.cast(column, pa.large_string()).combine_chunks())


def instants(file: FileRows, name: str, source: Table, findings: Findings) -> pl.Series:
    """Return a column of times as int64 [µs]. A time without a zone needs one stated in the mapping."""
    column = file.rows[name]
    if not types.is_timestamp(column.type):
        raise Refused(
            "E_FEAT_DTYPE",
            f"{file.where}: column {shown(name)} is {column.type}, not a time",
            fix="export it as a timestamp, or state time_format for CSV",
        )
    zone = column.type.tz
    if zone is None:
        if not source.time_zone:
            raise Refused(
                "E_TIME_NAIVE",
                f"{file.where}: column {shown(name)} has no time zone",
                fix='state it in the mapping, as in time_zone = "UTC"',
            )
        column = _placed(column, source.time_zone, name, file.where)
    elif zone.upper() not in ("UTC", "Z", "+00:00", "ETC/UTC"):
        findings.warn("W_TIME_TZ", file.where, f"column {shown(name)} is in {zone}; converted to UTC")
    try:
        # Nanoseconds lose what is below 1 µs; seconds must not overflow.
        exact = pc.cast(column, pa.timestamp("us", tz="UTC"), safe=column.type.unit != "ns")
    except pa.ArrowInvalid as error:
        raise Refused(
            "E_TIME_RANGE",
            f"{file.where}: column {shown(name)} holds a time outside 1970 to 2200",
            fix="check the unit of the export",
        ) from error
    return pl.Series(name, pc.cast(exact, pa.int64()).combine_chunks())


def _placed(column: pa.ChunkedArray, zone: str, name: str, where: str) -> pa.ChunkedArray:
    try:
        return pc.assume_timezone(column, zone, ambiguous="raise", nonexistent="raise")
    except pa.ArrowInvalid as error:
        raise Refused(
            "E_TIME_NAIVE",
            f"{where}: column {shown(name)} holds local times of {shown(zone)} that a clock change makes ambiguous",
            fix="export the column in UTC",
        ) from error


def points(file: FileRows, name: str) -> pl.Series:
    """Return a column of small whole numbers that tell weather points of a zone apart."""
    column = file.rows[name]
    if not types.is_integer(column.type):
        raise Refused(
            "E_FEAT_DTYPE",
            f"{file.where}: column {shown(name)} is {column.type}, not a whole number",
            fix="number the points from 0",
        )
    try:
        return pl.Series(name, pc.cast(column, pa.int16()).combine_chunks())
    except pa.ArrowInvalid as error:
        raise Refused(
            "E_FEAT_RANGE",
            f"{file.where}: column {shown(name)} holds a number that is no weather point",
            fix="number the points from 0",
        ) from error
