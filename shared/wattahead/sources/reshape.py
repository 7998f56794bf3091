"""From somebody's layout to ours: wide or long tables become rows per signal, or rows of weather variables.

Times in these frames are int64 [µs]: exact, and free of any time zone of the machine.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import polars as pl

from wattahead.domain.errors import Refused
from wattahead.domain.hours import duration, instant
from wattahead.domain.names import checked
from wattahead.sources import columns
from wattahead.sources.blocks import undone
from wattahead.sources.columns import FileRows
from wattahead.sources.findings import Findings, counted
from wattahead.sources.mapping import Column, Table, Zones

ACTUAL_KEYS = ("zone", "valid_time", "available_at")
FORECAST_KEYS = ("zone", "point", "nwp_init_time", "available_at", "valid_time")


@dataclass(frozen=True)
class Piece:
    """Rows from one file: keys, and one value column per target. Actuals hold one target, forecasts all of a table."""

    table: Table
    columns: tuple[Column, ...]
    rows: pl.DataFrame


def reshape(file: FileRows, source: Table, zones: Zones, *, path_zone: str, findings: Findings) -> list[Piece]:
    """Return the pieces that `source` describes in `file`. Faults of single columns or zones become findings.

    `path_zone` is the zone that the file's path names, when the mapping says so.
    """
    columns.require(file, source.needed)
    frame = _framed(file, source, zones, path_zone, findings)
    frame = _renamed(_kept(frame, source, file.where, findings), zones, file.where, findings)
    if source.layout == "long":
        parts = _by_variable(frame, file, source, findings)
        return [_piece(source, (column,), part, findings) for column, part in parts]
    found = list(_by_column(frame, file, source, findings))
    if source.kind == "actuals":
        return [_piece(source, (column,), frame.with_columns(values), findings) for column, values in found]
    held = tuple(column for column, _ in found)
    return [_piece(source, held, frame.with_columns(values for _, values in found), findings)] if held else []


def _framed(file: FileRows, source: Table, zones: Zones, path_zone: str, findings: Findings) -> pl.DataFrame:
    """Return the columns every row needs: row number, zone, point, label, and the stated times."""
    label = columns.instants(file, source.time_column, source, findings).alias("label")
    zone = (
        columns.texts(file, source.zone_column, numbered=bool(zones.names))  # a number alone names no zone
        if source.zone_column
        else pl.Series([source.zone or path_zone]).new_from_index(0, len(label))
    )
    frame = pl.DataFrame({"row": pl.int_range(len(label), eager=True), "zone": zone, "label": label})
    for name, column in (("stated_available", source.available_column), ("stated_init", source.init_column)):
        if column:
            frame = frame.with_columns(columns.instants(file, column, source, findings).alias(name))
    frame = frame.with_columns(_point(file, source).alias("point"))
    if source.null_when_zero:
        frame = frame.with_columns(columns.numbers(file, source.null_when_zero).alias("witness"))
    if source.layout == "long":
        frame = frame.with_columns(columns.texts(file, source.variable_column).alias("variable"))
    return frame


def _point(file: FileRows, source: Table) -> pl.Series | pl.Expr:
    """Return the number of each row's weather point; null for a name that the mapping does not number."""
    if not source.point_column:
        return pl.lit(0, pl.Int16)
    if not source.points:
        return columns.points(file, source.point_column)
    names = columns.texts(file, source.point_column, numbered=True).str.strip_chars()
    return names.replace_strict(source.points, default=None, return_dtype=pl.Int16)


def _kept(frame: pl.DataFrame, source: Table, where: str, findings: Findings) -> pl.DataFrame:
    """Drop rows that say nothing: without a time, past `before`, or marked empty by their witness column."""
    ascending = (pl.col("label").diff().over("zone") >= 0).all()
    if source.kind == "actuals" and source.layout == "wide" and not frame.select(ascending).item():
        findings.warn("W_TIME_UNSORTED", where, "rows do not stand in the order of time; sorted")
    times = [name for name in ("label", "stated_available", "stated_init") if name in frame.columns]
    kept = _noted(frame, frame.drop_nulls(times), f"{where}: without a time", findings)
    kept = _noted(kept, kept.drop_nulls("point"), f"{where}: of points that the mapping does not name", findings)
    if source.before:
        kept = kept.filter(pl.col("label") < instant(source.before))
    if source.null_when_zero:
        full = kept.filter(pl.col("witness").is_null() | (pl.col("witness") != 0))
        kept = _noted(kept, full, f"{where}: {source.kind} where {source.null_when_zero} is 0", findings)
    return kept


