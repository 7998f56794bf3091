"""What rows must hold before they are stored, series by series: one bad series never blocks another.

The rule, for every fault: a row that says *nothing* is dropped and counted (a `W_` line of the report): a missing
value, the same row twice. A small negative is clipped where the mapping allows it. A series that says something *false*
in any row is refused whole (an `E_` code): a feed that is wrong once, in unit, time or value, cannot be believed in the
rows beside it. Where the mapping knows a feed for a few values outside the range (`outside_limit`), those are dropped.
A series here is one signal or weather variable in one zone, over all files that are read together.
"""

import polars as pl

from wattahead.domain.errors import Refused
from wattahead.sources.faults import conflicts, false_rows, gaps, series_name
from wattahead.sources.findings import Findings, counted
from wattahead.sources.mapping import Column, Table


def check(
    rows: pl.DataFrame, source: Table, targets: tuple[Column, ...], *, now: int, findings: Findings
) -> pl.DataFrame:
    """Return the rows of `rows` that may be stored, in the order of their keys; what is wrong becomes findings."""
    keys = [name for name in rows.columns if name not in {column.to for column in targets}]
    doubled = rows.n_unique(keys) < rows.height
    # Long layouts and several files leave holes in rows that stand twice; only merged rows show what is missing.
    missing = _merged(rows, keys) if doubled else rows
    for column in targets:
        rows = _without_outliers(rows, column, findings)
        known = rows.drop_nulls(column.to)
        refused = false_rows(known, source, column, now)
        if doubled:
            refused |= conflicts(_outside(known, refused), keys, source, column)
        refused |= gaps(_outside(known, refused), source, column, findings)
        refused |= _nulls(_outside(missing, refused), source, column, findings)
        for zone, error in sorted(refused.items()):
            findings.refuse(series_name(source, column, zone), error)
        _count(_outside(known, refused), keys, column, findings)
        kept = pl.when(~pl.col("zone").is_in(list(refused))).then(_clipped(column))
        rows = rows.with_columns(kept.alias(column.to))
    rows = rows.filter(pl.any_horizontal(pl.col(column.to).is_not_null() for column in targets))
    return (_merged(rows, keys) if doubled else rows).sort(keys)


def _without_outliers(rows: pl.DataFrame, column: Column, findings: Findings) -> pl.DataFrame:
    """Drop values outside the range where they are no larger a share of their zone's than the mapping allows."""
    if not column.outside_limit:
        return rows
    floor = column.range[0] if column.clip_from is None else column.clip_from
    value = pl.col(column.to)
    outside = ~value.is_between(floor, column.range[1])  # null where there is no value
    counts = rows.group_by("zone").agg(outside.sum().alias("n"), value.count().alias("rows"))
    few = counts.filter((pl.col("n") > 0) & (pl.col("n") <= column.outside_limit * pl.col("rows")))
    if not few.height:
        return rows
    found = counted(few.select("zone", "n").rows())
    findings.warn("W_FEAT_RANGE", column.to, f"values outside {floor:g} to {column.range[1]:g} dropped: {found}")
    spared = outside & pl.col("zone").is_in(few["zone"].to_list())
    return rows.with_columns(pl.when(~spared).then(value).alias(column.to))


def _outside(rows: pl.DataFrame, refused: dict[str, Refused]) -> pl.DataFrame:
    """Return the rows of zones that are not refused yet: a series has one reason, the first check that failed."""
    return rows.filter(~pl.col("zone").is_in(list(refused))) if refused else rows


def _merged(rows: pl.DataFrame, keys: list[str]) -> pl.DataFrame:
    """Return one row per key. Values under one key are equal, or stand in different columns."""
    return rows.group_by(keys).agg(pl.all().drop_nulls().first())


def _clipped(column: Column) -> pl.Expr:
    value = pl.col(column.to)
    if column.clip_from is None:
        return value
    return pl.when(value.is_between(column.clip_from, column.range[0])).then(column.range[0]).otherwise(value)


def _nulls(rows: pl.DataFrame, source: Table, column: Column, findings: Findings) -> dict[str, Refused]:
    """Return the zones with too large a share of missing values; note the others. Nothing is filled."""
    value = pl.col(column.to)
    missing = rows.group_by("zone").agg(value.null_count().alias("n"), pl.len().alias("rows")).filter(pl.col("n") > 0)
    refused = {
        zone: Refused(
            "E_FEAT_NAN",
            f"{series_name(source, column, zone)}: {n / total:.0%} of {total} values are missing, "
            f"more than {source.null_limit:.0%}",
            fix="fill the source, or raise null_limit in the mapping",
        )
        for zone, n, total in missing.iter_rows()
        if n > source.null_limit * total
    }
    for some, fact in (
        (pl.col("n") < pl.col("rows"), "rows without a value dropped, never read as 0"),
        (pl.col("n") == pl.col("rows"), "no value at all, the series is absent"),
    ):
        noted = missing.filter(some, ~pl.col("zone").is_in(list(refused))).select("zone", "n")
        if noted.height:
            findings.warn("W_NULL", column.to, f"{fact}: {counted(noted.rows())}")
    return refused


def _count(known: pl.DataFrame, keys: list[str], column: Column, findings: Findings) -> None:
    """Note what is mended on the way: equal rows, and small values moved to the end of the range."""
    again = known.group_by("zone").agg(pl.len() - pl.struct(keys).n_unique()).filter(pl.col("len") > 0)
    if again.height:
        findings.warn("W_TIME_DUP", column.to, f"equal rows that stand twice, kept once: {counted(again.rows())}")
    if column.clip_from is not None:
        low = known.filter(pl.col(column.to) < column.range[0]).group_by("zone").len()
        if low.height:
            findings.warn(
                "W_CLIPPED",
                column.to,
                f"values from {column.clip_from:g} up set to {column.range[0]:g} {column.unit}: {counted(low.rows())}",
            )
