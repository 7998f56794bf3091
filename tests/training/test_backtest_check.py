"""The hours that a backtest tries again: what they told is kept, told again, and made up for where nobody lived to."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pytest

from tests.journeys.stores import DictStore, bucket_of
from tests.journeys.world import UNTIL, rows
from training.backtest import __main__ as program
from training.backtest.question import Question, asked_of
from training.backtest.run import Backtest
from training.backtest.speed import NOT_THE_SAME, compared
from training.parsing import FAILED
from wattahead.domain.catalog import Catalog
from wattahead.domain.hours import DAY, HOUR, instant, iso
from wattahead.storage import keys
from wattahead.storage.catalogs import latest_catalog, publish_catalog
from wattahead.storage.objects import open_bucket
from wattahead.storage.tables import encode_table, read_parquet

LAST = UNTIL + 12 * HOUR
ROWS = "backtests/forecasts/"


@pytest.fixture(scope="module")
def naive(untrained_world: DictStore) -> Catalog:
    """Wind by a baseline: what is asked here does not depend on the model."""
    _, catalog = latest_catalog(bucket_of(untrained_world))
    wind = replace(catalog.pools["wind"], trainer="seasonal_naive", parameters={})
    return replace(catalog, pools={**catalog.pools, "wind": wind})


@pytest.fixture(scope="module")
def asked(naive: Catalog) -> Question:
    """Three issue times of one model."""
    return asked_of(naive, "wind", UNTIL, LAST, 6 * HOUR, "never", run="three")


@pytest.fixture(scope="module")
def unchecked(untrained_world: DictStore, naive: Catalog, asked: Question) -> DictStore:
    """A run whose process ended behind its last month."""
    store = DictStore(dict(untrained_world.objects))
    publish_catalog(bucket_of(store), naive)
    assert Backtest(bucket_of(store), naive, asked).run().months == 1
    return store


@pytest.fixture
def store(unchecked: DictStore) -> DictStore:
    return DictStore(dict(unchecked.objects))


def later(store: DictStore, catalog: Catalog, asked: Question) -> tuple[list[str], bool]:
    """Answer as another process does that is given the same command."""
    job = Backtest(bucket_of(store), catalog, asked)
    job.run()
    assert not job.done.origins
    return compared(job)


def spoilt(store: DictStore) -> None:
    """Change a row of the run, as data would that came in behind its scoring."""
    ((key, body),) = rows(store.objects, ROWS).items()
    table = read_parquet(body, where=key)
    values = table["p50"].to_pylist()
    changed = pa.array([values[0] + 1.0, *values[1:]], table["p50"].type)
    store.objects[key] = encode_table(table.set_column(table.column_names.index("p50"), "p50", changed))


def test_a_check_that_nobody_lived_to_make_is_made_by_the_next_call_and_once(
    store: DictStore, naive: Catalog, asked: Question
) -> None:
    before = set(store.objects)

    first = later(store, naive, asked)
    (kept,) = set(store.objects) - before
    held = dict(store.objects)
    del store.objects[next(iter(rows(store.objects, "backtests/models/")))]  # what trying hours again would need

    assert kept == keys.backtest_check("three", "wind")
    assert first == later(store, naive, asked)
    assert first[1]
    assert first[0] == [
        "every month was there: nothing was done",
        "the last month's rows are those of live scoring, tried in 3 hours",
    ]
    assert set(held) - set(store.objects) == set(rows(held, "backtests/models/"))


def test_rows_that_are_others_are_told_of_by_every_later_call(
    store: DictStore, naive: Catalog, asked: Question
) -> None:
    spoilt(store)

    lines, same = later(store, naive, asked)

    assert not same
    assert lines[-1] == f"{NOT_THE_SAME}: {iso(UNTIL)} p50"
    assert later(store, naive, asked) == (lines, False)


# --- the command -----------------------------------------------------------------------------------------------------


@pytest.fixture
def command(store: DictStore, tmp_path: Path) -> Callable[..., int]:
    """Give the command over a folder that holds the store as it is at the first call."""

    def run(first: int = UNTIL, last: int = LAST, name: str = "three") -> int:
        bucket = open_bucket(str(tmp_path))
        for key, body in store.objects.items():
            bucket.create(key, body)
        span = ["--from", iso(first), "--to", iso(last), "--issue-every", "PT6H", "--retrain-every", "never"]
        return program.main(["wind", "--bucket", str(tmp_path), "--run", name, *span])

    return run


def test_the_command_ends_with_1_as_long_as_the_rows_are_others_and_judges_them_all_the_same(
    store: DictStore, command: Callable[..., int], capsys: pytest.CaptureFixture[str]
) -> None:
    spoilt(store)

    for _ in range(2):
        assert command() == FAILED
        told = capsys.readouterr()
        assert NOT_THE_SAME in told.err
        assert "SY-0001/production/wind" in told.out


def test_the_command_ends_with_0_twice_where_the_rows_are_the_same(
    command: Callable[..., int], capsys: pytest.CaptureFixture[str]
) -> None:
    assert (command(), command()) == (0, 0)
    assert capsys.readouterr().err.count("are those of live scoring, tried in 3 hours") == 2


def test_a_whole_run_that_has_not_come_true_ends_with_0_and_says_so(
    command: Callable[..., int], capsys: pytest.CaptureFixture[str]
) -> None:
    first = instant("2026-03-02T00:00Z")

    assert command(first, first + DAY, "coming") == 0

    said = capsys.readouterr().err
    assert "every month is there, but nothing of these hours has come true yet: " in said
    assert "--kind backtest --run coming evaluates it later" in said
