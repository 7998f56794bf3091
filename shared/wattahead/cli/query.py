"""`wattahead query "select …"`: SQL on the views of a bucket, as a table, CSV or JSON."""

import argparse
import csv
import json
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime
from math import isfinite
from typing import Any, Final

import duckdb
from rich.console import Console
from rich.table import Table

from wattahead.domain.hours import from_datetime, iso
from wattahead.queries.connection import connect

USAGE_ERROR: Final = 64  # EX_USAGE: the command was wrong, not the bucket
MOST_SHOWN: Final = 200  # rows of a table for eyes; csv and json hold all
CHUNK: Final = 10_000

MILLION = 1e6  # from here on six digits would lose what is before the point


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what `query` takes, beside `--bucket`."""
    told = "views: forecasts, latest, as_of(time), actuals, actuals_joined, external, metrics, runs, grid_actions, "
    parser.add_argument("sql", help=f"{told}latest_actions")
    parser.add_argument("--format", choices=sorted(WRITERS), default="table", help="how rows are printed")
    parser.add_argument("--run", default=None, help="let `forecasts` hold this run's rows instead of the live ones")
    parser.add_argument("--run-kind", choices=("backfill", "backtest", "shadow"), default="backfill",
                        help="the kind of that run")  # fmt: skip
    parser.add_argument("--since", default="", type=issue_date, help="first issue date to look at, 2021-01-31")
    parser.add_argument("--until", default="", type=issue_date, help="last issue date to look at")


def issue_date(text: str) -> str:
    """Return a date as it stands in object keys; argparse turns a bad one into its usage message."""
    return date.fromisoformat(text).isoformat() if text else ""


def run(arguments: argparse.Namespace) -> int:
    """Print the rows of `arguments.sql`; return 64 with one line when DuckDB cannot answer it."""
    try:
        with connect(arguments.bucket, run=arguments.run, run_kind=arguments.run_kind,
                     since=arguments.since, until=arguments.until) as connection:  # fmt: skip
            answer = connection.execute(arguments.sql)
            names = [column[0] for column in answer.description or ()]
            WRITERS[arguments.format](names, _rows(answer))
    except duckdb.Error as error:
        sys.stderr.write(one_line(error) + "\n")
        return USAGE_ERROR
    return 0


def one_line(error: duckdb.Error) -> str:
    """Return DuckDB's sentence and its suggestions without the drawing of the statement."""
    said = str(error).split("\n\nLINE ")[0]
    return " ".join(said.split())


def plain(value: object) -> Any:  # noqa: ANN401 - what JSON can hold
    """Return a value of a row as JSON knows it; times as `2021-01-02T00:00Z`."""
    if isinstance(value, datetime):
        moment = value if value.tzinfo else value.replace(tzinfo=UTC)
        return iso(from_datetime(moment)) if not moment.second and not moment.microsecond else moment.isoformat()
    if isinstance(value, dict):
        return {str(name): plain(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    if isinstance(value, float):
        return value if isfinite(value) else None
    return value if value is None or isinstance(value, bool | int | str) else str(value)


def _rows(answer: duckdb.DuckDBPyConnection) -> Iterator[list[Any]]:
    while chunk := answer.fetchmany(CHUNK):
        yield from ([plain(value) for value in row] for row in chunk)


def _table(names: list[str], rows: Iterator[list[Any]]) -> None:
    table = Table(box=None, header_style="bold", pad_edge=False)
    shown = [row for _, row in zip(range(MOST_SHOWN), rows, strict=False)]
    for index, name in enumerate(names):
        numbers = all(isinstance(row[index], int | float | None) for row in shown)
        table.add_column(name, justify="right" if numbers else "left", overflow="fold")
    for row in shown:
        table.add_row(*map(_cell, row))
    more = sum(1 for _ in rows)
    console = Console(highlight=False, markup=False)
    console.print(table if names else "done")
    if more:
        console.print(f"… {more} more rows; use --format csv for all")


def _cell(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, float):
        return f"{value:,.6g}".replace(",", "") if abs(value) < MILLION else f"{value:.1f}"
    return json.dumps(value, ensure_ascii=False) if isinstance(value, dict | list) else str(value)


def _csv(names: list[str], rows: Iterator[list[Any]]) -> None:
    writer = csv.writer(sys.stdout, lineterminator="\n")
    writer.writerow(names)
    for row in rows:
        writer.writerow([json.dumps(cell) if isinstance(cell, dict | list) else cell for cell in row])


def _json(names: list[str], rows: Iterator[list[Any]]) -> None:
    lead = "["
    for row in rows:
        sys.stdout.write(f"{lead}\n{json.dumps(dict(zip(names, row, strict=True)), ensure_ascii=False)}")
        lead = ","
    sys.stdout.write("[]\n" if lead == "[" else "\n]\n")


WRITERS: Final[dict[str, Callable[[list[str], Iterator[list[Any]]], None]]] = {
    "csv": _csv,
    "json": _json,
    "table": _table,
}
