"""One broken zone of fifty never blocks or moves another."""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from tests.journeys.stores import DictStore, bucket_of
from tests.journeys.world import ISSUE, NOW, WIND, prepared, ready, table
from wattahead.domain.hours import HOUR
from wattahead.jobs.score import Scorer
from wattahead.storage import timeseries
from wattahead.storage.tables import INSTANT, encode_table, read_parquet


@pytest.fixture(scope="session")
def fifty_zones(trained_world: DictStore, tmp_path_factory: pytest.TempPathFactory) -> DictStore:
    """Fifty zones, served by the bundles that were trained on the first two."""
    store = prepared(tmp_path_factory.mktemp("fifty"), zones=50, days=35)
    for key, body in trained_world.objects.items():
        if key.startswith("models/"):
            store.objects[key] = body
    return store


def contradicting(store: DictStore) -> None:
    """Give SY-0002 a second, different value for an hour that it has already, known at the same time."""
    at = ISSUE - 30 * HOUR
    time = pa.array([at]).cast(INSTANT)
    known = pa.array([at + HOUR]).cast(INSTANT)
    names = pa.array(["SY-0002"]).dictionary_encode()
    row = pa.table(
        {
            "zone": names,
            "valid_time": time,
            "value": [1.0],
            "available_at": known,
            "availability": pa.array(["stated"]).dictionary_encode(),
        }
    )
    timeseries.store(bucket_of(store), timeseries.actuals("production", "wind"), row, closed_before=0)


def infinite(store: DictStore) -> None:
    """Put an infinite value into the feature object of SY-0002."""
    (key,) = [key for key in store.objects if "/wind-0000-" in key]
    held = read_parquet(store.objects[key], where=key)
    mine = pc.equal(held["series_id"].cast(pa.string()), "SY-0002/production/wind")
    place = held.column_names.index("same_time_1")
    changed = pc.if_else(mine, pa.scalar(np.inf, pa.float32()), held["same_time_1"])
    store.objects[key] = encode_table(held.set_column(place, "same_time_1", changed))


def short(store: DictStore) -> None:
    """Take the last three hours of SY-0002 out of its feature object."""
    (key,) = [key for key in store.objects if "/wind-0000-" in key]
    held = read_parquet(store.objects[key], where=key)
    mine = pc.equal(held["series_id"].cast(pa.string()), "SY-0002/production/wind")
    late = pc.greater_equal(held["valid_time"].cast(pa.int64()), ISSUE + 21 * HOUR)
    store.objects[key] = encode_table(held.filter(pc.invert(pc.and_(mine, late))))


def plain(rows_of_batch: pa.Table) -> pa.Table:
    """Names as text: which names a dictionary holds depends on all rows of the batch, their values do not."""
    return pa.table(
        {
            name: column.cast(pa.string()) if pa.types.is_dictionary(column.type) else column
            for name, column in zip(rows_of_batch.column_names, rows_of_batch.columns, strict=True)
        }
    )


@pytest.mark.parametrize(("fault", "after_features"), [(contradicting, False), (infinite, True), (short, True)])
def test_one_broken_zone_of_fifty_leaves_the_other_49_as_in_a_clean_run(
    fifty_zones: DictStore, fault: object, after_features: bool
) -> None:
    clean, broken = DictStore(dict(fifty_zones.objects)), DictStore(dict(fifty_zones.objects))
    ready(clean)
    if not after_features:
        fault(broken)  # type: ignore[operator]
    ready(broken)
    if after_features:
        fault(broken)  # type: ignore[operator]

    for store in (clean, broken):
        Scorer(bucket_of(store)).score(WIND, now=NOW)

    expected, found = (plain(table(store.objects, "wind-0000")) for store in (clean, broken))
    others = pc.not_equal(expected["zone"], "SY-0002")
    assert found.filter(others).equals(expected.filter(others))
    assert set(found.filter(pc.invert(others))["fallback_level"].to_pylist()) == {3}
    assert set(found.filter(others)["fallback_level"].to_pylist()) == {0}
