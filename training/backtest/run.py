"""Run a backtest: month by month, an object each, written once. What is there is not done again."""

import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa

from training.backtest.ladders import ladder
from training.backtest.question import Question, pin
from training.backtest.schedule import Leg, Month
from training.backtest.scoring import score
from training.stopping import Stop, Stopped
from wattahead.domain.bundle import RegistryEntry
from wattahead.domain.catalog import Catalog
from wattahead.domain.errors import WattaheadError
from wattahead.domain.hours import iso
from wattahead.domain.plan import PlannedPool
from wattahead.jobs.score import Scorer
from wattahead.storage import keys, ledger
from wattahead.storage.objects import Bucket, sha256
from wattahead.storage.tables import encode_table
from wattahead.storage.timeseries import codes, sorted_names
from wattahead.workloads import forecast
from wattahead.workloads.forecast.planning import planned_pool

Say = Callable[[str], None]


@dataclass
class Done:
    """What a run came to, as far as this process did it. CPU seconds."""

    origins: int = 0  # issue times that were scored now
    rows: int = 0
    scoring: float = 0.0
    training: float = 0.0
    months: int = 0
    there: int = 0  # months that an earlier attempt had done


@dataclass(frozen=True)
class Served:
    """What a training came to, and the pool as an hour's plan would describe it then."""

    held: RegistryEntry
    planned: PlannedPool
    scorer: Scorer


@dataclass
class Backtest:
    """One pool, one question, one bucket."""

    bucket: Bucket
    catalog: Catalog
    asked: Question
    say: Say = lambda _: None
    advance: Callable[[int], None] = lambda _: None  # told of issue times that are done
    once: bool = True
    stop: Stop = field(default_factory=Stop)
    done: Done = field(default_factory=Done)
    _served: Served | None = None

    def run(self) -> Done:
        """Do every month that is not there; each is visible whole or not at all."""
        pin(self.bucket, self.asked)
        root = keys.table(forecast.NAME, "backtest", self.asked.run)
        there = set(self.bucket.keys(f"{root}/pool={self.asked.pool}"))
        for month in self.asked.months:
            if month_key(self.asked, month) in there:
                self.done.there += 1
                self.advance(month.count)
            else:
                self._month(month)
        return self.done

    def model(self, until: int) -> Served:
        """Return what serves with the models trained `until` [µs]; only the newest is held."""
        if self._served is None or self._served.held.effective_from != until:
            began = time.process_time()
            self.say(f"training until {iso(until)}")
            name = self.asked.pool
            held = ladder(self.bucket, self.catalog, name, until=until, seed=self.asked.seed, progress=self._heard)
            self._served = Served(held, planned_pool(self.catalog, name, held), Scorer(self.bucket))
            self.done.training += time.process_time() - began
        return self._served

    def _month(self, month: Month) -> None:
        attempt = _Attempt(self.bucket, self.asked, month)
        try:
            tables = [table for leg in month.legs for table in self._leg(leg, attempt)]
            began = time.process_time()
            rows = together(tables)
            body = encode_table(rows)
            self.stop.check()
            self.stop.hold()  # the rows and the ledger must tell the same
            self.bucket.create(month_key(self.asked, month), body)
            attempt.finished(rows.num_rows)
            self.done.scoring += time.process_time() - began
        except BaseException as error:  # Ctrl-C is an attempt too
            self.stop.hold()
            attempt.failed(error)
            raise
        self.done.months += 1
        self.done.rows += rows.num_rows
        self.done.origins += month.count
        self.say(f"{iso(month.first)[:7]}: {rows.num_rows} rows")
        self.stop.release()

    def _leg(self, leg: Leg, attempt: "_Attempt") -> list[pa.Table]:
        served = self.model(leg.until)
        began = time.process_time()
        tables = []
        about = {"run": self.asked.run, "run_id": attempt.run_id}
        for piece in score(served.scorer, served.planned, leg.issue_times, once=self.once, **about):
            attempt.tell(piece.served, piece.errors)
            tables.append(piece.rows)
            self.advance(piece.moments)
            self.stop.check()
        self.done.scoring += time.process_time() - began
        return tables

    def _heard(self, said: str) -> None:
        self.stop.check()
        self.say(said)


def month_key(asked: Question, month: Month) -> str:
    """Return the key of a month's rows."""
    return keys.backtest_rows(forecast.NAME, asked.run, asked.pool, month.first, asked.digest)


def together(tables: list[pa.Table]) -> pa.Table:
    """Return the rows of some pieces as one table by series, issue time and valid time."""
    if len(tables) == 1:
        return tables[0]
    rows = pa.concat_tables(tables).unify_dictionaries()
    issued = rows["issue_time"].cast(pa.int64()).to_numpy()
    order = np.lexsort((issued, codes(rows["series_id"])))  # stable: the steps of an issue time keep their order
    return sorted_names(rows.take(order))


@dataclass
class _Attempt:
    """The ledger entry of one try at one month."""

    bucket: Bucket
    asked: Question
    month: Month
    began: float = field(default_factory=time.perf_counter)
    started_at: int = field(default_factory=lambda: time.time_ns() // 1000)
    before: dict[str, int] = field(init=False)
    served: dict[str, set[str]] = field(default_factory=dict)
    errors: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.before = dict(self.bucket.traffic)

    @property
    def run_id(self) -> str:
        """The id that the month's rows carry: of the question and the month."""
        return sha256(f"{self.asked.digest}/{self.asked.pool}/{self.month.first}".encode())[:16]

    def tell(self, served: dict[str, set[str]], errors: dict[str, str]) -> None:
        """Remember what served which series in some hour, and why a rung or value could not."""
        for role, series in served.items():
            self.served.setdefault(role, set()).update(series)
        self.errors |= errors

    def finished(self, rows: int) -> None:
        """Record a month that is whole."""
        self._record("ok" if set(self.served) == {"champion"} else "degraded", rows)

    def failed(self, error: BaseException) -> None:
        """Record what ended the attempt. A storage that fails here too has been told of by `error` already."""
        told = str(error) if isinstance(error, WattaheadError | Stopped) else f"{type(error).__name__}: {error}"
        self.errors[""] = told
        with suppress(WattaheadError):
            self._record("failed", 0)

    def _record(self, outcome: ledger.Outcome, rows: int) -> None:
        took = time.perf_counter() - self.began
        spent = {name: count - self.before.get(name, 0) for name, count in self.bucket.traffic.items()}
        entry = ledger.Entry(
            job="backtest",
            run_id=self.run_id,
            issue_time=self.month.first,
            started_at=self.started_at,
            finished_at=self.started_at + int(took * 1e6),
            outcome=outcome,
            run_kind="backtest",
            run=self.asked.run,
            pool=self.asked.pool,
            rows=rows,
            seconds={"total": round(took, 6)},
            requests={name: spent.get(name, 0) for name in ("gets", "puts", "lists")},
            bytes={name: spent.get(name, 0) for name in ("read", "written")},
            outcomes={role: tuple(sorted(series)) for role, series in sorted(self.served.items())},
            errors=self.errors,
        )
        ledger.record(self.bucket, entry)
