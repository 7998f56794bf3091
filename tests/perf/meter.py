"""Measures: CPU time in turns, peak memory of a fresh process, requests counted at the store."""

import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from threading import Lock
from typing import Final

import pyarrow as pa

from wattahead.storage.objects import Store

# A child inherits the peak memory of the process that forks it, so a small one stands between.
LAUNCHER: Final = "import subprocess, sys; sys.exit(subprocess.run([sys.executable, *sys.argv[1:]]).returncode)"


@dataclass
class Counted:
    """A store that counts what is asked of it, retries included: a second opinion on `Bucket.traffic`."""

    inner: Store
    calls: Counter[str] = field(default_factory=Counter)
    lock: Lock = field(default_factory=Lock)

    def get(self, key: str) -> bytes:
        self._count("GET")
        return self.inner.get(key)

    def create(self, key: str, body: bytes) -> None:
        self._count("PUT")
        self.inner.create(key, body)

    def keys(self, prefix: str, after: str) -> Iterator[str]:
        self._count("LIST")
        return self.inner.keys(prefix, after)

    def _count(self, verb: str) -> None:
        with self.lock:
            self.calls[verb] += 1

    def during(self, work: Callable[[], object]) -> dict[str, int]:
        """Return the calls that `work` makes, by verb."""
        before = Counter(self.calls)
        work()
        return dict(self.calls - before)


@contextmanager
def one_thread() -> Iterator[None]:
    """Decode parquet on one thread, as on a worker with one CPU; LightGBM and numpy use no more anyway."""
    before = pa.cpu_count()
    pa.set_cpu_count(1)
    try:
        yield
    finally:
        pa.set_cpu_count(before)


def cpu_seconds(work: Callable[[], object]) -> float:
    """Return the CPU time of `work`, all threads: a busy machine moves it less than the wall clock."""
    start = time.process_time()
    work()
    return time.process_time() - start


def in_turns(
    ours: Callable[[], object],
    reference: Callable[[], object],
    *,
    turns: int,
    between: Callable[[], None] = lambda: None,
) -> tuple[float, float]:
    """Return the least CPU seconds of both, taken A B A B, so that a slow minute of the machine meets both alike."""
    found: tuple[list[float], list[float]] = ([], [])
    for _ in range(turns):
        for place, work in zip(found, (ours, reference), strict=True):
            place.append(cpu_seconds(work))
            between()
    return min(found[0]), min(found[1])


def fresh_process(*arguments: str) -> str:
    """Return what a Python process prints that inherited nothing from this one."""
    launched = [sys.executable, "-S", "-c", LAUNCHER, *arguments]
    done = subprocess.run(launched, capture_output=True, text=True, timeout=120, check=False)
    if done.returncode:
        raise RuntimeError(done.stderr[-2000:])
    return done.stdout.strip()
