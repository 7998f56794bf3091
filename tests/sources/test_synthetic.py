"""The generator: one answer per (seed, zone, hour), physics that hold, and statistics like those of real grids."""

import re
from datetime import date
from math import erf, sqrt
from pathlib import Path

import numpy as np
import pandas as pd
import pvlib
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from tests.sources.years import END, START, ZONES, all_hours, produced, two_years
from wattahead.domain.errors import Refused
from wattahead.domain.hours import DAY, HOUR
from wattahead.sources.synthetic import generate, write
from wattahead.sources.synthetic.draws import Draws, autoregressive, normal_share
from wattahead.sources.synthetic.faults import FAULTS
from wattahead.sources.synthetic.fields import amplitudes, at_places, phases
from wattahead.sources.synthetic.holidays import holidays
from wattahead.sources.synthetic.light import sun, within_hour
from wattahead.sources.synthetic.statistics import correlation

POWER = ("solar", "wind", "hydro", "nuclear", "coal", "gas", "exports", "demand")


# --- the same answer for the same question --------------------------------------------------------------------------


def test_the_same_seed_gives_the_same_tables() -> None:
    first, again = (generate(2, START, START + 5 * DAY, seed=7) for _ in range(2))

    assert first.production.equals(again.production)
    assert first.weather.equals(again.weather)
    assert first.zones == again.zones


def test_another_seed_gives_another_sky() -> None:
    one, other = (generate(1, START, START + 20 * DAY, seed=seed).production["wind"].to_numpy() for seed in (1, 2))

    assert abs(correlation(one, other)) < 0.6


