"""Generated buckets on which steps are measured: any number of series, live history, an hour that is planned."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from tests.perf.workload import ISSUE, NOW
from wattahead.domain.catalog import Catalog, Pool, Signal, Zone
from wattahead.domain.hours import DAY, HOUR, date_of
from wattahead.domain.plan import HourEvent
from wattahead.features.grammar import columns, variables
from wattahead.jobs.compact import compact
from wattahead.jobs.hour import read_plan
from wattahead.jobs.plan import plan
from wattahead.jobs.promote import register_baselines
from wattahead.storage import keys, timeseries
from wattahead.storage.catalogs import publish_catalog, read_catalog
from wattahead.storage.copies import Copy, copy_of
from wattahead.storage.documents import encode
from wattahead.storage.objects import Bucket, open_bucket
from wattahead.storage.tables import INSTANT, NAME

PER_POOL: Final = 1_000
DAYS: Final = 60  # of history that the wind features and their scale look back
RUNS: Final = 4  # weather model runs a day
AHEAD: Final = 54  # hours that a run reaches
LATE: Final = 5 * HOUR  # from the start of a run to its being known
HOURS_LIVE: Final = 48  # that are compacted in turn
WEATHER_HOURS: Final = HOURS_LIVE + 7 * 24
SHIPPED: Final = Path(__file__).parents[2] / "shared/wattahead/sources/catalogs/zones_production.toml"


def wind_features() -> tuple[str, ...]:
    """Return the feature set `wind` of the shipped catalog."""
    return read_catalog(SHIPPED).feature_sets["wind"]


def zone_names(series: int) -> list[str]:
    """Return as many zones."""
    return [f"XX-{number:07d}" for number in range(series)]


def catalog(series: int, *, batch: int = PER_POOL, per_pool: int = PER_POOL, window: str = "P1200D") -> Catalog:
    """Return a catalog of wind series, in pools of at most `per_pool` and batches of at most `batch`."""
    names = zone_names(series)
    places = {name: Zone(50 * math.sin(number), 180 * math.cos(number)) for number, name in enumerate(names)}
    pools = {
        f"wind_{first // per_pool:04d}": Pool(
            "wind",
            tuple(names[first : first + per_pool]),
            "wind",
            weather="nwp",
            batch_size=batch,
            training_window=window,
        )
        for first in range(0, series, per_pool)
    }
    signal = Signal("production", "wind", "MW", "generation_positive", scaling_window="P60D")
    return Catalog(places, {"wind": signal}, {"wind": wind_features()}, pools)


def planned(folder: Path, series: int, *, batch: int = PER_POOL) -> HourEvent:
    """Plan an hour whose features are those of a wind model; return the event of its first batch."""
    bucket = open_bucket(str(folder))
    publish_catalog(bucket, catalog(series, batch=batch))
    event = HourEvent(ISSUE - HOUR)
    plan(bucket, event, now=NOW)
    made, _ = read_plan(bucket, event)
    wanted = columns([*wind_features(), *made.pools["wind_0000"].features])
    pools = {name: replace(pool, features=wanted) for name, pool in made.pools.items()}
    asked = HourEvent(ISSUE, batch=made.batches[0].name)
    bucket.create(keys.plan(asked), encode(replace(made, issue_time=ISSUE, pools=pools)))
    return asked


def planned_hours(folder: Path, series: int) -> Bucket:
    """Return a bucket in which every pool has a model and the three hours before `ISSUE` are planned."""
    bucket = open_bucket(str(folder))
    held = catalog(series)
    publish_catalog(bucket, held)
    register_baselines(bucket, held)
    for back in (3, 2, 1):
        plan(bucket, HourEvent(ISSUE - back * HOUR), now=NOW)
    return bucket


def store_history(folder: Path, series: int, *, hourly: bool, days: int = DAYS) -> None:
    """Write history as live operation leaves it: `hourly`, an object for each hour; else one for each day."""
    bucket = open_bucket(str(folder))
    names = pa.array(zone_names(series))
    hours = np.arange((ISSUE - days * DAY) // DAY * DAY, ISSUE, HOUR)
    root, cut = timeseries.actuals("production", "wind"), HOUR if hourly else DAY
    for part in np.split(hours, np.flatnonzero(np.diff(hours // cut)) + 1):
        timeseries.store(bucket, root, _actuals(names, part), closed_before=0)


def store_weather(folder: Path, series: int, *, days: int = 5) -> None:
    """Write four weather runs a day, an object each."""
    bucket = open_bucket(str(folder))
    names, wanted = pa.array(zone_names(series)), sorted(variables(wind_features()))
    for init in np.arange(ISSUE - days * DAY, ISSUE - LATE, DAY // RUNS):
        rows = _weather(names, int(init), wanted)
        timeseries.store(bucket, timeseries.weather("nwp"), rows, closed_before=0)


def live_until(folder: Path, series: int, *, back: int) -> None:
    """Write `DAYS` days of hourly history and the weather of a week that end `back` hours before the issue time."""
    publish_catalog(opened(folder), catalog(series))
    for hour in range(DAYS * 24 + back, back, -1):
        _store_hour(folder, series, hour)


def one_more_hour(folder: Path, series: int, back: int) -> None:
    """Write what becomes known in the hour that begins `back` hours before the issue time."""
    _store_hour(folder, series, back)


def compact_at(bucket: Bucket, back: int) -> None:
    """Compact `back` hours before the issue time, twenty minutes before the next hour."""
    at = ISSUE - back * HOUR
    compact(bucket, HourEvent(at), now=at + 40 * HOUR // 60)


def copies(folder: Path) -> dict[Copy, int]:
    """Return the copies of a bucket and their bytes."""
    return {copy: size for key, size in files(opened(folder)) if (copy := copy_of(key))}


def compacted(folder: Path, series: int) -> int:
    """Compact all that is there; return the GET of a look back at the signal."""
    bucket = opened(folder)
    publish_catalog(bucket, catalog(series))
    compact_at(bucket, 0)
    bucket.traffic.clear()
    timeseries.load(bucket, timeseries.actuals("production", "wind"), ISSUE - DAYS * DAY, ISSUE)
    return bucket.traffic["gets"]


def _store_hour(folder: Path, series: int, back: int) -> None:
    bucket, names, at = opened(folder), pa.array(zone_names(series)), ISSUE - back * HOUR
    rows = _actuals(names, np.array([at - HOUR]))
    timeseries.store(bucket, timeseries.actuals("production", "wind"), rows, closed_before=0)
    init = at - LATE
    if init % (DAY // RUNS) == 0 and back < WEATHER_HOURS:
        run = _weather(names, init, sorted(variables(wind_features())))
        timeseries.store(bucket, timeseries.weather("nwp"), run, closed_before=0)


MAPPING: Final = """
name = "mine"
[[tables]]
kind = "actuals"
files = ["production-*.parquet"]
format = "parquet"
layout = "wide"
zone_column = "zone"
time_column = "ts"
hour_label = "beginning"
resolution = "PT1H"
publication_delay = "PT1H"
[tables.columns]
wind = { to = "production/wind", unit = "MW", range = [0, 100_000] }
"""


def fill_inbox(folder: Path, series: int, hours: Sequence[int]) -> None:
    """Put one file of every series for each of `hours` into the inbox, counted back from the issue time."""
    bucket, names = open_bucket(str(folder)), np.array(zone_names(series))
    if bucket.keys("inbox") == []:
        bucket.create("inbox/mine/mapping.toml", MAPPING.encode())
    for back in hours:
        at = ISSUE - back * HOUR
        draw = np.random.default_rng(at // HOUR)
        rows = pa.table(
            {
                "zone": pa.array(names),
                "ts": pa.array(np.full(series, at)).cast(INSTANT),
                "wind": np.round(draw.uniform(0, 900, series), 1),
            }
        )
        held = pa.BufferOutputStream()
        pq.write_table(rows, held)
        bucket.create(f"inbox/mine/date={date_of(at)}/production-{at // HOUR}.parquet", held.getvalue().to_pybytes())


def opened(folder: Path) -> Bucket:
    """Return the bucket in a folder."""
    return open_bucket(str(folder))


def files(bucket: Bucket) -> Iterator[tuple[str, int]]:
    """Yield key and bytes of every object of a folder bucket."""
    root = Path(bucket.url.removeprefix("file://"))
    for path in sorted(root.rglob("*")):
        if path.is_file():
            yield path.relative_to(root).as_posix(), path.stat().st_size


def _actuals(names: pa.Array, hours: NDArray[np.int64]) -> pa.Table:
    who, when = _grid(len(names), hours)
    draw = np.random.default_rng(int(hours[0]) // HOUR)
    value = np.round(500 + 300 * np.sin(who + when / DAY) + 50 * draw.standard_normal(len(who)), 1)
    known = pa.array(when + 2 * HOUR).cast(INSTANT)
    told = pa.array(["ingested"] * len(who)).cast(NAME)
    zone = pa.DictionaryArray.from_arrays(pa.array(who, pa.int32()), names).cast(NAME)
    return pa.table(
        {
            "zone": zone,
            "valid_time": pa.array(when).cast(INSTANT),
            "value": value,
            "available_at": known,
            "availability": told,
        }
    )


def _weather(names: pa.Array, init: int, wanted: list[str]) -> pa.Table:
    who, when = _grid(len(names), init + HOUR * np.arange(AHEAD))
    draw = np.random.default_rng(init // HOUR)
    same = {"nwp_init_time": init, "available_at": init + LATE}
    values = {name: np.round(10 + draw.standard_normal(len(who)), 2).astype(np.float32) for name in wanted}
    return pa.table(
        {
            "zone": pa.DictionaryArray.from_arrays(pa.array(who, pa.int32()), names).cast(NAME),
            "point": pa.array(np.zeros(len(who), np.int16)),
            **{name: pa.array(np.full(len(who), at)).cast(INSTANT) for name, at in same.items()},
            "valid_time": pa.array(when).cast(INSTANT),
            **values,
        }
    )


def _grid(series: int, hours: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    return np.repeat(np.arange(series), len(hours)), np.tile(hours, series)
