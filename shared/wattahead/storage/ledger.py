"""The ledger: one entry per attempt, written once at its end. What happened, to which series, at what cost."""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Literal

from wattahead.storage import keys
from wattahead.storage.documents import decode, encode
from wattahead.storage.objects import Bucket

Outcome = Literal["ok", "degraded", "duplicate", "too_old", "failed", "waiting"]


@dataclass(frozen=True)
class Entry:
    """One attempt of one job. Times in µs since 1970, UTC."""

    job: str
    run_id: str
    issue_time: int
    started_at: int
    finished_at: int
    outcome: Outcome
    run_kind: str = "live"
    run: str = ""
    batch: str = ""
    rows: int = 0
    seconds: Mapping[str, float] = field(default_factory=dict)
    requests: Mapping[str, int] = field(default_factory=dict)
    bytes: Mapping[str, int] = field(default_factory=dict)
    outcomes: Mapping[str, tuple[str, ...]] = field(default_factory=dict)  # label -> series
    errors: Mapping[str, str] = field(default_factory=dict)  # series or rung, "" for the batch or pool -> sentence
    pool: str = ""  # what a training was of; the jobs of an hour name a batch instead
    reason: str = ""  # why the registry was written as it was
    report: str = ""  # key of the page about a training
    attempt_id: str = field(default_factory=lambda: secrets.token_hex(8))


def record(bucket: Bucket, entry: Entry) -> None:
    """Write one entry."""
    bucket.create(keys.ledger(entry.issue_time, entry.run_id, entry.attempt_id), encode(entry))


def entries(bucket: Bucket, after: str = "") -> list[Entry]:
    """Return the entries of all attempts in the order of their keys: by issue time, then run."""
    return bucket.read_all([(key, partial(decode, Entry, where=key)) for key in bucket.keys("ledger", after)])
