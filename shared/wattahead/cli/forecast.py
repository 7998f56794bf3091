"""`wattahead forecast SERIES …`: the next 24 hours of some series, as a table, JSON, CSV or parquet."""

import argparse
import csv
import io
import json
import re
import shutil
import sys
import time
from collections.abc import Callable, Iterator
from functools import reduce
from itertools import groupby
from math import floor, log10
from operator import itemgetter, or_
from pathlib import Path
from typing import Any, Final

import pyarrow as pa
from rich.console import Console
from rich.table import Table

from wattahead.domain.errors import Refused, Transient
from wattahead.domain.hours import floor_hour, from_datetime, instant, iso
from wattahead.domain.quality import names
from wattahead.jobs.forecast_now import forecast_now
from wattahead.storage.objects import open_bucket
from wattahead.storage.tables import encode_table

FAILED, DEGRADED = 1, 2
FILE_WIDTH: Final = 100  # columns of a table that goes to a file
SERVED_BY: Final = ("champion", "previous", "seasonal naive", "climatology", "nobody")  # by fallback level
_QUANTILE: Final = re.compile(r"p\d\d", re.ASCII)

Row = dict[str, Any]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what `forecast` takes, beside `--bucket`."""
    parser.epilog = (
        "exit codes: 0 all from champions, 1 the storage failed, 2 some from a fallback, 64 the question was wrong"
    )
    parser.add_argument(
        "series", nargs="+", metavar="SERIES", help="zone/key/subkey, or a quoted pattern: 'US-*/production/solar'"
    )
    parser.add_argument(
        "--issue-time",
        default="",
        metavar="TIME",
        help="forecast made at this hour, from what was known (default: now)",
    )
    parser.add_argument(
        "--format", choices=sorted(WRITERS), default="", help="default: the ending of --to, or else a table"
    )
    parser.add_argument("--to", default=None, type=Path, metavar="FILE", help="write here, not to the standard output")


def run(arguments: argparse.Namespace) -> int:
    """Print the forecasts; what there is to say about them goes to the standard error. 2 where any is degraded."""
    kind = arguments.format or _ending(arguments.to)
    if kind == "parquet" and arguments.to is None and sys.stdout.isatty():
        raise Refused("E_CONFIG", "parquet is not for a terminal", fix="add --to FILE.parquet")
    now = time.time_ns() // 1000
    issue_time = instant(arguments.issue_time) if arguments.issue_time else floor_hour(now)
    try:
        found = forecast_now(open_bucket(arguments.bucket), arguments.series, issue_time, now=now)
    except Transient as error:  # the question was right
        sys.stderr.write(f"{error}\n")
        return FAILED
    if found.on_the_spot:
        who = ", ".join(found.on_the_spot)
        sys.stderr.write(f"scored on the spot as of {iso(issue_time)}, nothing written: {who}\n")
    for name, why in found.errors.items():
        sys.stderr.write(f"{name}: {why}\n")
    _deliver(WRITERS[kind](found.rows), arguments.to)
    return DEGRADED if found.degraded else 0


def _ending(to: Path | None) -> str:
    ending = to.suffix.removeprefix(".") if to else ""
    return ending if ending in WRITERS else "table"


def _deliver(body: bytes, to: Path | None) -> None:
    if to is None:
        sys.stdout.flush()
        sys.stdout.buffer.write(body)
        sys.stdout.buffer.flush()
        return
    try:
        to.parent.mkdir(parents=True, exist_ok=True)
        to.write_bytes(body)
    except OSError as error:
        raise Refused("E_CONFIG", f"{to} cannot be written: {error.strerror}", fix="choose another --to") from error


# --- for programs --------------------------------------------------------------------------------------------------


def _plain(rows: pa.Table) -> Iterator[Row]:
    """Yield rows with times as `2021-01-02T00:00Z` and flags as words."""
    for row in rows.to_pylist():
        times = {name: iso(from_datetime(row[name])) for name in ("issue_time", "valid_time")}
        yield {**row, **times, "quality_flags": names(row["quality_flags"])}


def _json(rows: pa.Table) -> bytes:
    lines = ",\n".join(json.dumps(row, ensure_ascii=False, allow_nan=False) for row in _plain(rows))
    return f"[\n{lines}\n]\n".encode()


def _csv(rows: pa.Table) -> bytes:
    text = io.StringIO()
    writer = csv.DictWriter(text, rows.column_names, lineterminator="\n")
    writer.writeheader()
    writer.writerows({**row, "quality_flags": " ".join(row["quality_flags"])} for row in _plain(rows))
    return text.getvalue().encode()


# --- for eyes ------------------------------------------------------------------------------------------------------


def _table(rows: pa.Table) -> bytes:
    colours = sys.stdout.isatty()
    width = shutil.get_terminal_size().columns if colours else FILE_WIDTH
    console = Console(file=io.StringIO(), width=width, force_terminal=colours, highlight=False, markup=False)
    quantiles = sorted(name for name in rows.column_names if _QUANTILE.fullmatch(name))
    for number, (series, group) in enumerate(groupby(rows.to_pylist(), itemgetter("series_id"))):
        held = list(group)
        if number:
            console.print()
        console.print(series, style="bold", soft_wrap=True)
        console.print(_headline(held), soft_wrap=True)
        console.print(_grid(held, quantiles))
    return console.file.getvalue().encode()  # type: ignore[attr-defined]


def _headline(rows: list[Row]) -> str:
    """Return when the forecast was made and by whom, how far down the ladder, and every flag of its rows."""
    first, level = rows[0], max(row["fallback_level"] for row in rows)
    flags = names(reduce(or_, (row["quality_flags"] for row in rows)))
    model = f"{first['model_name']} {first['model_version']}".rstrip()
    served = f"fallback level {level}, {SERVED_BY[level]}"
    return " · ".join((f"issued {iso(from_datetime(first['issue_time']))}", model, served, *flags))


def _grid(rows: list[Row], quantiles: list[str]) -> Table:
    table = Table(box=None, header_style="bold", pad_edge=False)
    table.add_column("UTC")
    for name in ("lead", *quantiles):
        table.add_column(name, justify="right")
    table.add_column("unit")
    digits = _digits([row[name] for row in rows for name in quantiles if row[name] is not None])
    for row in rows:
        hours, minutes = divmod(row["lead_time_minutes"], 60)
        values = ("" if row[name] is None else f"{row[name]:,.{digits}f}".replace(",", " ") for name in quantiles)
        table.add_row(f"{row['valid_time']:%Y-%m-%d %H:%M}", f"+{hours}:{minutes:02}", *values, row["unit"])
    return table


def _digits(values: list[float]) -> int:
    """Return how many decimals leave the largest value at least four digits."""
    largest = max(map(abs, values), default=0.0)
    return max(0, 3 - floor(log10(largest))) if largest > 0 else 0


WRITERS: Final[dict[str, Callable[[pa.Table], bytes]]] = {
    "csv": _csv,
    "json": _json,
    "parquet": encode_table,
    "table": _table,
}
