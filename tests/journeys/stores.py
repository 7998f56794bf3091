"""Stores for whole-day tests: objects in a dict, a store that dies at a call, one that looks after every call."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from threading import Lock
from typing import TypeVar

from obstore.exceptions import AlreadyExistsError, GenericError

from wattahead.storage.objects import Bucket, Store

T = TypeVar("T")


class Crash(BaseException):
    """The process dies here: nothing catches it."""


@dataclass
class DictStore:
    """Objects in a dict; copies are cheap, so every case of a sweep starts from the same world."""

    objects: dict[str, bytes] = field(default_factory=dict)

    def get(self, key: str) -> bytes:
        if key not in self.objects:
            raise FileNotFoundError(key)
        return self.objects[key]

    def create(self, key: str, body: bytes) -> None:
        if self.objects.setdefault(key, body) is not body:
            raise AlreadyExistsError(key)

    def keys(self, prefix: str, after: str) -> Iterator[str]:
        return iter([key for key in list(self.objects) if key.startswith(prefix) and key > after])


@dataclass
class Watched:
    """A store that calls `before` and `after` around every call, numbered from 1."""

    inner: Store
    before: Callable[[int, str, str], None] = lambda *_: None
    after: Callable[[int, str, str], None] = lambda *_: None
    calls: int = 0
    lock: Lock = field(default_factory=Lock)

    def get(self, key: str) -> bytes:
        return self._around("get", key, lambda: self.inner.get(key))

    def create(self, key: str, body: bytes) -> None:
        self._around("create", key, lambda: self.inner.create(key, body))

    def keys(self, prefix: str, after: str) -> Iterator[str]:
        return iter(self._around("keys", prefix, lambda: list(self.inner.keys(prefix, after))))

    def _around(self, verb: str, key: str, call: Callable[[], T]) -> T:
        with self.lock:
            self.calls += 1
            number = self.calls
        self.before(number, verb, key)
        try:
            return call()
        finally:
            self.after(number, verb, key)


def bucket_of(store: Store) -> Bucket:
    """Return a bucket that does not sleep between attempts."""
    return Bucket(store, pause=lambda _: None)


def dies_at(store: Store, number: int, moment: str) -> Watched:
    """Return a store whose call `number` crashes the process `before` or `after` it took effect."""

    def crash(at: int, verb: str, key: str) -> None:
        if at == number:
            raise Crash(f"{moment} {verb} {key}")

    return Watched(store, before=crash) if moment == "before" else Watched(store, after=crash)


def unavailable(store: Store, chosen: Callable[[int, str, str], bool]) -> Watched:
    """Return a store that answers 503 to the chosen calls."""

    def refuse(at: int, verb: str, key: str) -> None:
        if chosen(at, verb, key):
            raise GenericError("503 SlowDown")

    return Watched(store, before=refuse)
