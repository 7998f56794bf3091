"""The contract of rows: what is dropped, what refuses a series, and that its neighbours go on."""

from collections.abc import Sequence
from dataclasses import replace

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from wattahead.domain.hours import HOUR, instant
from wattahead.sources.contract import check
from wattahead.sources.findings import Findings
from wattahead.sources.mapping import Column, Table

SOLAR = Column(to="production/solar", unit="MW", range=(0.0, 100.0), clip_from=-5.0)
METER = Table(
    kind="actuals", files=("*",), format="parquet", time_column="ts", columns={"solar": SOLAR}, zone_column="zone",
    publication_delay="PT0H",
)  # fmt: skip
NOON = instant("2021-06-01T12:00Z")
NOW = instant("2021-06-02T00:00Z")


def rows(values: Sequence[float | None], *, zone: str = "SE", start: int = NOON, step: int = HOUR) -> pl.DataFrame:
    """Return hourly rows, each known when its hour is over."""
    stamps = [start + number * step for number in range(len(values))]
    return pl.DataFrame(
        {"zone": zone, "valid_time": stamps, "available_at": [at + HOUR for at in stamps], SOLAR.to: values},
        schema={"zone": pl.String, "valid_time": pl.Int64, "available_at": pl.Int64, SOLAR.to: pl.Float64},
    )


def checked(given_rows: pl.DataFrame, source: Table = METER, column: Column = SOLAR) -> tuple[pl.DataFrame, Findings]:
    """Return what may be stored, and what was found."""
    findings = Findings()
    return check(given_rows, source, (column,), now=NOW, findings=findings), findings


def codes(findings: Findings) -> list[str]:
    return [refusal.code for refusal in findings.refused]


GOOD = rows([1.0, 2.0, 3.0], zone="US-CAL-CISO")

