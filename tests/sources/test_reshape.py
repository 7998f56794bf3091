"""What a mapping says of single columns: names that are numbers, named points, vectors, and observed weather."""

from dataclasses import replace

import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from wattahead.domain.errors import Refused
from wattahead.domain.hours import DAY, HOUR, instant
from wattahead.sources.columns import FileRows
from wattahead.sources.findings import Findings
from wattahead.sources.mapping import Column, Table, Zones
from wattahead.sources.reshape import reshape

WIND = Column(to="wind", unit="m/s", range=(0.0, 75.0))
WEATHER = Table(
    kind="weather", files=("*",), format="parquet", time_column="ts", columns={"wind": WIND}, zone="SE",
    provider="observed", persistence="PT24H", publication_delay="PT10M",
)  # fmt: skip
NOON = instant("2021-06-01T12:00Z")


def read(source: Table, zones: Zones | None = None, **held: list[object]) -> tuple[pl.DataFrame, Findings]:
    """Return what ingest makes of hourly rows with the columns `held`, and what it found."""
    count = len(next(iter(held.values())))
    stamps = pa.array([NOON + number * HOUR for number in range(count)], pa.timestamp("us", tz="UTC"))
    table = pa.table({"ts": stamps, **held})
    findings = Findings()
    file = FileRows("f", table, tuple(table.column_names))
    (piece,) = reshape(file, source, zones or Zones(), path_zone="", findings=findings)
    return piece.rows, findings


@given(hours=st.integers(1, 72), delay=st.integers(0, 48))
def test_observed_weather_stands_for_a_later_time_and_is_known_when_it_was_observed(hours: int, delay: int) -> None:
    rows, _ = read(replace(WEATHER, persistence=f"PT{hours}H", publication_delay=f"PT{delay}H"), wind=[3.0, 4.0])

    assert rows["valid_time"].to_list() == [NOON + hours * HOUR, NOON + (hours + 1) * HOUR]
    assert rows["nwp_init_time"].to_list() == [NOON, NOON + HOUR]
    assert rows["available_at"].to_list() == [NOON + (1 + delay) * HOUR, NOON + (2 + delay) * HOUR]


@pytest.mark.parametrize(
    ("persistence", "delay"), [("PT30M", "PT0H"), ("P4D", "PT0H"), ("PT24H", "")]
)  # shorter than an interval; further back than is read; known when?
def test_persistence_states_a_delay_and_a_lag_that_features_can_reach(persistence: str, delay: str) -> None:
    with pytest.raises(Refused, match="E_CONFIG"):
        replace(WEATHER, persistence=persistence, publication_delay=delay)


def test_observed_weather_cannot_also_say_when_it_was_forecast() -> None:
    with pytest.raises(Refused, match="exactly one"):
        replace(WEATHER, available_before_valid="PT24H")


def test_a_vector_becomes_its_length_and_a_missing_part_makes_it_missing() -> None:
    speed = replace(WEATHER, columns={"speed": replace(WIND, magnitude=("u", "v"))})

    rows, findings = read(speed, u=[3.0, -5.0, None], v=[-4.0, 12.0, 1.0])

    assert rows["wind"].to_list() == [5.0, 13.0, None]
    assert speed.read == ("ts", "u", "v")
    assert findings == Findings()


def test_a_vector_without_one_of_its_parts_refuses_its_column() -> None:
    both = {"wind": replace(WIND, to="gust"), "speed": replace(WIND, magnitude=("u", "v"))}

    _, findings = read(replace(WEATHER, columns=both), u=[3.0], wind=[1.0])

    assert [(refusal.series, refusal.code) for refusal in findings.refused] == [("wind", "E_FEAT_COLUMN_MISSING")]


def test_named_points_are_numbered_by_the_mapping_and_others_are_counted() -> None:
    named = replace(WEATHER, point_column="city", points={"Madrid": 0, "Barcelona": 1})

    rows, findings = read(named, city=["Madrid", " Barcelona", "Lugo"], wind=[1.0, 2.0, 3.0])

    assert rows["point"].to_list() == [0, 1]
    assert findings.warnings == ["W_NULL f: of points that the mapping does not name: 1 rows dropped"]


def test_zones_that_are_numbers_get_their_names() -> None:
    numbered = replace(WEATHER, zone="", zone_column="pid")

    rows, findings = read(
        numbered, Zones(strict=True, names={"287": "NL-287"}), pid=[287, 287, 9], wind=[1.0, 2.0, 3.0]
    )

    assert rows["zone"].to_list() == ["NL-287", "NL-287"]
    assert [refusal.series for refusal in findings.refused] == ["9"]


def test_a_day_of_a_run_that_begins_with_it_is_known_from_its_start() -> None:
    daily = replace(
        WEATHER, persistence="", publication_delay="", init_before_valid="PT0H", init_cycle="P1D",
        available_after_init="PT6H",
    )  # fmt: skip

    rows, _ = read(daily, wind=[1.0, 2.0])

    assert set(rows["available_at"].to_list()) == {NOON // DAY * DAY + 6 * HOUR}
