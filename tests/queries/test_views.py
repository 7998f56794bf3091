"""What the views of a folder hold, and that nothing stands in them twice."""

from pathlib import Path
from typing import Any

import pytest

from wattahead.domain.errors import Refused
from wattahead.domain.quality import Quality, names
from wattahead.queries.connection import connect
from wattahead.storage.objects import Bucket, open_bucket

VIEWS = ("forecasts", "latest", "as_of('2026-11-20T05:00Z')", "actuals", "actuals_joined", "external", "runs")
MOMENTS = ("'2026-11-20T06:00Z'", "'2026-11-20T07:59+01:00'", "TIMESTAMPTZ '2026-11-20 06:30:00+00'")
DAY = "actuals/key=production/subkey=solar/date=2026-11-20"


@pytest.fixture
def folder(tmp_path: Path) -> str:
    return str(tmp_path / 'it\'s a [b*] "bucket"; --')


@pytest.fixture
def bucket(folder: str) -> Bucket:
    return open_bucket(folder)


def asked(folder: str, sql: str, **options: str) -> list[tuple[Any, ...]]:
    with connect(folder, **options) as connection:
        found: list[tuple[Any, ...]] = connection.execute(sql).fetchall()
    return found


@pytest.mark.parametrize("view", VIEWS)
def test_an_empty_bucket_has_every_view_without_rows(folder: str, view: str) -> None:
    assert asked(folder, f"SELECT * FROM {view}") == []


def test_the_views_of_an_empty_bucket_have_the_types_of_a_full_one(folder: str, bucket: Bucket, rows: Any) -> None:
    before = {view: asked(folder, f"DESCRIBE SELECT * FROM {view}") for view in VIEWS}

    rows.forecasts(bucket, "2026-11-20T05:00Z")
    rows.actuals(bucket, DAY, [("2026-11-20T05:00Z", 4.0, "2026-11-20T07:00Z")])
    rows.external(bucket, "external/provider=operator/init_date=2026-11-01")
    rows.attempt(bucket, "2026-11-20T05:00Z", "aa" * 8)

    assert {view: asked(folder, f"DESCRIBE SELECT * FROM {view}") for view in VIEWS} == before


def test_the_plain_line_gives_the_rows_of_the_view(folder: str, bucket: Bucket, rows: Any) -> None:
    rows.forecasts(bucket, "2026-11-20T05:00Z")
    rows.forecasts(bucket, "2026-11-20T06:00Z", extra=("p05",))
    plain = folder.replace("[", "[[]").replace("*", "[*]").replace("'", "''")

    with connect(folder) as connection:
        line = f"read_parquet('{plain}/forecasts/**/*.parquet', hive_partitioning=true, union_by_name=true)"
        view, file = connection.sql("FROM forecasts"), connection.sql(f"FROM {line}")
        file = file.project(", ".join(view.columns))
        assert file.order("series_id, valid_time, issue_time").fetchall() == view.order(
            "series_id, valid_time, issue_time").fetchall()  # fmt: skip
        assert len(view.fetchall()) == 8


def test_a_quantile_that_only_some_objects_have_is_null_in_the_others(folder: str, bucket: Bucket, rows: Any) -> None:
    rows.forecasts(bucket, "2026-11-20T05:00Z")
    rows.forecasts(bucket, "2026-11-20T06:00Z", extra=("p05",))

    found = asked(folder, "SELECT p05, p50 FROM forecasts WHERE subkey = 'wind' AND p50 > 0 ORDER BY issue_time")

    assert found == [(None, 105.0), (105.3, 106.0)]


def test_latest_holds_the_newest_issue_of_each_valid_time(folder: str, bucket: Bucket, rows: Any) -> None:
    for hour in ("05", "06", "07"):
        rows.forecasts(bucket, f"2026-11-20T{hour}:00Z")

    found = asked(folder, "SELECT hour(valid_time), p50 FROM latest WHERE subkey = 'solar' ORDER BY 1")

    assert found == [(5, 5.0), (6, 6.0), (7, 7.0), (8, 8.0)]