def _noted(before: pl.DataFrame, after: pl.DataFrame, about: str, findings: Findings) -> pl.DataFrame:
    if after.height < before.height:
        findings.warn("W_NULL", about, f"{before.height - after.height} rows dropped")
    return after


def _renamed(frame: pl.DataFrame, zones: Zones, where: str, findings: Findings) -> pl.DataFrame:
    """Give zones our names; a zone with a bad or unknown name is refused, the others go on."""
    ours = {}
    for found in frame["zone"].unique().to_list():
        try:
            ours[found] = _zone(found, zones, where)
        except Refused as error:
            findings.refuse(found, error)
    frame = frame.filter(pl.col("zone").is_in(list(ours)))
    return frame.with_columns(pl.col("zone").replace_strict(ours, return_dtype=pl.String)) if ours else frame


def _zone(found: str, zones: Zones, where: str) -> str:
    if found in zones.names:
        return zones.names[found]
    zone = checked("zone", found)
    if zones.strict:
        raise Refused(
            "E_ZONE_MISMATCH",
            f"{where} holds zone {zone}, which the mapping does not name",
            fix="add it to [zones.names] or take it out of the file",
        )
    return zone


def _by_variable(
    frame: pl.DataFrame, file: FileRows, source: Table, findings: Findings
) -> Iterator[tuple[Column, pl.DataFrame]]:
    """Yield every variable of a long table with its rows."""
    values = columns.numbers(file, source.value_column)
    valued = frame.with_columns(values.gather(frame["row"]).alias("value"))
    unknown = valued.filter(~pl.col("variable").is_in(list(source.columns))).group_by("variable").len()
    if unknown.height:
        findings.warn(
            "W_FEAT_EXTRA",
            file.where,
            f"rows of variables that the mapping does not name were ignored: {counted(unknown.rows())}",
        )
    for name, column in source.columns.items():
        yield column, valued.filter(pl.col("variable") == name).rename({"value": column.to})


def _by_column(
    frame: pl.DataFrame, file: FileRows, source: Table, findings: Findings
) -> Iterator[tuple[Column, pl.Series]]:
    """Yield every column of a wide table with its values; a missing or mistyped one is refused by itself."""
    for name, column in source.columns.items():
        if column.optional and name not in file.names:
            continue
        try:
            columns.require(file, source.sources(name))
            values = columns.magnitude(file, column.magnitude) if column.magnitude else columns.numbers(file, name)
            yield column, values.gather(frame["row"]).alias(column.to)
        except Refused as error:
            findings.refuse(column.to, error)


def _piece(source: Table, held: tuple[Column, ...], rows: pl.DataFrame, findings: Findings) -> Piece:
    """Apply the mapping's rules about time and unit."""
    shift = duration(source.valid_shift) - (source.step if source.hour_label == "ending" else 0)
    ahead = duration(source.persistence) if source.persistence else 0
    rows = rows.with_columns(
        (pl.col("label") + shift + ahead).alias("valid_time"),
        *(pl.col(column.to) * column.factor + column.offset for column in held),
    )
    if source.kind != "actuals":
        rows = rows.with_columns(_init(source).alias("nwp_init_time"))
    keys = ACTUAL_KEYS if source.kind == "actuals" else FORECAST_KEYS
    rows = rows.with_columns(_available(source, held[0]).alias("available_at"))
    rows = rows.select(*keys, *(column.to for column in held))
    return Piece(source, held, undone(rows, source, held, findings) if source.block else rows)


def _init(source: Table) -> pl.Expr:
    if source.init_column:
        return pl.col("stated_init")
    if source.persistence:
        return pl.col("valid_time") - duration(source.persistence)
    # The value of a block is about its end: a day's rows from 00 UTC on are one run, the first of them about that hour.
    about = pl.col("label") + duration(source.valid_shift) if source.block else pl.col("valid_time")
    early = about - duration(source.init_before_valid)
    return early - early % duration(source.init_cycle)


def _available(source: Table, column: Column) -> pl.Expr:
    if source.available_column:
        return pl.col("stated_available")
    if source.available_before_valid:
        return pl.col("valid_time") - duration(source.available_before_valid)
    if source.available_after_init:
        return pl.col("nwp_init_time") + duration(source.available_after_init)
    observed = pl.col("nwp_init_time") if source.persistence else pl.col("valid_time")
    return observed + source.step + duration(column.publication_delay or source.publication_delay)
