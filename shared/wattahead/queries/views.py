"""The views of a bucket, as SQL: what a reader sees, whichever objects hold it.

Each view is a typed leg without rows, followed by the objects that exist: it has its columns even in an empty bucket.
"""
# ruff: noqa: S608 - every piece is a constant here, a checked name, or went through quoted()

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

import duckdb

from wattahead.domain.quality import Quality
from wattahead.storage.objects import Bucket

FORECASTS: Final = {
    "series_id": "VARCHAR", "issue_time": "TIMESTAMPTZ", "model_name": "VARCHAR", "model_version": "VARCHAR",
    "run_id": "VARCHAR", "fallback_level": "TINYINT", "quality_flags": "INTEGER", "input_age_minutes": "INTEGER",
    "zone": "VARCHAR", "key": "VARCHAR", "subkey": "VARCHAR", "valid_time": "TIMESTAMPTZ",
    "lead_time_minutes": "INTEGER", "unit": "VARCHAR", "p10": "DOUBLE", "p50": "DOUBLE", "p90": "DOUBLE",
    "issue_date": "DATE", "issue_hour": "VARCHAR",
}  # fmt: skip
ACTUALS: Final = {
    "zone": "VARCHAR", "key": "VARCHAR", "subkey": "VARCHAR", "valid_time": "TIMESTAMPTZ", "value": "DOUBLE",
    "available_at": "TIMESTAMPTZ", "availability": "VARCHAR",
}  # fmt: skip
EXTERNAL: Final = {
    "zone": "VARCHAR", "point": "SMALLINT", "provider": "VARCHAR", "nwp_init_time": "TIMESTAMPTZ",
    "available_at": "TIMESTAMPTZ", "valid_time": "TIMESTAMPTZ",
}  # fmt: skip
LEDGER: Final = {
    "attempt_id": "VARCHAR", "run_id": "VARCHAR", "job": "VARCHAR", "run_kind": "VARCHAR", "run": "VARCHAR",
    "batch": "VARCHAR", "pool": "VARCHAR", "issue_time": "BIGINT", "started_at": "BIGINT", "finished_at": "BIGINT",
    "outcome": "VARCHAR", "rows": "BIGINT", "seconds": "MAP(VARCHAR, DOUBLE)",
    "requests": "STRUCT(gets BIGINT, puts BIGINT, lists BIGINT)",
    "bytes": 'STRUCT("read" BIGINT, written BIGINT)', "outcomes": "MAP(VARCHAR, VARCHAR[])",
    "errors": "MAP(VARCHAR, VARCHAR)", "reason": "VARCHAR", "report": "VARCHAR",
}  # fmt: skip
METRICS: Final = {
    "pool": "VARCHAR", "series_id": "VARCHAR", "model_version": "VARCHAR", "run_kind": "VARCHAR", "run": "VARCHAR",
    "split": "VARCHAR", "issue_from": "TIMESTAMPTZ", "issue_to": "TIMESTAMPTZ", "metric": "VARCHAR",
    "slice": "VARCHAR", "slice_value": "VARCHAR", "unit": "VARCHAR", "value": "DOUBLE", "low": "DOUBLE",
    "high": "DOUBLE", "n": "BIGINT", "origin": "VARCHAR",
}  # fmt: skip

HOUR_TYPES: Final = "hive_types={'issue_date': DATE, 'issue_hour': VARCHAR}"


@dataclass(frozen=True)
class Scope:
    """Which forecasts and attempts the views hold: a root, and issue dates from `since` to `until`, both included."""

    bucket: Bucket
    base: str  # where DuckDB finds the bucket: a folder or s3://bucket/prefix
    forecasts: str = "forecasts"
    grid_actions: str = "grid_actions"
    since: str = ""
    until: str = ""


def create(connection: duckdb.DuckDBPyConnection, scope: Scope) -> None:
    """Create every view and macro on `connection`. Roots without objects become typed views without rows."""
    connection.execute(_flag_names())
    connection.execute(f"CREATE VIEW forecasts AS {_forecasts(scope)}")
    connection.execute(f"CREATE VIEW latest AS {_newest_issue('forecasts')}")
    connection.execute(f"CREATE MACRO as_of(t) AS TABLE {_newest_issue(_KNOWN_AT)}")
    connection.execute(f"CREATE VIEW actuals AS {_actuals(scope)}")
    connection.execute(f"CREATE VIEW actuals_joined AS {_JOINED}")
    connection.execute(f"CREATE VIEW external AS {_external(scope)}")
    connection.execute(f"CREATE VIEW runs AS {_runs(scope)}")
    connection.execute(f"CREATE VIEW metrics AS {_metrics(scope)}")


