"""Any folder that fits its mapping becomes forecasts: sets generated with their defects, and the real ones."""

import os
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeVar

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.journeys.world import whole_hour
from training.evaluate import main as evaluate
from training.train import train
from wattahead.cli.catalog import find_catalog
from wattahead.domain.catalog import Catalog
from wattahead.domain.hours import DAY, HOUR, MINUTE, instant
from wattahead.domain.plan import HourEvent
from wattahead.features.cube import build
from wattahead.features.grammar import check
from wattahead.features.source import Source
from wattahead.jobs.ingest import IngestReport, ingest
from wattahead.jobs.inputs import load_inputs
from wattahead.jobs.promote import register_baselines
from wattahead.sources.mapping_files import find_mapping
from wattahead.storage.catalogs import publish_catalog
from wattahead.storage.objects import Bucket, open_bucket
from wattahead.storage.tables import read_parquet

DAYS = 52
FIRST = instant("2020-11-01T00:00Z")
ISSUE = FIRST + (DAYS - 2) * DAY
NOW = FIRST + DAYS * DAY
T = TypeVar("T")
Columns = dict[str, list[object] | np.ndarray | pa.Array]


def clock(step: int, days: int = DAYS) -> np.ndarray:
    return np.arange(FIRST, FIRST + days * DAY, step)


def swing(times: np.ndarray, seed: int, middle: float, size: float) -> np.ndarray:
    """Return a daily wave with noise."""
    noise = np.random.default_rng(seed).normal(0, size / 4, len(times))
    return middle - size * np.cos(2 * np.pi * (times % DAY) / DAY) + noise


def write(path: Path, times: np.ndarray, columns: Columns) -> None:
    path.parent.mkdir(exist_ok=True)
    stamps = pa.array(times, pa.int64()).cast(pa.timestamp("us", "UTC"))
    pq.write_table(pa.table({"ts": stamps, **columns}), path)


