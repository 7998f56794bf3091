"""Our forecasts for the peers' issue times: the shipped mapping and catalog, one fit, all issue times at once."""

import tempfile
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import numpy as np
import pandas as pd

from training.samples import Samples, first_issue, load_samples, source_of
from training.trainers import trainer
from training.trainers.protocol import Lesson
from wattahead.cli.catalog import find_catalog
from wattahead.domain.bundle import MANIFEST_VERSION, Manifest
from wattahead.domain.hours import DAY, HOUR, duration
from wattahead.features.grammar import check, columns
from wattahead.features.source import Source
from wattahead.jobs.ingest import ingest
from wattahead.models.baseline import NAIVE_FEATURES
from wattahead.models.loading import load
from wattahead.models.rows import Model
from wattahead.sources.mapping_files import find_mapping
from wattahead.storage.objects import Bucket, open_bucket
from wattahead.workloads.forecast.planning import output_of

SET: Final = "openstef_nl_2020"
POOL: Final = "net_load"
QUANTILES: Final = ("p05", "p10", "p30", "p50", "p70", "p90", "p95")  # those of the peers
NAIVE: Final = "same_time_1"
SEED: Final = 1
LATE: Final = 20_000 * DAY  # [µs] a clock behind all of the data


@dataclass(frozen=True)
class Ours:
    """Forecasts, one row a valid time, by model; the CPU seconds of the fit and of all predictions."""

    tables: dict[str, pd.DataFrame]
    fit: float
    predict: float


def forecasts(data: Path, first: int, end: int, every: int) -> Ours:
    """Return forecasts of every `every`-th hour from `first` whose horizon ends by `end` [µs]."""
    with tempfile.TemporaryDirectory() as folder:
        bucket = open_bucket(folder)
        ingest(bucket, find_mapping(SET), data, now=LATE)
        source, features = _source()
        pool = source.pool
        learn = load_samples(bucket, source, first_issue(first, pool.training_window), first)
        test = _test(bucket, source, first, end, every)
    start = time.process_time()
    fitted = trainer(pool.trainer).fit(Lesson(learn, pool, features, SEED), lambda _: None)
    middle = time.process_time()
    output = output_of(source.signal, pool)
    told = Manifest(
        MANIFEST_VERSION, "forecast", POOL, fitted.kind, fitted.features, 1.0, output, (), dict(fitted.facts), {}, None
    )
    values = _bounded(load(told, fitted.files), test, source)
    seconds = time.process_time() - middle
    naive = test.rows.column(NAIVE).astype(np.float64) * test.rows.row_scale
    tables = {
        "seasonal_naive": _table(test, source, {"p50": naive}),
        f"wattahead_{pool.trainer}": _table(test, source, dict(zip(pool.quantiles, values, strict=True))),
    }
    return Ours(tables, middle - start, seconds)


def _source() -> tuple[Source, tuple[str, ...]]:
    """Return the pool with the peers' quantiles, and the features that training gives its models."""
    catalog = check(find_catalog(SET))
    pool = replace(catalog.pools[POOL], quantiles=QUANTILES)
    catalog = replace(catalog, pools={**catalog.pools, POOL: pool})
    features = columns(dict.fromkeys([*catalog.feature_sets[pool.feature_set], "hour", "lead"]))
    return source_of(catalog, POOL, (*features, *NAIVE_FEATURES)), features


def _test(bucket: Bucket, source: Source, first: int, end: int, every: int) -> Samples:
    """Return the samples that are judged, whichever hours training looks at."""
    hours = tuple(range(24))
    held = load_samples(bucket, replace(source, pool=replace(source.pool, issue_hours=hours)), first, end)
    return held.take((held.issue_times - first) % (every * HOUR) == 0)


def _bounded(model: Model, test: Samples, source: Source) -> np.ndarray:
    """Return the quantiles of all rows, none below the signal's lower bound, as scoring leaves them."""
    values = model.predict(test.rows)
    return values if source.signal.lower is None else np.maximum(values, source.signal.lower)


def _table(test: Samples, source: Source, values: dict[str, np.ndarray]) -> pd.DataFrame:
    steps = duration(source.pool.horizon) // source.signal.step
    issued = np.repeat(test.issue_times, steps)
    valid = issued + np.tile(np.arange(steps), len(test)) * source.signal.step
    stamps = {
        name: pd.to_datetime(at, unit="us", utc=True) for name, at in (("issue_time", issued), ("valid_time", valid))
    }
    return pd.DataFrame({"zone": test.zones, **stamps, **values})
