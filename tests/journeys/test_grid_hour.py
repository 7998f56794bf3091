"""An hour of a pool of grids on the rails that forecasts run on, from stored states to ranked actions."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest

from tests.grid.worlds import FIVE, acted, islands, pool, solved, some_days
from tests.journeys.stores import DictStore, bucket_of
from tests.storage.faults import Around, Chosen, Crash, Fault, call, crash_after, crash_before, fail
from wattahead.domain.catalog import Catalog
from wattahead.domain.errors import Refused
from wattahead.domain.grid import Network
from wattahead.domain.hours import DAY, HOUR, MINUTE, instant
from wattahead.domain.plan import HourEvent
from wattahead.domain.quality import Quality
from wattahead.grid.candidates import Candidates
from wattahead.grid.states import States
from wattahead.jobs.build_features import build_features
from wattahead.jobs.finish import finish
from wattahead.jobs.plan import plan
from wattahead.jobs.promote import register_baselines
from wattahead.jobs.score import Scorer
from wattahead.storage.catalogs import publish_catalog
from wattahead.storage.ledger import entries
from wattahead.storage.objects import Bucket
from wattahead.storage.tables import encode_table, read_parquet
from wattahead.storage.timeseries import states as states_of
from wattahead.storage.timeseries import store as store_states
from wattahead.workloads.grid_action.stored import to_stored

ISSUE = instant("2026-03-01T05:00Z")
EVENT = HourEvent(ISSUE)
NOW = ISSUE + 30 * MINUTE
GRIDS = ("five_east", "five_west")
KEY = "grid_actions/issue_date=2026-03-01/issue_hour=05/screen-0000.parquet"


def world(grids: tuple[str, ...] = GRIDS, *, until: int = ISSUE, **changed: object) -> DictStore:
    """Return a store with a pool of grids, its baseline, and states of the two days before `until`, hour by hour."""
    store = DictStore()
    bucket = bucket_of(store)
    catalog = Catalog({}, {}, {}, {}, {"five": FIVE}, {"screen": pool(FIVE, grids, **changed)})
    publish_catalog(bucket, catalog)
    register_baselines(bucket, catalog)
    times = np.arange(until - 2 * DAY, until, HOUR) + HOUR
    some_days(bucket, FIVE, grids, times - 10 * MINUTE)
    some_days(bucket, FIVE, grids, times[:-1])
    return store


def hour(bucket: Bucket, *, now: int = NOW) -> pa.Table:
    plan(bucket, EVENT, now=now)
    build_features(bucket, EVENT, now=now)
    Scorer(bucket).score(EVENT, now=now)
    assert finish(bucket, EVENT, now=now).outcome == "ok"
    return bucket.read(KEY, lambda body: read_parquet(body, where=KEY))


def test_an_hour_of_grids_is_ranked_actions_of_every_grid_and_hour() -> None:
    rows = hour(bucket_of(world())).to_pylist()

    assert len(rows) == 2 * 24 * 11
    assert [row["series_id"] for row in rows] == sorted(row["series_id"] for row in rows)
    first = rows[:11]
    assert {row["valid_time"] for row in first} == {first[0]["valid_time"]}
    assert [row["rho_max"] for row in first] == sorted(row["rho_max"] for row in first)
    assert sum(row["action_id"] == "nothing" for row in first) == 1
    assert [row["rank"] for row in first[:10]] == list(range(1, 11))
    assert {row["model_name"] for row in rows} == {"linear_flows"}
    assert {row["fallback_level"] for row in rows} == {2}
    assert not any(row["verified"] for row in rows)
    assert {row["lead_time_minutes"] for row in rows} == set(range(0, 1440, 60))


def test_the_loading_of_every_action_is_the_one_it_would_have_in_a_linear_grid() -> None:
    store = world(("five_east",), until=ISSUE - 9 * DAY, top=60)
    state = some_days(bucket_of(store), FIVE, ("five_east",), np.array([ISSUE - 5 * MINUTE]))
    candidates = Candidates(FIVE)
    then = [acted(FIVE, state, one) for one in candidates.actions]
    told = [candidates.name(one) for one in candidates.actions]
    # Reactive power stays as it was: the linear answer is about active power.
    whole = {
        name: replace(solved(FIVE, one), line_q=state.line_q * (one.origin_bus > 0)).rho(FIVE).max()
        for name, one in zip(told, then, strict=True)
        if islands(FIVE, one) == 1
    }

    rows = [row for row in hour(bucket_of(store)).to_pylist() if row["lead_time_minutes"] == 0]

    assert {row["action_id"] for row in rows if row["fail_probability"] == 0} == set(whole)
    for row in rows:
        if row["action_id"] in whole:
            assert row["rho_max"] == pytest.approx(whole[row["action_id"]], rel=1e-4)


def test_a_grid_without_any_state_has_null_rows_that_say_so_and_leaves_its_neighbour_alone() -> None:
    store = world(("five_east",))
    catalog = Catalog({}, {}, {}, {}, {"five": FIVE}, {"screen": pool(FIVE, GRIDS)})
    publish_catalog(bucket_of(store), catalog)

    rows = hour(bucket_of(store)).to_pylist()

    lost = [row for row in rows if row["series_id"] == "five_west"]
    assert len(lost) == 24
    assert {row["rho_max"] for row in lost} == {None}
    assert {row["action_id"] for row in lost} == {None}
    assert all(row["quality_flags"] & Quality.NO_FORECAST for row in lost)
    assert {row["fallback_level"] for row in lost} == {4}
    assert len(rows) == 24 + 24 * 11


def test_late_states_are_waited_for_and_then_told() -> None:
    store = world(until=ISSUE - 5 * HOUR)
    bucket = bucket_of(store)
    plan(bucket, EVENT, now=ISSUE)

    assert build_features(bucket, EVENT, now=ISSUE + MINUTE).outcome == "waiting"
    rows = hour(bucket).to_pylist()

    assert all(row["quality_flags"] & Quality.TARGET_STALE for row in rows)
    assert all(row["quality_flags"] & Quality.DEADLINE_PASSED for row in rows)
    assert {row["input_age_minutes"] for row in rows} == {310}


def test_nothing_that_became_known_after_the_issue_time_moves_a_byte() -> None:
    quiet, loud = world(), world()
    every = np.arange(ISSUE - 2 * DAY, ISSUE + DAY, 5 * MINUTE)
    some_days(bucket_of(loud), FIVE, GRIDS, every, seed=9, known_at=ISSUE + MINUTE)
    hour(bucket_of(quiet))

    hour(bucket_of(loud))

    made = [key for key in quiet.objects if key.startswith(("features/", "grid_actions/"))]
    assert len(made) == 2
    assert all(loud.objects[key] == quiet.objects[key] for key in made)


def test_injections_that_somebody_stated_for_an_hour_to_come_are_used_for_that_hour() -> None:
    plain, told = world(("five_east",)), world(("five_east",))
    some_days(bucket_of(told), FIVE, ("five_east",), np.array([ISSUE + 3 * HOUR]), seed=5, known_at=ISSUE - HOUR)

    before, after = (hour(bucket_of(one)).to_pylist() for one in (plain, told))

    changed = {row["lead_time_minutes"] for row, was in zip(after, before, strict=True) if row != was}
    assert changed == {180}


def test_the_same_hour_again_is_a_duplicate_and_writes_the_same_bytes() -> None:
    one, other = world(), world()
    hour(bucket_of(one))
    hour(bucket_of(other))

    assert one.objects[KEY] == other.objects[KEY]
    assert Scorer(bucket_of(one)).score(EVENT, now=NOW).outcome == "duplicate"


@pytest.mark.parametrize("grid", GRIDS)
def test_rows_of_a_grid_do_not_depend_on_its_neighbours(grid: str) -> None:
    both = hour(bucket_of(world())).to_pylist()
    store = world()
    alone = Catalog({}, {}, {}, {}, {"five": FIVE}, {"screen": pool(FIVE, (grid,))})
    publish_catalog(bucket_of(store), alone)

    found = hour(bucket_of(store)).to_pylist()

    drop = {"run_id"}
    assert [{k: v for k, v in row.items() if k not in drop} for row in found] == [
        {k: v for k, v in row.items() if k not in drop} for row in both if row["series_id"] == grid
    ]


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


def test_an_action_that_cuts_the_grid_in_two_stands_behind_all_that_do_not() -> None:
    rows = [row for row in hour(bucket_of(world(("five_east",), top=60))).to_pylist() if row["lead_time_minutes"] == 0]

    certain = [row["fail_probability"] for row in rows]
    assert certain == sorted(certain)
    assert {row["p10"] for row in rows} == {None}


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


def test_estimated_flows_are_solved_where_a_simulator_is_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    from wattahead.jobs import grid_features

    offered = replace(FIVE, environment="made_up")
    asked: list[int] = []

    def settle(network: Network, states: States) -> tuple[States, np.ndarray]:
        asked.append(len(states))
        failed = np.arange(len(states)) == 0  # the first has no solution
        return replace(solved(network, states), line_q=states.line_q), failed

    def flags_of(found: pa.Table) -> dict[int, int]:
        return dict(zip(found["lead_time_minutes"].to_pylist(), found["quality_flags"].to_pylist(), strict=True))

    plain, exact = rewired(FIVE), rewired(offered)
    estimated = flags_of(hour(bucket_of(plain)))
    monkeypatch.setattr(grid_features, "power_flow", lambda: settle)
    told = flags_of(hour(bucket_of(exact)))

    leads = [lead for lead, flags in estimated.items() if flags & Quality.FLOWS_ESTIMATED]
    assert len(leads) == asked[0] == 23
    assert [lead for lead, flags in told.items() if flags & Quality.FLOWS_ESTIMATED] == leads[:1]


def rewired(network: Network) -> DictStore:
    """Return a store in which a line was opened in the hour before the issue time."""
    store = DictStore()
    bucket = bucket_of(store)
    catalog = Catalog({}, {}, {}, {}, {"five": network}, {"screen": pool(network, ("five_east",))})
    publish_catalog(bucket, catalog)
    register_baselines(bucket, catalog)
    before = some_days(bucket, network, ("five_east",), np.arange(ISSUE - DAY, ISSUE, HOUR))
    now = solved(network, acted(network, before.take(slice(-1, None)), Candidates(network).actions[3]))
    at = np.array([ISSUE])
    store_states(bucket, states_of("five"), to_stored(network, ("five_east",), at, at, now), closed_before=0)
    return store


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
