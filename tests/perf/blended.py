"""The reference rows scored by a blend, as the trainer `ensemble` makes it for a pool of many zones.

Lines that all zones share, boosters of the median in four blocks of leads, a booster of the spread:
`python -m tests.perf.blended [SERIES ...]`.
"""

import json
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from typing import Final

import lightgbm
import numpy as np

from tests.perf.meter import fresh_process, in_turns, one_thread
from tests.perf.workload import (
    FEATURES,
    ISSUE,
    LEARN_SERIES,
    POOL,
    STEPS,
    Made,
    World,
    _truth,
    make_world,
    weather_rows,
)
from training.samples import Samples
from training.trainers import ensemble
from training.trainers.protocol import Lesson
from wattahead.domain.catalog import Pool
from wattahead.domain.hours import DAY
from wattahead.jobs.score import Scorer
from wattahead.models import linear
from wattahead.models.bands import MEDIAN
from wattahead.models.loading import load
from wattahead.models.rows import Rows
from wattahead.storage.bundles import fetch

DAYS: Final = 28
FOLDS: Final = 2
BOUND: Final = 1.25  # a third of the trees of the reference workload, so reading and writing weigh three times as much
MOST_BYTES: Final = 4 * 2**20


@cache
def blend() -> Mapping[str, bytes]:
    """Return the files of a blend of default size."""
    block = weather_rows(LEARN_SERIES, seed=1)
    zones = tuple(f"XX-{number:05d}" for number in range(LEARN_SERIES))
    times = ISSUE + np.arange(LEARN_SERIES) % DAYS * DAY
    rows = Rows(zones, STEPS, FEATURES, block, np.ones(LEARN_SERIES))
    samples = Samples(rows, times, _truth(block), np.zeros(LEARN_SERIES, dtype=np.int32))
    pool = Pool("solar", zones, "wide", weather="nwp", parameters={"folds": FOLDS, "least_rows": 20})
    return ensemble.fit(Lesson(samples, pool, FEATURES, 1), lambda _: None).files


def blended(_: list[str]) -> Made:
    """Return the champion of a world: the same for all zones, which share what they were not trained on."""
    return "blend", blend()


def times(world: World, *, turns: int) -> tuple[float, float]:
    """Return the CPU seconds of scoring every batch, models loaded, and of the bare predictions and products in it."""
    scorer = Scorer(world.bucket)
    world.score(scorer)
    world.forget()
    ours, bare = lambda: world.score(scorer), bare_of(world)
    with one_thread():
        return in_turns(ours, bare, turns=turns, between=world.forget)


def bare_of(world: World) -> Callable[[], object]:
    """Return the predictions of LightGBM and the products of the lines alone, on rows that are ready."""
    matrix = np.concatenate(world.features())
    files = blend()
    held = json.loads(files["blend.json"])
    line, lead = linear.from_json(files["linear.json"]), matrix[:, FEATURES.index("lead")]
    asked = []
    for about in (held["spread"], *(one for one in held["members"] if one["form"] == "trees")):
        for part in about["trees"]:
            text = files[about["file"]][part["start"] : part["end"]].decode()
            rows = (lead >= part["first"]) & (lead < (np.inf if part["last"] is None else part["last"]))
            seen = matrix[rows]
            if MEDIAN in about["features"]:  # a column that varies as medians do: a constant would be faster
                seen = np.insert(seen, -1, seen[:, FEATURES.index("same_time_1")], axis=1)
            asked.append((lightgbm.Booster(model_str=text), seen))
    groups = matrix[:, FEATURES.index("hour")].astype(int) * 4 + lead.astype(int) // 6
    design = linear.standard(matrix[:, :-1].T, line.center, line.width)
    chosen = np.ascontiguousarray(line.coefficients[""][groups, :-1].T)

    def bare() -> None:
        for booster, rows in asked:
            booster.predict(rows, num_threads=1)
        np.einsum("fr,fr->r", design, chosen)

    return bare


def loading(world: World) -> tuple[int, int, float]:
    """Return how many files the bundle has, their bytes, and the CPU seconds to make a model of them."""
    manifest, files = fetch(world.bucket, POOL, world.plan.pools[POOL].ladder[0].bundle_id)
    found = []
    for _ in range(5):
        start = time.process_time()
        load(manifest, files)
        found.append(time.process_time() - start)
    return len(files) + 1, sum(len(body) for body in files.values()), min(found)


def main(sizes: list[int]) -> int:
    """Print a line for each size."""
    for series in sizes:
        with tempfile.TemporaryDirectory() as folder:
            world = make_world(Path(folder), series, blended)
            total, bare = times(world, turns=4)
            count, size, seconds = loading(world)
            world.forget()
            memory = float(fresh_process("-m", "tests.perf.workload", str(world.folder)))
        told = f"{series:6,} series: {total:.3f} CPU s, bare {bare:.3f}, ratio {total / bare:.3f}"
        print(f"{told}; {count} bundle files, {size / 2**20:.1f} MiB, {1000 * seconds:.0f} ms to load, {memory:.0f} MB")
    return 0


if __name__ == "__main__":
    sys.exit(main([int(text) for text in sys.argv[1:]] or [100, 1_000]))
