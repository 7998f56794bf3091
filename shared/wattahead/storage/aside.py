"""A bucket to try things on: it reads from another one, and keeps in memory what is written."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from obstore.exceptions import AlreadyExistsError

from wattahead.storage.objects import Bucket, Store


@dataclass(frozen=True)
class Aside:
    """A store in front of another one, which it never writes to. Its own objects are found first."""

    behind: Store
    written: dict[str, bytes] = field(default_factory=dict)

    def get(self, key: str) -> bytes:
        """Return an object of either."""
        return self.written[key] if key in self.written else self.behind.get(key)

    def create(self, key: str, body: bytes) -> None:
        """Keep an object unless one was kept under this key."""
        if self.written.setdefault(key, body) is not body:
            raise AlreadyExistsError(key)

    def keys(self, prefix: str, after: str) -> Iterator[str]:
        """Yield the keys of both, each once."""
        own = {key for key in self.written if key.startswith(prefix) and key > after}
        yield from own
        yield from (key for key in self.behind.keys(prefix, after) if key not in own)


def aside(bucket: Bucket) -> tuple[Bucket, dict[str, bytes]]:
    """Return a bucket that reads from `bucket` and never writes to it, and what is written to it: key -> bytes."""
    store = Aside(bucket.store)
    return Bucket(store, bucket.url, pause=bucket.pause), store.written
