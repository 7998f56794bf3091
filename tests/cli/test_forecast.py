"""`forecast` prints data and nothing else on the standard output, in every format, and ends with what it is worth."""

import csv
import io
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.journeys.stores import DictStore
from tests.journeys.world import ISSUE, NOW, whole_hour
from wattahead.cli import forecast
from wattahead.cli.main import main
from wattahead.domain.hours import from_datetime, iso
from wattahead.domain.quality import names
from wattahead.jobs.forecast_now import forecast_now
from wattahead.storage.objects import Bucket, ObStore, open_bucket
from wattahead.storage.tables import read_parquet

SOLAR, WIND, DEMAND = "SY-0001/production/solar", "SY-0002/production/wind", "SY-0001/consumption/demand"
AT = ("--issue-time", iso(ISSUE))


@pytest.fixture(scope="module")
def bucket(trained_world: DictStore, tmp_path_factory: pytest.TempPathFactory) -> Bucket:
    """Give a folder with two champions and one scored hour; nobody writes to it."""
    made = open_bucket(str(tmp_path_factory.mktemp("forecast")))
    for key, body in trained_world.objects.items():
        made.create(key, body)
    whole_hour(made)
    return made


@pytest.fixture
def ask(bucket: Bucket, capfdbinary: pytest.CaptureFixture[bytes]) -> Callable[..., tuple[int, bytes, str]]:
    """Give a function that asks and returns exit code, standard output and standard error."""

    def call(*words: str) -> tuple[int, bytes, str]:
        capfdbinary.readouterr()
        code = main(["forecast", *words, "--bucket", bucket.url])
        out, err = capfdbinary.readouterr()
        return code, out, err.decode()

    return call


Ask = Callable[..., tuple[int, bytes, str]]


def rows(bucket: Bucket, *series: str) -> list[dict[str, object]]:
    return forecast_now(bucket, series, ISSUE, now=NOW).rows.to_pylist()


def test_json_is_a_list_of_rows_with_iso_times_and_flags_in_words(bucket: Bucket, ask: Ask) -> None:
    code, out, err = ask(SOLAR, DEMAND, *AT, "--format", "json")

    expected = rows(bucket, SOLAR, DEMAND)
    for row in expected:
        row["issue_time"], row["valid_time"] = iso(ISSUE), iso(from_datetime(row["valid_time"]))  # type: ignore[arg-type]
        row["quality_flags"] = names(row["quality_flags"])  # type: ignore[arg-type]
    assert json.loads(out) == expected
    assert {flag for row in expected for flag in row["quality_flags"]} >= {"fallback"}  # type: ignore[attr-defined]
    assert (code, err) == (2, "")  # demand is served by its baseline; the hour was scored live


def test_csv_holds_every_column_and_every_digit(bucket: Bucket, ask: Ask) -> None:
    code, out, _ = ask(WIND, *AT, "--format", "csv")

    found, expected = list(csv.DictReader(io.StringIO(out.decode()))), rows(bucket, WIND)
    assert [float(row["p90"]) for row in found] == [row["p90"] for row in expected]
    assert [row["valid_time"] for row in found] == [iso(ISSUE + hour * 3_600_000_000) for hour in range(24)]
    assert list(found[0]) == list(expected[0])
    assert code == 0


def test_parquet_has_the_columns_and_rows_of_the_forecasts_table(bucket: Bucket, ask: Ask) -> None:
    code, out, _ = ask(WIND, SOLAR, *AT, "--format", "parquet")

    assert read_parquet(out, where="out").to_pylist() == rows(bucket, SOLAR, WIND)
    assert code == 0


