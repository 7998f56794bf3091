"""Training a pool of grids, from made-up sets to rows that its champion serves, and to those that serve without it."""

from dataclasses import replace
from functools import cache

import numpy as np
import pyarrow as pa
import pytest

from tests.grid.worlds import FIVE, pool
from tests.journeys.grids import ISSUE, hour, world
from tests.journeys.stores import DictStore, bucket_of
from tests.training.grid.sets import bent_dataset
from training.grid import gate
from training.grid.simulation.dataset import Dataset
from training.grid.train import TEST, Trained, train
from wattahead.domain.catalog import Catalog
from wattahead.domain.errors import Refused
from wattahead.domain.hours import DAY
from wattahead.domain.plan import HourEvent
from wattahead.jobs.build_features import build_features
from wattahead.jobs.plan import plan
from wattahead.jobs.score import Scorer
from wattahead.queries.views import METRICS
from wattahead.storage.registry import latest
from wattahead.storage.tables import read_parquet

SMALL = {"rounds": 30.0, "leaves": 15.0}
UNTIL = ISSUE - DAY


def sets(seed: int = 1) -> dict[str, Dataset]:
    """Return sets in which loading grows faster than the linear answer says."""
    return {name: bent_dataset(60, seed + number) for number, name in enumerate((TEST, "outages"))}


def catalog_of(**changed: object) -> Catalog:
    held = pool(FIVE, ("five_east", "five_west"), **{"parameters": SMALL, **changed})
    return Catalog({}, {}, {}, {}, {"five": FIVE}, {"screen": held})


def trained(store: DictStore, catalog: Catalog, *, until: int = UNTIL, seed: int = 0) -> Trained:
    return train(bucket_of(store), catalog, "screen", sets(), until=until, seed=seed, progress=lambda _: None)


@cache
def finished() -> tuple[dict[str, bytes], Trained]:
    """Return a world whose pool of grids has a champion, and what its training came to. Nobody writes to it."""
    store = world(parameters=SMALL)
    done = trained(store, catalog_of())
    return store.objects, done


@pytest.fixture
def store() -> DictStore:
    return DictStore(dict(finished()[0]))


def values(rows: pa.Table, name: str) -> set[object]:
    return set(rows[name].to_pylist())


def test_a_better_screen_is_promoted_and_serves_with_bands(store: DictStore) -> None:
    done = finished()[1]

    rows = hour(bucket_of(store))

    assert done.promoted
    assert done.entry.reason.startswith("better than linear flows")
    assert values(rows, "model_name") == {"screen"}
    assert values(rows, "fallback_level") == {0}
    assert None not in values(rows, "p10") | values(rows, "p90")
    assert all(low <= mid <= high for low, mid, high in zip(
        *(rows[name].to_pylist() for name in ("p10", "rho_max", "p90")), strict=True))  # fmt: skip


def test_every_measure_of_every_model_is_saved_and_the_page_is_there(store: DictStore) -> None:
    done = finished()[1]
    (key,) = [one for one in store.objects if one.startswith("metrics/")]
    told = read_parquet(store.objects[key], where=key)

    assert set(told.column_names) == set(METRICS)
    assert values(told, "slice_value") == {
        f"{one}, {model}"
        for one in (TEST, "outages")
        for model in ("candidate", "linear flows", "mean of the action", "doing nothing")
    }
    assert {"rmse", "r2", "overload_auc", "top_10", "regret_5", "coverage"} <= values(told, "metric")
    assert b"Screening of actions in five" in store.objects[done.page]


def test_a_champion_that_is_damaged_leaves_its_place_to_the_linear_answer(store: DictStore) -> None:
    entry = latest(bucket_of(store), "screen")
    assert entry
    champion = entry.rung("champion")
    assert champion
    (key,) = [one for one in store.objects if champion.bundle_id in one and one.endswith("median.txt")]
    store.objects[key] = store.objects[key].replace(b"split_gain", b"split_loss", 1)

    rows = hour(bucket_of(store))

    assert values(rows, "model_name") == {"linear_flows"}
    assert values(rows, "fallback_level") == {2}
    assert values(rows, "p10") == {None}


