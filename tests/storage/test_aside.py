"""Aside of a bucket everything can be tried: it is read through, and never written to."""

from uuid import uuid4

from wattahead.storage.aside import aside
from wattahead.storage.objects import Bucket, open_bucket


def test_what_is_behind_is_read_and_what_is_written_stays_in_memory(any_bucket: Bucket) -> None:
    any_bucket.create("a/1", b"behind")
    memory, written = aside(any_bucket)

    put = memory.create("a/2", b"own")

    assert put.created
    assert [memory.read(key, bytes) for key in memory.keys("a")] == [b"behind", b"own"]
    assert any_bucket.keys("a") == ["a/1"]
    assert written == {"a/2": b"own"}


def test_its_own_objects_are_found_first_listed_once_and_written_once() -> None:
    bucket = open_bucket(f"memory://{uuid4().hex}")
    bucket.create("a/1", b"behind")
    memory, _ = aside(bucket)

    puts = [memory.create("a/1", body) for body in (b"own", b"again")]

    assert [put.created for put in puts] == [True, False]
    assert memory.read("a/1", bytes) == b"own"
    assert memory.keys("a") == ["a/1"]
    assert memory.keys("a", after="a/1") == []
    assert bucket.read("a/1", bytes) == b"behind"
