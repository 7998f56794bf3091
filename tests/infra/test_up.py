"""The local cloud: hours tick through the deployed handlers, on any bucket, as often as it is started."""

import os
import shlex
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from importlib import import_module
from itertools import islice
from pathlib import Path
from threading import Event, Timer
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest

from infra.local import feed, up
from infra.local.clock import Clock, ticks
from infra.local.server import s3_server
from wattahead.domain.errors import Refused
from wattahead.domain.hours import DAY, HOUR, MINUTE, instant, iso
from wattahead.domain.quality import Quality
from wattahead.jobs.settings import settings
from wattahead.storage import timeseries
from wattahead.storage.objects import Bucket, open_bucket

ISSUE = instant("2026-03-01T03:00Z")
ROWS = 144  # 3 pools of 2 zones for 24 hours
MORE = Quality.TARGET_STALE | Quality.TARGET_GAP | Quality.WEATHER_MISSING | Quality.DEADLINE_PASSED


@dataclass(frozen=True)
class Laptop:
    """Runs the local cloud in this process, on one folder."""

    folder: Path
    said: Callable[[], str]

    def up(self, first: int, last: int) -> tuple[int, list[str]]:
        """Run the hours from `first` to `last` without waiting; return the exit code and the lines."""
        code = up._run(str(self.folder), iter(range(first, last + 1, HOUR)), Clock.of("max", Event()))
        return code, self.said().splitlines()

    def objects(self, root: str) -> dict[str, bytes]:
        found = sorted((self.folder / root).rglob("*.parquet"))
        return {path.relative_to(self.folder).as_posix(): path.read_bytes() for path in found}


@pytest.fixture
def laptop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Iterator[Laptop]:
    """Give a local cloud on an empty folder."""
    monkeypatch.setenv("WATTAHEAD_BUCKET", str(tmp_path / "bucket"))
    monkeypatch.setenv("WATTAHEAD_CLOCK", "")
    forget()
    yield Laptop(tmp_path / "bucket", lambda: capsys.readouterr().out)
    forget()


def forget() -> None:
    """Make the next call a cold start: what a process keeps is read again."""
    settings.cache_clear()
    for name in ("ingest", "plan", "features", "score", "finish", "compact"):
        app = import_module(f"functions.{name}.app")
        (app.scorer if name == "score" else app.bucket).cache_clear()


def test_an_empty_folder_is_filled_and_every_hour_is_forecast_from_live_values(laptop: Laptop) -> None:
    code, lines = laptop.up(ISSUE, ISSUE + 2 * HOUR)

    assert code == 0
    assert lines[0].startswith("an empty bucket was filled in ")
    assert [line.split()[::2][:2] for line in lines[1:4]] == [
        [iso(ISSUE + hour * HOUR), str(ROWS)] for hour in range(3)
    ]
    assert lines[4].startswith(f"3 hours: 3 degraded; {3 * ROWS} rows; 0 were there already; ")  # baselines only
    rows = pq.read_table(laptop.folder / "forecasts")
    assert rows.num_rows == 3 * ROWS
    assert not (rows["quality_flags"].to_numpy() & int(MORE)).any()  # every input was there in time
    assert set(rows["input_age_minutes"].to_pylist()) == {60}


def test_the_same_hours_again_are_duplicates_and_leave_every_byte(laptop: Laptop) -> None:
    laptop.up(ISSUE, ISSUE + 2 * HOUR)
    before = laptop.objects("forecasts"), laptop.objects("actuals")

    code, lines = laptop.up(ISSUE, ISSUE + 2 * HOUR)

    assert code == 0
    assert lines[-1].startswith("3 hours: 3 duplicate; 0 rows; 3 were there already; ")
    assert (laptop.objects("forecasts"), laptop.objects("actuals")) == before


def test_a_later_start_goes_on_where_the_last_one_ended(laptop: Laptop) -> None:
    laptop.up(ISSUE, ISSUE + HOUR)

    code, lines = laptop.up(ISSUE + 6 * HOUR, ISSUE + 7 * HOUR)

    assert (code, lines[-1].split(";")[1]) == (0, f" {2 * ROWS} rows")
    held = timeseries.load(open_bucket(str(laptop.folder)), timeseries.actuals("production", "wind"), ISSUE, ISSUE)
    hours = sorted(set(held["valid_time"].cast("int64").to_pylist()))
    assert hours[-1] == ISSUE + 6 * HOUR
    assert set(np.diff(hours)) == {HOUR}


