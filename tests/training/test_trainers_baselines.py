"""A pool may ask for a baseline by name: it is served by it, at no cost, and the registry says so in a sentence."""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pytest

from tests.journeys.stores import DictStore, bucket_of
from tests.journeys.world import EVENT, UNTIL, table, whole_hour
from training import gate
from training.candidate import candidate, material
from training.question import taught_by
from training.samples import Samples
from training.train import train
from wattahead.domain.catalog import Catalog
from wattahead.domain.errors import Refused
from wattahead.models.rows import Rows
from wattahead.storage.bundles import fetch
from wattahead.storage.catalogs import latest_catalog
from wattahead.storage.objects import Bucket
from wattahead.storage.registry import latest

BASELINES = ("seasonal_naive", "climatology")


def asking_for(bucket: Bucket, trainer: str) -> Catalog:
    return taught_by(latest_catalog(bucket)[1], trainer)


def quiet(_said: str) -> None:
    pass


@pytest.fixture
def bucket(untrained_world: DictStore) -> Bucket:
    return bucket_of(DictStore(dict(untrained_world.objects)))


def test_a_pool_that_asks_for_seasonal_naive_is_served_by_it_and_told_so(bucket: Bucket) -> None:
    done = train(bucket, asking_for(bucket, "seasonal_naive"), "wind", until=UNTIL, seed=1, progress=quiet)

    assert not done.promoted
    assert done.entry.reason.startswith("served by seasonal_naive, as its trainer says: mean pinball loss")
    assert [rung.role for rung in done.entry.rungs] == ["seasonal_naive", "climatology"]
    whole_hour(bucket, EVENT)
    store = bucket.store
    assert isinstance(store, DictStore)
    rows = table(store.objects, "wind-0000")
    assert set(rows["model_name"].to_pylist()) == {"seasonal_naive"}
    assert np.isfinite(rows["p50"].to_numpy()).all()


def judged(champion_off: float) -> gate.Judged:
    """Return what a baseline, as candidate and as itself, and a champion say; the baseline is off by 1."""
    rows = Rows(("SY-0001",), 24, (), np.zeros((0, 24), dtype=np.float32), np.ones(1))
    samples = Samples(rows, np.zeros(1, dtype=np.int64), np.zeros(24), np.zeros(1, dtype=np.int32))
    naive, champion = np.full((3, 24), 1.0), np.full((3, 24), champion_off)
    return gate.Judged(samples, {"candidate": naive, "seasonal_naive": naive, "champion": champion})


@pytest.mark.parametrize(("champion_off", "promoted"), [(2.0, True), (1.0, False), (0.5, False)])
def test_seasonal_naive_takes_the_place_of_a_champion_that_is_worse_and_of_no_other(
    champion_off: float, promoted: bool
) -> None:
    found = gate.verdict(judged(champion_off), ("p10", "p50", "p90"), trainer="seasonal_naive")
    of_another_trainer = gate.verdict(judged(champion_off), ("p10", "p50", "p90"), trainer="ensemble")

    assert found.promoted == promoted
    assert found.reason.startswith("better than champion" if promoted else "not better than champion")
    assert not of_another_trainer.promoted


def losses_of(reason: str) -> Mapping[str, float]:
    told = reason.partition("mean pinball loss ")[2]
    return {name: float(loss) for name, loss in (part.split(" ") for part in told.split(", "))}


@pytest.mark.parametrize("trainer", BASELINES)
def test_a_candidate_that_is_a_baseline_predicts_what_the_baseline_does(bucket: Bucket, trainer: str) -> None:
    catalog = asking_for(bucket, trainer)
    told = material(bucket, catalog, "wind", until=UNTIL)

    made = candidate(bucket, told, seed=1, progress=quiet)

    found = gate.judged(told.split.test, made.models)
    assert np.array_equal(found.values["candidate"], found.values[trainer], equal_nan=True)
    manifest, _ = fetch(bucket, "wind", made.rung.bundle_id)
    assert manifest.kind == trainer
    assert manifest.golden is not None
    assert np.isfinite(list(manifest.golden.outputs.values())).all()


def test_climatology_becomes_champion_only_where_it_beats_seasonal_naive(bucket: Bucket) -> None:
    done = train(bucket, asking_for(bucket, "climatology"), "wind", until=UNTIL, seed=1, progress=quiet)

    losses = losses_of(done.entry.reason)
    assert losses["candidate"] == losses["climatology"]
    assert done.promoted == (losses["climatology"] < losses["seasonal_naive"])
    held = latest(bucket, "wind")
    assert held is not None
    assert (held.rung("champion") is not None) == done.promoted


@pytest.mark.parametrize("trainer", BASELINES)
def test_a_baseline_takes_no_parameters(bucket: Bucket, trainer: str) -> None:
    catalog = latest_catalog(bucket)[1]
    pool = replace(catalog.pools["wind"], trainer=trainer, parameters={"rounds": 3})

    with pytest.raises(Refused, match=f"trainer {trainer} has no parameter 'rounds'"):
        train(
            bucket,
            replace(catalog, pools={**catalog.pools, "wind": pool}),
            "wind",
            until=UNTIL,
            seed=1,
            progress=quiet,
        )
