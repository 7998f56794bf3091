"""An append-only log: entries numbered from 1, each the whole state, each written once."""

from dataclasses import dataclass
from typing import Generic, TypeVar

from wattahead.domain.errors import LostRace
from wattahead.storage import keys
from wattahead.storage.documents import decode, encode
from wattahead.storage.objects import Bucket

T = TypeVar("T")


@dataclass(frozen=True)
class Log(Generic[T]):
    """A log of documents of one kind under one prefix."""

    bucket: Bucket
    prefix: str
    kind: type[T]

    def sequences(self) -> list[int]:
        """Return the numbers of all entries, ascending."""
        return [int(key.rsplit("/", 1)[1].removesuffix(".json")) for key in self.bucket.keys(self.prefix)]

    def entry(self, sequence: int) -> T:
        """Return one entry."""
        key = keys.entry(self.prefix, sequence)
        return self.bucket.read(key, lambda body: decode(self.kind, body, where=key))

    def append(self, document: T, *, after: int) -> int:
        """Write `document` as the entry behind `after`; raise `E_RACE` if somebody else was first."""
        sequence = after + 1
        if not self.bucket.create(keys.entry(self.prefix, sequence), encode(document)).created:
            raise LostRace(
                "E_RACE",
                f"entry {sequence} of {self.prefix} was written by somebody else",
                fix="read it and decide again",
            )
        return sequence
