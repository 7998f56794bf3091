"""What training finds in its data: what was put there, nothing else, and what is known of real zones."""

import os
from functools import cache
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from training.findings import SURE, Finding, findings, hour_label, radiation_delay
from wattahead.domain import sun
from wattahead.domain.catalog import Signal
from wattahead.domain.hours import DAY, HOUR, MINUTE, NEVER, instant
from wattahead.features.cube import Inputs
from wattahead.features.panel import Panel, panel
from wattahead.models.rows import Floats
from wattahead.sources.synthetic import Synthetic, generate

START, DAYS = instant("2024-03-04T00:00Z"), 70
SOLAR = Signal("production", "solar", "MW", "generation_positive", night_zero=True)
DEMAND = Signal("consumption", "demand", "MW", "consumption_positive", scaling_window="P180D")
REAL = Path(os.environ.get("WATTAHEAD_DATA", "/nowhere"), "zones_production/production_weather.parquet")


@cache
def _world() -> Synthetic:
    return generate(5, START, START + DAYS * DAY, seed=11)


def _zone(name: str) -> tuple[Floats, Floats]:
    """Return solar production of a generated zone and its clear sky."""
    rows = _world().production.filter(pa.compute.equal(_world().production["zone"].cast(pa.string()), name))
    return rows["solar"].to_numpy().astype(float), _clear(*_world().zones[name], START, DAYS)


