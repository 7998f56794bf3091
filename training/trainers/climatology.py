"""The climatology bundle: quantiles of what came true, by zone, month and hour, in units of the scale."""

import json
from collections.abc import Mapping
from typing import Final

import numpy as np
from numpy.typing import NDArray

from training.samples import Samples
from training.trainers.protocol import Fitted, Lesson, Progress, Range
from training.trainers.seasonal_naive import refuse_parameters
from wattahead.models.baseline import CLIMATE_FEATURES, CLIMATE_HOURS, level

Floats = NDArray[np.float64]

MONTHS: Final = 12
SPACE: Final[Mapping[str, Range]] = {}


def fit(lesson: Lesson, progress: Progress) -> Fitted:
    """Return the climatology of all samples, for a pool that asks for nothing better."""
    refuse_parameters("climatology", lesson)
    progress("quantiles by month and hour")
    return learnt(lesson.samples, lesson.pool.quantiles)


def learnt(samples: Samples, quantiles: tuple[str, ...]) -> Fitted:
    """Return the climatology of all samples. A month without data takes the whole year at that hour."""
    month = samples.rows.column("month").astype(int) - 1
    hour = samples.rows.column("hour").astype(int)
    levels = [level(name) for name in quantiles]
    held = {}
    for zone in sorted(set(samples.rows.zones)):
        rows = (samples.zones == zone) & np.isfinite(samples.scaled_truth)
        values = _table(samples.scaled_truth[rows], month[rows], hour[rows], levels)
        newest = np.flatnonzero(np.array(samples.rows.zones) == zone)[-1]
        held[zone] = {"scale": float(samples.rows.scale[newest]), "values": np.round(values, 6).tolist()}
    body = json.dumps(held, sort_keys=True).encode()
    return Fitted("climatology", CLIMATE_FEATURES, {"climatology.json": body}, {"zones": sorted(held)})


def _table(truth: Floats, month: NDArray[np.int64], hour: NDArray[np.int64], levels: list[float]) -> Floats:
    values = np.zeros((len(levels), MONTHS, CLIMATE_HOURS))
    for at in range(CLIMATE_HOURS):
        of_hour = hour == at
        for number in range(MONTHS):
            chosen = truth[of_hour & (month == number)]
            chosen = chosen if len(chosen) else truth[of_hour]
            values[:, number, at] = np.quantile(chosen, levels) if len(chosen) else 0.0
    return values
