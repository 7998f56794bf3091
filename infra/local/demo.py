"""`python -m infra.local.demo`: the main job from nothing, as the commands a person would type."""

import argparse
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import pyarrow.compute as pc
import pyarrow.parquet as pq
from rich.console import Console

from infra.local.telling import Step, Teller
from wattahead.domain.hours import DAY, HOUR, floor_hour, from_datetime, iso

SCORED_HOURS = 6 * 24  # within the week in which a live hour is open

LAST_ROWS = """select zone, subkey, valid_time, round(p10) p10, round(p50) p50, round(p90) p90, unit, model_name model
from latest where valid_time >= (select max(issue_time) from forecasts) order by series_id, valid_time limit 8"""


@dataclass(frozen=True)
class Story:
    """What differs between generated and real data."""

    origin: str
    mapping: str
    data: Path
    catalog: str
    train: tuple[str, ...]  # which pools, and how
    now: int  # end of the data
    run: str  # real data is of the past: its hours are closed and run as a backfill
    series: tuple[str, ...]  # drawn


def main() -> int:
    """Run the story; stop at the first command that fails."""
    parser = argparse.ArgumentParser(prog="python -m infra.local.demo", description="The main job from nothing.")
    parser.add_argument("--to", type=Path, default=Path("demo"))
    parser.add_argument("--data", type=Path, default=None, help="a folder with the zones_production set")
    asked = parser.parse_args()
    console = Console(highlight=False)
    tell = Teller(console, asked.to)
    asked.to.mkdir(parents=True, exist_ok=True)
    story = real(asked.data) if asked.data else generated(asked.to, tell)
    for step in steps(story, asked.to):
        tell.run(step)
    run = f" --run {story.run}" if story.run else ""
    tell.end(
        f"Scores above are on {story.origin} data.",
        (
            f"export WATTAHEAD_BUCKET={asked.to}/bucket; . .venv/bin/activate",
            f"wattahead show {story.series[0]}{run}",
            "wattahead runs",
            'wattahead query "select job, outcome, count(*) from runs group by all"',
        ),
    )
    return 0


def generated(folder: Path, tell: Teller) -> Story:
    """Generate two zones up to the hour that began last."""
    now = floor_hour(time.time_ns() // 1000)
    data = folder / "data"
    tell.run(
        Step(
            "Two zones, made by the built-in generator",
            ("synthetic", str(data), "--zones", "2", "--days", "400", "--until", iso(now)),
        )
    )
    series = ("SY-0001/production/solar", "SY-0002/production/wind", "SY-0001/consumption/demand")
    return Story("synthetic", "synthetic", data, str(data / "catalog.toml"), (), now, "", series)


def real(data: Path) -> Story:
    """Take the zones_production set; its last hour is the clock."""
    held = data / "zones_production" if (data / "zones_production").is_dir() else data
    last = max(pc.max(pq.read_table(file, columns=["ts"])["ts"]).as_py() for file in held.glob("*.parquet"))
    series = ("US-CAL-CISO/production/solar", "US-TEX-ERCO/production/wind")  # the second by its baseline
    return Story(
        "zones_production",
        "zones_production",
        held,
        "zones_production",
        ("--pools", "solar", "--trainer", "linear"),  # lines are fitted in seconds
        from_datetime(last) + HOUR,
        "demo",
        series,
    )


def steps(story: Story, folder: Path) -> list[Step]:
    """Return the commands of the story."""
    first, last = iso(story.now - SCORED_HOURS * HOUR), iso(story.now)
    run = ("--run", story.run) if story.run else ()
    until = iso(story.now - story.now % DAY - 7 * DAY)
    hours = ("backfill", "--from", first, "--to", last, "--every", "PT3H")
    told = [
        Step("Which signals, which zones, which features", ("catalog", story.catalog)),
        Step("Files become actuals and weather in the bucket", ("ingest", "--mapping", story.mapping, str(story.data))),
        Step("Train, prove, compare with the baselines, promote", ("train", "--until", until, *story.train)),
        Step("Score the last six days, every third hour, with the handlers that run in AWS", (*hours, *run), (0, 2)),
        Step("The same event again changes nothing", ("backfill", "--from", last, "--to", last, *run), (0, 2)),
        Step("Ask DuckDB", ("query", " ".join(LAST_ROWS.split()), *run)),
        Step("How good was it?", ("evaluate", *(("--origin", story.origin) if story.run else ()), *run)),
    ]
    matured = iso(story.now - DAY)
    pictures = [
        Step(
            "Yesterday's forecast beside what came true",
            ("show", series, "--issue-time", matured, "--out", str(folder / (series.replace("/", "_") + ".png")), *run),
        )
        for series in story.series
    ]
    return told + pictures


if __name__ == "__main__":
    sys.exit(main())
