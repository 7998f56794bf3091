"""Print what scoring costs against the bare predictions in it: `python -m tests.perf.bench [SERIES ...]`."""

import math
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import lightgbm
import numpy as np
import pandas as pd

from tests.perf.meter import Counted, cpu_seconds, fresh_process, in_turns, one_thread
from tests.perf.workload import FEATURES, NOW, QUANTILES, ROUNDS, SCALE, STEPS, TREES, World, make_world, models
from wattahead.jobs.hour import features_key
from wattahead.jobs.score import Scorer
from wattahead.storage.objects import Bucket

TURNS: Final = {1: 30, 100: 20, 1_000: 6, 10_000: 3}
BOUNDS: Final = {1_000: 1.25, 10_000: 1.15}  # total time over bare predictions; smaller hours are shown, not judged
MOST_MEMORY: Final = 512.0  # [MB] at 10,000 series
WARM: Final = {"GET": 2, "PUT": 2}
MOST_FILES: Final = 6  # GET of a cold batch beyond the warm ones
NAIVE_SERIES: Final = 100

TITLES: Final = (
    "series",
    "batches",
    "total",
    "bare",
    "ratio",
    "bound",
    "",
    "warm batch",
    "cold batch",
    "MB",
    "series/s",
)
WIDTHS: Final = (7, 7, 8, 8, 6, 5, 4, 13, 13, 4, 8)


@dataclass(frozen=True)
class Cost:
    """What an hour of some series costs."""

    series: int
    batches: int
    total: float  # [CPU s], models loaded
    bare: float  # [CPU s], the predictions alone
    warm: dict[str, int]  # requests of a batch by verb
    cold: dict[str, int]  # the same with no model loaded
    memory: float  # peak of a fresh process that scores the hour [MB]

    @property
    def ratio(self) -> float:
        """Total over bare."""
        return self.total / self.bare

    @property
    def bound(self) -> float:
        """What the ratio may be at most."""
        return BOUNDS.get(self.series, math.inf)

    @property
    def passed(self) -> bool:
        """Whether time, memory and requests are all within their bounds."""
        frugal = self.warm == WARM and self.cold["PUT"] == WARM["PUT"] and set(self.cold) == set(WARM)
        return (
            self.ratio <= self.bound
            and self.memory < MOST_MEMORY
            and frugal
            and self.cold["GET"] - WARM["GET"] <= MOST_FILES
        )


def cost(world: World, *, turns: int) -> Cost:
    """Measure an hour."""
    warm, cold = requests(world)
    total, bare = times(world, turns=turns)
    memory = float(fresh_process("-m", "tests.perf.workload", str(world.folder)))
    world.forget()
    return Cost(
        sum(len(batch.series) for batch in world.plan.batches), len(world.plan.batches), total, bare, warm, cold, memory
    )


def requests(world: World) -> tuple[dict[str, int], dict[str, int]]:
    """Return the requests of one batch: warm, and with nothing loaded."""
    store = Counted(world.bucket.store)
    scorer, event = Scorer(Bucket(store)), world.events[0]
    cold = store.during(lambda: scorer.score(event, now=NOW))
    world.forget()
    warm = store.during(lambda: scorer.score(event, now=NOW))
    world.forget()
    return warm, cold


def times(world: World, *, turns: int) -> tuple[float, float]:
    """Return the CPU seconds of scoring every batch, models loaded, and of the bare predictions of its rows."""
    scorer = Scorer(world.bucket)
    world.score(scorer)
    world.forget()
    matrix = np.concatenate(world.features())
    boosters = _boosters()
    with one_thread():
        return in_turns(
            lambda: world.score(scorer),
            lambda: [booster.predict(matrix, num_threads=1) for booster in boosters],
            turns=turns,
            between=world.forget,
        )


def naive(world: World) -> float:
    """Return the CPU seconds of the usual loop: one series after the other through a data frame, models loaded."""
    (batch,) = world.plan.batches
    path = world.folder / features_key(world.plan, batch)
    boosters = _boosters()

    def loop() -> None:
        held = pd.read_parquet(path, partitioning=None)
        found = []
        for number, series in enumerate(batch.series):
            rows = held[held["series_id"] == series]
            asked = rows[list(FEATURES)].assign(zone=float(number))
            values = {
                name: np.asarray(booster.predict(asked, num_threads=1)) * SCALE
                for name, booster in zip(QUANTILES, boosters, strict=True)
            }
            found.append(rows[["series_id", "valid_time"]].assign(**values))
        pd.concat(found).to_parquet(world.folder / "naive.parquet")

    with one_thread():
        return min(cpu_seconds(loop) for _ in range(3))


def line(found: Cost) -> str:
    """Return one line of the table."""
    cells = (
        f"{found.series:,}",
        str(found.batches),
        f"{found.total:.4f}",
        f"{found.bare:.4f}",
        f"{found.ratio:.3f}",
        "" if math.isinf(found.bound) else f"{found.bound:.2f}",
        "PASS" if found.passed else "FAIL",
        _spoken(found.warm),
        _spoken(found.cold),
        f"{found.memory:.0f}",
        f"{found.series / found.total:,.0f}",
    )
    return _row(cells)


def growth(first: Cost, last: Cost) -> float:
    """Return the exponent by which CPU time grows with the number of series; 1 is linear."""
    return math.log(last.total / first.total) / math.log(last.series / first.series)


def main(sizes: list[int]) -> int:
    """Print the table; return 1 if anything is out of its bound."""
    began = time.perf_counter()
    print(
        f"{len(FEATURES) + 1} features, {len(QUANTILES)} boosters of {ROUNDS} trees with {TREES['num_leaves']} leaves,"
    )
    print(f"{STEPS} h, one thread, least CPU seconds of several turns; lightgbm {lightgbm.__version__}")
    print(_row(TITLES), flush=True)
    found: dict[int, Cost] = {}
    with tempfile.TemporaryDirectory() as folder:
        for series in sizes:
            world = make_world(Path(folder, str(series)), series)
            found[series] = cost(world, turns=TURNS.get(series, 3))
            print(line(found[series]), flush=True)
            if series == NAIVE_SERIES:
                print(_naive_line(naive(world), found[series].total), flush=True)
    if {100, 10_000} <= set(found):
        print(f"CPU time grows as series^{growth(found[100], found[10_000]):.3f} from 100 to 10,000")
    print(f"took {time.perf_counter() - began:.0f} s")
    return 0 if all(one.passed for one in found.values()) else 1


def _row(cells: Sequence[str]) -> str:
    return "  ".join(cell.rjust(width) for cell, width in zip(cells, WIDTHS, strict=True))


def _naive_line(loop: float, batched: float) -> str:
    speed = f"{NAIVE_SERIES / loop:,.0f} series/s, {loop / batched:.1f}x the time"
    return f"    {NAIVE_SERIES} one by one through pandas: {loop:.3f} CPU s, {speed}"


def _boosters() -> list[lightgbm.Booster]:
    return [lightgbm.Booster(model_str=text) for text in models().values()]


def _spoken(requests: dict[str, int]) -> str:
    return " + ".join(f"{number} {verb}" for verb, number in sorted(requests.items()))


if __name__ == "__main__":
    sys.exit(main([int(text) for text in sys.argv[1:]] or list(TURNS)))
