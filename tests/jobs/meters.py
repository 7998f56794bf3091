"""A file of meters, its mapping, and what a reader sees of it after ingest."""

from itertools import count
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from wattahead.domain.hours import instant, iso
from wattahead.jobs.ingest import IngestReport, ingest
from wattahead.sources.mapping_files import parse_mapping
from wattahead.storage import timeseries
from wattahead.storage.objects import Bucket, open_bucket

NOW = instant("2021-03-03T00:00Z")
_NAMES = count()
METERS = """
name = "meters"

[[tables]]
kind = "actuals"
files = ["*.parquet"]
format = "parquet"
zone_column = "zone"
time_column = "ts"
publication_delay = "PT0H"

[tables.columns]
solar = { to = "production/solar", unit = "MW", range = [0, 100] }
wind = { to = "production/wind", unit = "MW", range = [0, 100] }
"""


def fresh() -> Bucket:
    """Return an empty bucket."""
    return open_bucket(f"memory://ingest-{next(_NAMES)}")


def times(*stamps: str, unit: str = "us") -> pa.Array:
    """Return UTC times."""
    return pa.array([instant(stamp) for stamp in stamps], pa.timestamp("us", "UTC")).cast(pa.timestamp(unit, "UTC"))


def meters() -> pa.Table:
    """Return two zones, three hours; one value of wind is missing."""
    hours = ("2021-02-01T00:00Z", "2021-02-01T01:00Z", "2021-03-01T00:00Z")
    return pa.table({
        "zone": ["SE", "SE", "SE", "US-NE-ISNE", "US-NE-ISNE", "US-NE-ISNE"], "ts": times(*hours, *hours),
        "solar": [0.0, 1.5, 2.0, 3.0, 4.0, 5.0], "wind": [9.0, None, 8.0, 7.0, 6.0, 5.0],
    })  # fmt: skip


def run(bucket: Bucket, folder: Path, mapping: str = METERS, *, delay: str = "", now: int = NOW) -> IngestReport:
    return ingest(bucket, parse_mapping(mapping, where="test.toml"), folder, now=now, publication_delay=delay)


def stored(bucket: Bucket, subkey: str = "solar") -> list[tuple[str, str, float, str, str]]:
    """Return what a reader of the bucket sees, as plain rows."""
    rows = timeseries.load(bucket, timeseries.actuals("production", subkey), instant("2020-01-01T00:00Z"), NOW)
    plain = [(row["zone"], moment(row["valid_time"]), row["value"], moment(row["available_at"]), row["availability"])
             for row in rows.to_pylist()]  # fmt: skip
    return sorted(plain)


def moment(at: object) -> str:
    return iso(int(at.timestamp()) * 1_000_000)  # type: ignore[attr-defined]  # a datetime of pyarrow


def refusals(report: IngestReport) -> list[tuple[str, str]]:
    return [(refusal.series, refusal.code) for refusal in report.refused]


def write(file: Path, table: pa.Table) -> None:
    pq.write_table(table, file)


def column(name: str, values: pa.Array | pa.ChunkedArray) -> pa.Table:
    """Return the meters with one column replaced."""
    table = meters()
    return table.set_column(table.column_names.index(name), name, values)
