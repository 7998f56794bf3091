"""The views of grid actions: every row once, as it was verified where it was."""

from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from tests.journeys.grids import EVENT, KEY, hour, world
from wattahead.domain.plan import Plan
from wattahead.jobs.hour import read_plan
from wattahead.queries.connection import connect
from wattahead.queries.grid_views import GRID_ACTIONS
from wattahead.storage import keys
from wattahead.storage.objects import Bucket, open_bucket
from wattahead.storage.tables import encode_table, read_parquet


@pytest.fixture
def scored(tmp_path: Path) -> tuple[Bucket, str]:
    """Give a folder with an hour of two grids."""
    from tests.journeys.stores import bucket_of

    store = world()
    hour(bucket_of(store))
    bucket = open_bucket(str(tmp_path))
    for key, body in store.objects.items():
        bucket.create(key, body)
    return bucket, str(tmp_path)


def asked(folder: str, sql: str, **options: str) -> list[tuple[Any, ...]]:
    with connect(folder, **options) as connection:
        found: list[tuple[Any, ...]] = connection.execute(sql).fetchall()
    return found


def verify(bucket: Bucket, plan: Plan) -> None:
    """Write rows as a verification of them would."""
    table = bucket.read(KEY, lambda body: read_parquet(body, where=KEY))
    for name, column in (
        ("verified", pa.array([True] * table.num_rows)),
        ("rho_max_verified", pa.array([0.5] * table.num_rows)),
    ):
        table = table.set_column(table.column_names.index(name), name, column)
    bucket.create(keys.verified(plan, "grid_action", "screen-0000"), encode_table(table))


def test_an_empty_bucket_has_both_views_with_the_types_of_a_full_one(
    tmp_path: Path, scored: tuple[Bucket, str]
) -> None:
    for view in ("grid_actions", "latest_actions"):
        empty = asked(str(tmp_path / "none"), f"DESCRIBE SELECT * FROM {view}")
        assert empty == asked(scored[1], f"DESCRIBE SELECT * FROM {view}")
        assert [name for name, *_ in empty] == list(GRID_ACTIONS)
        assert asked(str(tmp_path / "none"), f"SELECT * FROM {view}") == []


def test_rows_that_are_not_verified_say_so(scored: tuple[Bucket, str]) -> None:
    assert asked(scored[1], "SELECT count(*), count(rho_max_verified), bool_or(verified) FROM grid_actions") == [
        (528, 0, False)
    ]


def test_a_verified_row_stands_in_place_of_the_screened_one(scored: tuple[Bucket, str]) -> None:
    bucket, folder = scored
    verify(bucket, read_plan(bucket, EVENT)[0])

    assert asked(folder, "SELECT count(*), bool_and(verified), max(rho_max_verified) FROM grid_actions") == [
        (528, True, 0.5)
    ]


def test_a_named_run_is_verified_beside_itself() -> None:
    plan = Plan(EVENT.issue_time, "backfill", "first", 1, {}, ())

    assert keys.verified(plan, "grid_action", "screen-0000") == (
        "backfills/grid_actions_verified/run=first/issue_date=2026-03-01/issue_hour=05/screen-0000.parquet"
    )


def test_the_latest_actions_of_an_hour_are_those_of_its_newest_issue(scored: tuple[Bucket, str]) -> None:
    once = asked(scored[1], "SELECT series_id, valid_time, count(*) FROM latest_actions GROUP BY ALL")

    assert len(once) == 48
    assert {count for *_, count in once} == {11}
