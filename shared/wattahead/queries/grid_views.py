"""The views of grid actions: what was screened for every grid and hour, with what was verified of it."""
# ruff: noqa: S608 - every piece is a constant here, a checked name, or went through quoted()

from typing import Final

import duckdb

from wattahead.queries.views import HOUR_TYPES, Scope, files, hours, nothing

GRID_ACTIONS: Final = {
    "series_id": "VARCHAR", "issue_time": "TIMESTAMPTZ", "model_name": "VARCHAR", "model_version": "VARCHAR",
    "run_id": "VARCHAR", "fallback_level": "TINYINT", "quality_flags": "INTEGER", "input_age_minutes": "INTEGER",
    "valid_time": "TIMESTAMPTZ", "lead_time_minutes": "INTEGER", "rank": "INTEGER", "action_id": "VARCHAR",
    "action": "VARCHAR", "line": "VARCHAR", "rho_max": "DOUBLE", "p10": "DOUBLE", "p90": "DOUBLE",
    "fail_probability": "DOUBLE", "verified": "BOOLEAN", "rho_max_verified": "DOUBLE", "issue_date": "DATE",
    "issue_hour": "VARCHAR",
}  # fmt: skip


def create(connection: duckdb.DuckDBPyConnection, scope: Scope) -> None:
    """Create `grid_actions`, and `latest_actions`: for each grid and hour the actions of the newest issue."""
    connection.execute(f"CREATE VIEW grid_actions AS {_grid_actions(scope)}")
    connection.execute(f"CREATE VIEW latest_actions AS {_LATEST}")


_LATEST: Final = """SELECT * FROM grid_actions QUALIFY issue_time = max(issue_time) OVER (
    PARTITION BY series_id, valid_time)"""


def _grid_actions(scope: Scope) -> str:
    """Return every row once: as it was verified, where it was."""
    legs = [nothing(GRID_ACTIONS)]
    for root in (scope.grid_actions, _verified(scope.grid_actions)):
        there = hours(scope, root, "*.parquet")
        if there:
            source = f"read_parquet({files(scope, there)}, union_by_name=true, hive_partitioning=true, {HOUR_TYPES})"
            legs.append(f"SELECT * FROM {source}")
    return f"""SELECT * FROM ({" UNION ALL BY NAME ".join(legs)}) QUALIFY row_number() OVER (
        PARTITION BY series_id, issue_time, valid_time, action_id ORDER BY verified DESC) = 1"""


def _verified(root: str) -> str:
    """Return the root of verified rows; a run stands behind the table's name."""
    table, run, name = root.partition("/run=")
    return f"{table}_verified{run}{name}"
