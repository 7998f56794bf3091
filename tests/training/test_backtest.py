"""Backtests: the calendar, models found again, equal rows predicted once, and a run that goes on after a kill."""

import signal
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.journeys.stores import DictStore, bucket_of
from tests.journeys.world import UNTIL, rows
from training.backtest import __main__ as program
from training.backtest.once import Once
from training.backtest.question import Question, asked_of, pin, with_window
from training.backtest.run import Backtest, Done
from training.backtest.schedule import months
from training.backtest.speed import compared
from training.stopping import Stop, Stopped
from wattahead.domain.catalog import Catalog
from wattahead.domain.errors import Refused
from wattahead.domain.hours import DAY, HOUR, instant, iso, month_of
from wattahead.models.rows import Rows
from wattahead.storage import keys
from wattahead.storage.catalogs import latest_catalog, publish_catalog
from wattahead.storage.documents import encode
from wattahead.storage.ledger import entries
from wattahead.storage.objects import Bucket, open_bucket
from wattahead.storage.tables import read_parquet

LAST = instant("2026-03-01T04:00Z")
START = instant("2020-12-10T07:00Z")
BACKTESTS = "backtests/forecasts/"


# --- the calendar --------------------------------------------------------------------------------------------------


@given(
    hours=st.integers(0, 4000),
    every=st.integers(1, 50),
    period=st.sampled_from(["P7D", "P28D", "PT36H", "P1M", "never"]),
)
def test_every_issue_time_is_served_once_by_the_newest_model_that_was_trained_before_it(
    hours: int, every: int, period: str
) -> None:
    found = months(START, START + hours * HOUR, every * HOUR, period)

    times = np.concatenate([month.issue_times for month in found])
    assert times.tolist() == list(range(START, START + hours * HOUR + 1, every * HOUR))
    legs = [leg for month in found for leg in month.legs]
    assert all(leg.until <= leg.issue_times[0] for leg in legs)
    assert [leg.until for leg in legs] == sorted(leg.until for leg in legs)
    assert all(len({month_of(int(at)) for at in month.issue_times}) == 1 for month in found)
    assert len({month_of(month.first) for month in found}) == len(found)
    longest = {"P7D": 7, "P28D": 28, "PT36H": 1.5, "P1M": 31, "never": np.inf}[period]
    assert all(leg.issue_times[-1] < leg.until + longest * DAY for leg in legs)


def test_monthly_training_is_on_the_first_of_a_month_and_weekly_training_counts_from_the_first_issue() -> None:
    def trained(period: str) -> list[str]:
        found = months(START, START + 40 * DAY, DAY, period)
        return list(dict.fromkeys(iso(leg.until) for month in found for leg in month.legs))

    assert trained("P1M") == ["2020-12-10T07:00Z", "2021-01-01T00:00Z"]
    assert trained("P28D") == ["2020-12-10T07:00Z", "2021-01-07T07:00Z"]
    assert trained("never") == ["2020-12-10T07:00Z"]


