"""`show`, `query` and `runs` print what the bucket holds."""

import argparse
import json
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pytest

from wattahead.cli import query, runs, show
from wattahead.domain.errors import Refused
from wattahead.domain.hours import HOUR, instant
from wattahead.storage.ledger import Entry, record
from wattahead.storage.objects import Bucket, open_bucket
from wattahead.storage.tables import INSTANT, NAME, encode_table

SOLAR = "US-CAL-CISO/production/solar"
ISSUED = "2026-11-20T05:00Z"


@pytest.fixture
def bucket(tmp_path: Path) -> Bucket:
    """Give a bucket with two forecasts of solar power, what came true, and two attempts."""
    bucket = open_bucket(str(tmp_path / "bucket"))
    for issued, level in (("2026-11-18T05:00Z", 2), (ISSUED, 0)):
        write_forecast(bucket, issued, level)
    at = instant(ISSUED)
    table = pa.table({
        "zone": pa.array(["US-CAL-CISO"] * 3).cast(NAME), "valid_time": pa.array([at - HOUR, at, at + HOUR], INSTANT),
        "value": [3.0, 9.0, 40.0], "available_at": pa.array([at + 3 * HOUR] * 3, INSTANT),
        "availability": pa.array(["live"] * 3).cast(NAME),
    })  # fmt: skip
    bucket.create("actuals/key=production/subkey=solar/date=2026-11-20/part-abcdef123456.parquet", encode_table(table))
    write_attempt(bucket, "aa" * 8, "ok", {"ok": [SOLAR]}, {})
    write_attempt(bucket, "bb" * 8, "failed", {}, {"": "E_PLAN_MISSING: there is no plan"})
    return bucket


def write_forecast(bucket: Bucket, issued: str, level: int, root: str = "forecasts") -> None:
    at = instant(issued)
    words = {"series_id": SOLAR, "model_name": "lightgbm", "model_version": "v1", "run_id": "ab" * 8,
             "zone": "US-CAL-CISO", "key": "production", "subkey": "solar", "unit": "MW"}  # fmt: skip
    numbers = {"fallback_level": (level, pa.int8()), "quality_flags": (32 if level else 0, pa.int32())}
    table = pa.table(
        {name: pa.array([word] * 2).cast(NAME) for name, word in words.items()}
        | {name: pa.array([number] * 2, kind) for name, (number, kind) in numbers.items()}
        | {"issue_time": pa.array([at] * 2, INSTANT), "valid_time": pa.array([at, at + HOUR], INSTANT)}
        | {"p10": [8.0, 18.0], "p50": [10.0, 20.0], "p90": [12.0, 22.0]}
    )
    bucket.create(f"{root}/issue_date={issued[:10]}/issue_hour={issued[11:13]}/solar-0000.parquet", encode_table(table))


def write_attempt(
    bucket: Bucket, name: str, outcome: str, outcomes: dict[str, list[str]], errors: dict[str, str]
) -> None:
    at = instant(ISSUED)
    document = {
        "attempt_id": name, "run_id": "ab" * 8, "job": "score", "run_kind": "live", "run": "", "batch": "solar-0000",
        "issue_time": at, "started_at": at, "finished_at": at + 1_500_000, "outcome": outcome, "rows": 2,
        "seconds": {}, "requests": {"gets": 2, "puts": 2, "lists": 0}, "bytes": {"read": 1, "written": 1},
        "outcomes": outcomes, "errors": errors,
    }  # fmt: skip
    key = f"ledger/issue_date=2026-11-20/issue_hour=05/{'ab' * 8}/{name}.json"
    bucket.create(key, json.dumps(document).encode())


