"""What others put into the bucket's inbox: found by date, read by its own mapping, each folder by itself."""

from pathlib import Path

import obstore
import pytest

from wattahead.domain.hours import DAY, HOUR, instant
from wattahead.domain.plan import HourEvent
from wattahead.jobs.ingest_inbox import ingest_inbox
from wattahead.storage import timeseries
from wattahead.storage.objects import Bucket

NOW = instant("2026-03-01T05:10Z")
EVENT = HourEvent(instant("2026-03-01T05:00Z"))
WIND = timeseries.actuals("production", "wind")

MAPPING = """
name = "meters"

[[tables]]
kind = "actuals"
files = ["*.csv"]
format = "csv"
zone_column = "zone"
time_column = "at"
hour_label = "beginning"
resolution = "PT1H"
publication_delay = "PT0H"

[tables.columns]
wind = { to = "production/wind", unit = "MW", range = [0, 1000] }
"""


def put(bucket: Bucket, key: str, text: str) -> None:
    bucket.create(key, text.encode())


@pytest.fixture
def meters(bucket: Bucket) -> Bucket:
    put(bucket, "inbox/meters/mapping.toml", MAPPING)
    put(bucket, "inbox/meters/date=2026-02-28/wind.csv", "zone,at,wind\nAA,2026-02-28T23:00Z,5.0\n")
    put(bucket, "inbox/meters/date=2026-03-01/wind.csv", "zone,at,wind\nAA,2026-03-01T00:00Z,6.0\n")
    put(bucket, "inbox/meters/date=2026-02-20/wind.csv", "zone,at,wind\nAA,2026-02-20T00:00Z,7.0\n")
    return bucket


def stored(bucket: Bucket) -> list[float]:
    found: list[float] = timeseries.load(bucket, WIND, NOW - 20 * DAY, NOW)["value"].to_pylist()
    return sorted(found)


def test_files_of_the_last_two_days_are_ingested_by_the_mapping_beside_them(meters: Bucket) -> None:
    assert ingest_inbox(meters, EVENT, now=NOW).outcome == "ok"

    assert stored(meters) == [5.0, 6.0]


def test_the_same_files_again_change_nothing(meters: Bucket) -> None:
    ingest_inbox(meters, EVENT, now=NOW)

    assert ingest_inbox(meters, EVENT, now=NOW).outcome == "duplicate"


def test_a_folder_that_no_mapping_fits_is_named_and_does_not_stop_the_others(meters: Bucket, tmp_path: Path) -> None:
    put(meters, "inbox/unheard_of/date=2026-03-01/wind.csv", "x")

    answer = ingest_inbox(meters, EVENT, now=NOW)

    assert answer.outcome == "degraded"
    assert list(answer.facts["refused"]) == ["unheard_of/date=2026-03-01"]  # type: ignore[call-overload]
    assert stored(meters) == [5.0, 6.0]


def test_an_empty_inbox_is_no_fault(bucket: Bucket) -> None:
    assert ingest_inbox(bucket, EVENT, now=NOW).outcome == "duplicate"


def wind(bucket: Bucket) -> list[tuple[str, float, str, str]]:
    """Stored rows of wind as (hour, value, known at, availability)."""
    rows = timeseries.load(bucket, WIND, NOW - 20 * DAY, NOW).sort_by(
        [("valid_time", "ascending"), ("available_at", "ascending")]
    )
    return [
        (
            row["valid_time"].strftime("%d %H:%M"),
            row["value"],
            row["available_at"].strftime("%d %H:%M"),
            row["availability"],
        )
        for row in rows.to_pylist()
    ]


def test_what_arrives_live_is_known_from_the_moment_it_was_read(meters: Bucket) -> None:
    ingest_inbox(meters, EVENT, now=NOW)

    assert wind(meters) == [("28 23:00", 5.0, "01 05:10", "ingested"), ("01 00:00", 6.0, "01 05:10", "ingested")]


def test_a_file_delivered_again_gives_only_its_new_and_corrected_hours(meters: Bucket) -> None:
    ingest_inbox(meters, EVENT, now=NOW)
    text = "zone,at,wind\nAA,2026-03-01T00:00Z,6.5\nAA,2026-03-01T01:00Z,8.0\nAA,2026-02-28T23:00Z,5.0\n"
    put(meters, "inbox/meters/date=2026-03-01/wind_again.csv", text)
    for key in ("inbox/meters/date=2026-03-01/wind.csv", "inbox/meters/date=2026-02-28/wind.csv"):
        obstore.delete(meters.store.store, key)  # type: ignore[attr-defined]  # the sender replaces its files

    ingest_inbox(meters, EVENT, now=NOW + HOUR)

    assert wind(meters)[1:] == [
        ("01 00:00", 6.0, "01 05:10", "ingested"),
        ("01 00:00", 6.5, "01 06:10", "ingested"),
        ("01 01:00", 8.0, "01 06:10", "ingested"),
    ]
