"""A backtest against the same hours one by one through the jobs, per CPU second, in one run."""

from dataclasses import replace

import pytest

from tests.journeys.stores import DictStore, bucket_of
from tests.journeys.world import UNTIL
from training.backtest.question import asked_of
from training.backtest.run import Backtest
from training.backtest.speed import one_by_one
from wattahead.domain.hours import DAY, HOUR
from wattahead.storage.catalogs import latest_catalog

pytestmark = pytest.mark.perf

TIMES = 60  # as fast with small boosters; with large ones both ways are bound by the same predictions
SLACK = 1.25  # machines that run tests are busy with other things


def test_a_month_at_once_is_many_times_as_fast_as_hour_by_hour_and_says_the_same(untrained_world: DictStore) -> None:
    bucket = bucket_of(DictStore(dict(untrained_world.objects)))
    _, catalog = latest_catalog(bucket)
    few = replace(catalog.pools["wind"], trainer="quantiles", parameters={"rounds": 25, "leaves": 8, "folds": 2})
    catalog = replace(catalog, pools={"wind": few})
    asked = asked_of(catalog, "wind", UNTIL - 26 * DAY, UNTIL - HOUR, HOUR, "never")
    job = Backtest(bucket, catalog, asked)
    job.model(asked.first)

    done = job.run()
    alone = one_by_one(job)

    assert alone.check.differs == ()
    assert done.origins == 26 * 24
    ratio = (alone.seconds / alone.hours) / (done.scoring / done.origins)
    assert ratio > TIMES / SLACK, f"{ratio:.1f} times"
