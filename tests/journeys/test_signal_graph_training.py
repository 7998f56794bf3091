"""A pool that reads forecasts learns from what would have been forecast, by trainings that knew nothing of later."""

from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest

from tests.journeys.stores import DictStore, bucket_of
from tests.journeys.world import READS, UNTIL, rows
from training.samples import complete, known_forecasts, load_samples, source_of
from wattahead.domain.catalog import Catalog
from wattahead.domain.hours import DAY, MINUTE
from wattahead.storage import hindcasts
from wattahead.storage.catalogs import latest_catalog
from wattahead.storage.objects import Bucket


@pytest.fixture
def bucket(staged: DictStore) -> Bucket:
    return bucket_of(staged)


@pytest.fixture
def catalog(bucket: Bucket) -> Catalog:
    return latest_catalog(bucket)[1]


def test_training_learns_from_what_would_have_been_forecast(bucket: Bucket, catalog: Catalog) -> None:
    source = source_of(catalog, "carbon", READS)
    samples = load_samples(bucket, source, UNTIL - 40 * DAY, UNTIL)
    found = samples.rows.column("forecast_wind").reshape(len(samples), -1)

    before = samples.issue_times < UNTIL - 15 * DAY
    tested = samples.issue_times >= UNTIL - 14 * DAY
    assert before.any()
    assert np.isfinite(found[before | tested]).all()
    assert np.isnan(found[~before & ~tested]).all()  # the day between what is learnt and what is tested
    assert {bool(held & 4096) for held in samples.flags[before | tested]} == {False}
    assert {bool(held & 4096) for held in samples.flags[~before & ~tested]} == {True}


def test_before_the_first_training_upstream_every_sample_is_learnt_from(staged: DictStore, catalog: Catalog) -> None:
    for key in rows(staged.objects, "hindcasts/"):
        del staged.objects[key]

    samples = load_samples(bucket_of(staged), source_of(catalog, "carbon", READS), UNTIL - 40 * DAY, UNTIL)

    assert np.isnan(samples.rows.column("forecast_wind")).all()
    assert complete(samples).all()


def test_hindcasts_of_a_pool_that_nobody_reads_are_not_kept(staged: DictStore, catalog: Catalog) -> None:
    roots = {key.rpartition("/until=")[0] for key in rows(staged.objects, "hindcasts/")}

    assert roots == {
        f"hindcasts/key=production/subkey={name}/pool={name}/rule={hindcasts.rule_of(catalog, name)}"
        for name in ("solar", "wind")
    }


def test_the_newer_training_is_believed_where_both_have_a_word(bucket: Bucket, catalog: Catalog) -> None:
    source, wind = source_of(catalog, "carbon", READS), catalog.signals["wind"]
    before = known_forecasts(bucket, source, UNTIL + DAY)["wind"]
    newer = hindcasts.load(bucket, wind, source.rules, UNTIL).slice(0, 24)
    place = newer.column_names.index("p50")
    newer = newer.set_column(place, "p50", pa.array(np.full(24, 7.0, dtype=np.float32)))
    hindcasts.save(bucket, wind, "wind", source.rules["wind"], UNTIL + DAY, "ab" * 32, newer)

    after = known_forecasts(bucket, source, UNTIL + DAY)["wind"]

    changed_cells = after.values != before.values
    assert (changed_cells & ~np.isnan(before.values)).sum() == 24
    assert set(after.values[changed_cells & ~np.isnan(before.values)]) == {7.0}


def test_what_a_trainer_said_that_was_tried_once_is_not_learnt_from(bucket: Bucket, catalog: Catalog) -> None:
    tried = replace(catalog, pools={**catalog.pools, "wind": replace(catalog.pools["wind"], trainer="linear")})
    source, other = (source_of(one, "carbon", READS) for one in (catalog, tried))
    before = known_forecasts(bucket, source, UNTIL + DAY)["wind"]
    rows_of = hindcasts.load(bucket, catalog.signals["wind"], source.rules, UNTIL)
    hindcasts.save(bucket, catalog.signals["wind"], "wind", other.rules["wind"], UNTIL, "ff" * 32, rows_of.slice(0, 24))

    assert np.array_equal(known_forecasts(bucket, source, UNTIL + DAY)["wind"].values, before.values, equal_nan=True)
    assert np.isfinite(known_forecasts(bucket, other, UNTIL + DAY)["wind"].values).sum() == 24


def test_a_training_that_knew_more_is_not_asked(bucket: Bucket, catalog: Catalog) -> None:
    source = source_of(catalog, "carbon", READS)

    assert known_forecasts(bucket, source, UNTIL)["wind"].issue_times.size > 0
    assert known_forecasts(bucket, source, UNTIL - MINUTE)["wind"].issue_times.size == 0