def test_live_values_are_known_from_their_arrival_and_weather_comes_4_hours_after_its_run(laptop: Laptop) -> None:
    laptop.up(ISSUE, ISSUE + HOUR)

    bucket = open_bucket(str(laptop.folder))
    actuals = timeseries.load(bucket, timeseries.actuals("production", "wind"), ISSUE, ISSUE).to_pylist()
    live = {(row["valid_time"].hour, row["available_at"].strftime("%H:%M"))
            for row in actuals if row["availability"] == "ingested"}  # fmt: skip
    assert live == {(2, "03:20"), (3, "04:20")}
    names = {key.rsplit("/", 1)[1].split("-")[0] for key in bucket.keys("inbox/synthetic/date=2026-03-01")}
    assert names == {"production", "weather"}
    weather = [key for key in bucket.keys("inbox/synthetic") if "/weather-" in key]
    assert weather == ["inbox/synthetic/date=2026-03-01/weather-20260301T03Z-20260301T04Z.parquet"]


def test_an_hour_into_the_day_the_days_before_are_compacted_and_no_row_changes(laptop: Laptop) -> None:
    first = instant("2026-02-28T22:00Z")
    wind, bucket = timeseries.actuals("production", "wind"), open_bucket(str(laptop.folder))
    laptop.up(first, first + 2 * HOUR)
    before = timeseries.load(bucket, wind, first, first)
    spent = bucket.traffic["gets"]

    code, _ = laptop.up(first + 3 * HOUR, first + 3 * HOUR)

    after = timeseries.load(bucket, wind, first, first)
    assert code == 0
    assert any("/days=28-28/" in key for key in bucket.keys(f"history/{wind.prefix}"))
    assert sorted(map(str, after.to_pylist())) == sorted(map(str, before.to_pylist()))
    assert bucket.traffic["gets"] - spent < spent


def test_a_compaction_that_fails_is_told_and_costs_no_hour(laptop: Laptop) -> None:
    made = cloud("ok")
    made.compact = lambda event: exec("raise ValueError('no bucket')")  # noqa: S102

    assert made.tick(instant("2026-03-01T01:00Z"))
    assert laptop.said().splitlines()[1] == "    compaction: ValueError: no bucket"


def test_a_seeding_that_was_cut_off_is_completed(laptop: Laptop) -> None:
    bucket = open_bucket(str(laptop.folder))
    feed.seed(bucket, ISSUE - HOUR)
    (laptop.folder / "catalog" / "00000001.json").unlink()

    code, lines = laptop.up(ISSUE, ISSUE)

    assert (code, lines[0].startswith("an empty bucket was filled")) == (0, True)


def test_somebodys_data_without_a_catalog_is_not_mixed_with_generated_zones(laptop: Laptop) -> None:
    bucket = open_bucket(str(laptop.folder))
    bucket.create("inbox/meters/date=2026-03-01/wind.csv", b"zone,at,wind\n")

    with pytest.raises(Refused, match="E_CATALOG_EMPTY"):
        laptop.up(ISSUE, ISSUE)

    assert bucket.keys("inbox") == ["inbox/meters/date=2026-03-01/wind.csv"]


def test_a_bucket_of_ones_own_gets_no_generated_values(bucket: Bucket) -> None:
    bucket.create(feed.MAPPING_KEY, b"# somebody's own mapping of that name\n")

    assert feed.feed_of(bucket, ISSUE) is None


@dataclass
class Hours:
    """Stands for the handlers: gives the answers it was told, and notes what it was asked."""

    answers: list[Any]
    asked: list[str] = field(default_factory=list)

    def __call__(self, event: dict[str, Any]) -> dict[str, object]:
        self.asked.append(event["scheduled_time"])
        answer = self.answers[len(self.asked) - 1]
        if isinstance(answer, Exception):
            raise answer
        return {"outcome": "ok", "score": answer, "rows": 5, "errors": []}


def cloud(*answers: Any, real: bool = False) -> up.Cloud:
    return up.Cloud(Hours(list(answers)), None, 20 * MINUTE, real)


def test_a_failing_hour_is_told_and_the_clock_goes_on(laptop: Laptop) -> None:
    made = cloud("ok", ValueError("no bucket"), "ok")

    assert up._turn(made, ISSUE, iter([ISSUE + HOUR, ISSUE + 2 * HOUR]), Clock.of("max", Event()))

    lines = laptop.said().splitlines()
    assert [line.split()[1] for line in lines] == ["ok", "failed", "no", "ok"]
    assert lines[2] == "    ValueError: no bucket"
    assert (made.rows, dict(made.outcomes)) == (10, {"ok": 2, "failed": 1})


def test_an_hour_that_is_not_whole_makes_the_exit_code_1(laptop: Laptop, monkeypatch: pytest.MonkeyPatch) -> None:
    laptop.up(ISSUE, ISSUE)
    hours = import_module("infra.local.hours")
    monkeypatch.setattr(hours, "run_hour", Hours(["failed", "ok"]))

    assert laptop.up(ISSUE + HOUR, ISSUE + 2 * HOUR)[0] == 1


