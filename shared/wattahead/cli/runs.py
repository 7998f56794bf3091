"""`wattahead runs`: what the last attempts did, newest first."""

import argparse
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

import duckdb
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from wattahead.cli.query import issue_date, one_line
from wattahead.domain.errors import Refused
from wattahead.domain.hours import from_datetime, iso
from wattahead.queries.connection import connect
from wattahead.storage.objects import open_bucket

WELL: Final = ("ok", "duplicate")  # outcomes that left the hour as it should be
COLOURS: Final = {"ok": "green", "duplicate": "dim", "degraded": "yellow", "too_old": "yellow", "failed": "red"}

_NEWEST: Final = """
    SELECT issue_time, started_at, job, coalesce(nullif(batch, ''), pool), run, outcome, outcomes, rows,
           epoch(finished_at - started_at), requests, errors, reason
    FROM runs WHERE NOT ? OR outcome NOT IN (SELECT unnest(?))
    ORDER BY started_at DESC, issue_time DESC, job, batch, pool LIMIT ?"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what `runs` takes, beside `--bucket`."""
    parser.add_argument("-n", "--newest", type=_at_least_one, default=20, metavar="N", help="how many attempts to list")
    parser.add_argument("--failed", action="store_true", help="only attempts that failed, degraded or came too late")
    parser.add_argument("--since", default="", type=issue_date,
                        help="first issue date to look at; without it, as far back as N attempts need")  # fmt: skip


def _at_least_one(text: str) -> int:
    if int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text} is not 1 or more")
    return int(text)


def run(arguments: argparse.Namespace) -> int:
    """Print the newest attempts of the ledger, one a line."""
    # Every attempt is an object, so a long ledger is not read whole to show its end. Failures may lie anywhere.
    since = arguments.since or ("" if arguments.failed else _reaching_back(arguments.bucket, arguments.newest))
    try:
        with connect(arguments.bucket, since=since) as connection:
            rows = connection.execute(_NEWEST, [arguments.failed, list(WELL), arguments.newest]).fetchall()
    except duckdb.Error as error:  # such as an entry that somebody damaged
        why, fix = one_line(error), "look at that entry, or leave its day out with --since"
        raise Refused("E_FEAT_CORRUPT", f"the ledger cannot be read: {why}", fix=fix) from error
    console = Console(highlight=False)
    console.print(_table(rows) if rows else "no attempts in the ledger" + (" that failed" if arguments.failed else ""))
    return 0


def _reaching_back(bucket_url: str, attempts: int) -> str:
    """Return the issue date from which on the ledger holds at least so many attempts."""
    keys = open_bucket(bucket_url).keys("ledger")
    return keys[-min(attempts, len(keys))].split("/")[1].removeprefix("issue_date=") if keys and attempts > 0 else ""


def _table(rows: list[tuple[Any, ...]]) -> Table:
    table = Table(box=None, header_style="bold", pad_edge=False)
    for name in ("started", "issue time", "job", "batch or pool", "outcome", "series"):
        table.add_column(name)
    for name in ("rows", "seconds", "get/put/list"):
        table.add_column(name, justify="right")
    if any(errors or reason for *_, errors, reason in rows):
        table.add_column("error or reason", overflow="fold")
    for issue_time, started_at, job, batch, name, outcome, outcomes, count, seconds, requests, errors, reason in rows:
        colour = COLOURS.get(outcome, "")
        table.add_row(_time(started_at, "seconds"), _time(issue_time), job, " ".join(filter(None, (batch, name))),
                      f"[{colour}]{outcome}[/]" if colour else outcome, _counts(outcomes), str(count or 0),
                      f"{seconds or 0:.2f}", _requests(requests), _first(errors) or escape(reason or ""))  # fmt: skip
    return table


def _time(moment: datetime | None, precision: str = "") -> str:
    if moment is None:
        return ""
    return moment.strftime("%Y-%m-%d %H:%M:%S") if precision else iso(from_datetime(moment))


def _counts(outcomes: Mapping[str, list[str]] | None) -> str:
    return ", ".join(f"{label} {len(series)}" for label, series in (outcomes or {}).items())


def _requests(requests: Mapping[str, int] | None) -> str:
    return "/".join(str((requests or {}).get(kind) or 0) for kind in ("gets", "puts", "lists"))


def _first(errors: Mapping[str, str] | None) -> str:
    """Return the first error with its series, and how many there are beside it."""
    named = [f"{series}: {said}" if series else said for series, said in (errors or {}).items()]
    return named[0].replace("[", r"\[") + (f" (and {len(named) - 1} more)" if len(named) > 1 else "") if named else ""