def test_a_table_tells_model_level_and_flags_then_a_line_an_hour(bucket: Bucket, ask: Ask) -> None:
    code, out, _ = ask(SOLAR, DEMAND, *AT)

    demand, solar = out.decode().split("\n\n")
    first, about, header, *lines = demand.splitlines()
    version = rows(bucket, DEMAND)[0]["model_version"]
    assert first == DEMAND
    level = "fallback level 2, seasonal naive · fallback"
    assert about == f"issued {iso(ISSUE)} · seasonal_naive {version} · {level}"
    assert header.split() == ["UTC", "lead", "p10", "p50", "p90", "unit"]
    assert [line.split()[2] for line in lines] == [f"+{hour}:00" for hour in range(24)]
    assert lines[0].startswith("2026-03-01 05:00")
    assert "fallback level 0, champion" in solar
    assert code == 2


def test_what_is_scored_on_the_spot_is_said_beside_the_data(ask: Ask) -> None:
    code, out, err = ask("*/solar", "--issue-time", "2026-02-28T12:00Z", "--format", "json")

    assert err == (
        "scored on the spot as of 2026-02-28T12:00Z, nothing written: SY-0001/production/solar, "
        "SY-0002/production/solar\n"
    )
    assert {row["run_id"] for row in json.loads(out)} == {""}
    assert code == 0


@pytest.mark.parametrize("ending", ["json", "csv", "parquet"])
def test_the_ending_of_a_file_decides_its_format(ending: str, ask: Ask, tmp_path: Path) -> None:
    to = tmp_path / "new" / f"solar.{ending}"

    code, out, _ = ask(SOLAR, *AT, "--to", str(to))

    assert (code, out) == (0, b"")
    assert to.read_bytes() == ask(SOLAR, *AT, "--format", ending)[1]


def test_a_forecast_that_is_none_has_empty_cells_and_null_in_json(bucket: Bucket, tmp_path: Path, ask: Ask) -> None:
    bare = open_bucket(str(tmp_path))
    for key in (key for root in ("catalog", "actuals", "weather", "history") for key in bucket.keys(root)):
        bare.create(key, bucket.read(key, bytes))
    found = forecast_now(bare, [SOLAR], ISSUE, now=NOW).rows

    table, plain = (forecast.WRITERS[kind](found).decode() for kind in ("table", "json"))

    assert "none · fallback level 4, nobody" in table
    assert "no_forecast" in table
    assert table.splitlines()[3].split() == ["2026-03-01", "05:00", "+0:00", "MW"]
    assert {row["p50"] for row in json.loads(plain)} == {None}


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("SY-0001/production/solr",), "use one of SY-0001/production/solar"),
        (("solar",), "E_NAME"),
        ((SOLAR, "--issue-time", "noon"), "E_EVENT_SHAPE"),
        ((SOLAR, "--issue-time", "2026-03-01T05:30Z"), "E_EVENT_ALIGN"),
        ((SOLAR, "--issue-time", "2199-03-01T05:00Z"), "E_EVENT_FUTURE"),
        ((SOLAR, *AT, "--to", "/dev/null/x.csv"), "cannot be written"),
    ],
)
def test_a_mistake_in_the_question_is_64_and_leaves_the_standard_output_empty(
    words: tuple[str, ...], said: str, ask: Ask
) -> None:
    code, out, err = ask(*words)

    assert (code, out) == (64, b"")
    assert said in err


def test_a_bucket_without_a_catalog_is_64(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["forecast", SOLAR, "--bucket", str(tmp_path)]) == 64
    assert "E_CATALOG_EMPTY" in capsys.readouterr().err


def test_storage_that_does_not_answer_is_1(ask: Ask, monkeypatch: pytest.MonkeyPatch) -> None:
    def away(_self: object, key: str) -> bytes:
        raise OSError(key)

    monkeypatch.setattr("wattahead.storage.objects.PAUSES", (0.0, 0.0, 0.0))
    monkeypatch.setattr(ObStore, "get", away)

    code, out, err = ask(SOLAR, *AT)

    assert (code, out) == (1, b"")
    assert "E_STORAGE" in err


def test_an_option_nobody_knows_is_64_and_not_the_code_of_a_degraded_forecast(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["forecast", SOLAR, "--format", "xml"])

    assert ended.value.code == 64
    assert "invalid choice: 'xml'" in capsys.readouterr().err
