"""The reference workload: 96 features a row, 3 boosters of 300 trees with 31 leaves, 24 h, any number of series.

`python -m tests.perf.workload FOLDER` scores the hour in FOLDER once, from cold, and prints its peak memory [MB].
"""

import math
import resource
import shutil
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Final

import lightgbm
import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from wattahead.domain.bundle import MANIFEST_VERSION, Golden, Manifest
from wattahead.domain.catalog import Catalog, Pool, Signal, Zone
from wattahead.domain.hours import HOUR, MINUTE, instant
from wattahead.domain.plan import Batch, HourEvent, Plan
from wattahead.features.cube import Cube
from wattahead.jobs.hour import features_key, read_plan
from wattahead.jobs.plan import plan
from wattahead.jobs.promote import Verdict, promote, publish_proved
from wattahead.jobs.score import Scorer
from wattahead.models.booster import with_zone
from wattahead.models.calibration import POOLED, Calibration, to_json
from wattahead.models.loading import load
from wattahead.models.rows import Rows
from wattahead.storage.bundles import sealed
from wattahead.storage.catalogs import publish_catalog
from wattahead.storage.objects import Bucket, open_bucket
from wattahead.storage.tables import decode_table, encode_table
from wattahead.workloads import forecast
from wattahead.workloads.forecast.planning import naive_manifest, output_of
from wattahead.workloads.forecast.sample import to_table, valid_times

ISSUE: Final = instant("2026-03-01T05:00Z")
NOW: Final = ISSUE + 10 * MINUTE
POOL: Final = "solar"
STEPS: Final = 24
QUANTILES: Final = {"p10": 0.1, "p50": 0.5, "p90": 0.9}
SCALE: Final = 250.0  # [MW]
TREES: Final = {
    "num_leaves": 31,
    "learning_rate": 0.05,
    "min_data_in_leaf": 20,
    "num_threads": 1,
    "seed": 1,
    "deterministic": True,
    "force_row_wise": True,
    "verbosity": -1,
}
ROUNDS: Final = 300
LEARN_SERIES: Final = 400

WEATHER: Final = tuple(
    f"weather_v{number:02d}{form}"
    for number in range(16)
    for form in ("", "_plus_1h", "_minus_1h", "_horizon_mean", "_highest")
)
LAGS: Final = tuple(f"same_time_{day}" for day in range(1, 9))
CLOCK: Final = ("hour", "month", "hour_sin", "hour_cos", "sun_elevation", "clear_sky", "lead")
FEATURES: Final = (*WEATHER, *LAGS, *CLOCK)  # 95 columns; the zone's number, which the model adds, is the 96th
Made = tuple[str, Mapping[str, bytes]]  # kind and files of a bundle
HORIZON_MEAN: Final = [name.endswith("_horizon_mean") for name in FEATURES]


@dataclass(frozen=True)
class World:
    """One planned hour in a folder: features written, nothing scored."""

    folder: Path
    plan: Plan

    @property
    def events(self) -> list[HourEvent]:
        """One event per batch, as the state machine sends them."""
        return [HourEvent(ISSUE, batch=batch.name) for batch in self.plan.batches]

    @property
    def bucket(self) -> Bucket:
        """The bucket, opened anew."""
        return open_bucket(str(self.folder))

    def forget(self) -> None:
        """Remove rows and ledger, so that the hour can be scored again as if for the first time."""
        for root in ("forecasts", "ledger"):
            shutil.rmtree(self.folder / root, ignore_errors=True)

    def score(self, scorer: Scorer) -> None:
        """Score every batch; anything but a whole batch served by the champion would make the figures worthless."""
        for event, batch in zip(self.events, self.plan.batches, strict=True):
            answer = scorer.score(event, now=NOW)
            if (answer.outcome, answer.rows) != ("ok", len(batch.series) * STEPS):
                raise AssertionError(answer)

    def features(self) -> list[NDArray[np.float32]]:
        """Return what the boosters see, batch by batch, read back from the feature objects."""
        return [self._matrix(batch) for batch in self.plan.batches]

    def _matrix(self, batch: Batch) -> NDArray[np.float32]:
        planned, key = forecast.own(self.plan.pools[POOL]), features_key(self.plan, batch)
        schema = forecast.feature_schema(planned)
        table = self.bucket.read(key, lambda body: decode_table(body, schema, where=key))
        block = np.stack([table[name].to_numpy() for name in planned.features])
        zones = tuple(series.split("/", 1)[0] for series in batch.series)
        numbers = {zone: number for number, zone in enumerate(sorted(planned.zones))}
        return with_zone(Rows(zones, STEPS, planned.features, block, np.ones(len(zones))), FEATURES, numbers)


def make_world(folder: Path, series: int, made: Callable[[list[str]], Made] | None = None) -> World:
    """Return a planned hour of one pool in batches of up to 1,000 series: bundle proved, features written.

    `made` gives the champion's kind and files for sorted zones; the reference boosters if it is left out.
    """
    bucket = open_bucket(str(folder))
    zones = {f"XX-{number:05d}": Zone(50 * math.sin(number), 180 * math.cos(number)) for number in range(series)}
    pool = Pool("solar", tuple(zones), "wide", weather="nwp")
    catalog = Catalog(
        zones,
        {"solar": Signal("production", "solar", "MW", "generation_positive", night_zero=True)},
        {"wide": FEATURES},
        {POOL: pool},
    )
    publish_catalog(bucket, catalog)
    publish_bundles(bucket, catalog, made or boosters)
    event = HourEvent(ISSUE)
    plan(bucket, event, now=NOW)
    pinned, _ = read_plan(bucket, event)
    for number, batch in enumerate(pinned.batches):
        bucket.create(features_key(pinned, batch), encode_table(_feature_table(pinned, batch, number)))
    return World(folder, pinned)