def quoted(text: str) -> str:
    """Return `text` as an SQL string, whatever it holds."""
    return "'" + text.replace("'", "''") + "'"


# DuckDB wants seconds in a time; ours are written without, 2021-01-02T00:00Z.
_MOMENT: Final = r"CAST(regexp_replace(CAST(t AS VARCHAR), '(T\d\d:\d\d)(Z|[+-].*)$', '\1:00\2') AS TIMESTAMPTZ)"

# issue_date says nothing new here, but it lets DuckDB skip the objects of later days unopened.
_KNOWN_AT: Final = f"""(SELECT * FROM forecasts WHERE issue_time <= {_MOMENT}
    AND issue_date <= CAST({_MOMENT} AT TIME ZONE 'UTC' AS DATE))"""

# Joined by the parts of series_id, since these are also the folders of the actuals.
_JOINED = """SELECT forecasts.*, actuals.value AS actual, p50 - actuals.value AS error,
    actuals.value BETWEEN p10 AND p90 AS inside_band
    FROM forecasts LEFT JOIN actuals USING (zone, key, subkey, valid_time)"""


def _newest_issue(rows: str) -> str:
    return f"""SELECT * FROM {rows} QUALIFY row_number() OVER (
        PARTITION BY series_id, valid_time ORDER BY issue_time DESC, fallback_level, run_id) = 1"""


def _forecasts(scope: Scope) -> str:
    """Return closed months from the archive and the rest raw: a month that is archived is never read twice."""
    archived = _archived(scope)
    legs = [nothing(FORECASTS)]
    shown = [month for month in archived if scope.since[:7] <= month <= (scope.until[:7] or month)]
    if shown:
        found = files(scope, [f"archive/forecasts/issue_month={month}/*.parquet" for month in shown])
        legs.append(f"SELECT * FROM ({_ARCHIVE.format(files=found)}) WHERE {_within(scope)}")
    raw = hours(scope, scope.forecasts, "*.parquet")
    if raw:
        source = f"read_parquet({files(scope, raw)}, union_by_name=true, hive_partitioning=true, {HOUR_TYPES})"
        months = ", ".join(map(quoted, archived)) or "''"
        legs.append(f"SELECT * FROM {source} WHERE strftime(issue_date, '%Y-%m') NOT IN ({months})")
    return " UNION ALL BY NAME ".join(legs)


_ARCHIVE = """SELECT *, CAST(issue_time AT TIME ZONE 'UTC' AS DATE) AS issue_date,
    strftime(issue_time AT TIME ZONE 'UTC', '%H') AS issue_hour
    FROM read_parquet({files}, union_by_name=true, hive_partitioning=false)"""


def _archived(scope: Scope) -> list[str]:
    """Return the closed months of live forecasts; runs that are not live have no archive."""
    if scope.forecasts != "forecasts":
        return []
    return sorted(_parts(scope.bucket.keys("archive/forecasts"), "issue_month"))


def _within(scope: Scope) -> str:
    bounds = [f"issue_date >= DATE {quoted(scope.since)}"] if scope.since else []
    bounds += [f"issue_date <= DATE {quoted(scope.until)}"] if scope.until else []
    return " AND ".join(bounds) or "true"


def hours(scope: Scope, root: str, name: str) -> list[str]:
    """Return date paths under `root` that hold something; one for all days unless the scope has bounds."""
    days = sorted(_parts(scope.bucket.keys(root), "issue_date"))
    wanted = [day for day in days if scope.since <= day <= (scope.until or day)]
    if len(wanted) == len(days) > 0 and not scope.until:
        wanted = ["*"]  # so that days which begin later are seen too
    return [f"{root}/issue_date={day}/issue_hour=*/{name}" for day in wanted]


