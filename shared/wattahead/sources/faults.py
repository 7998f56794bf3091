"""What makes a row false: times, values and pairs of rows that cannot be true. `contract.py` acts on it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import polars as pl

from wattahead.domain.errors import Refused
from wattahead.domain.hours import duration, instant, iso
from wattahead.sources.findings import Findings, counted
from wattahead.sources.mapping import Column, Table
from wattahead.sources.units import unit_hint

EARLIEST: Final = instant("1970-01-01T00:00Z")
LATEST: Final = instant("2200-01-01T00:00Z")
VALID: Final = pl.col("valid_time")


@dataclass(frozen=True)
class Fault:
    """A condition under which a row is false, and the sentence that says so."""

    code: str
    when: pl.Expr
    fact: Callable[[Mapping[str, Any]], str]  # from the first stamp, the number of rows and statistics of the series
    fix: str


def series_name(source: Table, column: Column, zone: str) -> str:
    """Return how a report names a column's rows in a zone."""
    return f"{zone}/{column.to}" if source.kind == "actuals" else f"{zone}/{source.provider}/{column.to}"


def _faults(source: Table, column: Column, now: int) -> list[Fault]:
    value = pl.col(column.to)
    floor = column.range[0] if column.clip_from is None else column.clip_from
    over = "the interval was not over" if source.kind == "actuals" else "the forecast was not made yet"
    late, fix = _too_early(source, now)
    times = (
        ("valid_time", "available_at") if source.kind == "actuals" else ("valid_time", "available_at", "nwp_init_time")
    )
    return [
        Fault(
            "E_TIME_RANGE",
            ~pl.all_horizontal(pl.col(time).is_between(EARLIEST, LATEST, closed="left") for time in times),
            lambda _: "a time lies outside 1970 to 2200",
            "check the unit and the epoch of the export",
        ),
        Fault(
            "E_TIME_STEP",
            VALID % source.step != 0,
            lambda at: f"{at['n']} times are not on the resolution {source.resolution}, the first at {iso(at['at'])}",
            "state the resolution of the source in the mapping",
        ),
        Fault(
            "E_TIME_FUTURE",
            late,
            lambda at: f"{over} for {at['n']} rows when they are said to be known, the first at {iso(at['at'])}",
            fix,
        ),
        Fault(
            "E_FEAT_INF",
            value.is_infinite(),
            lambda at: f"{at['n']} values are infinite, the first at {iso(at['at'])}",
            "export missing values as null",
        ),
        Fault(
            "E_FEAT_RANGE",
            ~value.is_between(floor, column.range[1]),
            lambda at: (
                f"{at['n']} of {at['rows']} values lie outside {floor:g} to {column.range[1]:g} {column.unit}, "
                f"the first at {iso(at['at'])}; the values run from {at['low']:g} to {at['high']:g}"
                f"{unit_hint(column, at['median'])}"
            ),
            "correct the unit or the range in the mapping, or the source",
        ),
    ]


def _too_early(source: Table, now: int) -> tuple[pl.Expr, str]:
    """Return when a row claims to know what nobody could know: at the clock, or at its own available_at."""
    known_at = pl.col("available_at")
    if source.kind == "actuals":
        end = VALID + source.step
        fix = "check the hour label, the time zone and the clock; leave out hours that are not over"
        return (end > now) | (known_at < end), fix
    made = pl.col("nwp_init_time")
    return (made > now) | (known_at < made), "check the init time, the availability rule and the clock"


def false_rows(known: pl.DataFrame, source: Table, column: Column, now: int) -> dict[str, Refused]:
    """Return, per zone, the first fault that any of its rows has."""
    faults = _faults(source, column, now)
    value = pl.col(column.to)
    marks = [VALID.filter(fault.when).min().alias(f"{fault.code} at") for fault in faults]
    counts = [fault.when.sum().alias(f"{fault.code} n") for fault in faults]
    stated = known.group_by("zone").agg(
        *marks,
        *counts,
        pl.len().alias("rows"),
        value.min().alias("low"),
        value.max().alias("high"),
        value.filter(value != 0).abs().median().alias("median"),
    )
    return {zone["zone"]: error for zone in stated.to_dicts() if (error := _first(faults, zone, source, column))}


def _first(faults: list[Fault], zone: Mapping[str, Any], source: Table, column: Column) -> Refused | None:
    for fault in faults:
        at, n = zone[f"{fault.code} at"], zone[f"{fault.code} n"]
        if at is not None:
            fact = f"{series_name(source, column, zone['zone'])}: {fault.fact({**zone, 'at': at, 'n': n})}"
            return Refused(fault.code, fact, fix=fault.fix)
    return None


def conflicts(known: pl.DataFrame, keys: list[str], source: Table, column: Column) -> dict[str, Refused]:
    """Return the zones that hold two values under one key."""
    split = known.group_by(keys).agg(pl.col(column.to).n_unique()).filter(pl.col(column.to) > 1)
    found = split.group_by("zone").agg(VALID.min().alias("at"), pl.len().alias("n"))
    return {
        zone: Refused(
            "E_TIME_CONFLICT",
            f"{series_name(source, column, zone)}: two values with one available_at at {n} times, "
            f"the first at {iso(at)}",
            fix="state when each became known in a column of its own, or remove one",
        )
        for zone, at, n in found.select("zone", "at", "n").iter_rows()
    }


def gaps(known: pl.DataFrame, source: Table, column: Column, findings: Findings) -> dict[str, Refused]:
    """Return the zones with a gap beyond the limit; note shorter ones."""
    gap = VALID.diff().over("zone") - source.step
    holes = (
        known.select("zone", "valid_time")
        .unique()
        .sort("zone", "valid_time")
        .with_columns(gap.alias("gap"))
        .filter(pl.col("gap") > 0)
    )
    limit = duration(source.gap_limit)
    widest = holes.sort("gap", "valid_time", descending=[True, False]).unique("zone", keep="first", maintain_order=True)
    refused = {
        zone: Refused(
            "E_TIME_GAP",
            f"{series_name(source, column, zone)}: {length // source.step} intervals are missing before {iso(at)}, "
            f"more than {source.gap_limit}",
            fix="ingest what is missing, or raise gap_limit in the mapping",
        )
        for zone, at, length in widest.iter_rows()
        if length > limit
    }
    noted = (
        holes.filter(~pl.col("zone").is_in(list(refused))).group_by("zone").agg((pl.col("gap") // source.step).sum())
    )
    if noted.height:
        findings.warn(
            "W_TIME_GAP", column.to, f"intervals missing between the first and the last: {counted(noted.rows())}"
        )
    return refused
