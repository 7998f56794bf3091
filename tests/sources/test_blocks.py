"""Forecasts in blocks: undoing them gives back the hours they were made of, and nothing where a part is missing."""

from dataclasses import replace
from typing import Any

import numpy as np
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

COLUMNS = {
    "sun": Column(to="sun", unit="W/m2", range=(0.0, 1_500.0), clip_from=-5.0, blocks="mean"),
    "rain": Column(to="rain", unit="kg/m2", range=(0.0, 100.0), clip_from=-0.1, blocks="sum"),
    "warmth": Column(to="warmth", unit="K", range=(180.0, 340.0), blocks="end"),
}
GFS = Table(
    kind="weather", files=("*",), format="parquet", time_column="ts", columns=COLUMNS, zone="SE", provider="gfs",
    hour_label="ending", block="PT3H", block_restart="PT6H",
    init_before_valid="PT24H", init_cycle="P1D", available_after_init="PT0H",
)  # fmt: skip
FIRST = instant("2021-06-01T00:00Z")
DAYS = 2


def blocked(sun: np.ndarray, rain: np.ndarray, warmth: np.ndarray) -> pl.DataFrame:
    """Return rows as such a source exports them: `sun` and `rain` of each hour, `warmth` at each full hour (one more).

    A label stands at the end of its hour; the label 0 of a day repeats the block before it.
    """
    rows = []
    for label in range(24 * DAYS):
        end = -(-label // 3) * 3  # the hour at which the block ends
        since = (end - 1) // 6 * 6  # the hour of the last restart
        begun = max(since, 0)
        rows.append({
            "label": FIRST + label * HOUR,
            "sun": sun[begun:end].mean() if end else 0.0,
            "rain": rain[begun:end].sum() if end else 0.0,
            "warmth": warmth[end],
        })  # fmt: skip
    return pl.DataFrame(rows)


def undone(rows: pl.DataFrame, source: Table = GFS) -> tuple[pl.DataFrame, Findings]:
    """Return what ingest makes of `rows`, in the order of valid time, and what it found."""
    stamps = pa.array(rows["label"].to_list(), pa.timestamp("us", tz="UTC"))
    table = pa.table({"ts": stamps, **{name: rows[name].to_arrow() for name in rows.columns if name != "label"}})
    findings = Findings()
    pieces = reshape(FileRows("f", table, tuple(table.column_names)), source, Zones(), path_zone="", findings=findings)
    return pieces[0].rows.sort("valid_time", "nwp_init_time"), findings


def weather(seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return random hours of sun and rain, and random temperatures at every full hour."""
    rng = np.random.default_rng(seed)
    hours = 24 * DAYS
    return rng.uniform(0, 900, hours), rng.exponential(1, hours), rng.uniform(260, 300, hours + 3)


def by_block(hours: np.ndarray) -> np.ndarray:
    """Return, for each hour, the mean of its three-hour block."""
    return np.repeat(hours.reshape(-1, 3).mean(axis=1), 3)


@given(st.integers(0, 2**32 - 1))
def test_undoing_gives_back_the_hours_that_the_blocks_were_made_of(seed: int) -> None:
    sun, rain, warmth = weather(seed)

    rows, findings = undone(blocked(sun, rain, warmth))

    assert not findings.refused
    assert rows["valid_time"].to_list() == [FIRST + hour * HOUR for hour in range(24 * DAYS)]
    np.testing.assert_allclose(rows["sun"], by_block(sun), atol=1e-9)
    np.testing.assert_allclose(rows["rain"], by_block(rain), atol=1e-9)
    at_ends = np.interp(np.arange(24 * DAYS) + 0.5, np.arange(0, 24 * DAYS + 1, 3), warmth[: 24 * DAYS + 1 : 3])
    np.testing.assert_allclose(rows["warmth"], at_ends, atol=1e-9)


def test_a_day_is_one_run_and_all_of_it_is_known_when_the_run_begins() -> None:
    rows, _ = undone(blocked(*weather(1)))

    day = (rows["valid_time"] - FIRST) // DAY
    assert (rows["nwp_init_time"] == FIRST + (day - 1) * DAY).all()
    assert (rows["available_at"] == rows["nwp_init_time"]).all()


def test_a_file_of_one_day_gives_that_day_whole() -> None:
    whole, _ = undone(blocked(*weather(2)))
    rows, _ = undone(blocked(*weather(2)).filter(pl.col("label") >= FIRST + DAY))

    assert rows.equals(whole.filter(pl.col("valid_time") >= FIRST + DAY))


@pytest.mark.parametrize("only", [1, 2])
def test_one_label_is_enough_for_its_block(only: int) -> None:
    given_rows = blocked(*weather(3))
    third = pl.col("label") // HOUR % 3 == only
    midnight = pl.col("label") % DAY == 0

    rows, _ = undone(given_rows.filter(third | midnight))

    assert rows.equals(undone(given_rows)[0])


def test_a_block_whose_partner_is_missing_is_null_and_never_wrong() -> None:
    given_rows = blocked(*weather(4))
    hour = (pl.col("label") - FIRST) // HOUR
    whole, _ = undone(given_rows)

    rows, _ = undone(given_rows.filter(~hour.is_between(7, 9)))

    both = rows.join(whole, on="valid_time", suffix="_whole")
    after = both.filter(((pl.col("valid_time") - FIRST) // HOUR).is_between(9, 11))
    for name in COLUMNS:
        assert (both[name].is_null() | (both[name] == both[f"{name}_whole"])).all()
        assert after[name].null_count() == after.height


def test_rows_of_which_nothing_is_known_are_not_made_up() -> None:
    given_rows = blocked(*weather(5)).with_columns(pl.lit(None, pl.Float64).alias(name) for name in COLUMNS)

    assert undone(given_rows)[0].is_empty()


def test_nothing_is_known_before_the_run_that_it_was_made_from() -> None:
    stated = replace(
        GFS, init_before_valid="", init_column="run", available_after_init="", available_column="seen",
        columns={"warmth": COLUMNS["warmth"]},
    )  # fmt: skip
    stamp = pl.Datetime("us", "UTC")
    rows = pl.DataFrame({
        "label": [FIRST + 3 * HOUR, FIRST + 6 * HOUR], "run": [FIRST - DAY, FIRST - DAY // 2],
        "seen": [FIRST + HOUR, FIRST], "warmth": [280.0, 283.0],
    }).with_columns(pl.col("run", "seen").cast(stamp))  # fmt: skip

    made, _ = undone(rows, stated)

    late = made.filter(pl.col("warmth").is_not_null())
    assert late["warmth"].to_list() == [280.5, 281.5, 282.5]
    assert set(late["available_at"].to_list()) == {FIRST + HOUR}


def test_a_mean_is_never_built_on_another_run() -> None:
    stated = replace(GFS, init_before_valid="", init_column="run", columns={"sun": COLUMNS["sun"]})
    rows = pl.DataFrame({
        "label": [FIRST + 3 * HOUR, FIRST + 6 * HOUR], "run": [FIRST - DAY, FIRST - DAY // 2], "sun": [100.0, 200.0],
    }).with_columns(pl.col("run").cast(pl.Datetime("us", "UTC")))  # fmt: skip

    made, _ = undone(rows, stated)

    assert made["sun"].to_list() == [100.0] * 3


def test_small_negatives_are_left_to_be_clipped_and_a_contradiction_is_null() -> None:
    sun, rain, warmth = weather(6)
    hour = (pl.col("label") - FIRST) // HOUR
    given_rows = blocked(np.where(np.arange(sun.size) < 6, 0.0, sun), rain, warmth).with_columns(
        pl.when(hour.is_between(1, 3)).then(4.0)  # 2 x 1 - 4 = -2
        .when(hour.is_between(4, 6)).then(1.0)
        .when(hour.is_between(7, 9)).then(400.0)  # 2 x 100 - 400 = -200
        .when(hour.is_between(10, 12)).then(100.0)
        .otherwise(pl.col("sun")).alias("sun")
    )  # fmt: skip

    rows, _ = undone(given_rows)

    assert rows["sun"].to_list()[:12] == [4.0] * 3 + [-2.0] * 3 + [400.0] * 3 + [None] * 3


def test_hours_that_differ_within_a_block_refuse_their_series_alone() -> None:
    given_rows = blocked(*weather(7)).with_columns(pl.int_range(pl.len()).cast(pl.Float64).alias("sun"))

    rows, findings = undone(given_rows)

    assert [(refusal.series, refusal.code) for refusal in findings.refused] == [("SE/gfs/sun", "E_TIME_CONFLICT")]
    assert rows["sun"].null_count() == rows.height
    assert rows["rain"].null_count() == 0


@pytest.mark.parametrize(
    "wrong",
    [
        {"block": "PT5H"},
        {"block": "PT3H", "block_restart": "PT5H"},
        {"block": "PT30M"},
        {"block_restart": ""},
        {"block": ""},
        {"columns": {**COLUMNS, "wind": Column(to="wind", unit="m/s", range=(0.0, 75.0))}},
        {"columns": {"rain": replace(COLUMNS["rain"], offset=1.0)}},
    ],
)
def test_a_mapping_states_blocks_whole_or_not_at_all(wrong: dict[str, Any]) -> None:
    with pytest.raises(Refused, match="E_CONFIG"):
        replace(GFS, **wrong)