@pytest.mark.parametrize(
    "asked",
    [
        (START, START - HOUR, HOUR, "never"),
        (START, START, HOUR // 2, "never"),
        (START + 1, START + DAY, HOUR, "never"),
        (START, START + DAY, HOUR, "PT30M"),
        (START, START + DAY, HOUR, "sometimes"),
    ],
)
def test_a_calendar_that_does_not_hold_is_refused(asked: tuple[int, int, int, str]) -> None:
    with pytest.raises(Refused, match="E_CONFIG"):
        months(*asked)


# --- equal rows ----------------------------------------------------------------------------------------------------


@dataclass
class RowWise:
    """A model whose answer for a row depends on that row, its scale and its zone; it counts what it is asked."""

    asked: int = 0

    def usable(self, rows: Rows) -> np.ndarray:
        return np.isfinite(rows.scale)

    def predict(self, rows: Rows) -> np.ndarray:
        self.asked += rows.block.shape[1]
        number = np.repeat([float(ord(zone[0])) for zone in rows.zones], rows.steps)
        known = np.where(np.isnan(rows.columns(("hour", "wind"))), 0.1, rows.columns(("hour", "wind"))).astype(float)
        return np.stack([known[0] / 3 + known[1] * share + number for share in (0.1, 0.5, 0.9)]) * rows.row_scale


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["A", "B"]),
            st.sampled_from([1.0, 3.7, 1e5]),
            st.lists(st.sampled_from([0.0, -0.0, 1.5, np.nan, 1e30]), min_size=6, max_size=6),
        ),
        min_size=1,
        max_size=12,
    )
)
def test_predicting_equal_rows_once_changes_no_bit(series: list[tuple[str, float, list[float]]]) -> None:
    held = np.array([values for _, _, values in series], dtype=np.float32).reshape(-1, 2, 3)
    block = np.concatenate([held.transpose(1, 0, 2).reshape(2, -1), np.arange(held.size // 2, dtype=np.float32)[None]])
    asked = Rows(
        tuple(zone for zone, _, _ in series), 3, ("hour", "wind", "lead"), block, np.array([s for _, s, _ in series])
    )

    found = Once(RowWise(), ("hour", "wind")).predict(asked)

    assert found.tobytes() == RowWise().predict(asked).tobytes()


def test_an_hour_that_comes_again_at_every_issue_time_is_asked_about_once() -> None:
    valid = np.arange(24)[:, None] + np.arange(24)  # hourly issues of a day, 24 hours each
    block = np.stack([valid % 24, np.sin(valid)]).astype(np.float32).reshape(2, -1)
    model = RowWise()

    Once(model, ("hour", "wind")).predict(Rows(("A",) * 24, 24, ("hour", "wind"), block, np.full(24, 5.0)))

    assert model.asked == 47


# --- a run ---------------------------------------------------------------------------------------------------------


@dataclass
class Struck(DictStore):
    """Sends this process SIGTERM just behind the first put whose key begins with `when`."""

    when: str = "never"
    puts: list[str] = field(default_factory=list)

    def create(self, key: str, body: bytes) -> None:
        super().create(key, body)
        self.puts.append(key)
        if key.startswith(self.when):
            self.when = "never"
            signal.raise_signal(signal.SIGTERM)


@pytest.fixture(scope="module")
def few_trees(untrained_world: DictStore) -> Catalog:
    _, catalog = latest_catalog(bucket_of(untrained_world))
    wind = replace(catalog.pools["wind"], parameters={"rounds": 10, "leaves": 4, "folds": 2})
    return replace(catalog, pools={**catalog.pools, "wind": wind})


@pytest.fixture(scope="module")
def asked(few_trees: Catalog) -> Question:
    """Nine issue times in two months, with a model each."""
    return asked_of(few_trees, "wind", UNTIL, LAST, 6 * HOUR, "P1M", run="nine")


@pytest.fixture(scope="module")
def whole(untrained_world: DictStore, few_trees: Catalog, asked: Question) -> Struck:
    """A world in which the run was never stopped."""
    store = Struck(dict(untrained_world.objects))
    done = Backtest(bucket_of(store), few_trees, asked).run()
    assert (done.months, done.origins, done.rows) == (2, 9, 9 * 2 * 24)
    return store


def go(bucket: Bucket, catalog: Catalog, asked: Question) -> tuple[Done | None, list[str]]:
    """Run as the program does; return what was done, or None if it was stopped, and what it said."""
    stop, said = Stop(), list[str]()
    try:
        with stop.listening():
            return Backtest(bucket, catalog, asked, say=said.append, stop=stop).run(), said
    except Stopped:
        return None, said


@pytest.mark.parametrize("when", ["backtests/models/", BACKTESTS, "models/bundles/"])
def test_a_run_that_was_stopped_goes_on_and_ends_with_the_same_bytes(
    untrained_world: DictStore, few_trees: Catalog, asked: Question, whole: Struck, when: str
) -> None:
    store = Struck(dict(untrained_world.objects), when=when)

    first, _ = go(bucket_of(store), few_trees, asked)
    second, said = go(bucket_of(store), few_trees, asked)

    assert first is None
    assert second is not None
    for root in ("backtests/", "models/", "plans/"):
        assert rows(store.objects, root) == rows(whole.objects, root)
    outcomes = [entry.outcome for entry in entries(bucket_of(store))]
    if when == BACKTESTS:  # the month and its ledger entry were written before the end came
        assert sorted(outcomes) == ["ok", "ok"]
        assert second.there == 1
    else:
        assert sorted(outcomes) == ["failed", "ok", "ok"]
    assert (f"the model of {iso(UNTIL)} was there" in said) == (when == "backtests/models/")


def test_a_run_that_is_whole_is_not_done_again(few_trees: Catalog, asked: Question, whole: Struck) -> None:
    store = Struck(dict(whole.objects))

    done, said = go(bucket_of(store), few_trees, asked)

    assert done is not None
    assert (done.there, done.months, said, store.puts) == (
        2,
        0,
        [],
        [],
    )


def test_a_run_leaves_the_registry_alone_and_tells_the_ledger(
    untrained_world: DictStore, asked: Question, whole: Struck
) -> None:
    assert rows(whole.objects, "models/registry/") == rows(untrained_world.objects, "models/registry/")
    first, second = entries(bucket_of(whole))
    assert [one.issue_time for one in (first, second)] == [UNTIL, instant("2026-03-01T00:00Z")]
    assert (first.job, first.run_kind, first.run, first.pool) == ("backtest", "backtest", asked.run, "wind")
    assert first.outcomes == {"champion": ("SY-0001/production/wind", "SY-0002/production/wind")}
    assert first.rows + second.rows == 9 * 2 * 24
    assert first.requests["puts"] > 1


def test_a_month_is_one_object_sorted_by_series_issue_time_and_valid_time(whole: Struck) -> None:
    found = {key: read_parquet(body, where=key) for key, body in rows(whole.objects, BACKTESTS).items()}

    assert [key.split("/")[2:5] for key in sorted(found)] == [
        ["run=nine", "pool=wind", "issue_month=2026-02"],
        ["run=nine", "pool=wind", "issue_month=2026-03"],
    ]
    for table in found.values():
        by = [(name, "ascending") for name in ("series_id", "issue_time", "valid_time")]
        plain = table.set_column(0, "series_id", table["series_id"].cast(pa.string()))
        assert plain.sort_by(by).equals(plain)


def test_another_question_under_the_same_run_is_refused(few_trees: Catalog, asked: Question) -> None:
    bucket = open_bucket("memory://questions")
    pin(bucket, asked)
    pin(bucket, asked)

    other = asked_of(with_window(few_trees, "wind", "P60D"), "wind", UNTIL, LAST, 6 * HOUR, "P1M", run="nine")
    with pytest.raises(Refused, match="begun with another rules"):
        pin(bucket, other)
    with pytest.raises(Refused, match="begun with another every"):
        pin(bucket, replace(asked, every=HOUR))


def test_a_run_without_a_name_is_named_after_its_question(few_trees: Catalog) -> None:
    def named(every: int) -> str:
        return asked_of(few_trees, "wind", UNTIL, LAST, every, "never").run

    assert named(HOUR) == named(HOUR) != named(2 * HOUR)
    assert named(HOUR).startswith("wind-")


def test_what_became_known_later_changes_no_model(
    untrained_world: DictStore, few_trees: Catalog, asked: Question, whole: Struck
) -> None:
    early = rows(whole.objects, "backtests/models/")
    store = DictStore({key: body for key, body in untrained_world.objects.items() if "month=2026-03" not in key})

    held = Backtest(bucket_of(store), few_trees, asked).model(UNTIL).held

    assert encode(held) in early.values()
    assert held.effective_from == UNTIL


def test_the_rows_are_compared_with_live_scoring_at_the_end(
    untrained_world: DictStore, few_trees: Catalog, asked: Question
) -> None:
    store = DictStore(dict(untrained_world.objects))
    job = Backtest(bucket_of(store), few_trees, asked)
    job.run()
    before = dict(store.objects)

    lines, same = compared(job)

    assert same
    assert "times the" in lines[1]
    (kept,) = set(store.objects) - set(before)  # the hours that were tried left nothing but their outcome
    assert kept == keys.backtest_check("nine", "wind")


# --- the command ---------------------------------------------------------------------------------------------------


@pytest.fixture
def folder(tmp_path: Path, whole: Struck, few_trees: Catalog) -> Callable[..., int]:
    bucket = open_bucket(str(tmp_path))
    for key, body in whole.objects.items():
        bucket.create(key, body)
    publish_catalog(bucket, few_trees)

    def run(*words: str) -> int:
        span = ["--from", "2026-02-27T00:00Z", "--to", "2026-03-01T04:00Z", "--issue-every", "PT6H"]
        return program.main([*words, *span, "--retrain-every", "P1M", "--bucket", str(tmp_path)])

    return run


def test_the_command_prints_the_table_of_evaluate(
    folder: Callable[..., int], capsys: pytest.CaptureFixture[str]
) -> None:
    assert folder("wind", "--run", "nine") == 0

    told = capsys.readouterr()
    assert "every month was there" in told.err
    assert "SY-0001/production/wind" in told.out
    assert "naive" in told.out


def test_a_wrong_question_is_answered_with_what_there_is(
    folder: Callable[..., int], capsys: pytest.CaptureFixture[str]
) -> None:
    assert folder("water") == 64
    assert "there is no pool 'water'" in capsys.readouterr().err
    assert folder("wind", "--run", "nine", "--seed", "2") == 64
    assert "begun with another seed" in capsys.readouterr().err