def test_the_last_attempt_is_served_without_native_code(store: DictStore) -> None:
    bucket = bucket_of(store)
    event = HourEvent(ISSUE, batch="screen-0000", final_attempt=True)
    plan(bucket, HourEvent(ISSUE), now=ISSUE)
    build_features(bucket, HourEvent(ISSUE), now=ISSUE + DAY // 24)

    Scorer(bucket).score(event, now=ISSUE + DAY // 24)

    (key,) = [one for one in store.objects if one.startswith("grid_actions/")]
    assert values(read_parquet(store.objects[key], where=key), "model_name") == {"linear_flows"}


def test_a_ridge_serves_the_last_attempt_too(store: DictStore) -> None:
    lines = world()
    done = trained(lines, catalog_of(trainer="ridge", parameters={}))
    assert done.promoted
    bucket = bucket_of(lines)
    plan(bucket, HourEvent(ISSUE), now=ISSUE)
    build_features(bucket, HourEvent(ISSUE), now=ISSUE + DAY // 24)

    Scorer(bucket).score(HourEvent(ISSUE, batch="screen-0000", final_attempt=True), now=ISSUE + DAY // 24)

    (key,) = [one for one in lines.objects if one.startswith("grid_actions/")]
    assert values(read_parquet(lines.objects[key], where=key), "model_name") == {"screen_ridge"}


def test_trained_again_on_the_same_sets_it_is_the_same_bundle_and_no_better_than_itself(store: DictStore) -> None:
    before = latest(bucket_of(store), "screen")
    assert before

    done = trained(store, catalog_of(), until=UNTIL + 1)

    assert not done.promoted
    assert done.entry.rung("champion") == before.rung("champion")
    assert done.entry.rung("previous") is None


def test_a_worse_screen_is_not_promoted(store: DictStore) -> None:
    done = trained(store, catalog_of(parameters={"rounds": 1.0, "leaves": 2.0}), until=UNTIL + 1, seed=1)

    assert not done.promoted
    assert "not better than" in done.entry.reason


def test_sets_of_another_network_are_refused(store: DictStore) -> None:
    other = replace(FIVE, configurations={0: (0,)})
    catalog = Catalog({}, {}, {}, {}, {"five": other}, {"screen": pool(other, ("one",))})

    with pytest.raises(Refused, match="E_CONFIG.*another network"):
        trained(store, catalog)


@pytest.mark.parametrize(
    ("ours", "others", "promoted"),
    [
        ((0.05, 0.003), {gate.LINEAR: (0.15, 0.02)}, True),
        ((0.05, 0.003), {gate.LINEAR: (0.15, 0.02), gate.CHAMPION: (0.049, 0.003)}, False),
        ((0.05, 0.004), {gate.LINEAR: (0.15, 0.02), gate.CHAMPION: (0.051, 0.003)}, True),
        ((0.05, 0.009), {gate.LINEAR: (0.15, 0.02), gate.CHAMPION: (0.051, 0.003)}, False),
        ((np.nan, 0.003), {gate.LINEAR: (0.15, 0.02)}, False),
        ((0.05, np.nan), {gate.LINEAR: (0.15, 0.02)}, False),
    ],
)
def test_the_gate_asks_for_less_error_and_for_no_more_regret(
    ours: tuple[float, float], others: dict[str, tuple[float, float]], promoted: bool
) -> None:
    table = {name: dict(zip((gate.ERROR, gate.REGRET), told, strict=True)) for name, told in others.items()}
    table[gate.CANDIDATE] = dict(zip((gate.ERROR, gate.REGRET), ours, strict=True))

    assert gate.verdict(table).promoted is promoted