def openstef(folder: Path) -> None:
    """Net load that changes its sign; no load twice, impossible clouds, radiation just below 0; ids are numbers."""
    times = np.tile(clock(15 * MINUTE), 3)
    count = len(times)
    load = swing(times, 1, 1.0, 4.0)
    load[[3, 700]] = np.nan
    clouds = np.full(count, 60.0)
    clouds[900:907] = 1_357.0
    weather = {
        "radiation": np.maximum(swing(times, 2, 2e5, 8e5), -275.0),
        "temp": swing(times, 3, 7, 4),
        "clouds": clouds,
    }
    rest = {
        "windspeed": swing(times, 4, 4, 2),
        "windspeed_100m": swing(times, 5, 9, 4),
        "humidity": np.full(count, 0.9),
    }
    pids = np.repeat([287, 307, 435], count // 3)
    write(
        folder / "load_weather.parquet", times, {"pid": pids, "load": load, **weather, **rest, "rain": np.zeros(count)}
    )
    parts = {
        "total_substation": load[:96],
        "total_solar_part": -np.abs(load[:96]) + 0.1,
        "total_wind_part": load[:96] * 0,
    }
    names = {"substation": ["HFDP"] * 96, "radiation": weather["radiation"][:96], "windspeed_100m": np.full(96, 9.0)}
    write(folder / "substations_solar_wind_split.parquet", times[:96], {**names, **parts})


def tetouan(folder: Path) -> None:
    """Three networks whose level shifts, with the weather that was observed."""
    times = np.tile(clock(10 * MINUTE), 3)
    zones = np.repeat(["Quads", "Smir", "Boussafou"], len(times) // 3)
    power = swing(times, 1, 30_000, 8_000) * np.where((zones == "Smir") & (times > ISSUE - 20 * DAY), 1.6, 1.0)
    weather = {
        "temperature_c": swing(times, 2, 18, 5),
        "humidity_pct": swing(times, 3, 70, 10),
        "wind_speed": power * 0 + 2,
    }
    flows = np.maximum(swing(times, 4, 100, 400), 0)
    rest = {"general_diffuse_flows": flows, "diffuse_flows": flows / 2}
    write(folder / "power.parquet", times, {"city_zone": zones.tolist(), "power_kw": power, **weather, **rest})


def spain(folder: Path) -> None:
    """An hour without production, missing load, hours of a city in two wordings, absurd pressure, wind and humidity."""
    times = clock(HOUR)
    load = swing(times, 1, 28_000, 6_000)
    load[[5, 6]] = np.nan
    production: Columns = {}
    for number, name in enumerate(("solar", "wind_onshore", "fossil_gas", "nuclear")):
        values = swing(times, number, 5_000, 2_000)
        values[100] = 0.0
        production[f"generation_{name}"] = values
    said = {"total_load_forecast": swing(times, 1, 28_000, 6_000), "price_actual": swing(times, 2, 50, 20)}
    ahead = {"forecast_solar_day_ahead": times * 0.0, "forecast_wind_onshore_day_ahead": times * 0.0 + 5_000}
    write(folder / "energy.parquet", times, {"total_load_actual": load, **production, **said, **ahead})

    cities = ["Madrid", " Barcelona", "Valencia", "Seville", "Bilbao"]  # one with the blank of the original files
    rows = np.append(np.tile(times, 5), times[:20])
    pressure, wind, humidity = np.full(len(rows), 1_015), np.full(len(rows), 3), np.full(len(rows), 60)
    pressure[[50, 60]], wind[70], humidity[80] = (0, 1_008_371), 133, 0
    again = {"city_name": [*np.repeat(cities, len(times)).tolist(), *["Madrid"] * 20]}
    texts = {"weather_description": ["clear"] * (5 * len(times)) + ["mist"] * 20}
    weather = {"temp": np.append(swing(np.tile(times, 5), 7, 287, 5), swing(np.tile(times, 5), 7, 287, 5)[:20])}
    numbers = {
        "pressure": pressure,
        "wind_speed": wind,
        "humidity": humidity,
        "clouds_all": wind * 0,
        "rain_1h": wind * 0.0,
    }
    write(folder / "weather.parquet", rows, {**again, **texts, **weather, **numbers})


def gefcom(folder: Path) -> None:
    """Ten farms as shares of capacity, known by number; some power is missing."""
    times = np.tile(clock(HOUR), 10)
    u, v = swing(times, 1, 3, 4), swing(times, 2, 1, 3)
    power = np.clip(np.hypot(u, v) / 12, 0, 1)
    power[[7, 8, 9]] = np.nan
    zones = np.repeat(np.arange(1, 11), len(times) // 10)
    write(
        folder / "wind.parquet",
        times,
        {"zone": zones, "power": power, "U10": u / 2, "V10": v / 2, "U100": u, "V100": v},
    )


@dataclass(frozen=True)
class Journey:
    """A set in small: what writes it, the pool that is followed, and what the report must say of its defects."""

    write: Callable[[Path], None]
    pool: str
    steps: int
    series: int
    warnings: tuple[str, ...]
    trained: bool = True


SETS = {
    "openstef_nl_2020": Journey(
        openstef, "net_load", 96, 3,
        ("W_NULL consumption/net_load", "W_FEAT_RANGE cloud_cover", "W_CLIPPED production/solar"),
    ),
    "tetouan_2017": Journey(tetouan, "load", 144, 3, ()),
    "spain_2015_2018": Journey(
        spain, "load", 24, 1,
        ("W_NULL energy.parquet: actuals where generation_nuclear is 0: 1 rows", "W_NULL consumption/load",
         "W_TIME_DUP temperature_2m", "W_FEAT_RANGE pressure: values outside 850 to 1100 dropped: ES 2",
         "W_FEAT_RANGE wind_speed_10m", "W_FEAT_RANGE humidity"),
    ),
    # 99 quantiles: served by seasonal naive here, their boosters take minutes
    "gefcom2014_wind": Journey(gefcom, "wind", 24, 3, ("W_NULL production/wind",), trained=False),
}  # fmt: skip


def quick(catalog: Catalog, pool: str) -> Catalog:
    """Return the catalog with one pool alone, of few zones, trees and days."""
    few = {"rounds": 25, "folds": 2, "learning_rate": 0.2, "least_rows": 20, "leaves": 7}
    held = catalog.pools[pool]
    small = replace(held, zones=held.zones[:3], parameters=few, issue_hours=(0,), training_window="P60D")
    return replace(catalog, pools={pool: small})


def scored(bucket: Bucket, journey: Journey, catalog: Catalog) -> pa.Table:
    """Train, or leave it to seasonal naive; return the rows of one hour."""
    publish_catalog(bucket, catalog)
    register_baselines(bucket, catalog)
    if journey.trained:
        train(bucket, catalog, journey.pool, until=ISSUE - DAY, seed=1, progress=lambda _: None)
    whole_hour(bucket, HourEvent(ISSUE, "backfill", "first"), now=NOW)
    return only(bucket, "backfills/forecasts", lambda body: read_parquet(body, where="rows"))


def only(bucket: Bucket, prefix: str, decode: Callable[[bytes], T]) -> T:
    """Return the one parquet object below `prefix`."""
    (key,) = [key for key in bucket.keys(prefix) if key.endswith(".parquet")]
    return bucket.read(key, decode)


@pytest.mark.parametrize("name", SETS)
def test_a_folder_of_each_set_becomes_forecasts_that_can_be_judged(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    journey = SETS[name]
    journey.write(tmp_path / "data")
    bucket = open_bucket((tmp_path / "bucket").as_uri())

    report = ingest(bucket, find_mapping(name), tmp_path / "data", now=NOW)
    rows = scored(bucket, journey, quick(check(find_catalog(name)), journey.pool))

    assert report.refused == ()
    assert [start for start in journey.warnings if not any(line.startswith(start) for line in report.warnings)] == []
    assert rows.num_rows == journey.steps * journey.series
    assert rows["p50"].null_count == 0
    assert set(rows["fallback_level"].to_pylist()) == {0 if journey.trained else 2}  # champion or seasonal naive
    assert evaluate(["--bucket", (tmp_path / "bucket").as_uri(), "--run", "first"]) == 0
    assert capsys.readouterr().out.count(find_catalog(name).signals[journey.pool].unit) >= journey.series


def test_observed_weather_is_never_known_before_it_was_observed(tmp_path: Path) -> None:
    """What is observed after the issue time changes; the features of the hour do not."""
    spain(tmp_path / "data")
    spain(tmp_path / "other")
    table = pq.read_table(tmp_path / "other" / "weather.parquet")
    later = table["ts"].cast(pa.int64()).to_numpy() >= ISSUE
    warmer = np.where(later, table["temp"].to_numpy() + 9, table["temp"].to_numpy())
    pq.write_table(
        table.set_column(table.column_names.index("temp"), "temp", pa.array(warmer)),
        tmp_path / "other" / "weather.parquet",
    )
    held = []
    for folder in ("data", "other"):
        bucket = open_bucket((tmp_path / f"{folder}-bucket").as_uri())
        ingest(bucket, find_mapping("spain_2015_2018"), tmp_path / folder, now=NOW)
        scored(bucket, replace(SETS["spain_2015_2018"], trained=False), quick(find_catalog("spain_2015_2018"), "load"))
        held.append(only(bucket, "backfills/features", bytes))

    assert later.any()
    assert held[0] == held[1]


def test_hourly_weather_serves_a_signal_of_quarters(tmp_path: Path) -> None:
    openstef(tmp_path / "data")
    path = tmp_path / "data" / "load_weather.parquet"
    table = pq.read_table(path)
    full = table["ts"].cast(pa.int64()).to_numpy() % HOUR == 0
    gaps = {name: pa.array(np.where(full, table[name].to_numpy(), np.nan)) for name in ("radiation", "windspeed_100m")}
    for name, column in gaps.items():
        table = table.set_column(table.column_names.index(name), name, column)
    pq.write_table(table, path)
    bucket = open_bucket((tmp_path / "bucket").as_uri())
    ingest(bucket, find_mapping("openstef_nl_2020"), tmp_path / "data", now=NOW)
    catalog = find_catalog("openstef_nl_2020")
    pool = replace(catalog.pools["net_load"], weather_resolution="PT1H")
    names = ("weather_radiation", "weather_wind_speed_100m")
    source = Source(pool, catalog.signals["net_load"], {zone: catalog.zones[zone] for zone in pool.zones}, names)

    cube = build(source.recipe, load_inputs(bucket, source, ISSUE, ISSUE), [ISSUE])

    assert cube.values.shape == (2, 3, 1, 96)
    assert np.isfinite(cube.values).all()
    by_hour = cube.values.reshape(2, 3, 24, 4)
    assert (by_hour == by_hour[..., :1]).all()
    assert len(np.unique(by_hour)) > 100


REAL = Path(os.environ.get("WATTAHEAD_DATA", "/nowhere"))
ROWS = {
    "openstef_nl_2020": {"actuals/key=consumption/subkey=net_load": 96_743, "weather/provider=openstef": 96_744},
    "tetouan_2017": {"actuals/key=consumption/subkey=load": 117_936, "weather/provider=observed": 117_936},
    "spain_2015_2018": {"actuals/key=consumption/subkey=load": 26_271, "weather/provider=observed": 131_525},
    "gefcom2014_wind": {"actuals/key=production/subkey=wind": 131_268, "weather/provider=ecmwf": 131_280},
}
WARNINGS = {
    "openstef_nl_2020": {"W_FEAT_RANGE": 1, "W_CLIPPED": 3},
    "tetouan_2017": {},
    "spain_2015_2018": {"W_FEAT_RANGE": 3, "W_TIME_DUP": 6},
    "gefcom2014_wind": {"W_TIME_GAP": 1, "W_NULL": 1},
}


@pytest.mark.parametrize("name", SETS)
def test_the_real_set_goes_in_with_no_series_refused(name: str, bucket: Bucket) -> None:
    if not (REAL / name).is_dir():
        pytest.skip(f"WATTAHEAD_DATA does not name a folder with {name}")

    report = ingest(bucket, find_mapping(name), REAL / name, now=instant("2026-01-01T00:00Z"))

    assert report.refused == ()
    assert {prefix: report.rows[prefix] for prefix in ROWS[name]} == ROWS[name]
    assert {code: codes(report)[code] for code in WARNINGS[name]} == WARNINGS[name]


def codes(report: IngestReport) -> Counter[str]:
    """Return how many lines of the report have each code."""
    return Counter(line.split(maxsplit=1)[0] for line in report.warnings)