def test_by_the_real_clock_an_hour_that_waits_for_its_sources_is_tried_again_past_their_deadline() -> None:
    made = cloud("waiting", "ok", "ok", real=True)
    waited: list[int] = []

    class Noting(Clock):
        def reached(self, at: int) -> bool:
            waited.append(at)
            return True

    assert up._turn(made, ISSUE, iter([ISSUE + HOUR]), Noting(1.0, Event(), real=True))

    assert waited == [ISSUE, ISSUE + 20 * MINUTE, ISSUE + HOUR]
    assert made.run_hour.asked == [iso(ISSUE), iso(ISSUE), iso(ISSUE + HOUR)]  # type: ignore[attr-defined]


@pytest.mark.parametrize("speed", ["real", "0.5"])
def test_a_stop_ends_the_waiting_at_once(speed: str) -> None:
    stop = Event()
    clock = Clock.of(speed, stop)
    clock.due += 3600
    Timer(0.01, stop.set).start()

    assert not clock.reached(instant("2100-01-01T00:00Z"))


def test_an_accelerated_clock_shortens_the_hour() -> None:
    clock = Clock.of("60", Event())
    begun = clock.due

    clock.reached(ISSUE)

    assert clock.due - begun == pytest.approx(60.0)


@pytest.mark.parametrize("speed", ["fast", "0", "-1", "inf", "nan", ""])
def test_what_is_no_speed_is_refused(speed: str) -> None:
    with pytest.raises(Refused, match="E_CONFIG"):
        Clock.of(speed, Event())


def test_hours_are_the_last_days_or_from_now_on() -> None:
    replayed = list(ticks(ISSUE, days=3, until="", real=False))
    endless = list(islice(ticks(ISSUE, days=0, until="", real=True), 3))

    assert (replayed[0], replayed[-1], len(replayed)) == (ISSUE - 3 * DAY + HOUR, ISSUE, 72)
    assert endless == [ISSUE, ISSUE + HOUR, ISSUE + 2 * HOUR]
    assert list(ticks(ISSUE, days=0, until=iso(ISSUE + HOUR), real=True)) == endless[:2]
    assert list(ticks(ISSUE, days=1, until=iso(ISSUE - DAY), real=False))[-1] == ISSUE - DAY


@pytest.mark.parametrize(
    ("days", "until", "real"), [(-1, "", False), (2, "", True), (0, iso(ISSUE - HOUR), False), (0, "noon", False)]
)
def test_hours_that_cannot_be_run_are_refused(days: int, until: str, real: bool) -> None:
    with pytest.raises(Refused):
        ticks(ISSUE, days=days, until=until, real=real)


def test_a_bucket_in_the_cloud_is_refused_before_anything_is_written(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    monkeypatch.setattr(sys, "argv", ["up", "--bucket", "s3://production", "--days", "1"])
    monkeypatch.setattr(signal, "signal", lambda *_: None)

    assert up.main() == 64

    assert "s3://production is not on this machine" in capsys.readouterr().err


def test_without_moto_an_s3_server_is_refused_with_the_next_step(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "moto.server", None)

    with pytest.raises(Refused, match="--s3 needs moto"), s3_server():
        pass


@pytest.mark.parametrize("where", ["folder", "s3"])
def test_ctrl_c_ends_it_cleanly_and_says_what_is_where(where: str, tmp_path: Path) -> None:
    words = ["--to", str(tmp_path / "bucket")] if where == "folder" else ["--s3"]
    command = [sys.executable, "-m", "wattahead.cli.main", "up", *words]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, start_new_session=True) as running:
        assert running.stdout
        lines: list[str] = []
        while not any(" rows " in line for line in lines):
            lines.append(running.stdout.readline())
            assert lines[-1], lines

        asked = ask(exported(lines))
        os.killpg(running.pid, signal.SIGINT)  # as a terminal does: to the command and to its child
        rest = running.stdout.read()

    assert running.returncode == 0
    assert int(asked) == ROWS * sum(" rows " in line for line in lines)
    assert "stopped; " in rest
    assert f" {asked} rows; 0 were there already; " in rest
    assert ("is gone" in rest) == (where == "s3")
    assert (str(tmp_path / "bucket") in rest) == (where == "folder")


def test_killing_the_command_ends_its_child(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "wattahead.cli.main", "up", "--to", str(tmp_path / "bucket")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, start_new_session=True) as running:
        assert running.stdout
        while " rows " not in running.stdout.readline():
            assert running.poll() is None

        running.terminate()
        running.stdout.read()  # ends when the child, which writes to it too, has ended

    assert running.returncode == 143


def exported(lines: list[str]) -> dict[str, str]:
    """Return the variables that the command told to export."""
    return dict(shlex.split(line)[1].split("=", 1) for line in lines if line.startswith("  export "))


def ask(variables: dict[str, str]) -> str:
    """Count the rows from another process, as a person would from another terminal."""
    command = [sys.executable, "-m", "wattahead.cli.main", "query", "select count(*) from forecasts", "--format", "csv"]
    done = subprocess.run(command, env={**os.environ, **variables}, capture_output=True, text=True, check=True)
    return done.stdout.splitlines()[1]
