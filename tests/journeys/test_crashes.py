"""A crash before or after any storage call, then a retry: the hour ends complete, and as if nothing had happened."""

import json
from collections.abc import Callable, Iterator

import pytest

from tests.journeys.stores import DictStore, bucket_of
from tests.journeys.world import EVENT, NOW, rows, whole_hour
from tests.storage.faults import Around, Call, Chosen, Crash, Do, Fault, call, crash_after, crash_before
from wattahead.domain.plan import HourEvent
from wattahead.jobs.build_features import build_features
from wattahead.jobs.compact import compact
from wattahead.jobs.finish import finish
from wattahead.jobs.plan import plan
from wattahead.jobs.score import Scorer
from wattahead.storage.objects import Bucket

Worlds = Callable[[], DictStore]


@pytest.fixture
def compacted(worlds: Worlds) -> Worlds:
    """Give copies of the trained world as the nightly compaction leaves it: a crash is tried at every call."""
    once = worlds()
    assert compact(bucket_of(once), EVENT, now=NOW).outcome == "ok"
    return lambda: DictStore(dict(once.objects))


def steps(bucket: Bucket) -> None:
    """Everything that an hour does to the bucket."""
    whole_hour(bucket)
    finish(bucket, EVENT, now=NOW)


def calls_of(worlds: Worlds) -> int:
    counted = Around(worlds())
    steps(bucket_of(counted))
    return len(counted.calls)


def every_crash(worlds: Worlds, cut: Callable[[Chosen], Fault]) -> Iterator[tuple[int, Fault]]:
    """Count the calls of a clean hour, and cut at each: new code is covered by itself."""
    for number in range(1, calls_of(worlds) + 1):
        yield number, cut(call(number))


@pytest.mark.parametrize("cut", [crash_before, crash_after])
def test_a_crash_at_any_storage_call_then_a_retry_ends_with_the_rows_of_a_clean_hour(
    compacted: Worlds, cut: Callable[[Chosen], Fault]
) -> None:
    clean = compacted()
    steps(bucket_of(clean))
    expected = rows(clean.objects)
    wrong = []

    for number, fault in every_crash(compacted, cut):
        store = compacted()
        with pytest.raises(Crash):
            steps(bucket_of(Around(store, fault)))
        steps(bucket_of(store))
        if rows(store.objects) != expected:
            wrong.append(number)

    assert wrong == []
    assert len(expected) == 3


def test_a_reader_after_every_storage_call_sees_whole_batches_only(worlds: Worlds) -> None:
    clean = worlds()
    steps(bucket_of(clean))
    whole = rows(clean.objects)
    store = worlds()
    partial = []

    def look(found: Call, do: Do) -> object:
        try:
            return do()
        finally:
            if any(whole.get(name) != body for name, body in rows(store.objects).items()):
                partial.append(found.key)

    steps(bucket_of(Around(store, look)))

    assert partial == []
    assert rows(store.objects) == whole


def test_a_crash_while_training_leaves_the_registry_as_it_was_or_decided(untrained_world: DictStore) -> None:
    from tests.journeys.world import trained
    from wattahead.storage.catalogs import latest_catalog
    from wattahead.storage.registry import latest

    _, catalog = latest_catalog(bucket_of(untrained_world))
    done = trained(untrained_world, catalog, ("wind",))
    new = sorted(set(done.objects) - set(untrained_world.objects))
    order = [key for key in done.objects if key in new]
    found = set()

    for count in range(len(order) + 1):
        store = DictStore({**untrained_world.objects, **{key: done.objects[key] for key in order[:count]}})
        entry = latest(bucket_of(store), "wind")
        assert entry is not None
        champion = entry.rung("champion")
        found.add(champion.kind if champion else "baseline")
        assert whole_hour(bucket_of(store)) in {"ok", "degraded"}

    assert found == {"baseline", "blend"}


def test_a_batch_that_was_lost_is_handed_out_by_the_plan_of_the_next_hour(world: DictStore) -> None:
    bucket = bucket_of(world)
    plan(bucket, EVENT, now=NOW)
    build_features(bucket, EVENT, now=NOW)
    Scorer(bucket).score(HourEvent(EVENT.issue_time, batch="wind-0000"), now=NOW)

    later = plan(bucket, HourEvent(EVENT.issue_time + 3_600_000_000), now=NOW + 3_600_000_000)

    stages = later.facts["work"]
    assert isinstance(stages, list)
    (listed,) = stages
    work = json.loads(world.objects[listed])
    assert [(item["issue_time"][11:13], item["batch"]) for item in work] == [
        *(("06", f"{pool}-0000") for pool in ("demand", "solar", "wind")),
        *(("05", f"{pool}-0000") for pool in ("demand", "solar")),
    ]
    assert later.facts["items"] == 5
