"""The ladder at work: permanent faults fall back at once and say so."""

from dataclasses import replace

import numpy as np
import pytest
from obstore.exceptions import PermissionDeniedError

from tests.journeys.stores import DictStore, bucket_of
from tests.journeys.world import EVENT, ISSUE, NOW, WIND, levels, ready, rows, table, whole_hour
from tests.storage.faults import Around, fail
from wattahead.domain.bundle import Rung
from wattahead.domain.errors import Refused, Transient, WattaheadError
from wattahead.domain.hours import HOUR
from wattahead.domain.plan import HourEvent, Plan, PlannedPool
from wattahead.domain.quality import Quality
from wattahead.jobs.build_features import build_features
from wattahead.jobs.plan import plan
from wattahead.jobs.promote import Verdict, promote
from wattahead.jobs.score import Scorer
from wattahead.storage.catalogs import latest_catalog, publish_catalog
from wattahead.storage.ledger import entries
from wattahead.storage.registry import latest
from wattahead.storage.tables import read_parquet
from wattahead.workloads.forecast.rows import to_rows


def champion_of(store: DictStore, pool: str) -> Rung:
    entry = latest(bucket_of(store), pool)
    assert entry is not None
    rung = entry.rung("champion")
    assert rung is not None
    return rung


def damage(store: DictStore, part: str) -> int:
    """Flip a byte in the middle of every object whose key holds `part`; return how many there were."""
    damaged = [key for key in store.objects if part in key]
    for key in damaged:
        body = bytearray(store.objects[key])
        body[len(body) // 2] ^= 1
        store.objects[key] = bytes(body)
    return len(damaged)


def test_a_damaged_champion_falls_back_to_the_baseline_at_once_and_the_rows_say_so(world: DictStore) -> None:
    assert damage(world, f"models/bundles/wind/{champion_of(world, 'wind').bundle_id}/trees.txt") == 1
    ready(world)

    assert Scorer(bucket_of(world)).score(WIND, now=NOW).outcome == "degraded"

    found = table(world.objects, "wind-0000")
    assert levels(world) == {2}
    assert set(found["model_name"].to_pylist()) == {"seasonal_naive"}
    assert all(flags & Quality.FALLBACK for flags in found["quality_flags"].to_pylist())
    (told,) = [entry for entry in entries(bucket_of(world)) if entry.job == "score"]
    assert told.errors["champion"].startswith("E_BUNDLE_HASH")


def test_of_200_mutants_of_a_champion_none_is_loaded_and_the_rows_say_who_served(
    world: DictStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    loaded = []
    monkeypatch.setattr("wattahead.models.trees.NativeBooster", lambda _: loaded.append(1))
    ready(world)
    files = sorted(key for key in world.objects if champion_of(world, "wind").bundle_id in key)
    draw = np.random.default_rng(7)
    outcomes = set()

    for _ in range(200):
        store = DictStore(dict(world.objects))
        key = files[draw.integers(len(files))]
        body = bytearray(store.objects[key])
        for _ in range(draw.integers(1, 5)):
            body[draw.integers(len(body))] ^= 1 << int(draw.integers(8))
        if bytes(body) == store.objects[key]:
            continue  # two flips of one bit
        store.objects[key] = bytes(body)
        Scorer(bucket_of(store)).score(WIND, now=NOW)
        outcomes |= levels(store)

    assert loaded == []
    assert outcomes == {2}


def test_a_damaged_champion_falls_back_to_the_previous_one_where_there_is_one(world: DictStore) -> None:
    solid = champion_of(world, "wind")
    bad = replace(solid, bundle_id="0" * 64)  # a champion that was never published whole
    promote(bucket_of(world), "wind", bad, (), lambda _: Verdict(promoted=True, reason="a drill"), effective_from=ISSUE)
    ready(world)

    Scorer(bucket_of(world)).score(WIND, now=NOW)

    assert levels(world) == {1}
    assert set(table(world.objects, "wind-0000")["model_version"].to_pylist()) == {solid.bundle_id[:12]}


def test_without_any_bundle_the_rows_are_there_null_and_flagged(world: DictStore) -> None:
    assert damage(world, "models/bundles/wind/") > 3
    ready(world)

    Scorer(bucket_of(world)).score(WIND, now=NOW)

    found = table(world.objects, "wind-0000")
    assert levels(world) == {4}
    assert found.num_rows == 48
    assert found["p50"].null_count == 48
    assert all(flags & Quality.NO_FORECAST for flags in found["quality_flags"].to_pylist())


def test_without_recent_values_the_climatology_serves(world: DictStore) -> None:
    for key in [key for key in world.objects if "key=production/subkey=wind" in key]:
        del world.objects[key]
    ready(world)

    Scorer(bucket_of(world)).score(WIND, now=NOW)

    assert levels(world) == {3}
    assert table(world.objects, "wind-0000")["p50"].null_count == 0


def test_a_feature_object_that_is_damaged_for_good_leaves_the_climatology(world: DictStore) -> None:
    ready(world)
    assert damage(world, "wind-0000-") == 1

    Scorer(bucket_of(world)).score(WIND, now=NOW)

    assert levels(world) == {3}


@pytest.mark.parametrize("part", ["features/", "models/bundles/wind"])
def test_a_policy_that_denies_fails_the_attempt_and_freezes_nothing(world: DictStore, part: str) -> None:
    ready(world)
    denied = bucket_of(Around(world, fail(lambda found: part in found.key, PermissionDeniedError("403"))))

    with pytest.raises(WattaheadError, match="E_S3_DENIED"):
        Scorer(denied).score(WIND, now=NOW)

    assert rows(world.objects) == {}
    Scorer(denied).score(replace(WIND, final_attempt=True), now=NOW)
    assert levels(world) <= {2, 3, 4}


def test_a_stored_object_that_is_damaged_leaves_its_own_pool_the_clock_and_the_others_whole(world: DictStore) -> None:
    assert damage(world, "actuals/key=production/subkey=wind") > 3

    whole_hour(bucket_of(world))

    assert levels(world, "wind-0000") == {3}
    assert levels(world, "solar-0000") == {0}
    told = [entry for entry in entries(bucket_of(world)) if entry.job == "features" and entry.batch == "wind-0000"]
    assert told[0].errors[""].startswith("E_FEAT_CHECKSUM")


def test_a_model_that_raises_is_passed_over_and_named(world: DictStore, monkeypatch: pytest.MonkeyPatch) -> None:
    from wattahead.models.blend import Blend

    def raises(*_: object) -> None:
        raise ValueError("a shape nobody expected")

    monkeypatch.setattr(Blend, "predict", raises)
    ready(world)

    assert Scorer(bucket_of(world)).score(WIND, now=NOW).outcome == "degraded"

    assert levels(world) == {2}


def test_an_error_nobody_foresaw_in_one_batch_is_raised_when_the_others_are_done(
    world: DictStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    import wattahead.workloads.forecast.rows as module

    def raises(plan_: Plan, planned: PlannedPool, *rest: object, **options: object) -> object:
        if planned.name == "demand":
            raise ZeroDivisionError
        return to_rows(plan_, planned, *rest, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(module, "to_rows", raises)
    ready(world)

    with pytest.raises(ZeroDivisionError):
        Scorer(bucket_of(world)).score(EVENT, now=NOW)

    assert [key.rsplit("/", 1)[1] for key in sorted(rows(world.objects))] == ["solar-0000.parquet", "wind-0000.parquet"]


def test_no_value_above_a_stated_capacity_leaves(world: DictStore) -> None:
    whole_hour(bucket_of(world))
    highest = max(value for value in table(world.objects, "wind-0000")["p90"].to_pylist())
    _, catalog = latest_catalog(bucket_of(world))
    capacity = dict.fromkeys(catalog.zones, highest / 2)
    signals = {**catalog.signals, "wind": replace(catalog.signals["wind"], capacity=capacity)}
    publish_catalog(bucket_of(world), replace(catalog, signals=signals))
    later = HourEvent(ISSUE - HOUR)

    whole_hour(bucket_of(world), later)

    (key,) = [key for key in rows(world.objects) if "issue_hour=04" in key and "wind-0000" in key]
    assert max(read_parquet(world.objects[key], where=key)["p90"].to_pylist()) <= highest / 2


def test_a_decision_that_takes_effect_before_the_last_one_is_refused(world: DictStore) -> None:
    from tests.journeys.world import UNTIL
    from training.train import train

    _, catalog = latest_catalog(bucket_of(world))

    with pytest.raises(Refused, match="E_TIME_FUTURE"):
        train(bucket_of(world), catalog, "wind", until=UNTIL - 24 * HOUR, seed=1, progress=lambda _: None)


def test_a_model_that_loses_to_the_champion_on_the_same_days_is_not_promoted(world: DictStore) -> None:
    from tests.journeys.world import UNTIL
    from training.train import train

    _, catalog = latest_catalog(bucket_of(world))
    worse = replace(catalog.pools["wind"], parameters={"rounds": 1, "folds": 2})
    weak = replace(catalog, pools={**catalog.pools, "wind": worse})
    publish_catalog(bucket_of(world), weak)
    before = champion_of(world, "wind")

    done = train(bucket_of(world), weak, "wind", until=UNTIL, seed=2, progress=lambda _: None)

    assert not done.promoted
    assert "not better than" in done.entry.reason
    assert champion_of(world, "wind") == before


def test_the_same_data_and_seed_make_the_same_bundle(world: DictStore) -> None:
    from tests.journeys.world import UNTIL
    from training.train import train

    _, catalog = latest_catalog(bucket_of(world))

    done = train(bucket_of(world), catalog, "wind", until=UNTIL, seed=1, progress=lambda _: None)

    assert done.candidate.bundle_id == champion_of(world, "wind").bundle_id


def test_features_that_may_not_read_history_fail_and_freeze_nothing(world: DictStore) -> None:
    plan(bucket_of(world), EVENT, now=NOW)
    denied = Around(
        world, fail(lambda call: call.verb == "get" and "actuals/" in call.key, PermissionDeniedError("403"))
    )

    with pytest.raises(Transient, match="E_S3_DENIED"):
        build_features(bucket_of(denied), EVENT, now=NOW)

    assert not any(key.startswith("features/") for key in world.objects)


def test_late_weather_is_waited_for_until_the_deadline_and_then_flagged(world: DictStore) -> None:
    for key in [key for key in world.objects if "weather/provider" in key]:
        del world.objects[key]
    plan(bucket_of(world), EVENT, now=ISSUE)

    early = build_features(bucket_of(world), EVENT, now=ISSUE + HOUR // 6)
    late = build_features(bucket_of(world), EVENT, now=ISSUE + HOUR // 2)
    Scorer(bucket_of(world)).score(EVENT, now=NOW)

    assert (early.outcome, late.outcome) == ("waiting", "ok")
    assert levels(world) == {2}  # too many features are missing for the model
    flags = table(world.objects, "wind-0000")["quality_flags"].to_pylist()
    assert all(
        flag & Quality.DEADLINE_PASSED and flag & Quality.WEATHER_MISSING and flag & Quality.INPUTS_SPARSE
        for flag in flags
    )


def test_the_whole_hour_serves_pools_without_a_champion_from_their_baseline(world: DictStore) -> None:
    whole_hour(bucket_of(world))

    assert levels(world, "demand-0000") == {2}
    assert levels(world, "solar-0000") == {0}
