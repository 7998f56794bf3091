"""Simulate a set of states, or read it where it was simulated before."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from training.grid.simulation import kept
from training.grid.simulation.question import Question, digest, ingredients
from wattahead.domain.errors import Refused
from wattahead.storage.objects import Bucket

Progress = Callable[[int], None]  # how many states there are by now; may raise to end the simulation

MOST_STATES: Final = 10_000_000


@dataclass(frozen=True)
class Simulated:
    """A finished set, and whether it was there already. `dataset.load` gives its arrays."""

    digest: str
    states: int
    network: str
    summary: Mapping[str, float]
    cached: bool

    @property
    def folder(self) -> str:
        """Where the set is in the bucket."""
        return kept.folder_of(self.digest)


def simulate(bucket: Bucket, asked: Question, states: int, *, processes: int = 1, progress: Progress) -> Simulated:
    """Return the first `states` states of the episodes that are asked for, in order.

    Episodes that are in the bucket are not computed again. The manifest is written behind the last of them, so a set
    is there whole or not at all; the number of processes changes no byte of it.
    """
    if not 1 <= states <= MOST_STATES:
        raise Refused("E_CONFIG", f"{states} states cannot be simulated", fix=f"ask for 1 to {MOST_STATES:,}")
    told = ingredients(asked)  # once: files may change while it runs, and what runs is what was read first
    folder = kept.folder_of(digest(told))
    there = bucket.keys(folder)
    if body := kept.manifest(bucket, folder, states, there):
        kept.check(bucket, folder, json.loads(body)["parts"])
        return _simulated(told, states, body, cached=True)
    from training.grid.simulation.running import run  # noqa: PLC0415 - a set that is read needs nothing of what this imports

    body = run(bucket, asked, told, states, there, processes=processes, progress=progress)
    return _simulated(told, states, body, cached=False)


def _simulated(told: Mapping[str, object], states: int, body: bytes, *, cached: bool) -> Simulated:
    held = json.loads(body)
    return Simulated(digest(told), states, held["network"]["name"], held["summary"], cached)
