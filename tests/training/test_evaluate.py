"""What an evaluation reads, whether hours left plans and feature objects or only rows."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from tests.journeys.stores import DictStore, bucket_of
from tests.journeys.world import ISSUE, NOW, UNTIL, whole_hour
from training import evaluate, gate, tabled
from training.judged import judge, rows
from training.samples import first_issue, load_samples, source_of
from training.scores import Asked, collect, of_rows
from wattahead.domain.catalog import Catalog
from wattahead.domain.errors import Refused
from wattahead.domain.hours import DAY, HOUR
from wattahead.domain.plan import HourEvent
from wattahead.evaluation.scored import Scored
from wattahead.models.baseline import NAIVE_FEATURES, SeasonalNaive
from wattahead.queries.connection import connect
from wattahead.storage import timeseries
from wattahead.storage.catalogs import latest_catalog
from wattahead.storage.measures import save_metrics
from wattahead.storage.objects import Bucket
from wattahead.storage.tables import NAME, encode_table

RUN = "first"
ASKED = Asked("backfill", RUN, 0, ISSUE, "")
TIMES = [ISSUE - days * DAY for days in (6, 5, 4, 3, 2, 1)]


@pytest.fixture(scope="module")
def scored_world(trained_world: DictStore) -> DictStore:
    """Six hours of a backfill, five of them come true."""
    store = DictStore(dict(trained_world.objects))
    for at in TIMES:
        whole_hour(bucket_of(store), HourEvent(at, "backfill", RUN), now=NOW)
    return store


@pytest.fixture
def bucket(scored_world: DictStore) -> Bucket:
    return bucket_of(DictStore(dict(scored_world.objects)))


@pytest.fixture
def folder(scored_world: DictStore, tmp_path: Path) -> Path:
    for key, body in scored_world.objects.items():
        place = tmp_path / key
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(body)
    return tmp_path


def plain_rows(bucket: Bucket) -> pa.Table:
    return tabled.read(bucket, "backfill", RUN, 0, ISSUE, lambda _, __: None)


def catalog(bucket: Bucket) -> Catalog:
    return latest_catalog(bucket)[1]


def test_rows_alone_are_judged_as_the_planned_hours_they_came_from(bucket: Bucket) -> None:
    planned = collect(bucket, ASKED, now=NOW)
    alone = of_rows(bucket, plain_rows(bucket), catalog(bucket), now=NOW)

    assert [one.series for one in alone] == [one.series for one in planned]
    for one, other in zip(planned, alone, strict=True):
        assert (one.pool, one.version, one.level.tolist()) == (other.pool, other.version, other.level.tolist())
        np.testing.assert_array_equal(one.issue_times, other.issue_times)
        np.testing.assert_array_equal(one.truth, other.truth)
        for name, values in one.quantiles.items():
            np.testing.assert_array_equal(values, other.quantiles[name])
        np.testing.assert_allclose(one.scale, other.scale)
        naive = one.references["seasonal_naive"]
        assert np.isfinite(naive).any()
        np.testing.assert_allclose(naive, other.references["seasonal_naive"], rtol=1e-6)


def test_rows_in_any_order_are_judged_alike(bucket: Bucket) -> None:
    table = plain_rows(bucket)
    mixed = table.take(np.random.default_rng(1).permutation(table.num_rows))

    for one, other in zip(*(of_rows(bucket, held, catalog(bucket), now=NOW) for held in (table, mixed)), strict=True):
        np.testing.assert_array_equal(one.median, other.median)


def test_baselines_that_the_rows_bring_along_are_taken(bucket: Bucket) -> None:
    table = plain_rows(bucket)
    brought = table.append_column("climatology", table["p50"]).append_column("seasonal_naive", table["p90"])

    for one in of_rows(bucket, brought, catalog(bucket), now=NOW):
        np.testing.assert_array_equal(one.references["climatology"], one.median)
        np.testing.assert_array_equal(one.references["seasonal_naive"], one.quantiles["p90"])


def test_a_backtests_rows_are_found_by_pool_and_month_without_plans(bucket: Bucket) -> None:
    table = plain_rows(bucket).drop_columns("pool")
    for one in collect(bucket, ASKED, now=NOW)[:1]:
        chosen = table.filter(pc.equal(table["series_id"].cast(pa.string()), str(one.series)))
        key = f"backtests/forecasts/run=past/pool={one.pool}/issue_month=2026-02/{'ab' * 8}.parquet"
        bucket.create(key, encode_table(chosen))

        (found,) = collect(bucket, Asked("backtest", "past", 0, ISSUE), now=NOW)

        assert (found.series, found.pool) == (one.series, one.pool)
        np.testing.assert_array_equal(found.median, one.median)


def test_only_hours_between_the_times_asked_for_are_judged(bucket: Bucket) -> None:
    some = replace(ASKED, first=TIMES[1], last=TIMES[3])

    for one in collect(bucket, some, now=NOW):
        assert one.issue_times.tolist() == TIMES[1:4]
    table = tabled.read(bucket, "backfill", RUN, some.first, some.last, lambda _, __: None)
    assert sorted(set(table["issue_time"].cast(pa.int64()).to_pylist())) == TIMES[1:4]


def test_what_was_not_known_yet_has_not_come_true(bucket: Bucket) -> None:
    earlier = NOW - 2 * DAY

    for one in collect(bucket, ASKED, now=earlier):
        assert np.isnan(one.truth[one.valid_times + HOUR > earlier]).all()
        assert np.isfinite(one.truth[one.valid_times + 3 * HOUR < earlier]).any()


def test_somebody_elses_forecast_is_taken_as_it_was_known_at_the_issue_time(bucket: Bucket) -> None:
    one = collect(bucket, ASKED, now=NOW)[0]
    at = int(one.issue_times[2])
    valid = at + np.arange(24) * HOUR
    store_external(bucket, one, valid, made=at - HOUR, value=7.0)
    store_external(bucket, one, valid, made=at + HOUR, value=9.0)

    found = next(s for s in collect(bucket, replace(ASKED, external="other"), now=NOW) if s.series == one.series)

    assert (found.references["other"][2] == 7.0).all()
    assert (found.references["other"][3][np.isfinite(found.references["other"][3])] == 9.0).all()
    assert np.isnan(found.references["other"][0]).all()


def store_external(bucket: Bucket, one: Scored, valid: np.ndarray, *, made: int, value: float) -> None:
    moment = pa.array(np.full(len(valid), made)).view(pa.timestamp("us", tz="UTC"))
    table = pa.table(
        {
            "zone": pa.array([one.series.zone] * len(valid)).cast(NAME),
            "point": pa.array([0] * len(valid), pa.int16()),
            "nwp_init_time": moment,
            "available_at": moment,
            "valid_time": pa.array(valid).view(pa.timestamp("us", tz="UTC")),
            f"{one.series.key}_{one.series.subkey}": pa.array([value] * len(valid), pa.float32()),
        }
    )
    timeseries.store(bucket, timeseries.external("other"), table, closed_before=0)


def test_a_run_without_forecasts_is_refused_with_the_next_step(bucket: Bucket) -> None:
    with pytest.raises(Refused, match="E_FEAT_MISSING: no forecasts of backtest nobody between the times"):
        collect(bucket, Asked("backtest", "nobody", 0, ISSUE), now=NOW)


@pytest.mark.parametrize(("kind", "run"), [("live", "first"), ("backfill", ""), ("backtest", "")])
def test_a_kind_and_a_run_that_do_not_fit_are_refused(kind: str, run: str) -> None:
    with pytest.raises(Refused, match="E_EVENT_SHAPE"):
        Asked(kind, run, 0, ISSUE)


def test_the_promotion_gates_own_comparison_becomes_the_same_measures(bucket: Bucket) -> None:
    held = catalog(bucket)
    source = source_of(held, "wind", NAIVE_FEATURES)
    samples = load_samples(bucket, source, first_issue(UNTIL, "P30D"), UNTIL)
    naive = SeasonalNaive(held.pools["wind"].quantiles)
    found = gate.judged(samples, {"candidate": naive, "seasonal_naive": naive})

    scored = tabled.of_judged(found, "candidate", pool="wind", signal=source.signal, catalog=held, version="ab")

    told = gate.table(found, held.pools["wind"].quantiles)
    for one, measures in judge(scored):
        assert measures.of("mae").value == pytest.approx(told[one.series.zone]["candidate"]["mae"], rel=1e-5)
        assert measures.of("skill_seasonal_naive").value == 0.0
        assert (np.diff(one.issue_times) > 0).all()


def test_measures_are_saved_once_and_read_by_the_view(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    said = ["--bucket", str(folder), "--run", RUN, "--to", "2026-02-28T05:00Z"]
    of_trainings = set(folder.glob("metrics/**/*.parquet"))

    assert (evaluate.main(said), evaluate.main(said)) == (0, 0)

    assert len(set(folder.glob("metrics/**/*.parquet")) - of_trainings) == 1
    assert "synthetic: issue times 2026-02-23T05:00Z to 2026-02-28T05:00Z" in capsys.readouterr().out
    view = connect(str(folder))
    ((series, low),) = view.sql(
        "select count(distinct series_id), count(low) from metrics where metric = 'mae' and slice = 'all' "
        "and split = 'backfill' and run = 'first' and origin = 'synthetic' and unit = 'MW'"
    ).fetchall()
    assert (series, low) == (6, 6)
    assert view.sql("select count(*) from metrics where value is null").fetchall() == [(0,)]


def test_evaluating_what_is_not_there_ends_with_64(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert evaluate.main(["--bucket", str(folder), "--kind", "backtest", "--run", "nobody"]) == 64
    assert "E_FEAT_MISSING" in capsys.readouterr().err


def test_measures_of_forecasts_that_nothing_came_true_of_are_refused(bucket: Bucket) -> None:
    judged = judge(collect(bucket, ASKED, now=0))

    with pytest.raises(Refused, match="E_FEAT_NO_ROWS: nothing of these hours has come true yet"):
        rows(judged, split="backfill")


def test_judging_again_after_more_came_true_replaces_the_measure_in_the_view(
    folder: Path, scored_world: DictStore
) -> None:
    bucket = bucket_of(DictStore(dict(scored_world.objects)))
    for now in (NOW, NOW - 3 * DAY):
        table = rows(judge(collect(bucket, ASKED, now=now)), split="backfill", run_kind="backfill", run=RUN)
        key = save_metrics(bucket, table)
        place = folder / key
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(bucket.read(key, bytes))

    both = "select count(*), min(n), max(n) from {} where metric = 'mae' and slice = 'all' and split = 'backfill'"
    view = connect(str(folder))

    raw = f"read_parquet('{folder}/metrics/**/*.parquet', hive_partitioning=true)"
    ((held, fewer, more),) = view.sql(both.format(raw)).fetchall()
    assert (held, fewer < more) == (12, True)
    assert view.sql(both.format("metrics")).fetchall() == [(6, more, more)]


WRONG: dict[str, Callable[[pa.Table], pa.Table]] = {
    "E_FEAT_NO_ROWS": lambda table: table.slice(0, 0),
    "E_CONFIG": lambda table: table.set_column(
        table.column_names.index("split"), "split", pa.array(["holiday"] * table.num_rows).cast(NAME)
    ),
    "E_FEAT_COLUMN_MISSING": lambda table: table.drop_columns("metric"),
}


@pytest.mark.parametrize("code", WRONG)
def test_measures_that_nobody_could_read_are_not_saved(bucket: Bucket, code: str) -> None:
    table = rows(judge(collect(bucket, ASKED, now=NOW)[:1]), split="backfill")
    before = bucket.keys("metrics")

    with pytest.raises(Refused, match=code):
        save_metrics(bucket, WRONG[code](table))
    assert bucket.keys("metrics") == before


def test_the_same_measures_in_another_order_are_the_same_object(bucket: Bucket) -> None:
    table = rows(judge(collect(bucket, ASKED, now=NOW)), split="backfill")
    mixed = table.take(np.random.default_rng(2).permutation(table.num_rows))

    assert save_metrics(bucket, table) == save_metrics(bucket, mixed)