def _actuals(scope: Scope) -> str:
    """Return the newest revision of every value, from days and from closed months."""
    legs = [nothing(ACTUALS)]
    for root, label in (("actuals", "date"), ("history/actuals", "month")):
        if any("/days=" not in key for key in scope.bucket.keys(root)):  # copies of days are passed over
            found = files(scope, [f"{root}/key=*/subkey=*/{label}=*/*.parquet"])
            types = f"hive_types={{'key': VARCHAR, 'subkey': VARCHAR, '{label}': VARCHAR}}"
            source = f"read_parquet({found}, hive_partitioning=true, {types})"
            legs.append(f"SELECT {', '.join(ACTUALS)} FROM {source}")
    return f"""SELECT concat_ws('/', zone, key, subkey) AS series_id, * FROM ({" UNION ALL BY NAME ".join(legs)})
        QUALIFY row_number() OVER (
            PARTITION BY zone, key, subkey, valid_time ORDER BY available_at DESC, value) = 1"""


def _external(scope: Scope) -> str:
    """Return somebody else's forecasts, each in its newest revision; variables that a provider lacks are null."""
    legs = [nothing(EXTERNAL)]
    for root, label in (("external", "init_date"), ("history/external", "month")):
        if scope.bucket.keys(root):
            found = files(scope, [f"{root}/provider=*/{label}=*/*.parquet"])
            types = f"hive_types={{'provider': VARCHAR, '{label}': VARCHAR}}"
            source = f"read_parquet({found}, union_by_name=true, hive_partitioning=true, {types})"
            legs.append(f"SELECT * EXCLUDE ({label}) FROM {source}")
    return f"""SELECT * FROM ({" UNION ALL BY NAME ".join(legs)}) QUALIFY row_number() OVER (
        PARTITION BY provider, zone, point, nwp_init_time, valid_time ORDER BY available_at DESC) = 1"""


def _metrics(scope: Scope) -> str:
    """Return every measure once: judged again when more had come true, the one that more hours speak for."""
    legs = [nothing(METRICS)]
    if scope.bucket.keys("metrics"):
        found = files(scope, ["metrics/issue_month=*/*.parquet"])
        legs.append(f"SELECT * FROM read_parquet({found}, union_by_name=true, hive_partitioning=false)")
    who = ", ".join(name for name in METRICS if name not in ("value", "low", "high", "n", "unit"))
    return f"""SELECT * FROM ({" UNION ALL BY NAME ".join(legs)}) QUALIFY row_number() OVER (
        PARTITION BY {who} ORDER BY n DESC, value) = 1"""


def _runs(scope: Scope) -> str:
    """Return the ledger: one row per attempt, instants as times."""
    legs = [nothing(LEDGER | {"issue_date": "DATE", "issue_hour": "VARCHAR"})]
    attempts = hours(scope, "ledger", "*/*.json")
    if attempts:
        columns = ", ".join(f"{name}: {quoted(kind)}" for name, kind in LEDGER.items())
        source = f"{files(scope, attempts)}, columns={{{columns}}}, format='unstructured'"
        legs.append(f"SELECT * FROM read_json({source}, hive_partitioning=true, {HOUR_TYPES})")
    times = ", ".join(f"make_timestamp({name}) AT TIME ZONE 'UTC' AS {name}" for name in _INSTANTS)
    return f"SELECT * REPLACE ({times}) FROM ({' UNION ALL BY NAME '.join(legs)})"


_INSTANTS = ("issue_time", "started_at", "finished_at")


def _flag_names() -> str:
    words = ", ".join(
        f"CASE WHEN flags & {flag.value} <> 0 THEN {quoted(str(flag.name).lower())} END" for flag in Quality
    )
    return f"CREATE MACRO flag_names(flags) AS list_filter([{words}], lambda word: word IS NOT NULL)"


def nothing(columns: Mapping[str, str]) -> str:
    """Return a query with typed columns and no row."""
    return f"SELECT {', '.join(f'CAST(NULL AS {kind}) AS {name}' for name, kind in columns.items())} WHERE false"


def files(scope: Scope, patterns: Iterable[str]) -> str:
    """Return a list of patterns under the bucket; a bucket's own name is never taken for a pattern."""
    base = "".join(f"[{letter}]" if letter in "*?[" else letter for letter in scope.base)
    return "[" + ", ".join(quoted(f"{base}/{pattern}") for pattern in patterns) + "]"


def _parts(keys: Iterable[str], label: str) -> set[str]:
    """Return the values that `label=` takes in `keys`."""
    return {part[len(label) + 1 :] for key in keys for part in key.split("/") if part.startswith(label + "=")}