@pytest.fixture
def run(bucket: Bucket, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[..., int]:
    """Give a function that runs a command on the bucket, in an empty folder."""
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.chdir(tmp_path)

    def call(command: object, *words: str) -> int:
        parser = argparse.ArgumentParser()
        parser.add_argument("--bucket", default=bucket.url)
        command.add_arguments(parser)  # type: ignore[attr-defined]
        return int(command.run(parser.parse_args(words)))  # type: ignore[attr-defined]

    return call


def test_show_draws_the_last_forecast_and_writes_the_picture(
    run: Callable[..., int], capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    assert run(show, SOLAR) == 0

    said = capsys.readouterr().out
    assert "issued 2026-11-20T05:00Z · lightgbm v1 · fallback level 0\n" in said
    assert "mean absolute error 10.5 MW · 1 of 2 inside the band" in said
    picture = tmp_path / "US-CAL-CISO_production_solar_2026-11-20T05Z.png"
    assert picture.read_bytes().startswith(b"\x89PNG")
    assert said.endswith(f"picture: {picture.name}\n")


def test_show_draws_the_forecast_that_is_asked_for(run: Callable[..., int], capsys: pytest.CaptureFixture[str]) -> None:
    assert run(show, SOLAR, "--issue-time", "2026-11-18T05:00Z", "--out", "new/chart.png") == 0

    assert "issued 2026-11-18T05:00Z · lightgbm v1 · fallback level 2 · fallback\n" in capsys.readouterr().out
    assert Path("new/chart.png").exists()


def test_show_finds_a_series_that_is_not_in_the_newest_hour(bucket: Bucket) -> None:
    other = "forecasts/issue_date=2026-11-21/issue_hour=00/wind-0000.parquet"
    bucket.create(other, encode_table(pa.table({"series_id": pa.array(["US-CAL-CISO/production/wind"]).cast(NAME)})))

    assert show.find(bucket.url, SOLAR).issue_time == instant(ISSUED)


def test_show_draws_a_run_beside_the_live_forecasts(bucket: Bucket) -> None:
    write_forecast(bucket, "2026-11-19T05:00Z", 1, "backfills/forecasts/run=better")

    drawn = show.find(bucket.url, SOLAR, run="better")

    assert (drawn.issue_time, drawn.fallback_level) == (instant("2026-11-19T05:00Z"), 1)
    assert drawn.origin.endswith("· backfill better")


def test_show_reaches_back_before_the_issue_time(bucket: Bucket) -> None:
    at = instant(ISSUED)

    assert show.find(bucket.url, SOLAR).actuals == ((at - HOUR, 3.0), (at, 9.0), (at + HOUR, 40.0))


@pytest.mark.parametrize(
    ("series", "issue_time", "said"),
    [
        ("us-cal-ciso/production/solr", "", "no forecast of 'us-cal-ciso/production/solr'. Fix: use one of US-CAL"),
        (SOLAR, "2026-11-19T00:00Z", "no forecast of 2026-11-19T00:00Z. Fix: use --issue-time 2026-11-18T05:00Z"),
        (SOLAR, "2026-11-19T00:00", "E_TIME_NAIVE"),
    ],
)  # fmt: skip
def test_show_names_what_is_nearest_to_what_is_not_there(
    bucket: Bucket, series: str, issue_time: str, said: str
) -> None:
    with pytest.raises(Refused) as error:
        show.find(bucket.url, series, issue_time=issue_time)

    assert said in str(error.value)


def test_show_on_an_empty_bucket_says_the_next_step(tmp_path: Path) -> None:
    with pytest.raises(Refused, match=r"there are no forecasts here\. Fix: score an hour"):
        show.find(str(tmp_path / "empty"), SOLAR)


@pytest.mark.parametrize(
    ("style", "expected"),
    [
        ("csv", 'issue_time,p50,flags\n2026-11-20T05:00Z,10.0,[]\n2026-11-18T05:00Z,10.0,"[""fallback""]"\n'),
        (
            "json",
            """[
{"issue_time": "2026-11-20T05:00Z", "p50": 10.0, "flags": []},
{"issue_time": "2026-11-18T05:00Z", "p50": 10.0, "flags": ["fallback"]}
]
""",
        ),
        (
            "table",
            """issue_time         p50  flags
2026-11-20T05:00Z   10  []
2026-11-18T05:00Z   10  ["fallback"]
""",
        ),
    ],
)
def test_query_prints_rows(
    run: Callable[..., int], capsys: pytest.CaptureFixture[str], style: str, expected: str
) -> None:
    sql = """SELECT issue_time, p50, flag_names(quality_flags) AS flags
        FROM forecasts WHERE valid_time = issue_time ORDER BY 1 DESC"""

    assert run(query, sql, "--format", style) == 0

    said = capsys.readouterr().out
    assert [line.rstrip() for line in said.split("\n")] == [line.rstrip() for line in expected.split("\n")]


@pytest.mark.parametrize(("style", "expected"), [("csv", "p50\n"), ("json", "[]\n")])
def test_query_prints_no_rows_as_such(
    run: Callable[..., int], capsys: pytest.CaptureFixture[str], style: str, expected: str
) -> None:
    assert run(query, "SELECT p50 FROM forecasts WHERE false", "--format", style) == 0

    assert capsys.readouterr().out == expected


@pytest.mark.parametrize("sql", ["SELECT p5 FROM forecasts", "SELEC 1", "FROM nowhere", "SELECT error('two\n\nlines')"])
def test_a_wrong_query_is_one_line_and_64(
    run: Callable[..., int], capsys: pytest.CaptureFixture[str], sql: str
) -> None:
    assert run(query, sql) == 64

    said = capsys.readouterr()
    assert (said.out, said.err.count("\n"), "Error: " in said.err) == ("", 1, True)


def test_a_long_table_says_how_many_rows_it_leaves_out(
    run: Callable[..., int], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(query, "FROM range(1000)") == 0

    assert "… 800 more rows; use --format csv for all" in capsys.readouterr().out


def test_runs_lists_what_attempts_did(run: Callable[..., int], capsys: pytest.CaptureFixture[str]) -> None:
    assert run(runs) == 0

    lines = [line.split() for line in capsys.readouterr().out.strip().split("\n")]
    assert len(lines) == 3
    assert "2026-11-20 05:00:00 2026-11-20T05:00Z score solar-0000 ok ok 1 2 1.50 2/2/0".split() in lines  # noqa: SIM905


def test_runs_tell_what_a_training_came_to_and_why(
    bucket: Bucket, run: Callable[..., int], capsys: pytest.CaptureFixture[str]
) -> None:
    at = instant(ISSUED)
    reason = "not better than champion: mean pinball loss [x]"
    record(bucket, Entry("train", "cd" * 8, at, at + HOUR, at + HOUR, "ok", pool="wind",
                         outcomes={"kept": (SOLAR,)}, reason=reason))  # fmt: skip

    assert run(runs, "-n", "1") == 0

    line = capsys.readouterr().out.strip().split("\n")[-1]
    told = f"2026-11-20 06:00:00 2026-11-20T05:00Z train wind ok kept 1 0 0.00 0/0/0 {reason}"
    assert line.split() == told.split()


def test_runs_can_show_only_what_went_wrong(run: Callable[..., int], capsys: pytest.CaptureFixture[str]) -> None:
    assert run(runs, "--failed") == 0

    said = capsys.readouterr().out
    assert said.count("score") == 1
    assert "E_PLAN_MISSING: there is no plan" in said


def test_runs_of_an_empty_ledger_says_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    empty = argparse.Namespace(bucket=str(tmp_path / "empty"), newest=20, failed=False, since="")

    assert runs.run(empty) == 0

    assert capsys.readouterr().out == "no attempts in the ledger\n"
