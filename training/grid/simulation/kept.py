"""How a simulated set lies in the bucket: by names that carry the hashes of what they name. Imports nothing heavy."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final

from wattahead.domain.errors import Damaged, Refused
from wattahead.storage import keys
from wattahead.storage.objects import Bucket, sha256

WORKLOAD: Final = "grid_action"
DIGITS: Final = 16


@dataclass(frozen=True)
class Part:
    """One episode of a set."""

    number: int
    states: int
    sha256: str

    def key(self, folder: str) -> str:
        """Return where it is."""
        return keys.dataset_part(folder, self.number, self.states, self.sha256[:DIGITS])


def folder_of(digest: str) -> str:
    """Return where a set is, by the digest of all that it depends on."""
    return keys.dataset(WORKLOAD, digest)


def verified(key: str, digest: str, body: bytes) -> bytes:
    """Return a body whose hash begins with `digest`; refuse another, with what to do."""
    _hashed(key, digest, body)
    return body


def manifest(bucket: Bucket, folder: str, states: int, there: Sequence[str]) -> bytes | None:
    """Return the manifest of a set of so many states whose episodes are all among the keys that are there."""
    start, held = f"{folder}/manifest-{states}-", set(there)
    for key in there:
        if key.startswith(start):
            digest = key.removeprefix(start).removesuffix(".json")
            body = bucket.read(key, partial(verified, key, digest))
            if all(Part(**one).key(folder) in held for one in json.loads(body)["parts"]):
                return body
    return None


def no_set(folder: str, states: int) -> Refused:
    """Return the error of who needs a set that is not there."""
    return Refused("E_FEAT_MISSING", f"{folder} holds no whole set of {states} states", fix="simulate it")


def save_manifest(bucket: Bucket, folder: str, states: int, body: bytes) -> bytes:
    """Write a manifest, which makes a set of what is there, and return what it says."""
    key, digest = keys.dataset_manifest(folder, states, sha256(body)[:DIGITS]), sha256(body)
    return verified(key, digest, bucket.create(key, body).body)


def save(bucket: Bucket, folder: str, number: int, states: int, body: bytes) -> Part:
    """Write one episode."""
    part = Part(number, states, sha256(body))
    verified(part.key(folder), part.sha256, bucket.create(part.key(folder), body).body)
    return part


def parts(bucket: Bucket, folder: str, there: Sequence[str]) -> dict[int, Part]:
    """Return the episodes in a folder, each verified."""
    found: dict[int, Part] = {}
    start = f"{folder}/episode-"
    named = [key for key in there if key.startswith(start)]
    told = [key.removeprefix(start).removesuffix(".parquet").split("-") for key in named]
    for (number, states, _), whole in zip(told, _hashes(bucket, named, [one[2] for one in told]), strict=True):
        found.setdefault(int(number), Part(int(number), int(states), whole))
    return found


def check(bucket: Bucket, folder: str, told: Sequence[Mapping[str, object]]) -> None:
    """Refuse a set of which a byte was changed. Nothing is decoded: that takes most of the time."""
    all_parts = [Part(**one) for one in told]  # type: ignore[arg-type]
    _hashes(bucket, [one.key(folder) for one in all_parts], [one.sha256 for one in all_parts])


def _hashes(bucket: Bucket, named: Sequence[str], digests: Sequence[str]) -> list[str]:
    wanted = [(key, partial(_hashed, key, digest)) for key, digest in zip(named, digests, strict=True)]
    return bucket.read_all(wanted)


def _hashed(key: str, digest: str, body: bytes) -> str:
    whole = sha256(body)
    if not whole.startswith(digest):
        raise Damaged("E_FEAT_CORRUPT", f"{key} is not what was written", fix="delete it, and simulate again")
    return whole
