"""Ingest, end to end: files in, objects in the bucket and a report out."""

import os
from pathlib import Path

import pyarrow as pa
import pyarrow.csv as pacsv
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.jobs.meters import METERS, NOW, fresh, meters, moment, run, stored, times, write
from wattahead.domain.hours import HOUR, instant, iso
from wattahead.jobs.ingest import ingest
from wattahead.sources.mapping_files import find_mapping
from wattahead.storage import timeseries
from wattahead.storage.objects import Bucket


def test_wide_parquet_becomes_actuals_known_at_the_end_of_their_hour(bucket: Bucket, folder: Path) -> None:
    report = run(bucket, folder)

    assert stored(bucket)[1] == ("SE", "2021-02-01T01:00Z", 1.5, "2021-02-01T02:00Z", "assumed")
    assert report.rows == {"actuals/key=production/subkey=solar": 6, "actuals/key=production/subkey=wind": 5}
    assert not report.refused


def test_months_that_ended_a_week_ago_become_month_objects(bucket: Bucket, folder: Path) -> None:
    report = run(bucket, folder, now=instant("2021-03-08T00:00Z"))

    assert [key.rsplit("/", 1)[0] for key in report.objects if "solar" in key] == [
        "history/actuals/key=production/subkey=solar/month=2021-02",
        "actuals/key=production/subkey=solar/date=2021-03-01",
    ]


def test_ingesting_the_same_rows_again_creates_nothing(bucket: Bucket, folder: Path) -> None:
    first = run(bucket, folder)

    assert first.objects
    assert run(bucket, folder).objects == ()


def test_one_file_may_be_given_instead_of_a_folder(bucket: Bucket, folder: Path) -> None:
    assert run(bucket, folder / "meters.parquet").rows["actuals/key=production/subkey=solar"] == 6


def test_the_publication_delay_can_be_given_for_one_run(bucket: Bucket, folder: Path) -> None:
    run(bucket, folder, delay="PT1H")

    assert stored(bucket)[0][3] == "2021-02-01T02:00Z"


def test_a_stated_available_at_is_kept_and_marked(bucket: Bucket, tmp_path: Path) -> None:
    seen = meters().append_column("seen", times(*["2021-03-02T00:00Z"] * 6))
    pq.write_table(seen, tmp_path / "meters.parquet")

    run(bucket, tmp_path, METERS.replace('publication_delay = "PT0H"', 'available_column = "seen"'))

    assert stored(bucket)[0] == ("SE", "2021-02-01T00:00Z", 0.0, "2021-03-02T00:00Z", "stated")


def test_an_hour_ending_label_is_moved_to_the_start_of_its_hour(bucket: Bucket, folder: Path) -> None:
    run(bucket, folder, METERS.replace('zone_column = "zone"', 'zone_column = "zone"\nhour_label = "ending"'))

    assert stored(bucket)[1][:4] == ("SE", "2021-02-01T00:00Z", 1.5, "2021-02-01T01:00Z")


def test_units_are_converted_before_the_range_is_checked(bucket: Bucket, folder: Path) -> None:
    kilo = METERS.replace('unit = "MW", range = [0, 100]', 'unit = "MW", range = [0, 0.1], factor = 0.001')

    run(bucket, folder, kilo)

    assert [row[2] for row in stored(bucket)] == pytest.approx([0.0, 0.0015, 0.002, 0.003, 0.004, 0.005])


def test_a_long_table_gives_the_same_rows_as_a_wide_one(folder: Path, tmp_path: Path) -> None:
    wide, long = fresh(), fresh()
    (tmp_path / "long").mkdir()
    keys = meters().select(["zone", "ts"])
    parts = [keys.append_column("what", pa.array([name] * 6)).append_column("mw", meters()[name])
             for name in ("solar", "wind")]  # fmt: skip
    pq.write_table(pa.concat_tables(parts), tmp_path / "long" / "long.parquet")
    mapping = METERS.replace(
        "[tables.columns]", 'layout = "long"\nvariable_column = "what"\nvalue_column = "mw"\n[tables.columns]'
    )

    run(wide, folder)
    run(long, tmp_path / "long", mapping)

    assert [stored(long, name) for name in ("solar", "wind")] == [stored(wide, name) for name in ("solar", "wind")]


