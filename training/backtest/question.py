"""What a backtest is asked, on the command line and in the bucket: only the same question goes on with a run."""

import argparse
import os
import time
from dataclasses import dataclass, replace
from typing import Final

from training.backtest.schedule import Month, months
from training.parsing import Parser, opened
from wattahead.domain.catalog import Catalog
from wattahead.domain.errors import Refused
from wattahead.domain.hours import duration, floor_hour, instant, iso
from wattahead.domain.plan import HourEvent, admit
from wattahead.storage import keys
from wattahead.storage.catalogs import latest_catalog
from wattahead.storage.documents import canonical, decode, encode
from wattahead.storage.objects import Bucket, sha256
from wattahead.workloads.forecast.planning import planned_pool

EXIT_CODES: Final = """\
exit codes:
  0    every month is there, and the hours that were tried again gave the same rows
  1    the storage or a training failed; what was done stays, the same command goes on.
       Or the rows are not those of live scoring: the same command says so again, another --run begins anew
  64   the question was wrong, or the run was begun with another one
  130  stopped by Ctrl-C, 143 by SIGTERM: the same command goes on where it was
"""


@dataclass(frozen=True)
class Question:
    """What a run answers for one pool. Times in µs since 1970, UTC."""

    run: str
    pool: str
    first: int  # issue times, both included
    last: int
    every: int
    retrain: str  # a period, `P1M` or `never`
    seed: int
    rules: str  # hash of what the catalog says of the pool

    @property
    def months(self) -> list[Month]:
        """The issue times by month and model."""
        return months(self.first, self.last, self.every, self.retrain)

    @property
    def digest(self) -> str:
        """Hash of the question."""
        return sha256(encode(self))[:16]


@dataclass(frozen=True)
class Asked:
    """A question and where it is answered."""

    bucket: Bucket
    catalog: Catalog
    plain: Question
    once: bool  # whether equal rows are predicted once


def asked_of(
    catalog: Catalog, pool: str, first: int, last: int, every: int, retrain: str, *, run: str = "", seed: int = 1
) -> Question:
    """Return the question; without `run` it is named after itself. Raise `Refused` where it does not hold."""
    held = catalog.pools[pool]
    told = [encode(planned_pool(catalog, pool, None)).decode(), catalog.feature_sets[held.feature_set]]
    plain = Question(run, pool, first, last, every, retrain, seed, sha256(canonical(told))[:16])
    months(first, last, every, retrain)  # refuses a calendar that does not hold
    return plain if run else replace(plain, run=f"{pool.replace('_', '-')}-{plain.digest[:8]}")


def with_window(catalog: Catalog, pool: str, window: str) -> Catalog:
    """Return the catalog in which `pool` exists and learns from `window`, such as P400D; empty leaves its own."""
    if pool not in catalog.pools:
        raise Refused("E_CONFIG", f"there is no pool {pool!a}", fix=f"use {', '.join(sorted(catalog.pools))}")
    if not window:
        return catalog
    duration(window)
    return replace(catalog, pools={**catalog.pools, pool: replace(catalog.pools[pool], training_window=window)})


def pin(bucket: Bucket, asked: Question) -> None:
    """Write the question of a run, or refuse another one under its name: a month must not be answered twice."""
    key = keys.backtest(asked.run, asked.pool)
    held = decode(Question, bucket.create(key, encode(asked)).body, where=key)
    if held != asked:
        told = [name for name, value in vars(asked).items() if getattr(held, name) != value]
        raise Refused(
            "E_CONFIG",
            f"run {asked.run} was begun with another {', '.join(told)} ({iso(held.first)} to {iso(held.last)})",
            fix="give it another --run; models that fit are found again",
        )


# --- the command line ----------------------------------------------------------------------------------------------


def parser() -> argparse.ArgumentParser:
    """Return the command line."""
    made = Parser(
        prog="python -m training.backtest",
        description="Forecast many past hours as the deployed system would have, training as the calendar says.",
        epilog=EXIT_CODES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    made.add_argument("pool", help="a pool of the catalog")
    made.add_argument("--bucket", default=os.environ.get("WATTAHEAD_BUCKET", "bucket"))
    made.add_argument("--from", dest="first", required=True, help="first issue time, 2021-01-02T00:00Z")
    made.add_argument("--to", dest="last", required=True, help="last issue time, included")
    made.add_argument("--issue-every", dest="every", default="PT1H", help="between issue times: PT1H, PT24H")
    made.add_argument(
        "--retrain-every", dest="retrain", default="P28D", help="P7D, P28D, P1M (the first of a month) or never"
    )
    made.add_argument("--run", default="", help="name of the run (default: made from the question)")
    made.add_argument("--window", default="", help="learn from this much, such as P400D (default: the catalog's)")
    made.add_argument("--seed", type=int, default=1)
    made.add_argument("--no-once", dest="once", action="store_false", help="predict equal rows again each time")
    return made


def question(arguments: list[str] | None) -> Asked:
    """Return what the command line asks for; raise `Refused` where it cannot be answered."""
    said = parser().parse_args(arguments)
    bucket = opened(said.bucket)
    catalog = with_window(latest_catalog(bucket)[1], said.pool, said.window)
    times = (instant(said.first), instant(said.last), duration(said.every))
    plain = asked_of(catalog, said.pool, *times, said.retrain, run=said.run, seed=said.seed)
    admit(HourEvent(floor_hour(plain.last), "backtest", plain.run), time.time_ns() // 1000)
    return Asked(bucket, catalog, plain, said.once)
