"""An hour of a pool of grids on the rails that forecasts run on, from stored states to ranked actions."""

from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest

from tests.grid.worlds import FIVE, acted, islands, pool, solved, some_days
from tests.journeys.grids import EVENT, GRIDS, ISSUE, KEY, NOW, hour, rewired, world
from tests.journeys.stores import bucket_of
from wattahead.domain.catalog import Catalog
from wattahead.domain.grid import Network
from wattahead.domain.hours import DAY, HOUR, MINUTE
from wattahead.domain.quality import Quality
from wattahead.grid.candidates import Candidates
from wattahead.grid.states import States
from wattahead.jobs.build_features import build_features
from wattahead.jobs.plan import plan
from wattahead.jobs.score import Scorer
from wattahead.storage.catalogs import publish_catalog


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


def test_an_action_that_cuts_the_grid_in_two_stands_behind_all_that_do_not() -> None:
    rows = [row for row in hour(bucket_of(world(("five_east",), top=60))).to_pylist() if row["lead_time_minutes"] == 0]

    certain = [row["fail_probability"] for row in rows]
    assert certain == sorted(certain)
    assert {row["p10"] for row in rows} == {None}


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
