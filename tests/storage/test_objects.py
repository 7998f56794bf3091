"""One contract for every kind of bucket."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier
from uuid import uuid4

import pytest

from tests.storage.faults import Chosen, Crash, call, crash_after, crash_before, quiet
from tests.storage.faults import Fault as StoreFault
from wattahead.domain.errors import Refused
from wattahead.storage.objects import Bucket, Put, open_bucket

KEY = "ledger/issue_date=2021-03-01/a.json"


# What holds on every kind of bucket


def test_what_was_created_is_read(any_bucket: Bucket) -> None:
    assert any_bucket.create(KEY, b"one") == Put(created=True, body=b"one")
    assert any_bucket.read(KEY, bytes) == b"one"


def test_a_second_create_changes_nothing_and_returns_what_is_held(any_bucket: Bucket) -> None:
    any_bucket.create(KEY, b"one")

    assert any_bucket.create(KEY, b"two") == Put(created=False, body=b"one")
    assert any_bucket.read(KEY, bytes) == b"one"


def test_the_same_body_again_is_not_created_again(any_bucket: Bucket) -> None:
    any_bucket.create(KEY, b"one")

    assert not any_bucket.create(KEY, b"one").created


def test_an_empty_body_is_an_object(any_bucket: Bucket) -> None:
    any_bucket.create(KEY, b"")

    assert not any_bucket.create(KEY, b"one").created


def test_eight_creates_at_once_have_one_winner(any_bucket: Bucket) -> None:
    for number in range(5):
        start = Barrier(8)

        def race(body: bytes, key: str = f"race/{number}", start: Barrier = start) -> Put:
            start.wait()
            return any_bucket.create(key, body)

        with ThreadPoolExecutor(8) as pool:
            puts = list(pool.map(race, [bytes([worker]) * 9000 for worker in range(8)]))

        winners = [put.body for put in puts if put.created]
        assert len(winners) == 1
        assert {put.body for put in puts} == set(winners)


def test_keys_are_sorted_and_stop_at_the_folder(any_bucket: Bucket) -> None:
    for key in ("b/2.json", "b/10.json", "b/1/x.json", "bb/1.json", "a/1.json", "b.json"):
        any_bucket.create(key, b"1")

    assert any_bucket.keys("b") == ["b/1/x.json", "b/10.json", "b/2.json"]


def test_a_folder_is_asked_for_with_its_slash(bucket: Bucket) -> None:
    seen, store, _ = quiet(bucket)

    seen.keys("b")

    assert [call.key for call in store.calls] == ["b/"]  # a store that compares text would give bb/1.json as well


def test_keys_after_a_key_or_a_folder_are_those_behind_it(any_bucket: Bucket) -> None:
    days = [f"actuals/date=2021-03-0{day}/part.parquet" for day in range(1, 5)]
    for key in days:
        any_bucket.create(key, b"1")

    assert any_bucket.keys("actuals", after=days[1]) == days[2:]
    assert any_bucket.keys("actuals", after="actuals/date=2021-03-03") == days[2:]
    assert any_bucket.keys("actuals", after="actuals/date=2021-04-01") == []


def test_a_folder_that_nobody_wrote_has_no_keys(any_bucket: Bucket) -> None:
    assert any_bucket.keys("forecasts") == []


def test_a_missing_object_is_said_at_once(any_bucket: Bucket) -> None:
    bucket, store, pauses = quiet(any_bucket)

    with pytest.raises(Refused, match=f"E_FEAT_MISSING: there is no object {KEY}"):
        bucket.read(KEY, bytes)

    assert (store.verbs, pauses) == (["get"], [])


def test_many_objects_are_read_in_the_order_they_were_asked_for(any_bucket: Bucket) -> None:
    names = [f"many/{number:02d}" for number in range(20)]
    for name in names:
        any_bucket.create(name, name.encode())

    assert any_bucket.read_all([(name, bytes) for name in reversed(names)]) == [
        name.encode() for name in reversed(names)
    ]


@pytest.mark.parametrize("crash", [crash_before, crash_after])
@pytest.mark.parametrize("number", [1, 2])
def test_after_a_crash_at_any_call_a_retry_ends_with_whole_objects(
    any_bucket: Bucket, crash: Callable[[Chosen], StoreFault], number: int
) -> None:
    bucket, *_ = quiet(any_bucket, crash(call(number)))
    with pytest.raises(Crash):
        [bucket.create(key, key.encode()) for key in ("a/1", "a/2")]

    for key in ("a/1", "a/2"):
        any_bucket.create(key, key.encode())

    assert any_bucket.read_all([(key, bytes) for key in any_bucket.keys("a")]) == [b"a/1", b"a/2"]


# Opening


def test_a_memory_bucket_is_the_same_bucket_under_its_name() -> None:
    name = f"memory://{uuid4().hex}"
    open_bucket(name).create("a/1", b"1")

    assert open_bucket(name).keys("a") == ["a/1"]


def test_a_folder_is_opened_by_path_or_by_url(tmp_path: Path) -> None:
    open_bucket(str(tmp_path)).create("a/1", b"1")

    assert open_bucket(tmp_path.as_uri()).keys("a") == ["a/1"]
    assert (tmp_path / "a" / "1").read_bytes() == b"1"


def test_a_prefix_keeps_two_systems_in_one_s3_bucket_apart(s3_url: str) -> None:
    open_bucket(f"{s3_url}/one").create("a/1", b"1")

    assert open_bucket(f"{s3_url}/two/").keys("a") == []
    assert open_bucket(f"{s3_url}/one").keys("a") == ["a/1"]
    assert open_bucket(s3_url).keys("one") == ["one/a/1"]


@pytest.mark.parametrize("url", ["gs://b", "https://b.s3.amazonaws.com", "S4://b"])
def test_a_bucket_of_another_kind_is_refused(url: str) -> None:
    with pytest.raises(Refused, match="E_CONFIG: bucket .* is of no known kind"):
        open_bucket(url)
