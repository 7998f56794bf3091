"""An hour of grids when something is wrong: crashes, passing faults, damaged objects, states that cannot be."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest

from tests.grid.worlds import FIVE, some_days
from tests.journeys.grids import EVENT, ISSUE, KEY, NOW, hour, rewired, world
from tests.journeys.stores import DictStore, bucket_of
from tests.storage.faults import Around, Chosen, Crash, Fault, call, crash_after, crash_before, fail
from wattahead.domain.errors import Refused
from wattahead.domain.grid import Network
from wattahead.domain.hours import HOUR, MINUTE
from wattahead.domain.quality import Quality
from wattahead.grid.states import States
from wattahead.jobs.build_features import build_features
from wattahead.jobs.plan import plan
from wattahead.jobs.score import Scorer
from wattahead.storage.ledger import entries
from wattahead.storage.tables import encode_table, read_parquet
from wattahead.storage.timeseries import states as states_of
from wattahead.storage.timeseries import store as store_states


def test_a_damaged_feature_object_gives_null_rows_not_an_error() -> None:
    store = world()
    bucket = bucket_of(store)
    plan(bucket, EVENT, now=NOW)
    build_features(bucket, EVENT, now=NOW)
    (key,) = [one for one in store.objects if one.startswith("features/")]
    store.objects[key] = store.objects[key][:-20] + bytes(20)

    Scorer(bucket).score(EVENT, now=NOW)

    rows = bucket.read(KEY, lambda body: read_parquet(body, where=KEY)).to_pylist()
    assert len(rows) == 48
    assert all(row["quality_flags"] & Quality.NO_FORECAST for row in rows)


@pytest.mark.parametrize("cut", [crash_before, crash_after])
def test_a_crash_at_any_storage_call_then_a_retry_ends_with_the_rows_of_a_clean_hour(
    cut: Callable[[Chosen], Fault],
) -> None:
    before = world()
    clean = Around(DictStore(dict(before.objects)))
    hour(bucket_of(clean))
    expected = clean.inner.get(KEY)
    wrong = []

    for number in range(1, len(clean.calls) + 1):
        store = DictStore(dict(before.objects))
        with pytest.raises(Crash):
            hour(bucket_of(Around(store, cut(call(number)))))
        hour(bucket_of(store))
        if store.objects[KEY] != expected:
            wrong.append(number)

    assert wrong == []
    assert len(clean.calls) > 10


def test_a_passing_fault_of_the_storage_is_retried_and_never_freezes_null_rows() -> None:
    store = world()
    for number in range(1, 20):
        once = DictStore(dict(store.objects))

        rows = hour(bucket_of(Around(once, fail(call(number))))).to_pylist()

        assert {row["fallback_level"] for row in rows} == {2}


def broken(store: DictStore, grid: str, change: Callable[[pa.Table], pa.Table]) -> None:
    """Store a newer state of a grid, changed."""
    times = np.array([ISSUE - 5 * MINUTE])
    aside = DictStore()
    some_days(bucket_of(aside), FIVE, (grid,), times, seed=7)
    (key,) = aside.objects
    table = read_parquet(aside.objects[key], where=key)
    store_states(bucket_of(store), states_of("five"), change(table), closed_before=0)


def put(name: str, row: int, value: float | None) -> Callable[[pa.Table], pa.Table]:
    def change(table: pa.Table) -> pa.Table:
        held = table[name].to_pylist()
        held[row] = value
        return table.set_column(table.column_names.index(name), name, pa.array(held, table[name].type))

    return change


@pytest.mark.parametrize(
    ("name", "row", "value"),
    [("bus", 3, None), ("bus", 3, 3.0), ("extremity_bus", 0, None), ("v", 2, 0.0), ("p", 1, None), ("p", 9, 1e30),
     ("point", 4, -1), ("point", 4, 99)],
)  # fmt: skip
def test_a_state_with_a_bad_row_is_passed_over_and_its_neighbour_does_not_notice(
    name: str, row: int, value: float | None
) -> None:
    clean, dirty = world(), world()
    broken(dirty, "five_west", put(name, row, value))

    expected, found = (hour(bucket_of(one)) for one in (clean, dirty))

    assert found.equals(expected)


def test_a_torn_revision_of_one_moment_says_nothing_of_any_other() -> None:
    clean, torn = world(), world()
    for seed in (1, 2):  # two states of one moment, known at once, that say different things
        at = np.array([ISSUE - 40 * HOUR])
        some_days(bucket_of(torn), FIVE, ("five_east",), at, seed=seed, known_at=ISSUE - 30 * HOUR)

    expected, found = (
        [row for row in hour(bucket_of(one)).to_pylist() if row["lead_time_minutes"] == 0] for one in (clean, torn)
    )

    assert found == expected


def test_a_feature_object_of_another_network_gives_null_rows_that_say_so() -> None:
    store = world()
    bucket = bucket_of(store)
    plan(bucket, EVENT, now=NOW)
    build_features(bucket, EVENT, now=NOW)
    (key,) = [one for one in store.objects if one.startswith("features/")]
    table = read_parquet(store.objects[key], where=key)
    short = pa.array([held[:-1] for held in table["load_p"].to_pylist()], table["load_p"].type)
    store.objects[key] = encode_table(table.set_column(table.column_names.index("load_p"), "load_p", short))

    Scorer(bucket).score(EVENT, now=NOW)

    rows = bucket.read(KEY, lambda body: read_parquet(body, where=KEY)).to_pylist()
    assert {row["rho_max"] for row in rows} == {None}
    (told,) = [one for one in entries(bucket) if one.job == "score"]
    assert "E_FEAT_DTYPE" in told.errors[""]


def test_a_simulator_of_another_network_leaves_flows_estimated_and_the_reason_in_the_ledger(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from wattahead.jobs import grid_features

    def refuse(network: Network, _: States) -> tuple[States, np.ndarray]:
        raise Refused("E_CONFIG", f"{network.name} is another network", fix="install its simulator")

    monkeypatch.setattr(grid_features, "power_flow", lambda: refuse)
    store = rewired(replace(FIVE, environment="made_up"))

    rows = hour(bucket_of(store)).to_pylist()

    assert any(row["quality_flags"] & Quality.FLOWS_ESTIMATED for row in rows)
    (told,) = [one for one in entries(bucket_of(store)) if one.job == "features"]
    assert "another network" in told.errors[""]
