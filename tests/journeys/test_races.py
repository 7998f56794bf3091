"""Duplicate, concurrent, late and reordered events: one visible forecast per series and issue time."""

import random
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from tests.journeys.stores import DictStore, bucket_of
from tests.journeys.world import EVENT, ISSUE, NOW, rows, table, whole_hour
from tests.storage.faults import Around, Call, fail
from wattahead.domain.errors import LostRace, Refused, Transient
from wattahead.domain.hours import DAY, HOUR
from wattahead.domain.plan import HourEvent
from wattahead.jobs.build_features import build_features
from wattahead.jobs.finish import finish
from wattahead.jobs.plan import plan
from wattahead.jobs.score import Scorer
from wattahead.storage.catalogs import latest_catalog, publish_catalog
from wattahead.storage.ledger import entries
from wattahead.storage.objects import Bucket, open_bucket

Worlds = Callable[[], DictStore]
WORKERS = 8


def at_once(count: int, work: Callable[[], str]) -> list[str]:
    """Run `work` in `count` threads that start together."""
    ready = threading.Barrier(count)

    def one(_: int) -> str:
        ready.wait()
        return work()

    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(one, range(count)))


def copied(store: DictStore, url: str) -> Bucket:
    """Put a world's objects into a real bucket; history is left behind to save calls."""
    bucket = open_bucket(url)
    for key, body in store.objects.items():
        if not key.startswith(("history/", "actuals/", "weather/")):
            bucket.create(key, body)
    return bucket


def test_of_eight_workers_on_one_batch_one_wins(world: DictStore) -> None:
    plan(bucket_of(world), EVENT, now=NOW)
    build_features(bucket_of(world), EVENT, now=NOW)
    event = HourEvent(ISSUE, batch="wind-0000")

    outcomes = at_once(WORKERS, lambda: Scorer(bucket_of(world)).score(event, now=NOW).outcome)

    assert sorted(outcomes) == ["duplicate"] * 7 + ["ok"]
    assert len(rows(world.objects)) == 1


@pytest.mark.parametrize("place", ["folder", "s3"])
def test_of_eight_workers_on_one_batch_one_wins_on_real_storage(
    world: DictStore, place: str, tmp_path: object, request: pytest.FixtureRequest
) -> None:
    plan(bucket_of(world), EVENT, now=NOW)
    build_features(bucket_of(world), EVENT, now=NOW)
    url = str(tmp_path) if place == "folder" else request.getfixturevalue("s3_url")
    copied(world, url)
    event = HourEvent(ISSUE, batch="wind-0000")

    outcomes = at_once(WORKERS, lambda: Scorer(open_bucket(url)).score(event, now=NOW).outcome)

    assert sorted(outcomes) == ["duplicate"] * 7 + ["ok"]
    assert len(open_bucket(url).keys("forecasts")) == 1


def test_fifty_hours_delivered_in_random_order_with_duplicates_are_each_there_once(world: DictStore) -> None:
    bucket = bucket_of(world)
    hours = [HourEvent(ISSUE - back * HOUR) for back in range(50)]
    deliveries = hours + random.Random(5).choices(hours, k=25)
    random.Random(6).shuffle(deliveries)

    for event in deliveries:
        whole_hour(bucket, event)

    there = {key.rsplit("/", 1)[0] for key in rows(world.objects)}
    assert len(there) == 50
    assert len(rows(world.objects)) == 150
    assert max(there) == "forecasts/issue_date=2026-03-01/issue_hour=05"


def test_a_repeat_of_an_hour_changes_no_row_and_says_duplicate(world: DictStore) -> None:
    bucket = bucket_of(world)
    assert whole_hour(bucket) == "degraded"  # demand has no champion
    before = rows(world.objects)

    assert whole_hour(bucket) == "duplicate"
    assert rows(world.objects) == before


def test_a_catalog_that_grows_between_two_attempts_changes_nothing_of_the_hour(world: DictStore) -> None:
    clean = DictStore(dict(world.objects))
    whole_hour(bucket_of(clean))
    bucket = bucket_of(world)
    plan(bucket, EVENT, now=NOW)
    _, catalog = latest_catalog(bucket)
    fewer = {name: replace(pool, zones=pool.zones[:1]) for name, pool in catalog.pools.items()}
    publish_catalog(bucket, replace(catalog, pools=fewer))

    again = plan(bucket, EVENT, now=NOW)
    whole_hour(bucket)

    assert again.outcome == "duplicate"
    assert rows(world.objects) == rows(clean.objects)