@pytest.fixture
def csv_files(tmp_path: Path) -> Path:
    """Return a file per zone in a folder per zone: naive times, weather in the row of the day before."""
    (tmp_path / "CISO").mkdir()
    (tmp_path / "CISO" / "CISO.csv").write_text(
        "UTC time,solar,forecast_avg_wind_speed_wMean,forecast_avg_temperature_wMean,forecast_avg_dewpoint_wMean,"
        "forecast_avg_dswrf_wMean,forecast_avg_precipitation_wMean,avg_solar_production_forecast,extra\n"
        "2021-02-01 00:00:00,-3,5.5,280,270,0,0,12,x\n"
        "2021-02-01 01:00:00,40,6.5,281,271,-0.5,0.1,13,y\n"
        "2021-02-02 00:00:00,50,0,0,0,0,0,0,z\n",
        encoding="utf-8",
    )
    return tmp_path


def test_dacf_files_are_shifted_renamed_and_clipped(bucket: Bucket, csv_files: Path) -> None:
    report = ingest(bucket, find_mapping("dacf"), csv_files, now=NOW)

    weather = timeseries.load(bucket, timeseries.weather("gfs"), instant("2021-02-01T00:00Z"), NOW,
                              variables=["wind_speed_10m", "dswrf_avg"]).to_pylist()  # fmt: skip
    assert [(row[0], row[1], row[2]) for row in stored(bucket)] == [
        ("US-CAL-CISO", "2021-02-01T00:00Z", 0.0),
        ("US-CAL-CISO", "2021-02-01T01:00Z", 40.0),
        ("US-CAL-CISO", "2021-02-02T00:00Z", 50.0),
    ]
    assert [
        (moment(row["valid_time"]), moment(row["available_at"]), moment(row["nwp_init_time"])) for row in weather
    ] == [
        (f"2021-02-02T0{hour}:00Z", "2021-02-01T00:00Z", "2021-02-01T00:00Z")
        for hour in range(3)  # one label stands for three hours
    ]
    assert [row["wind_speed_10m"] for row in weather] == pytest.approx([5.5 + 1 / 6, 6.0, 6.5 - 1 / 6])
    assert {row["dswrf_avg"] for row in weather} == {0.0}
    assert report.rows["external/provider=operator"] == 2
    assert any(line.startswith("W_FEAT_EXTRA CISO.csv") for line in report.warnings)


def test_dacf_files_of_2019_have_their_month_first_and_end_with_the_year(bucket: Bucket, tmp_path: Path) -> None:
    place = tmp_path / "ERCO" / "fuel_forecast"
    place.mkdir(parents=True)
    (place / "ERCO_solar_2019_clean.csv").write_text(
        "UTC time,solar\n12/01/2019 00:00:00,7\n12/31/2019 23:00:00,8\n01/01/2020 00:00:00,9\n", encoding="utf-8"
    )

    ingest(bucket, find_mapping("dacf"), tmp_path, now=NOW)

    rows = timeseries.load(bucket, timeseries.actuals("production", "solar"), instant("2019-01-01T00:00Z"), NOW)
    assert [(moment(row["valid_time"]), row["value"]) for row in rows.to_pylist()] == [
        ("2019-12-01T00:00Z", 7.0),
        ("2019-12-31T23:00Z", 8.0),
    ]


def test_a_csv_column_of_whole_numbers_may_hold_a_fraction_far_down(bucket: Bucket, tmp_path: Path) -> None:
    start, wide = instant("2020-01-01T00:00Z"), "0" * 200  # 7,000 lines of it are more than pyarrow looks at first
    lines = [f"SE,{iso(start + number * HOUR)},0,{wide}" for number in range(7_000)]
    lines.append(f"SE,{iso(start + 7_000 * HOUR)},0.5,0")
    (tmp_path / "meters.csv").write_text("zone,ts,solar,wind\n" + "\n".join(lines), encoding="utf-8")

    report = run(bucket, tmp_path, METERS.replace("parquet", "csv"))

    assert report.refused == ()
    assert stored(bucket)[-1][2] == 0.5


