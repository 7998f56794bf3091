"""The ledger entry of one training of one pool: what it came to, whatever ended it."""

import secrets
import time
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field

from training.stopping import Stopped
from wattahead.domain.errors import WattaheadError
from wattahead.domain.hours import floor_hour
from wattahead.storage import ledger
from wattahead.storage.objects import Bucket, sha256


@dataclass
class Attempt:
    """Measures one training from here on, and records it once. `until` and `started_at` in µs since 1970, UTC."""

    bucket: Bucket
    pool: str
    until: int
    seed: int
    started_at: int
    trainer: str = ""  # asked for in place of the pool's own
    began: float = field(default_factory=time.perf_counter)
    attempt_id: str = field(default_factory=lambda: secrets.token_hex(8))
    before: Counter[str] = field(init=False)

    def __post_init__(self) -> None:
        self.before = Counter(self.bucket.traffic)

    def trained(self, series: tuple[str, ...], *, promoted: bool, reason: str, report: str = "") -> None:
        """Record that the registry decided, which series it was about, and why it decided so."""
        self._record("ok", outcomes={"promoted" if promoted else "kept": series}, reason=reason, report=report)

    def failed(self, error: BaseException) -> None:
        """Record what ended the training. A storage that fails here too has been told of by `error` already."""
        known = isinstance(error, WattaheadError | Stopped)
        sentence = str(error) if known else f"{type(error).__name__}: {error}"
        with suppress(WattaheadError):
            self._record("failed", errors={"": sentence})

    def _record(
        self,
        outcome: ledger.Outcome,
        *,
        outcomes: dict[str, tuple[str, ...]] | None = None,
        errors: dict[str, str] | None = None,
        reason: str = "",
        report: str = "",
    ) -> None:
        took = time.perf_counter() - self.began
        spent = {name: count - self.before[name] for name, count in self.bucket.traffic.items()}
        entry = ledger.Entry(
            job="train",
            run_id=run_id(self.pool, self.until, self.seed, self.trainer),
            issue_time=floor_hour(self.until),
            started_at=self.started_at,
            finished_at=self.started_at + int(took * 1e6),
            outcome=outcome,
            pool=self.pool,
            seconds={"total": round(took, 6)},
            requests={name: spent.get(name, 0) for name in ("gets", "puts", "lists")},
            bytes={name: spent.get(name, 0) for name in ("read", "written")},
            outcomes=outcomes or {},
            errors=errors or {},
            reason=reason,
            report=report,
            attempt_id=self.attempt_id,
        )
        ledger.record(self.bucket, entry)


def run_id(pool: str, until: int, seed: int, trainer: str = "") -> str:
    """Return the id of a training: attempts at the same question share it. `until` in µs."""
    return sha256("/".join(filter(None, (pool, str(until), str(seed), trainer))).encode())[:16]
