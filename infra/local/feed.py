"""Generated zones as a source that never ends: a history to begin with, then a delivery to the inbox every hour."""

import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, replace
from importlib import resources
from pathlib import Path
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from wattahead.cli.synthetic import catalog as catalog_text
from wattahead.domain.catalog import Catalog
from wattahead.domain.errors import Refused
from wattahead.domain.hours import DAY, HOUR, date_of, instant, to_datetime
from wattahead.features.grammar import check
from wattahead.jobs.ingest import ingest
from wattahead.jobs.ingest_inbox import INBOX
from wattahead.jobs.promote import register_baselines
from wattahead.sources.mapping_files import SHIPPED, parse_mapping
from wattahead.sources.synthetic import Synthetic, generate
from wattahead.storage.catalogs import latest_catalog, publish_catalog, read_catalog
from wattahead.storage.objects import Bucket
from wattahead.storage.tables import INSTANT

ZONES: Final = 2
HISTORY: Final = 40 * DAY  # enough for the longest feature of baselines, and quick to make
WEATHER_AFTER: Final = 4 * HOUR  # from the start of a weather run to its delivery
DELAY: Final = "PT1H"  # a value that is read minutes past the hour is not known at that hour
NAME: Final = "synthetic"
MAPPING_KEY: Final = f"{INBOX}/{NAME}/mapping.toml"
UNUSED: Final = (
    "gas",
    "hydro",
    "nuclear",
    "coal",
    "exports",
    "carbon_intensity",
)  # no pool of the catalog asks for them
_STAMP: Final = "%Y%m%dT%HZ"


@dataclass
class Feed:
    """Puts what the generator has made since the last delivery into the inbox; `until` [µs] is where that ended."""

    bucket: Bucket
    until: int

    def deliver(self, at: int) -> None:
        """Deliver values of the hours before `at` [µs], and weather runs that came out by then."""
        if at <= self.until:
            return  # delivered by an earlier run on this bucket
        made = generate(ZONES, self.until, at)
        ends = "-".join(to_datetime(end).strftime(_STAMP) for end in (self.until, at))
        for name, rows in _files(made, _new_runs(made, self.until, at), ends).items():
            if rows.num_rows:
                self.bucket.create(f"{INBOX}/{NAME}/date={date_of(at)}/{name}", _encoded(rows))
        self.until = at


def feed_of(bucket: Bucket, first: int) -> Feed | None:
    """Return the feed of a bucket that was seeded here, going on where it ended, or None for any other bucket.

    A bucket that was seeded and never fed gets its whole history again: what is stored already is no news.
    """
    there = bucket.keys(INBOX)
    if MAPPING_KEY not in there or bucket.read(MAPPING_KEY, bytes) != _mapping():
        return None
    return Feed(bucket, max(_delivered(there), default=first - HISTORY))


def ready(bucket: Bucket) -> bool:
    """Return whether the bucket holds a catalog; data of somebody else without one is refused."""
    try:
        latest_catalog(bucket)
    except Refused as error:
        if error.code != "E_CATALOG_EMPTY":
            raise
        begun = bucket.keys(INBOX)
        if MAPPING_KEY not in begun and (begun or bucket.keys("history") or bucket.keys("actuals")):
            raise
        return False
    return True


def seed(bucket: Bucket, until: int) -> Feed:
    """Fill an empty bucket: history up to `until` [µs], a seasonal naive in every pool, and the catalog last."""
    bucket.create(MAPPING_KEY, _mapping())
    made = generate(ZONES, until - HISTORY, until)
    mapping = parse_mapping(_mapping().decode(), where=MAPPING_KEY)
    with tempfile.TemporaryDirectory() as folder:
        for name, rows in _files(made, made.weather, "history").items():
            Path(folder, name).write_bytes(_encoded(rows))
        # A clock past the month's end makes month objects: a hundred times fewer objects for every hour to read.
        ingest(bucket, mapping, folder, now=until + HISTORY, publication_delay=DELAY)
        catalog = _catalog(made, Path(folder))
    register_baselines(bucket, catalog)
    publish_catalog(bucket, catalog)
    return Feed(bucket, until)


def _catalog(made: Synthetic, folder: Path) -> Catalog:
    (folder / "catalog.toml").write_text(catalog_text(made), encoding="utf-8")
    plain = check(read_catalog(folder / "catalog.toml"))
    signals = {name: replace(signal, publication_delay=DELAY) for name, signal in plain.signals.items()}
    return replace(plain, signals=signals)


def _mapping() -> bytes:
    """Return the shipped mapping for many files a day, each of which may be absent, without what is not forecast."""
    shipped = resources.files("wattahead.sources").joinpath(SHIPPED, f"{NAME}.toml").read_text(encoding="utf-8")
    lines = [line for line in shipped.splitlines(keepends=True) if line.split("=")[0].strip() not in UNUSED]
    text = "".join(lines)
    for kind in ("production", "weather"):
        text = text.replace(f'files = ["{kind}.parquet"]', f'files = ["{kind}-*.parquet"]\noptional = true')
    return text.encode()


def _files(made: Synthetic, weather: pa.Table, ends: str) -> dict[str, pa.Table]:
    """Return the files of a delivery by name."""
    return {
        f"production-{ends}.parquet": made.production.drop_columns(list(UNUSED)),
        f"weather-{ends}.parquet": weather,
    }


def _delivered(there: list[str]) -> Iterator[int]:
    """Yield where each delivery of production ended."""
    for key in there:
        name = key.rsplit("/", 1)[1]
        if key.startswith(f"{INBOX}/{NAME}/date=") and name.startswith("production-"):
            yield instant(name.removesuffix(".parquet").rsplit("-", 1)[1])


def _new_runs(made: Synthetic, after: int, at: int) -> pa.Table:
    """Return the weather runs that came out after `after` and by `at` [µs]."""
    started = made.weather["init_time"]
    first, last = (pa.scalar(end - WEATHER_AFTER, INSTANT) for end in (after, at))
    return made.weather.filter(pc.and_(pc.greater(started, first), pc.less_equal(started, last)))


def _encoded(rows: pa.Table) -> bytes:
    sink = pa.BufferOutputStream()
    pq.write_table(rows, sink, compression="zstd", write_page_checksum=True)
    return sink.getvalue().to_pybytes()