def test_the_generated_folder_is_known_4_hours_after_each_weather_run(bucket: Bucket, tmp_path: Path) -> None:
    hour = times("2021-02-01T00:00Z")
    one = pa.array([1.0])
    write(tmp_path / "production.parquet", pa.table({
        "zone": ["SE"], "ts": hour, "solar": one, "wind": one, "demand": one, "gas": one, "carbon_intensity": one,
    }))  # fmt: skip
    write(tmp_path / "weather.parquet", pa.table({
        "zone": ["SE", "SE"], "point": pa.array([0, 1], pa.int16()), "init_time": times(*["2021-01-31T00:00Z"] * 2),
        "ts": times(*["2021-02-01T00:00Z"] * 2), "wind_speed_10m": [5.0, 6.0], "temperature_2m": [280.0, None],
        "dswrf_avg": [0.0, 0.0], "cloud_cover": [0.5, 1.0],
    }))  # fmt: skip

    report = ingest(bucket, find_mapping("synthetic"), tmp_path, now=NOW)

    rows = timeseries.load(bucket, timeseries.weather("synthetic"), instant("2021-01-31T00:00Z"), NOW,
                           variables=["wind_speed_10m", "temperature_2m"]).to_pylist()  # fmt: skip
    assert report.refused == ()
    assert [(row["point"], row["wind_speed_10m"], row["temperature_2m"]) for row in rows] == [(0, 5, 280), (1, 6, None)]
    assert {moment(row["available_at"]) for row in rows} == {"2021-01-31T04:00Z"}


def test_csv_and_parquet_give_the_same_objects(folder: Path, tmp_path: Path) -> None:
    binary, text = fresh(), fresh()
    (tmp_path / "csv").mkdir()
    pacsv.write_csv(meters(), tmp_path / "csv" / "meters.csv")

    from_binary = run(binary, folder)
    from_text = run(text, tmp_path / "csv", METERS.replace("parquet", "csv"))

    assert from_text.objects == from_binary.objects


@given(order=st.permutations(range(6)), names=st.permutations(["zone", "ts", "solar", "wind"]), cut=st.integers(1, 5),
       unit=st.sampled_from(["s", "ms", "us", "ns"]), coded=st.booleans())  # fmt: skip
def test_order_splitting_and_encoding_give_the_same_objects(
    tmp_path_factory: pytest.TempPathFactory, *, order: list[int], names: list[str], cut: int, unit: str, coded: bool
) -> None:
    straight, mixed = tmp_path_factory.mktemp("straight"), tmp_path_factory.mktemp("mixed")
    table = meters().take(order).select(names)
    table = table.set_column(names.index("ts"), "ts", table["ts"].cast(pa.timestamp(unit, "UTC")))
    if coded:
        table = table.set_column(names.index("zone"), "zone", table["zone"].dictionary_encode())
    write(straight / "all.parquet", meters())
    write(mixed / "a.parquet", table[:cut])
    write(mixed / "b.parquet", table[cut:])

    assert run(fresh(), mixed).objects == run(fresh(), straight).objects


@pytest.fixture
def zones_production() -> Path:
    root = os.environ.get("WATTAHEAD_DATA")
    if not root or not (Path(root) / "zones_production").is_dir():
        pytest.skip("WATTAHEAD_DATA does not name a folder that holds zones_production/")
    return Path(root) / "zones_production"


def test_zones_production_goes_through_with_no_series_refused(bucket: Bucket, zones_production: Path) -> None:
    report = ingest(bucket, find_mapping("zones_production"), zones_production, now=instant("2026-01-01T00:00Z"))

    assert report.refused == ()
    assert report.rows["actuals/key=production/subkey=solar"] >= 56_904
    assert report.rows["weather/provider=gfs"] >= 48_072
