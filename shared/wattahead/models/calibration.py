"""Interval calibration: how far the outer quantiles stand from the median, learnt on days held back from the fit.

A conformal step on the ratio (y - p50) / (pNN - p50): the factor that would have given the stated coverage on the
held-back days widens or narrows the band, per zone and part of the day. Widths stay zero where the model's were,
as at night. Split conformal prediction after Romano, Patterson and Candes, "Conformalized Quantile Regression", 2019.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from wattahead.models.baseline import level

Floats = NDArray[np.float64]

NARROWEST: Final = 1e-3  # of the scale: a band of no width cannot be widened by a factor
FEWEST: Final = 60  # held-back rows that a zone's part needs for a factor of its own
POOLED: Final = ""  # the factors for a zone that was not in training


@dataclass(frozen=True)
class Calibration:
    """Factors by zone, quantile and part of the day."""

    quantiles: tuple[str, ...]
    factors: Mapping[str, Floats]  # zone -> (Q, parts of the UTC day); POOLED for any other

    def apply(self, values: Floats, zones: Sequence[str], hour: NDArray[np.float32]) -> Floats:
        """Return calibrated quantiles; `values` (Q, S x H) are in units of the scale, `hour` (S x H) is UTC."""
        steps = values.shape[1] // max(len(zones), 1)
        pooled = self.factors[POOLED]
        tables = np.stack([self.factors.get(zone, pooled) for zone in zones], axis=1)  # (Q, S, parts)
        series = np.repeat(np.arange(len(zones)), steps)
        factor = tables[:, series, part_of_day(hour, pooled.shape[1])]
        middle = values[self.quantiles.index("p50")]
        return middle + factor * distance(values, self.quantiles)


def learn(
    values: Floats, truth: Floats, zones: NDArray[np.str_], hour: Floats, quantiles: tuple[str, ...], *, parts: int
) -> Calibration:
    """Return the factors under which held-back rows would have had the stated coverage.

    `values` (Q, rows) and `truth` (rows) in units of the scale; `zones` and `hour` name the rows, `parts` cuts the
    UTC day. Rows whose truth
    and median are both zero, such as solar at night, say nothing about widths and are left out.
    """
    alive = np.isfinite(truth) & ((np.abs(truth) > NARROWEST) | (np.abs(values[quantiles.index("p50")]) > NARROWEST))
    part = part_of_day(hour, parts)
    pooled = _factors(values[:, alive], truth[alive], part[alive], quantiles, np.ones((len(quantiles), parts)))
    factors = {POOLED: pooled}
    for zone in np.unique(zones):
        rows = alive & (zones == zone)
        factors[str(zone)] = _factors(values[:, rows], truth[rows], part[rows], quantiles, pooled)
    return Calibration(quantiles, factors)


def _factors(
    values: Floats, truth: Floats, part: NDArray[np.int64], quantiles: tuple[str, ...], otherwise: Floats
) -> Floats:
    """Return (Q, parts) factors; `otherwise` where there are too few rows."""
    found = otherwise.copy()
    away = distance(values, quantiles)
    miss = truth - values[quantiles.index("p50")]
    for index, name in enumerate(quantiles):
        if name == "p50":
            continue
        for number in range(otherwise.shape[1]):
            rows = part == number
            if rows.sum() >= FEWEST:
                outward = max(level(name), 1 - level(name))
                found[index, number] = max(float(np.quantile(miss[rows] / away[index, rows], outward)), 0.0)
    return found


def distance(values: Floats, quantiles: Sequence[str]) -> Floats:
    """Return how far each quantile stands from the median, at least `NARROWEST` on its own side."""
    order = np.sort(values, axis=0)
    away = order - order[list(quantiles).index("p50")]
    side = np.sign([level(name) - 0.5 for name in quantiles])[:, None]
    return side * np.maximum(np.abs(away), NARROWEST) * (side != 0)


def part_of_day(hour: NDArray[np.floating], parts: int) -> NDArray[np.int64]:
    """Return the part of the UTC day of each row."""
    return (hour.astype(np.int64) * parts // 24) % parts


def to_json(calibration: Calibration) -> bytes:
    """Return the calibration as the bundle file `calibration.json`."""
    plain = {zone: np.round(factors, 6).tolist() for zone, factors in calibration.factors.items()}
    return json.dumps(plain, sort_keys=True).encode()


def from_json(quantiles: tuple[str, ...], body: bytes) -> Calibration:
    """Return the calibration that a bundle file holds."""
    plain: dict[str, Any] = json.loads(body)
    return Calibration(quantiles, {zone: np.array(factors, dtype=np.float64) for zone, factors in plain.items()})