def boosters(zones: list[str]) -> Made:
    """Return the reference boosters and a calibration of `zones`."""
    files = {f"{name}.txt": text.encode() for name, text in models().items()}
    return "lightgbm", files | {"calibration.json": to_json(_calibration(zones))}


def publish_bundles(bucket: Bucket, catalog: Catalog, made: Callable[[list[str]], Made]) -> None:
    """Give the pool a champion and a seasonal naive, as the nightly training does."""
    pool, signal = catalog.pools[POOL], catalog.signals["solar"]
    zones = sorted(pool.zones)
    kind, files = made(zones)
    manifest = sealed(
        Manifest(
            MANIFEST_VERSION,
            forecast.NAME,
            POOL,
            kind,
            FEATURES,
            0.2,
            output_of(signal, pool),
            (),
            {"zones": zones},
        ),
        files,
    )
    block = weather_rows(2, seed=7)
    rows = Rows(tuple(zones[:1] * 2), STEPS, FEATURES, block, np.ones(2))
    values = load(manifest, files).predict(rows)
    inputs = {
        name: tuple(None if np.isnan(value) else value for value in block[index].tolist())
        for index, name in enumerate(FEATURES)
    }
    golden = Golden(
        rows.zones, STEPS, inputs, {name: tuple(values[index].tolist()) for index, name in enumerate(QUANTILES)}, 1e-6
    )
    champion = publish_proved(bucket, replace(manifest, golden=golden), files, "champion")
    naive = publish_proved(bucket, naive_manifest(POOL, signal, pool), {}, "seasonal_naive")
    promote(
        bucket,
        POOL,
        champion,
        (naive,),
        lambda _: Verdict(promoted=True, reason="reference workload"),
        effective_from=0,
    )


@cache
def models() -> dict[str, str]:
    """Return the boosters as text, the same in every process."""
    block = weather_rows(LEARN_SERIES, seed=1)
    zone = np.repeat(np.arange(LEARN_SERIES, dtype=np.float32), STEPS)
    matrix, truth = np.column_stack([block.T, zone]), _truth(block)
    made = {}
    for name, level in QUANTILES.items():
        learn = lightgbm.Dataset(matrix, truth, feature_name=[*FEATURES, "zone"])
        made[name] = lightgbm.train({**TREES, "objective": "quantile", "alpha": level}, learn, ROUNDS).model_to_string()
    return made


def weather_rows(series: int, *, seed: int) -> NDArray[np.float32]:
    """Return feature rows (F, S x H) that look like a day of weather, lags and clock; one lag in fifty is missing."""
    random = np.random.default_rng(seed)
    hour = (ISSUE // HOUR + np.arange(STEPS)) % 24
    day = np.maximum(np.sin((hour - 6) / 12 * np.pi), 0.0)
    level = random.uniform(0.2, 1.0, (len(WEATHER), series, 1))
    weather = level * day + 0.1 * random.standard_normal((len(WEATHER), series, STEPS))
    mean = np.array(HORIZON_MEAN[: len(WEATHER)])
    weather[mean] = weather[mean].mean(axis=2, keepdims=True)
    lags = level[: len(LAGS)] * day + 0.02 * random.random((len(LAGS), series, STEPS))
    lags[random.random(lags.shape) < 0.02] = np.nan
    clock = np.stack(
        [
            hour,
            np.full(STEPS, 3.0),
            np.sin(hour / 24 * 2 * np.pi),
            np.cos(hour / 24 * 2 * np.pi),
            60 * day - 10,
            900 * day,
            np.arange(STEPS),
        ]
    )
    everywhere = np.broadcast_to(clock[:, None], (len(CLOCK), series, STEPS))
    return np.concatenate([weather, lags, everywhere]).reshape(len(FEATURES), -1).astype(np.float32)


def _truth(block: NDArray[np.float32]) -> NDArray[np.float64]:
    random = np.random.default_rng(2)
    known = np.nan_to_num(block.astype(np.float64))
    weights = random.normal(0.0, 1.0, len(FEATURES) - len(CLOCK)) / 20
    day = known[FEATURES.index("clear_sky")] / 900
    clouds = np.tanh(weights @ known[: len(weights)])
    return np.maximum(day * (0.6 + 0.3 * clouds + 0.1 * random.standard_normal(block.shape[1])), 0.0)


def _calibration(zones: list[str]) -> Calibration:
    random = np.random.default_rng(3)
    factors = {zone: random.uniform(0.8, 1.2, (len(QUANTILES), 4)) for zone in zones}
    return Calibration(tuple(QUANTILES), {POOLED: np.ones((len(QUANTILES), 4)), **factors})


def _feature_table(pinned: Plan, batch: Batch, number: int) -> pa.Table:
    series = len(batch.series)
    block = weather_rows(series, seed=100 + number)
    shape = (series, 1)
    cube = Cube(
        FEATURES,
        block.reshape(len(FEATURES), series, 1, STEPS),
        np.full(shape, SCALE),
        np.full(shape, 60, np.int32),
        np.zeros(shape, np.int32),
    )
    return to_table(batch.series, valid_times(forecast.own(pinned.pools[POOL]), ISSUE), cube, 0)


def score_once(folder: Path) -> float:
    """Score every batch of the hour in `folder` from cold; return the peak memory of this process [MB]."""
    bucket = open_bucket(str(folder))
    World(folder, read_plan(bucket, HourEvent(ISSUE))[0]).score(Scorer(bucket))
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


if __name__ == "__main__":
    sys.stdout.write(f"{score_once(Path(sys.argv[1])):.1f}\n")