def test_one_503_on_every_call_once_and_a_retry_leave_the_champion_serving(world: DictStore) -> None:
    seen: set[tuple[str, str]] = set()

    def first_time(found: Call) -> bool:
        fresh = (found.verb, found.key) not in seen
        seen.add((found.verb, found.key))
        return fresh

    whole_hour(bucket_of(Around(world, fail(first_time))))

    assert set(table(world.objects, "wind-0000")["fallback_level"].to_pylist()) == {0}


def test_a_storage_that_stays_away_fails_the_attempt_and_freezes_nothing(world: DictStore) -> None:
    plan(bucket_of(world), EVENT, now=NOW)
    build_features(bucket_of(world), EVENT, now=NOW)
    away = bucket_of(Around(world, fail(lambda found: "models/bundles/wind" in found.key)))

    with pytest.raises(Transient):
        Scorer(away).score(HourEvent(ISSUE, batch="wind-0000"), now=NOW)

    assert rows(world.objects) == {}
    assert [entry.outcome for entry in entries(bucket_of(world)) if entry.job == "score"] == ["failed"]
    assert Scorer(bucket_of(world)).score(HourEvent(ISSUE, batch="wind-0000"), now=NOW).outcome == "ok"


def test_a_storage_that_stays_away_for_one_batch_does_not_stop_the_others(world: DictStore) -> None:
    plan(bucket_of(world), EVENT, now=NOW)
    build_features(bucket_of(world), EVENT, now=NOW)
    away = bucket_of(Around(world, fail(lambda found: "models/bundles/wind" in found.key)))

    with pytest.raises(Transient):
        Scorer(away).score(EVENT, now=NOW)

    assert [key.rsplit("/", 1)[1] for key in sorted(rows(world.objects))] == [
        "demand-0000.parquet",
        "solar-0000.parquet",
    ]


def test_a_closed_hour_ends_as_too_old_and_still_runs_as_a_backfill(world: DictStore) -> None:
    bucket, later = bucket_of(world), ISSUE + 7 * DAY + HOUR

    assert plan(bucket, EVENT, now=later).outcome == "too_old"
    assert Scorer(bucket).score(EVENT, now=later).outcome == "too_old"
    assert whole_hour(bucket, HourEvent(ISSUE, "backfill", "late"), now=later) == "degraded"
    assert rows(world.objects) == {}
    assert len(rows(world.objects, "backfills/forecasts/run=late/")) == 3


def test_an_hour_that_has_not_begun_is_refused(world: DictStore) -> None:
    with pytest.raises(Refused, match="E_EVENT_FUTURE"):
        plan(bucket_of(world), HourEvent(ISSUE + HOUR), now=ISSUE)


def test_every_delivery_ends_in_a_ledger_entry(world: DictStore) -> None:
    bucket = bucket_of(world)
    whole_hour(bucket)
    finish(bucket, EVENT, now=NOW)
    whole_hour(bucket)

    told = [(entry.job, entry.batch, entry.outcome) for entry in entries(bucket)]

    assert told.count(("plan", "", "ok")) == told.count(("plan", "", "duplicate")) == 1
    assert told.count(("finish", "", "ok")) == 1
    assert ("score", "", "duplicate") in told
    assert {(batch, outcome) for job, batch, outcome in told if job == "score" and batch} == {
        ("wind-0000", "ok"),
        ("solar-0000", "ok"),
        ("demand-0000", "degraded"),
    }


def test_of_two_trainings_that_end_at_once_one_decides_and_the_other_decides_again(world: DictStore) -> None:
    from wattahead.jobs.promote import Verdict, promote
    from wattahead.storage.registry import latest

    held = latest(bucket_of(world), "wind")
    assert held is not None
    rung = held.rungs[0]
    asked: list[object] = []

    def judge(champion: object) -> Verdict:
        if not asked:
            asked.append(champion)
            promote(
                bucket_of(world),
                "wind",
                rung,
                (),
                lambda _: Verdict(promoted=False, reason="the other"),
                effective_from=ISSUE,
            )
        asked.append(champion)
        return Verdict(promoted=False, reason="mine")

    entry = promote(bucket_of(world), "wind", rung, (), judge, effective_from=ISSUE)

    assert len(asked) == 3  # judged once, lost, judged again
    assert (entry.reason, entry.sequence, entry.decided_against) == ("mine", held.sequence + 2, held.sequence + 1)
    with pytest.raises(LostRace):
        from wattahead.storage.registry import registry

        registry(bucket_of(world), "wind").append(entry, after=held.sequence)
