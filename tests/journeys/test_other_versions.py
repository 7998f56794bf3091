"""A bundle that this version or this catalog does not fit is passed over, and nothing else notices."""

from dataclasses import replace

import pytest

from tests.journeys.stores import DictStore, bucket_of
from tests.journeys.world import ISSUE, levels, whole_hour
from wattahead.domain.bundle import Rung
from wattahead.domain.errors import Refused
from wattahead.jobs.promote import Verdict, promote
from wattahead.jobs.score import Scorer
from wattahead.storage.catalogs import latest_catalog, publish_catalog
from wattahead.storage.registry import latest
from wattahead.workloads.forecast.planning import planned_pool


def champion_of(store: DictStore) -> Rung:
    entry = latest(bucket_of(store), "wind")
    assert entry
    rung = entry.rung("champion")
    assert rung
    return rung


def test_a_bundle_of_a_version_that_knew_more_features_is_passed_over_and_no_other_pool_notices(
    world: DictStore,
) -> None:
    solid = champion_of(world)
    newer = replace(solid, bundle_id="0" * 64, features=(*solid.features, "dew_of_tomorrow"))
    say = Verdict(promoted=True, reason="a drill")
    promote(bucket_of(world), "wind", newer, (), lambda _: say, effective_from=ISSUE)

    whole_hour(bucket_of(world))

    assert levels(world) == {1}
    assert levels(world, "demand-0000") == {2}


def test_a_warm_scorer_sees_that_the_catalog_asks_for_another_unit(world: DictStore) -> None:
    _, catalog = latest_catalog(bucket_of(world))
    scorer, rung = Scorer(bucket_of(world)), champion_of(world)
    planned = planned_pool(catalog, "wind", latest(bucket_of(world), "wind"))
    scorer.model(rung, planned)

    with pytest.raises(Refused, match="E_BUNDLE_FEATURES.*predicts MW"):
        scorer.model(rung, replace(planned, signal=replace(planned.signal, unit="kW")))


def test_a_pool_whose_weather_was_taken_away_is_served_by_its_history(world: DictStore) -> None:
    _, catalog = latest_catalog(bucket_of(world))
    dry = replace(catalog.pools["wind"], weather="", feature_set="dry")
    pools = {**catalog.pools, "wind": dry}
    publish_catalog(
        bucket_of(world), replace(catalog, pools=pools, feature_sets={**catalog.feature_sets, "dry": ("same_time_1",)})
    )

    whole_hour(bucket_of(world))

    assert levels(world) == {2}