@pytest.mark.parametrize("longer", [HOUR, 7 * HOUR, DAY, 11 * DAY + 5 * HOUR])
def test_a_later_end_only_appends(longer: int) -> None:
    end = START + 9 * DAY + 3 * HOUR

    short, long = generate(3, START, end), generate(3, START, end + longer)

    last_run = pa.scalar(end // DAY * DAY, pa.timestamp("us", tz="UTC"))
    assert _before(long.production, "ts", end).equals(short.production)
    assert long.weather.filter(pc.less_equal(long.weather["init_time"], last_run)).equals(short.weather)


@pytest.mark.parametrize("earlier", [HOUR, DAY, 40 * DAY + 13 * HOUR])
def test_an_earlier_start_only_prepends(earlier: int) -> None:
    start = START + 60 * DAY

    late, early = generate(3, start, start + 4 * DAY), generate(3, start - earlier, start + 4 * DAY)

    assert _from(early.production, "ts", start).equals(late.production)
    assert _from(early.weather, "init_time", start - DAY).equals(late.weather)


@pytest.mark.parametrize("more", [2, 5, 31])
def test_another_zone_changes_no_other(more: int) -> None:
    few, many = (generate(count, START, START + 3 * DAY) for count in (1, more))

    for one, all_of_them in ((few.production, many.production), (few.weather, many.weather)):
        first = all_of_them.filter(pc.equal(all_of_them["zone"], "SY-0001"))
        assert first.drop_columns("zone").equals(one.drop_columns("zone"))
    assert few.zones.items() <= many.zones.items()


def _before(table: pa.Table, column: str, end: int) -> pa.Table:
    return table.filter(pc.less(table[column], pa.scalar(end, pa.timestamp("us", tz="UTC"))))


def _from(table: pa.Table, column: str, start: int) -> pa.Table:
    return table.filter(pc.greater_equal(table[column], pa.scalar(start, pa.timestamp("us", tz="UTC"))))


# --- shape of the tables --------------------------------------------------------------------------------------------


def test_zone_names_follow_the_rule_and_no_two_zones_share_a_place() -> None:
    zones = generate(60, START, START + HOUR).zones

    assert all(re.fullmatch(r"[A-Z]{2}(-[A-Z0-9]{1,8}){0,4}", name) for name in zones)
    assert all(20 < abs(latitude) < 60 and abs(longitude) < 180 for latitude, longitude in zones.values())
    assert len(set(zones.values())) == len(zones)


def test_production_has_every_hour_of_every_zone_once_and_in_order() -> None:
    table = generate(2, START + 5 * HOUR, START + 30 * HOUR).production

    assert table["zone"].to_pylist() == ["SY-0001"] * 25 + ["SY-0002"] * 25
    assert table["ts"].cast(pa.int64()).to_pylist() == list(range(START + 5 * HOUR, START + 30 * HOUR, HOUR)) * 2
    assert table.schema.field("ts").type == pa.timestamp("us", tz="UTC")


def test_runs_start_a_day_before_and_cover_72_hours_from_the_day_of_the_end() -> None:
    weather = generate(1, START, START + 3 * DAY).weather.to_pandas()

    inits = weather.init_time.drop_duplicates().astype("int64").to_list()
    leads = (weather.ts - weather.init_time) // pd.Timedelta(hours=1)
    assert inits == [START + day * DAY for day in (-1, 0, 1, 2, 3)]
    assert sorted(leads.unique()) == list(range(72))
    assert not weather.duplicated(["zone", "point", "init_time", "ts"]).any()


def test_the_number_of_points_differs_by_zone() -> None:
    weather = generate(4, START, START + HOUR).weather.to_pandas()

    assert weather.groupby("zone", observed=True).point.nunique().to_list() == [3, 4, 5, 6]


def test_files_hold_the_tables(tmp_path: Path) -> None:
    made = generate(2, START, START + DAY)

    write(made, tmp_path / "new" / "folder")

    assert pq.read_table(tmp_path / "new/folder/production.parquet").equals(made.production)
    assert pq.read_table(tmp_path / "new/folder/weather.parquet").equals(made.weather)


@pytest.mark.parametrize(
    ("zones", "start", "end", "code"),
    [
        (0, START, END, "E_CONFIG"),
        (10_000, START, END, "E_CONFIG"),
        (1, START, START, "E_CONFIG"),
        (1, START + 1, END, "E_EVENT_ALIGN"),
        (1, -HOUR, END, "E_TIME_RANGE"),
    ],
)
def test_a_question_without_an_answer_is_refused(zones: int, start: int, end: int, code: str) -> None:
    with pytest.raises(Refused) as refusal:
        generate(zones, start, end)

    assert refusal.value.code == code


# --- physics --------------------------------------------------------------------------------------------------------


def test_tracked_panels_face_the_sun_as_pvlib_turns_them() -> None:
    hours = np.arange(START + 100 * DAY, START + 103 * DAY, HOUR)
    place = pvlib.solarposition.get_solarposition(pd.to_datetime(hours, unit="us", utc=True), 36.5, -119.5)
    turned = pvlib.tracking.singleaxis(place["zenith"], place["azimuth"], max_angle=90, backtrack=False)

    ours = sun(hours, np.array([36.5]), np.array([-119.5]))

    up = ours.cos_zenith[:, 0] > 0.05
    theirs = np.cos(np.radians(turned["aoi"].to_numpy()))
    np.testing.assert_allclose(ours.cos_tracked[up, 0], theirs[up], atol=1e-3)  # 0.03 degrees of sun position


@pytest.mark.parametrize("zone", ZONES)
def test_no_power_is_missing_infinite_or_negative(zone: str) -> None:
    for name in (*POWER, "carbon_intensity"):
        column = produced(zone, name)
        assert np.isfinite(column).all(), name
        assert column.min() >= 0, name


@pytest.mark.parametrize("zone", ZONES)
def test_solar_is_zero_at_night_and_only_then(zone: str) -> None:
    latitude, longitude = (np.array([degrees]) for degrees in two_years().zones[zone])
    highest = np.max([sun(each, latitude, longitude).cos_zenith[:, 0] for each in within_hour(all_hours())], axis=0)

    solar = produced(zone, "solar")

    margin = 0.06  # sites lie up to 2.25 degrees from the middle of the zone, where the sun is 3.2 degrees higher
    assert solar[highest < -margin].max() == 0
    assert solar[highest > margin].min() > 0


@pytest.mark.parametrize("zone", ZONES)
def test_sources_add_up_to_demand_and_exports(zone: str) -> None:
    sources = sum(produced(zone, name) for name in ("solar", "wind", "hydro", "nuclear", "coal", "gas"))

    used = produced(zone, "demand") + produced(zone, "exports")

    np.testing.assert_allclose(sources, used, atol=0.005)  # eight columns rounded to 0.001 MW


def test_carbon_intensity_comes_from_the_mix() -> None:
    power = {name: produced("SY-0002", name) for name in ("solar", "wind", "hydro", "nuclear", "coal", "gas")}

    expected = (760 * power["coal"] + 370 * power["gas"]) / sum(power.values())

    np.testing.assert_allclose(produced("SY-0002", "carbon_intensity"), expected, atol=0.001)


def test_weather_stays_within_what_nature_allows() -> None:
    weather = two_years().weather.to_pandas()

    assert not weather.isna().any().any()
    assert weather.cloud_cover.between(0, 1).all()
    assert weather.dswrf_avg.between(0, 1100).all()
    assert weather.wind_speed_10m.between(0, 30).all()
    assert weather.temperature_2m.between(240, 325).all()


# --- building blocks ------------------------------------------------------------------------------------------------


def test_draws_are_standard_normal_and_do_not_depend_on_the_range() -> None:
    draws = Draws(3, 99)

    many = draws.normals(first_day=0, days=2000, per_day=7)

    assert (many[500:600] == draws.normals(first_day=500, days=100, per_day=7)).all()
    assert abs(many.mean()) < 0.03  # 14,000 numbers: standard error 0.008
    assert many.std() == pytest.approx(1, abs=0.03)


def test_an_autoregressive_process_has_its_memory_and_unit_variance() -> None:
    shocks = Draws(3, 98).normals(first_day=0, days=20_000, per_day=1)

    process = autoregressive(shocks, memory=0.7, doublings=5)[:, 0]

    assert process.size == 20_000 - 31
    assert process.std() == pytest.approx(1, abs=0.04)  # 20,000 numbers with memory: standard error about 0.009
    assert correlation(process[1:], process[:-1]) == pytest.approx(0.7, abs=0.03)


def test_the_normal_share_is_as_close_as_stated() -> None:
    z = np.linspace(-4, 4, 81)

    exact = [(1 + erf(each / sqrt(2))) / 2 for each in z]

    np.testing.assert_allclose(normal_share(z), exact, atol=1.5e-4)


def test_weather_of_two_places_is_alike_as_they_are_close() -> None:
    # 48 waves meet exp(-d / 500 km) within about 0.1 for a seed, so within 0.1 / sqrt(40) = 0.016 for the mean of 40.
    kilometres = np.array([0.0, 50, 100, 250, 500, 1000, 2000])
    latitude, longitude = 20 + kilometres / 111.2, np.full(kilometres.size, -100.0)

    waves = [phases(seed, latitude, longitude) for seed in range(40)]

    together = np.mean([(wave[:, :1] * wave).sum(axis=0) for wave in waves], axis=0)
    np.testing.assert_allclose(together, np.exp(-kilometres / 500), atol=0.05)


def test_a_field_has_unit_variance_and_ignores_which_other_places_are_asked() -> None:
    amplitude = amplitudes(Draws(5, 97), memory=0.5, first_day=0, days=750)
    phase = phases(5, np.array([40.0, 41.0, -30.0]), np.array([-100.0, -90.0, 20.0]))

    field = at_places(amplitude, phase)

    np.testing.assert_allclose(field.std(axis=0), 1, atol=0.06)  # 3,000 knots with memory: standard error 0.02
    assert (at_places(amplitude, phase[:, 1:2]) == field[:, 1:2]).all()


def test_federal_holidays_of_2021_are_on_their_days() -> None:
    monthly = {date(2021, *day) for day in ((1, 18), (2, 15), (5, 31), (9, 6), (10, 11), (11, 25))}
    fixed = {date(2021, *day) for day in ((1, 1), (6, 19), (7, 4), (11, 11), (12, 25))}

    assert holidays(2021) == monthly | fixed


# --- faults ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_changes_the_first_zone_only_and_leaves_its_input(name: str) -> None:
    made = generate(2, START, START + 4 * DAY)
    before = made.production

    broken = FAULTS[name](before)

    assert broken.schema == before.schema
    assert not broken.equals(before)
    assert before.equals(generate(2, START, START + 4 * DAY).production)
    assert _only(broken, "SY-0002").equals(_only(before, "SY-0002"))


def _only(table: pa.Table, zone: str) -> pa.Table:
    return table.filter(pc.equal(table["zone"], zone)).combine_chunks()


@pytest.mark.parametrize(
    ("name", "rows"),
    [("missing_hours", -6), ("stale_tail", -24), ("repeated_row", 1), ("contradicting_row", 1), ("stuck_sensor", 0)],
)
def test_a_fault_takes_or_adds_as_many_rows_as_it_says(name: str, rows: int) -> None:
    before = generate(1, START, START + 4 * DAY).production

    assert FAULTS[name](before).num_rows == before.num_rows + rows


def test_a_unit_fault_is_a_thousandfold_and_an_outage_keeps_the_past() -> None:
    before = generate(1, START, START + 4 * DAY).production
    solar = before["solar"].to_numpy()

    wrong, lost = (FAULTS[name](before)["solar"].to_numpy() for name in ("wrong_unit", "capacity_outage"))

    np.testing.assert_allclose(wrong, 1000 * solar)
    np.testing.assert_allclose(lost, np.concatenate([solar[:48], 0.6 * solar[48:]]))


def test_a_stuck_sensor_repeats_one_value_for_a_day() -> None:
    solar = FAULTS["stuck_sensor"](generate(1, START, START + 4 * DAY).production)["solar"].to_numpy()

    assert len(set(solar[36:60])) == 1
    assert solar[36] > 0