def _clear(latitude: float, longitude: float, start: int, days: int, step: int = HOUR) -> Floats:
    """Return the clear sky of whole days, means of intervals."""
    at = start + np.arange(days * DAY // step)[:, None] * step + np.arange(1, 12, 2) * step // 12
    up, _ = sun.direction(at, np.array(latitude), np.array(longitude))
    return sun.clear_sky(up).mean(axis=1)


def _inside(late: int, values: Floats, clear: Floats) -> tuple[Floats, Floats]:
    """Return values labelled `late` cells late, without the days at the ends."""
    return np.roll(values, late)[24:-24], clear[24:-24]


# --- hour labels ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("zone", sorted(_world().zones))
@pytest.mark.parametrize(
    ("late", "fix"),
    [
        (0, ""),
        (1, 'hour_label = "ending"'),
        (-1, 'hour_label = "beginning"'),
        (2, "check time_zone of the mapping"),
        (-5, "check time_zone of the mapping"),
    ],
)
def test_labels_that_were_moved_are_found_and_right_ones_raise_no_alarm(zone: str, late: int, fix: str) -> None:
    found = hour_label(zone, *_inside(late, *_zone(zone)), HOUR)

    assert found is not None
    assert found.value == pytest.approx(late * 60, abs=10)  # sites lie up to 2 degrees beside the middle of the zone
    assert (found.fix, found.confidence >= SURE) == (fix, True)


def test_neither_scale_nor_gaps_nor_a_flat_top_nor_a_wild_value_move_the_labels() -> None:
    values, clear = _zone("SY-0001")
    draw = np.random.default_rng(1)
    spoilt = np.minimum(values, 0.6 * values.max()) / 1000
    spoilt[draw.random(len(spoilt)) < 0.15] = np.nan
    spoilt[[100, 700, 1100]] = 1e6

    plain, found = (hour_label("Z", one, clear, HOUR) for one in (values, spoilt))

    assert plain is not None
    assert found is not None
    assert found.value == pytest.approx(plain.value, abs=5)


def test_an_offset_near_the_middle_between_two_labels_names_no_fix() -> None:
    clear = _clear(40, 0, START, DAYS)

    found = hour_label("Z", _clear(40, -8, START, DAYS), clear, HOUR)  # 8 degrees west are 32 minutes

    assert found is not None
    assert found.value == pytest.approx(32, abs=2)
    assert found.confidence < SURE
    assert found.fix == ""


def test_quarter_hours_an_hour_late_are_not_blamed_on_their_label() -> None:
    clear = _clear(48, 10, START, 44, 15 * MINUTE)

    found = hour_label("Z", np.roll(clear, 4)[96:-96], clear[96:-96], 15 * MINUTE)

    assert found is not None
    assert found.value == pytest.approx(60, abs=1)
    assert found.fix == "check time_zone of the mapping"


@pytest.mark.parametrize(
    "values",
    [np.zeros(DAYS * 24), np.full(DAYS * 24, np.nan), np.ones(DAYS * 24), _clear(40, 0, START, DAYS)[: 40 * 24]],
    ids=["zero", "unknown", "flat", "short"],
)
def test_a_series_without_edges_says_nothing(values: Floats) -> None:
    assert hour_label("Z", values, _clear(40, 0, START, DAYS)[: len(values)], HOUR) is None


def test_a_winter_without_sun_says_nothing() -> None:
    dark = _clear(78, 15, instant("2023-11-01T00:00Z"), 84)

    assert hour_label("Z", dark, dark, HOUR) is None


# --- radiation --------------------------------------------------------------------------------------------------------


def test_radiation_in_three_hour_means_that_end_with_their_label_is_found_to_trail() -> None:
    clear = _clear(36, -120, START, DAYS)
    blocks = np.repeat(clear.reshape(-1, 3).mean(axis=1), 3)

    found = radiation_delay("Z", np.roll(blocks, 2), clear, HOUR)

    assert found is not None
    assert 60 < found.value < 150
    assert 'block = "PT3H"' in found.fix


def test_radiation_that_leads_points_at_its_labels() -> None:
    clear = _clear(36, -120, START, DAYS)

    found = radiation_delay("Z", np.roll(clear, -1), clear, HOUR)

    assert found is not None
    assert found.value == pytest.approx(-60, abs=1)
    assert found.fix == "check hour_label and time_zone of the weather"


# --- of a pool's inputs -----------------------------------------------------------------------------------------------


def _panel(names: list[str], table: pa.Table, column: str, *, late: int = 0) -> Panel:
    """Return rows of a generated table on a grid that begins off midnight; forecasts are known 4 h after their run."""
    who = np.array([names.index(zone) for zone in table["zone"].to_pylist()])
    valid = table["ts"].cast(pa.int64()).to_numpy() + late * HOUR
    known = (
        table["init_time"].cast(pa.int64()).to_numpy() + 4 * HOUR if "init_time" in table.column_names else valid + HOUR
    )
    return panel(
        who, valid, known, table[column].to_numpy().astype(float),
        series=len(names), start=START - 5 * HOUR, end=START + DAYS * DAY + 7 * HOUR, step=HOUR,
    )  # fmt: skip


def _inputs(column: str, *, late: int = 0) -> tuple[list[str], Inputs]:
    names, table = sorted(_world().zones), _world().production
    forecasts = _world().weather.filter(pa.compute.equal(_world().weather["point"], 0))
    weather = {name: _panel(names, forecasts, name) for name in ("dswrf_avg", "temperature_2m", "wind_speed_10m")}
    places = np.array([_world().zones[name] for name in names])
    target = _panel(names, table, column, late=late)
    return names, Inputs(target, weather, places[:, 0], places[:, 1], np.full(len(names), np.nan))


def _found(names: list[str], inputs: Inputs, signal: Signal) -> dict[tuple[str, str], Finding]:
    told = findings(inputs, names, signal, START + DAYS * DAY)
    assert len({(one.zone, one.what) for one in told}) == len(told)
    return {(one.zone, one.what): one for one in told}


def test_generated_zones_have_nothing_to_mend() -> None:
    found = _found(*_inputs("solar"), SOLAR)

    assert {what for _, what in found} == {
        "hour_label",
        "radiation_delay",
    }  # light is known by its nights, not its name
    assert len(found) == 10
    assert [one.sentence for one in found.values() if one.fix] == []


def test_a_pool_whose_labels_are_late_is_told_the_line_to_change() -> None:
    found = _found(*_inputs("solar", late=1), SOLAR)

    assert {one.fix for (_, what), one in found.items() if what == "hour_label"} == {'hour_label = "ending"'}
    assert {one.fix for (_, what), one in found.items() if what == "radiation_delay"} == {""}


def test_labels_are_read_from_the_sun_only_where_there_is_some() -> None:
    assert {what for _, what in _found(*_inputs("demand"), DEMAND)} == {"radiation_delay"}


def test_what_became_known_later_changes_nothing() -> None:
    names, inputs = _inputs("solar")
    until = START + 50 * DAY
    later = inputs.target.available > until
    wild = Panel(inputs.target.start, HOUR, np.where(later, 1e9, inputs.target.values), inputs.target.available, {})

    before = findings(inputs, names, SOLAR, until)
    after = findings(
        Inputs(wild, inputs.weather, inputs.latitude, inputs.longitude, inputs.capacity), names, SOLAR, until
    )

    assert before == after != ()


@pytest.mark.parametrize("hours", [0, 7])
def test_days_after_the_cut_change_nothing_that_is_found(hours: int) -> None:
    names, inputs = _inputs("solar")
    until = START + 56 * DAY + hours * HOUR

    def ended(one: Panel) -> Panel:
        cells = (until - one.start) // HOUR
        return Panel(one.start, HOUR, one.values[:, :cells], one.available[:, :cells], {})

    weather = {name: ended(one) for name, one in inputs.weather.items()}
    short = Inputs(ended(inputs.target), weather, inputs.latitude, inputs.longitude, inputs.capacity)

    assert findings(inputs, names, SOLAR, until) == findings(short, names, SOLAR, until) != ()


def test_a_cut_before_the_first_day_says_nothing() -> None:
    names, inputs = _inputs("solar")

    assert findings(inputs, names, SOLAR, START - DAY) == ()


def test_inputs_that_know_nothing_say_nothing() -> None:
    nothing = Panel(START + 5 * HOUR, HOUR, np.full((1, 1, 1), np.nan), np.full((1, 1, 1), NEVER), {})
    inputs = Inputs(nothing, {"dswrf_avg": nothing}, np.zeros(1), np.zeros(1), np.full(1, np.nan))

    assert findings(inputs, ["Z"], SOLAR, START + DAY) == ()


@pytest.mark.skipif(not REAL.is_file(), reason="WATTAHEAD_DATA does not name a folder with zones_production")
@pytest.mark.parametrize(
    ("zone", "place", "fix"),
    [
        ("US-CAL-CISO", (36.5, -119.5), ""),
        ("US-MIDA-PJM", (40.0, -79.0), ""),
        ("US-TEX-ERCO", (31.0, -99.0), 'hour_label = "ending"'),
    ],
)
def test_real_labels_are_the_same_in_every_quarter_of_the_year(zone: str, place: tuple[float, float], fix: str) -> None:
    table = pq.read_table(REAL, columns=["ts", "solar"], filters=[("zone_key", "=", zone)]).sort_by("ts")
    first, days = int(table["ts"].cast(pa.timestamp("us", "UTC"))[0].cast(pa.int64()).as_py()), len(table) // 24
    values, clear = table["solar"].to_numpy().astype(float), _clear(*place, first, days)

    quarters = [slice(day * 24, (day + 91) * 24) for day in range(0, days - 90, 91)]
    found = [hour_label(zone, values[quarter], clear[quarter], HOUR) for quarter in quarters]

    assert len(found) >= 5
    assert {one.fix for one in found if one} == {fix}
    assert None not in found
