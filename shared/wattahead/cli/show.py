"""`wattahead show ZONE/KEY/SUBKEY`: the last forecast with its band beside what came true."""

import argparse
import shutil
import sys
from dataclasses import replace
from difflib import get_close_matches
from functools import reduce
from operator import or_
from pathlib import Path
from typing import Any, Final

import duckdb

from wattahead.cli import chart
from wattahead.domain import quality
from wattahead.domain.errors import Refused
from wattahead.domain.hours import DAY, date_of, from_datetime, instant, iso, to_datetime
from wattahead.queries.connection import connect
from wattahead.storage import keys
from wattahead.storage.objects import open_bucket

BEFORE: Final = 2 * DAY  # of what came true before the issue time, in the picture

_FORECAST: Final = """
    SELECT valid_time, p10, p50, p90, unit, issue_time, model_name, model_version, fallback_level, quality_flags
    FROM forecasts WHERE series_id = $series
    AND issue_time = coalesce($issue_time, (SELECT max(issue_time) FROM forecasts WHERE series_id = $series))
    ORDER BY valid_time"""
_ACTUALS: Final = """
    SELECT valid_time, value FROM actuals WHERE zone = ? AND key = ? AND subkey = ?
    AND valid_time >= ? AND valid_time < ? AND isfinite(value) ORDER BY valid_time"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what `show` takes, beside `--bucket`."""
    parser.add_argument("series", help="zone/key/subkey, such as US-CAL-CISO/production/solar")
    parser.add_argument("--issue-time", default="", help="the forecast of this hour, 2021-01-02T00:00Z, not the last")
    parser.add_argument("--run", default="", help="a forecast of this run instead of the live ones")
    parser.add_argument("--run-kind", choices=("backfill", "backtest", "shadow"), default="backfill",
                        help="the kind of that run")  # fmt: skip
    parser.add_argument("--out", default=None, type=Path, metavar="FILE.png",
                        help="where the picture goes; by default named after series and issue time")  # fmt: skip


def run(arguments: argparse.Namespace) -> int:
    """Draw one forecast in the terminal and as a picture; refuse a series that has none."""
    forecast = find(arguments.bucket, arguments.series, issue_time=arguments.issue_time, run=arguments.run,
                    run_kind=arguments.run_kind)  # fmt: skip
    name = f"{forecast.series.replace('/', '_')}_{to_datetime(forecast.issue_time):%Y-%m-%dT%H}Z.png"
    out = arguments.out or Path(name)
    drawing = chart.text(forecast, width=shutil.get_terminal_size().columns)
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_bytes(chart.picture(forecast))
    sys.stdout.write("\n".join(filter(None, (drawing, chart.verdict(forecast), f"picture: {out}\n"))))
    return 0


def find(
    bucket_url: str, series: str, *, issue_time: str = "", run: str = "", run_kind: str = "backfill"
) -> chart.Forecast:
    """Return the last forecast of `series`, or the one of `issue_time`, with what came true around it."""
    at = instant(issue_time) if issue_time else None
    root = keys.table("forecast", run_kind if run else "live", run)
    first = date_of(at) if at is not None else _newest_day(bucket_url, root)
    # One day is enough for a series that is alive; only if it is not there the whole history is opened.
    for since, until in ((first, first), ("", "")):
        with connect(bucket_url, run=run or None, run_kind=run_kind, since=since, until=until) as connection:
            asked = {"series": series, "issue_time": to_datetime(at) if at is not None else None}
            rows = connection.execute(_FORECAST, asked).fetchall()
            if rows:
                origin = f"{bucket_url} · {run_kind} {run}" if run else f"{bucket_url} · live"
                return _drawn(connection, series, rows, origin)
            if not since and not until:
                raise _nothing(connection, series, at)
    raise AssertionError  # the second round returned or raised


def _newest_day(bucket_url: str, root: str) -> str:
    held = open_bucket(bucket_url).keys(root)
    days = [part.removeprefix("issue_date=") for part in held[-1].split("/") if "issue_date=" in part] if held else []
    return days[0] if days else ""


def _drawn(
    connection: duckdb.DuckDBPyConnection, series: str, rows: list[tuple[Any, ...]], origin: str
) -> chart.Forecast:
    valid_times, p10, p50, p90, units, issue_times, names, versions, levels, flags = zip(*rows, strict=True)
    times, issued = tuple(map(from_datetime, valid_times)), from_datetime(issue_times[0])
    bounds = (to_datetime(issued - BEFORE), to_datetime(times[-1] + DAY))
    actuals = connection.execute(_ACTUALS, [*series.split("/"), *bounds]).fetchall()
    words = tuple(quality.names(reduce(or_, (each or 0 for each in flags))))
    forecast = chart.Forecast(series, units[0], issued, f"{names[0]} {versions[0]}", max(levels), words, origin,
                              times, p10, p50, p90)  # fmt: skip
    known = ((from_datetime(at), value) for at, value in actuals)
    return replace(forecast, actuals=tuple((at, value) for at, value in known if at < forecast.end))


def _nothing(connection: duckdb.DuckDBPyConnection, series: str, at: int | None) -> Refused:
    """Return the error for a series without a forecast: the nearest name, or the nearest issue time."""
    held = connection.execute("SELECT DISTINCT series_id FROM forecasts ORDER BY 1").fetchall()
    names = [name for (name,) in held]
    if not names:
        return Refused("E_FEAT_MISSING", "there are no forecasts here", fix="score an hour, or check --bucket, --run")
    if series not in names:
        near = get_close_matches(series, names, n=3, cutoff=0.4) or names[:3]
        fix = f"use one of {', '.join(near)}"
        return Refused("E_FEAT_MISSING", f"there is no forecast of {ascii(series)[:80]}", fix=fix)
    nearest = "SELECT issue_time FROM forecasts WHERE series_id = ? ORDER BY abs(epoch_us(issue_time) - ?), 1 LIMIT 1"
    [(near_time,)] = connection.execute(nearest, [series, at or 0]).fetchall()
    fix = f"use --issue-time {iso(from_datetime(near_time))}, the nearest one"
    return Refused("E_FEAT_MISSING", f"{series} has no forecast of {iso(at or 0)}", fix=fix)
