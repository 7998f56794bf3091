"""Baselines, pure numpy: the floor for promotion and the last steps of the fallback ladder."""

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from wattahead.models.rows import Floats, Rows

NAIVE_FEATURES: Final = tuple(f"same_time_{day}" for day in range(1, 9))
CLIMATE_FEATURES: Final = ("month", "hour")
CLIMATE_HOURS: Final = 24


@dataclass(frozen=True)
class SeasonalNaive:
    """The same hour of the last known day; a band from how much that hour changed from day to day."""

    quantiles: tuple[str, ...]

    def usable(self, rows: Rows) -> NDArray[np.bool_]:
        """A series with a scale whose last known day is known at every step."""
        known = np.isfinite(rows.column(NAIVE_FEATURES[0])).reshape(-1, rows.steps).all(axis=1)
        return known & np.isfinite(rows.scale)

    def predict(self, rows: Rows) -> Floats:
        """The last known day, and around it what that hour changed by from day to day."""
        days = rows.columns(NAIVE_FEATURES).astype(np.float64)
        change = np.abs(np.diff(days, axis=0))
        known = np.isfinite(change)
        spread = np.where(known, change, 0.0).sum(axis=0) / np.maximum(known.sum(axis=0), 1)
        return np.stack([days[0] + spread * laplace(level(name)) for name in self.quantiles]) * rows.row_scale


@dataclass(frozen=True)
class Climatology:
    """Quantiles of the training window by zone, month and hour; needs nothing of the present but the date."""

    quantiles: tuple[str, ...]
    tables: Mapping[str, NDArray[np.float64]]  # zone -> (Q, 12, 24) in units of the scale
    scales: Mapping[str, float]  # zone -> the last scale of the training window [unit]

    def usable(self, rows: Rows) -> NDArray[np.bool_]:
        """A series whose zone was in training."""
        return np.array([zone in self.tables for zone in rows.zones], dtype=bool)

    def predict(self, rows: Rows) -> Floats:
        """The quantiles of the zone's month and hour, at the present scale or the last one known in training."""
        month = rows.column("month").astype(int).reshape(-1, rows.steps) - 1
        hour = rows.column("hour").astype(int).reshape(-1, rows.steps)
        picked = [self.tables[zone][:, month[index], hour[index]] for index, zone in enumerate(rows.zones)]
        known = np.isfinite(rows.scale)
        scale = np.where(known, rows.scale, [self.scales[zone] for zone in rows.zones])
        return np.concatenate(picked, axis=1) * np.repeat(scale, rows.steps)


def level(quantile: str) -> float:
    """Return the probability that a quantile column such as `p10` stands for."""
    return int(quantile.removeprefix("p")) / 100


def laplace(probability: float) -> float:
    """Return the quantile of the Laplace distribution whose mean absolute value is 1 (its inverse CDF, b = 1)."""
    tail = -math.log(2 * min(probability, 1 - probability))
    return math.copysign(tail, probability - 0.5)


def load_climatology(quantiles: tuple[str, ...], files: Mapping[str, bytes]) -> Climatology:
    """Return the climatology that `climatology.json` holds."""
    held: dict[str, Any] = json.loads(files["climatology.json"])
    tables = {zone: np.array(table["values"], dtype=np.float64) for zone, table in held.items()}
    return Climatology(quantiles, tables, {zone: float(table["scale"]) for zone, table in held.items()})
