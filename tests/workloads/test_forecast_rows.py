"""Feature objects in, forecast rows out: what is believed, and what the rows say."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest

from wattahead.domain.bundle import Rung
from wattahead.domain.catalog import Pool, Signal, Zone
from wattahead.domain.hours import DAY, HOUR, instant, to_datetime
from wattahead.domain.plan import Batch, Plan, PlannedPool
from wattahead.domain.quality import Quality
from wattahead.features.cube import Cube
from wattahead.models.rows import Rows
from wattahead.storage.tables import decode_table, encode_table
from wattahead.workloads.forecast.rows import to_rows
from wattahead.workloads.forecast.sample import Sample, feature_schema, read_sample, to_sample, to_table, valid_times
from wattahead.workloads.ladder import Climbed

ISSUE = instant("2021-06-21T00:00Z")
STEPS = 3
ZONES = {"AA": Zone(0, 0), "BB": Zone(0, 90), "CC": Zone(0, 180)}
SERIES = tuple(f"{zone}/production/solar" for zone in ZONES)
FEATURES = ("hour", "same_time_1")
SIGNAL = Signal("production", "solar", "MW", "generation_positive", night_zero=True)
PLANNED = PlannedPool(
    "solar", "forecast", Pool("solar", tuple(ZONES), "plain", horizon=f"PT{STEPS}H"), SIGNAL, ZONES, FEATURES, ()
)
BATCH = Batch("solar-0000", "solar", 0, SERIES)
PLAN = Plan(ISSUE, "live", "", 1, {"solar": PLANNED}, (BATCH,))
TIMES = valid_times(PLANNED, ISSUE)
CHAMPION, NAIVE = (Rung(role, role[0] * 64, role, ()) for role in ("champion", "seasonal_naive"))


def _cube(zones: int = 3) -> Cube:
    """Return features that number the rows: series 1 holds 3, 4, 5."""
    numbers = np.arange(zones * STEPS, dtype=np.float32).reshape(zones, 1, STEPS)
    about = np.arange(zones, dtype=np.int32)[:, None]
    return Cube(
        FEATURES, np.stack([numbers, numbers + 100]), 100.0 * (about + 1.0).astype(np.float64), 60 * about, about
    )


def _blind() -> Sample:
    rows = Rows(tuple(ZONES), STEPS, FEATURES, np.full((2, 3 * STEPS), -1, dtype=np.float32), np.full(3, np.nan))
    return Sample(
        SERIES, TIMES, rows, np.full(3, 999, dtype=np.int32), np.full(3, Quality.NO_SCALE, dtype=np.int32), {}
    )


def _never() -> Sample:
    raise AssertionError("a healthy object needs no blind rows")


def _object() -> pa.Table:
    return decode_table(encode_table(to_table(SERIES, TIMES, _cube(), 0)), feature_schema(PLANNED), where="a test")


def _rows_of(sample: Sample, series: int) -> list[float]:
    return sample.rows.column("hour").reshape(-1, STEPS)[series].tolist()


def _with(table: pa.Table, column: str, row: int, value: object) -> pa.Table:
    place = table.column_names.index(column)
    values = table[column].to_pylist()
    values[row] = value
    return table.set_column(place, column, pa.chunked_array([pa.array(values).cast(table[column].type)]))


def test_what_features_wrote_is_what_score_reads() -> None:
    sample = read_sample(_object(), BATCH, PLANNED, TIMES, _never)

    expected = to_sample(SERIES, _cube(), np.arange(3), TIMES)
    assert sample.rows.block.tobytes() == expected.rows.block.tobytes()
    assert sample.rows.scale.tolist() == [100, 200, 300]
    assert (sample.age_minutes.tolist(), sample.flags.tolist(), sample.errors) == ([0, 60, 120], [0, 1, 2], {})


@pytest.mark.parametrize("order", [[8, 7, 6, 5, 4, 3, 2, 1, 0], [3, 4, 5, 0, 1, 2, 6, 7, 8]])
def test_shuffled_rows_are_put_in_order(order: Sequence[int]) -> None:
    sample = read_sample(_object().take(order), BATCH, PLANNED, TIMES, _blind)

    assert [_rows_of(sample, series) for series in range(3)] == [[0, 1, 2], [3, 4, 5], [6, 7, 8]]
    assert sample.rows.scale.tolist() == [100, 200, 300]
    assert (sample.age_minutes.tolist(), sample.errors) == ([0, 60, 120], {})


@pytest.mark.parametrize(
    ("broken", "code"),
    [
        (lambda table: table.take([0, 1, 2, 3, 4, 6, 7, 8]), "E_HORIZON_SHORT"),
        (lambda table: table.take([0, 1, 2, 6, 7, 8]), "E_HORIZON_SHORT"),
        (lambda table: table.take([0, 1, 2, 3, 4, 4, 6, 7, 8]), "E_HORIZON_SHORT"),
        (lambda table: table.take([0, 1, 2, 3, 4, 5, 5, 6, 7, 8]), "E_HORIZON_SHORT"),
        (lambda table: _with(table, "same_time_1", 4, np.inf), "E_FEAT_INF"),
        (lambda table: _with(table, "hour", 5, -np.inf), "E_FEAT_INF"),
        (lambda table: _with(table, "valid_time", 4, to_datetime(ISSUE + HOUR // 2)), "E_HORIZON_SHORT"),
        (lambda table: _with(table, "valid_time", 4, to_datetime(ISSUE + 9 * HOUR)), "E_HORIZON_SHORT"),
        (lambda table: _with(table, "series_id", 4, "ZZ/production/solar"), "E_HORIZON_SHORT"),
    ],
    ids=["short", "gone", "one for another", "twice", "infinite", "below", "off the grid", "behind", "renamed"],
)  # fmt: skip
def test_a_faulty_series_gets_blind_rows_and_is_named_and_no_other(broken: object, code: str) -> None:
    sample = read_sample(broken(_object()), BATCH, PLANNED, TIMES, _blind)  # type: ignore[operator]  # one of the functions above

    assert [_rows_of(sample, series) for series in range(3)] == [[0, 1, 2], [-1, -1, -1], [6, 7, 8]]
    assert (sample.age_minutes.tolist(), sample.flags.tolist()) == ([0, 999, 120], [0, Quality.NO_SCALE, 2])
    np.testing.assert_array_equal(sample.rows.scale, [100, np.nan, 300])
    assert {name: error.split(":")[0] for name, error in sample.errors.items()} == {SERIES[1]: code}


def test_a_row_before_the_horizon_is_not_taken_for_the_last_one_of_the_series_above() -> None:
    moved = _with(
        _with(_object(), "series_id", 2, SERIES[1]),
        "valid_time",
        2,
        to_datetime(ISSUE - HOUR),
    )

    sample = read_sample(moved, BATCH, PLANNED, TIMES, _blind)

    assert list(sample.errors) == [SERIES[0]]


def test_series_outside_the_plan_are_ignored() -> None:
    alien = to_table(("ZZ/production/solar",), TIMES, _cube(1), 0).cast(_object().schema)

    sample = read_sample(pa.concat_tables([alien, _object()]).unify_dictionaries(), BATCH, PLANNED, TIMES, _blind)

    assert [_rows_of(sample, series) for series in range(3)] == [[0, 1, 2], [3, 4, 5], [6, 7, 8]]
    assert sample.errors == {}


def test_a_horizon_of_one_step_can_be_read() -> None:
    short = replace(PLANNED, pool=replace(PLANNED.pool, horizon="PT1H"))

    sample = read_sample(_object().take([0, 3, 6]), BATCH, short, valid_times(short, ISSUE), _never)

    assert sample.rows.column("hour").tolist() == [0, 3, 6]


# --- out --------------------------------------------------------------------------------------------------------------


def _climbed(values: Sequence[float] = tuple(range(9)), served: Sequence[Rung | None] = (CHAMPION,) * 3) -> Climbed:
    p50 = np.array(values, dtype=float)
    level = np.array([rung.level if rung else 4 for rung in served], dtype=np.int8)
    return Climbed(np.stack([p50 - 1, p50, p50 + 1]), level, tuple(served), {}, np.zeros(len(level), dtype=bool))


def _sample(who: Sequence[int] = (0, 1, 2)) -> Sample:
    return to_sample(
        tuple(SERIES[index] for index in who),
        replace(_cube(), flags=np.zeros((3, 1), dtype=np.int32)),
        np.array(who),
        TIMES,
    )


def test_rows_have_the_columns_of_the_contract_in_order() -> None:
    table, _ = to_rows(PLAN, PLANNED, _sample(), _climbed(), run_id="r")

    text, time = pa.dictionary(pa.int32(), pa.string()), pa.timestamp("us", tz="UTC")
    assert table.schema == pa.schema([
        ("series_id", text), ("issue_time", time), ("model_name", text), ("model_version", text), ("run_id", text),
        ("fallback_level", pa.int8()), ("quality_flags", pa.int32()), ("input_age_minutes", pa.int32()),
        ("zone", text), ("key", text), ("subkey", text), ("valid_time", time),
        ("lead_time_minutes", pa.int32()), ("unit", text),
        ("p10", pa.float64()), ("p50", pa.float64()), ("p90", pa.float64()),
    ])  # fmt: skip


def test_rows_are_sorted_by_series_then_time_and_dictionaries_are_sorted() -> None:
    table, _ = to_rows(PLAN, PLANNED, _sample(), _climbed(served=(NAIVE, CHAMPION, NAIVE)), run_id="r")

    keys = list(zip(table["series_id"].to_pylist(), table["valid_time"].to_pylist(), strict=True))
    assert keys == sorted(keys)
    assert table["model_name"].chunk(0).dictionary.to_pylist() == ["champion", "seasonal_naive"]


def test_a_row_says_what_it_is_and_where_it_is_from() -> None:
    table, _ = to_rows(PLAN, PLANNED, _sample(), _climbed(), run_id="r")

    row = {
        name: value
        for name, value in table.slice(7, 1).to_pylist()[0].items()
        if name not in {"issue_time", "valid_time"}
    }
    assert table["valid_time"].cast(pa.int64())[7].as_py() - table["issue_time"].cast(pa.int64())[7].as_py() == HOUR
    assert row == {
        "series_id": SERIES[2], "model_name": "champion", "model_version": "c" * 12, "run_id": "r",
        "fallback_level": 0, "quality_flags": 0,
        "input_age_minutes": 120, "zone": "CC", "key": "production", "subkey": "solar",
        "lead_time_minutes": 60, "unit": "MW",
        "p10": 6.0, "p50": 7.0, "p90": 8.0,
    }  # fmt: skip


def test_series_that_fell_back_or_have_nothing_say_so() -> None:
    climbed = _climbed([0, 1, 2, 3, 4, 5, np.nan, np.nan, np.nan], (CHAMPION, NAIVE, None))

    table, flags = to_rows(PLAN, PLANNED, _sample(), climbed, run_id="r", extra=Quality.FINAL_ATTEMPT)

    lost = Quality.FALLBACK | Quality.NO_FORECAST | Quality.FINAL_ATTEMPT
    assert [flag & ~Quality.NIGHT_ZEROED & ~Quality.CLIPPED for flag in flags.tolist()] == [
        Quality.FINAL_ATTEMPT,
        Quality.FALLBACK | Quality.FINAL_ATTEMPT,
        lost,
    ]
    assert table["fallback_level"].to_pylist() == [0] * 3 + [2] * 3 + [4] * 3
    assert table["p50"].to_pylist()[6:] == [None] * 3
    assert (table["model_name"].to_pylist()[8], table["model_version"].to_pylist()[8]) == ("none", "")


def test_the_flags_of_a_series_are_those_of_all_its_rows() -> None:
    table, flags = to_rows(PLAN, PLANNED, _sample(), _climbed([0, 1, 400, 0, 0, 0, 0, 0, 0]), run_id="r")

    rows = np.array(table["quality_flags"]).reshape(3, STEPS)
    assert flags.tolist() == np.bitwise_or.reduce(rows, axis=1).tolist()
    assert rows[0, 2] & Quality.CLIPPED


def test_solar_power_is_zeroed_where_it_is_night_and_nowhere_else() -> None:
    table, _ = to_rows(PLAN, PLANNED, _sample(), _climbed([50] * 9), run_id="r")

    # 00 to 03 UTC: midnight at longitude 0, morning at 90 east, noon at 180 east
    assert table["p50"].to_pylist() == [0, 0, 0, 50, 50, 50, 50, 50, 50]
    assert [flag & Quality.NIGHT_ZEROED != 0 for flag in table["quality_flags"].to_pylist()] == [True] * 3 + [False] * 6


def test_rows_of_a_series_are_the_same_alone_and_among_others() -> None:
    together, _ = to_rows(PLAN, PLANNED, _sample(), _climbed(), run_id="r")

    for index in range(3):
        alone, _ = to_rows(
            PLAN, PLANNED, _sample([index]), _climbed(range(3 * index, 3 * index + 3), (CHAMPION,)), run_id="r"
        )
        assert alone.to_pylist() == together.slice(3 * index, 3).to_pylist()


def test_a_horizon_is_its_valid_times_from_the_issue_time() -> None:
    quarter = replace(PLANNED, signal=replace(SIGNAL, resolution="PT15M"), pool=replace(PLANNED.pool, horizon="PT24H"))

    times = valid_times(quarter, ISSUE)

    assert (len(times), times[0], times[-1]) == (96, ISSUE, ISSUE + DAY - HOUR // 4)