@pytest.mark.parametrize("moment", MOMENTS)
def test_as_of_knows_nothing_issued_later(folder: str, bucket: Bucket, rows: Any, moment: str) -> None:
    for hour in ("05", "06", "07"):
        rows.forecasts(bucket, f"2026-11-20T{hour}:00Z")

    found = asked(folder, f"SELECT DISTINCT hour(issue_time) FROM as_of({moment}) ORDER BY 1")

    assert found == [(5,), (6,)]


def test_an_archived_month_is_not_read_raw_as_well(folder: str, bucket: Bucket, rows: Any) -> None:
    rows.forecasts(bucket, "2026-10-31T23:00Z")
    rows.forecasts(bucket, "2026-11-01T00:00Z")
    rows.forecasts(bucket, "2026-10-31T23:00Z", key="archive/forecasts/issue_month=2026-10/abcdef123456.parquet")

    found = asked(folder, "SELECT issue_date::VARCHAR, issue_hour, count(*) FROM forecasts GROUP BY ALL ORDER BY 1")

    assert found == [("2026-10-31", "23", 4), ("2026-11-01", "00", 4)]


def test_a_run_has_its_own_forecasts_and_leaves_the_live_ones_alone(folder: str, bucket: Bucket, rows: Any) -> None:
    rows.forecasts(bucket, "2026-11-20T05:00Z")
    rows.forecasts(bucket, "2026-11-19T02:00Z", root="backfills/forecasts/run=better")

    assert asked(folder, "SELECT DISTINCT hour(issue_time) FROM forecasts", run="better") == [(2,)]
    assert asked(folder, "SELECT DISTINCT hour(issue_time) FROM forecasts") == [(5,)]
    assert asked(folder, "FROM forecasts", run="better", run_kind="backtest") == []


def test_since_and_until_bound_the_issue_dates(folder: str, bucket: Bucket, rows: Any) -> None:
    for day in ("2026-10-30", "2026-11-19", "2026-11-20", "2026-11-21"):
        rows.forecasts(bucket, f"{day}T05:00Z")
    rows.forecasts(bucket, "2026-10-30T05:00Z", key="archive/forecasts/issue_month=2026-10/abcdef123456.parquet")
    sql = "SELECT DISTINCT day(issue_time) FROM forecasts ORDER BY 1"

    assert asked(folder, sql, since="2026-11-20") == [(20,), (21,)]
    assert asked(folder, sql, since="2026-10-30", until="2026-11-19") == [(19,), (30,)]
    assert asked(folder, sql, since="2026-10-31", until="2026-11-18") == []


def test_actuals_hold_the_newest_revision_from_days_and_months(folder: str, bucket: Bucket, rows: Any) -> None:
    first = [("2026-11-20T05:00Z", 4.0, "2026-11-20T07:00Z"), ("2026-11-20T06:00Z", 9.0, "2026-11-20T08:00Z")]
    rows.actuals(bucket, DAY, first)
    rows.actuals(bucket, DAY, [("2026-11-20T05:00Z", 5.0, "2026-11-21T07:00Z")])
    month = "history/actuals/key=production/subkey=solar/month=2026-11"
    rows.actuals(bucket, month, first)

    found = asked(folder, "SELECT series_id, hour(valid_time), value FROM actuals ORDER BY 2")

    assert found == [("US-CAL-CISO/production/solar", 5, 5.0), ("US-CAL-CISO/production/solar", 6, 9.0)]


def test_actuals_joined_keeps_what_has_not_come_true_yet(folder: str, bucket: Bucket, rows: Any) -> None:
    rows.forecasts(bucket, "2026-11-20T05:00Z")
    rows.actuals(bucket, DAY, [("2026-11-20T05:00Z", 4.8, "2026-11-20T07:00Z")])

    sql = "SELECT p50, actual, round(error, 6), inside_band FROM actuals_joined WHERE subkey = 'solar' ORDER BY p50"
    found = asked(folder, sql)

    assert found == [(5.0, 4.8, 0.2, True), (6.0, None, None, None)]


