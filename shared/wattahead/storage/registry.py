"""The registry of a pool: an append-only log of decisions, each the whole state."""

from wattahead.domain.bundle import RegistryEntry
from wattahead.storage import keys
from wattahead.storage.log import Log
from wattahead.storage.objects import Bucket


def registry(bucket: Bucket, pool: str) -> Log[RegistryEntry]:
    """Return the log of a pool."""
    return Log(bucket, keys.registry(pool), RegistryEntry)


def latest(bucket: Bucket, pool: str) -> RegistryEntry | None:
    """Return the newest entry of a pool, or None before the first."""
    log = registry(bucket, pool)
    numbers = log.sequences()
    return log.entry(numbers[-1]) if numbers else None


def effective(bucket: Bucket, pool: str, issue_time: int) -> RegistryEntry | None:
    """Return the newest entry that was effective at `issue_time` [µs], or None before the first."""
    log = registry(bucket, pool)
    entries = (log.entry(number) for number in reversed(log.sequences()))
    return next((entry for entry in entries if entry.effective_from <= issue_time), None)