FALSE = [
    ("E_TIME_RANGE", rows([1.0], start=instant("1969-12-31T12:00Z"))),
    ("E_TIME_RANGE", rows([1.0], start=instant("9999-01-01T00:00Z"))),
    ("E_TIME_RANGE", rows([1.0], start=2**62)),
    ("E_TIME_STEP", rows([1.0, 2.0], step=HOUR // 4)),
    ("E_TIME_FUTURE", rows([1.0], start=NOW)),
    ("E_TIME_FUTURE", rows([1.0]).with_columns(available_at=pl.col("valid_time"))),  # known before it was over
    ("E_TIME_CONFLICT", pl.concat([rows([1.0]), rows([2.0])])),
    ("E_FEAT_INF", rows([1.0, float("inf")])),
    ("E_FEAT_INF", rows([1.0, float("-inf")])),
    ("E_FEAT_RANGE", rows([1.0, 101.0])),
    ("E_FEAT_RANGE", rows([1.0, -5.1])),
]


@pytest.mark.parametrize(("code", "bad"), FALSE)
def test_a_false_row_refuses_its_own_series_and_no_other(code: str, bad: pl.DataFrame) -> None:
    kept, findings = checked(pl.concat([bad, GOOD]))

    assert [(refusal.series, refusal.code) for refusal in findings.refused] == [("SE/production/solar", code)]
    assert kept.equals(GOOD)


def test_a_conflict_names_its_first_stamp() -> None:
    _, findings = checked(pl.concat([rows([1.0, 2.0, 3.0]), rows([1.0, 7.0, 8.0])]))

    assert "at 2 times, the first at 2021-06-01T13:00Z" in findings.refused[0].sentence


def test_a_revision_with_its_own_available_at_is_no_conflict() -> None:
    revision = rows([2.0]).with_columns(pl.col("available_at") + HOUR)

    kept, findings = checked(pl.concat([rows([1.0]), revision]))

    assert kept[SOLAR.to].to_list() == [1.0, 2.0]
    assert not findings.refused


def test_equal_rows_are_kept_once_and_counted() -> None:
    kept, findings = checked(pl.concat([rows([1.0, 2.0]), rows([1.0, 2.0])]))

    assert kept.equals(rows([1.0, 2.0]))
    assert findings.warnings == ["W_TIME_DUP production/solar: equal rows that stand twice, kept once: SE 2"]


def test_missing_values_are_dropped_and_never_read_as_zero() -> None:
    kept, findings = checked(rows([None, 2.0, None]))

    assert kept[SOLAR.to].to_list() == [2.0]
    assert findings.warnings == ["W_NULL production/solar: rows without a value dropped, never read as 0: SE 2"]


def test_a_series_without_any_value_is_absent_and_noted() -> None:
    kept, findings = checked(pl.concat([rows([None, None]), GOOD]))

    assert kept.equals(GOOD)
    assert not findings.refused
    assert findings.warnings == ["W_NULL production/solar: no value at all, the series is absent: SE 2"]


def test_too_large_a_share_of_missing_values_is_refused_where_the_mapping_sets_a_limit() -> None:
    strict = replace(METER, null_limit=0.25)

    assert codes(checked(rows([None, 2.0, 3.0]), strict)[1]) == ["E_FEAT_NAN"]
    assert codes(checked(rows([None, 2.0, 3.0, 4.0]), strict)[1]) == []


def test_a_gap_within_the_limit_is_noted_and_a_longer_one_refused() -> None:
    gappy = pl.concat([rows([1.0]), rows([2.0], start=NOON + 4 * HOUR)])

    _, noted = checked(gappy, replace(METER, gap_limit="PT3H"))
    _, refused = checked(gappy, replace(METER, gap_limit="PT2H"))

    assert noted.warnings == ["W_TIME_GAP production/solar: intervals missing between the first and the last: SE 3"]
    assert codes(refused) == ["E_TIME_GAP"]


def test_small_negatives_are_set_to_zero_and_counted() -> None:
    kept, findings = checked(rows([-5.0, -0.1, 3.0]))

    assert kept[SOLAR.to].to_list() == [0.0, 0.0, 3.0]
    assert findings.warnings == ["W_CLIPPED production/solar: values from -5 up set to 0 MW: SE 2"]


def test_a_few_values_outside_the_range_are_dropped_and_counted_where_the_mapping_knows_of_them() -> None:
    known = replace(SOLAR, outside_limit=0.25)

    kept, findings = checked(
        pl.concat([rows([1.0, 133.0, 3.0, 4.0]), rows([-9.0, 2.0], zone="US-NE-ISNE")]), METER, known
    )

    assert kept[SOLAR.to].to_list() == [1.0, 3.0, 4.0]
    assert findings.warnings[0] == "W_FEAT_RANGE production/solar: values outside -5 to 100 dropped: SE 1"
    assert [(refusal.series, refusal.code) for refusal in findings.refused] == [
        ("US-NE-ISNE/production/solar", "E_FEAT_RANGE")  # one in two is too much
    ]


def test_missing_values_do_not_count_as_outside_nor_as_inside() -> None:
    known = replace(SOLAR, outside_limit=0.25)

    _, findings = checked(rows([None, None, None, 133.0, 1.0, 2.0]), METER, known)

    assert codes(findings) == ["E_FEAT_RANGE"]


@pytest.mark.parametrize(
    ("unit", "span", "values", "hint"),
    [
        ("MW", (0.0, 100.0), [20_000.0, 30_000.0, 0.0], "possible unit error x1000"),  # kW
        ("MW", (0.0, 100.0), [2e7, 3e7, 0.0], "possible unit error x1000000"),  # W
        ("K", (180.0, 340.0), [14.0, 15.0, 16.0], "degC where K is stated"),
        ("degC", (-90.0, 60.0), [287.0, 288.0, 289.0], "K where degC is stated"),
        ("m/s", (0.0, 75.0), [90.0, 100.0, 110.0], "km/h where m/s is stated"),
    ],
)
def test_a_wrong_unit_is_recognised_by_the_typical_value(
    unit: str, span: tuple[float, float], values: list[float], hint: str
) -> None:
    _, findings = checked(rows(values), METER, Column(to=SOLAR.to, unit=unit, range=span))

    assert findings.refused[0].code == "E_FEAT_RANGE"
    assert hint in findings.refused[0].sentence


def test_one_absurd_value_is_not_called_a_unit_error() -> None:
    _, findings = checked(rows([10.0, 11.0, 30_000.0]))

    assert "unit error" not in findings.refused[0].sentence


def test_a_forecast_made_after_it_was_known_is_refused() -> None:
    wind = Column(to="wind_speed_10m", unit="m/s", range=(0.0, 75.0))
    weather = Table(
        kind="weather", files=("*",), format="parquet", time_column="ts", columns={"wind": wind}, zone="SE",
        init_column="run", available_after_init="PT4H", provider="gfs",
    )  # fmt: skip
    late = rows([1.0]).with_columns(point=pl.lit(0, pl.Int16), nwp_init_time=pl.col("available_at") + HOUR)

    _, findings = checked(late.rename({SOLAR.to: wind.to}), weather, wind)

    assert codes(findings) == ["E_TIME_FUTURE"]


@given(st.permutations(range(6)))
def test_the_order_of_rows_does_not_matter(order: list[int]) -> None:
    given_rows = pl.concat([rows([3.0, None, 1.0]), rows([4.0, 4.5, 0.0], zone="US-NE-ISNE")])

    kept, findings = checked(given_rows[order])
    expected, noted = checked(given_rows)

    assert kept.equals(expected)
    assert findings == noted