def test_external_forecasts_of_two_providers_keep_their_own_variables(folder: str, bucket: Bucket, rows: Any) -> None:
    rows.external(bucket, "external/provider=operator/init_date=2026-11-01", load=7.0)
    rows.external(bucket, "history/external/provider=operator/month=2026-11", load=7.0)
    rows.external(bucket, "history/external/provider=vendor/month=2026-11", wind=3.0)

    assert asked(folder, "SELECT provider, load, wind FROM external ORDER BY 1") == [
        ("operator", 7.0, None), ("vendor", None, 3.0)]  # fmt: skip


def test_runs_turn_the_ledger_into_times_and_maps(folder: str, bucket: Bucket, rows: Any) -> None:
    rows.attempt(bucket, "2026-11-20T05:00Z", "aa" * 8)
    rows.attempt(bucket, "2026-11-20T05:00Z", "bb" * 8, outcome="failed", errors={"": "no plan"}, outcomes={})

    found = asked(folder, """SELECT issue_time = TIMESTAMPTZ '2026-11-20 05:00:00+00', outcome, errors[''],
        len(outcomes['ok']), requests.gets, bytes.written, finished_at - started_at = INTERVAL 1500 MILLISECOND
        FROM runs ORDER BY attempt_id""")  # fmt: skip

    assert found == [(True, "ok", None, 2, 2, 20, True), (True, "failed", "no plan", None, 2, 20, True)]


def test_runs_tell_the_pool_and_the_reason_of_a_training(folder: str, bucket: Bucket, rows: Any) -> None:
    rows.attempt(bucket, "2026-11-20T05:00Z", "aa" * 8)
    why = {"job": "train", "batch": "", "pool": "wind", "reason": "not better than champion"}
    rows.attempt(bucket, "2026-11-20T05:00Z", "bb" * 8, **why)

    found = asked(folder, "SELECT job, batch, pool, reason FROM runs ORDER BY attempt_id")

    assert found == [("score", "solar-0000", None, None), ("train", "", "wind", "not better than champion")]


def test_flag_names_says_what_the_domain_says(folder: str) -> None:
    flags = [0, *(flag.value for flag in Quality), sum(Quality)]

    found = asked(folder, f"SELECT flag_names(unnest({flags}))")

    assert found == [(names(flag),) for flag in flags]


def test_hours_written_after_connecting_are_seen(folder: str, bucket: Bucket, rows: Any) -> None:
    rows.forecasts(bucket, "2026-11-20T05:00Z")

    with connect(folder) as connection:
        rows.forecasts(bucket, "2026-11-21T05:00Z")
        assert connection.sql("SELECT count(*) FROM forecasts").fetchall() == [(8,)]


def test_a_date_filter_opens_only_the_objects_of_that_day(folder: str, bucket: Bucket, rows: Any) -> None:
    for day in ("19", "20", "21"):
        rows.forecasts(bucket, f"2026-11-{day}T05:00Z")

    plans = [asked(folder, f"EXPLAIN SELECT p50 FROM {rows_of}")[0][1] for rows_of in
             ("forecasts WHERE issue_date = '2026-11-20'", "as_of('2026-11-19T23:00Z')")]  # fmt: skip

    assert ["1/3" in plan for plan in plans] == [True, True]


def test_memory_is_refused() -> None:
    with pytest.raises(Refused, match="E_CONFIG: DuckDB cannot look into memory://"):
        connect("memory://b")


def test_a_run_that_is_no_name_is_refused(folder: str) -> None:
    with pytest.raises(Refused, match="E_NAME"):
        asked(folder, "FROM forecasts", run="x'; DROP TABLE y; --")


def test_a_file_url_opens_the_same_folder(tmp_path: Path, rows: Any) -> None:
    rows.forecasts(open_bucket(tmp_path.as_uri()), "2026-11-20T05:00Z")

    for url in (tmp_path.as_uri(), tmp_path.as_uri() + "/", str(tmp_path)):
        with connect(url) as connection:
            assert connection.sql("SELECT count(*) FROM forecasts").fetchall() == [(4,)]
