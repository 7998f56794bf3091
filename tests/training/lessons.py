"""Samples whose truth is known by construction, and lessons on them."""

from collections.abc import Callable, Sequence
from dataclasses import fields, replace
from importlib import import_module
from typing import Any

import numpy as np
from numpy.typing import NDArray

from training.samples import Samples
from training.trainers import trainer
from training.trainers.protocol import Fitted, Lesson
from wattahead.domain.bundle import MANIFEST_VERSION, Manifest, Output
from wattahead.domain.catalog import Pool
from wattahead.domain.hours import DAY, HOUR, MINUTE
from wattahead.models.loading import load
from wattahead.models.rows import Floats, Model, Rows

FEATURES = ("hour", "lead", "wind", "same_time_1")
FIRST = 20_000 * DAY
SMALL = {"rounds": 12, "least_rows": 5, "spread_rounds": 6, "lead_hours": 12, "folds": 3}

Truth = Callable[[Rows, NDArray[np.str_]], Floats]


def samples(
    truth: Truth,
    *,
    zones: Sequence[str] = ("DE", "FR"),
    days: int = 42,
    minutes: int = 60,
    noise: float = 0.0,
    holes: float = 0.0,
    seed: int = 1,
) -> Samples:
    """Return a sample a day and zone, issued at 05Z; `truth` says in units of the scale what came of the rows."""
    draw = np.random.default_rng(seed)
    steps, count = 24 * 60 // minutes, days * len(zones)
    lead = np.arange(steps, dtype=np.float32) * minutes / 60
    clock = np.stack([(5 + lead) % 24, lead])[:, None].repeat(count, axis=1)
    wind, before = draw.uniform(0, 1, (2, count, steps))
    wind[draw.random(wind.shape) < holes] = np.nan
    block = np.concatenate([clock, wind[None], before[None]]).reshape(4, -1).astype(np.float32)
    names = tuple(np.repeat(list(zones), days).tolist())
    asked = Rows(names, steps, FEATURES, block, draw.uniform(10, 100, count))
    told = truth(asked, np.repeat(names, steps)) + noise * draw.laplace(0, 1, count * steps)
    times = np.tile(FIRST + 5 * HOUR + np.arange(days) * DAY, len(zones))
    return Samples(asked, times, told * asked.row_scale, np.zeros(count, dtype=np.int32), minutes * MINUTE)


def lesson(held: Samples, *, seed: int = 1, features: tuple[str, ...] = FEATURES, **parameters: Any) -> Lesson:
    """Return a lesson of small fits."""
    pool = Pool("wind", tuple(dict.fromkeys(held.rows.zones)), "wind", parameters=SMALL | parameters)
    return Lesson(held, pool, features, seed)


def fitted(name: str, told: Lesson) -> Fitted:
    chosen = trainer(name)
    known = {field.name for field in fields(import_module(f"training.trainers.{name}").Parameters)}
    given = {key: value for key, value in told.pool.parameters.items() if key in known}
    return chosen.fit(replace(told, pool=replace(told.pool, parameters=given)), lambda _: None)


def loaded(made: Fitted) -> Model:
    output = Output("MW", ("p10", "p50", "p90"), 0.0, 1.5, night_zero=False)
    return load(Manifest(MANIFEST_VERSION, "forecast", "wind", made.kind, made.features, 0.2, output, ()), made.files)


def windy(rows: Rows, zones: NDArray[np.str_]) -> Floats:
    """Say what a line can: by zone and, steeply, by the hour of the day."""
    slope = np.where(zones == "DE", 0.5, 0.8) * np.where(rows.column("hour") < 12, 1.0, 0.4)
    return 0.1 + slope * np.nan_to_num(rows.column("wind").astype(np.float64), nan=0.5)
