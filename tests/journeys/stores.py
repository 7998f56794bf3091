"""A store for whole-day tests: objects in a dict, so that every case of a sweep starts from a cheap copy."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from obstore.exceptions import AlreadyExistsError

from wattahead.storage.objects import Bucket, Store


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


def bucket_of(store: Store) -> Bucket:
    """Return a bucket that does not sleep between attempts."""
    return Bucket(store, pause=lambda _: None)
