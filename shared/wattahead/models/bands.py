"""Quantiles around a median: how far off the held-back days were, for a row that looks like this one.

A booster tells how large the error of a row tends to be; quantiles of the errors of held-back days in units of it,
by zone and part of the day and with more weight on recent days, tell how far each quantile stands away. Split conformal
prediction on normalised residuals (Lei, G'Sell, Rinaldo, Tibshirani and Wasserman, J. Am. Stat. Assoc. 113, 2018),
with weights after Barber, Candes, Ramdas and Tibshirani, "Conformal prediction beyond exchangeability", 2023.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from wattahead.models.baseline import level
from wattahead.models.linear import by_zone
from wattahead.models.rows import Floats, Member, Rows

NARROWEST: Final = 1e-3  # of the scale: no error is expected to be smaller
FEWEST: Final = 100  # held-back rows that a zone's part needs for distances of its own
POOLED: Final = ""  # the distances for a zone that was not in training


@dataclass(frozen=True)
class Bands:
    """Distances from the median in units of the expected error, by zone, quantile and part of the UTC day."""

    spread: Member
    distances: Mapping[str, Floats]  # zone -> (Q, parts)

    def apply(self, median: Floats, rows: Rows) -> Floats:
        """Return the quantiles of every row, ascending, shape (Q, S x H), for medians in units of the scale."""
        tables, which = by_zone(self.distances, rows.zones)  # (zones, Q, parts)
        part = part_of_day(rows.column("hour"), tables.shape[2])
        away = tables[np.repeat(which, rows.steps), :, part].T  # (Q, S x H)
        return median + away * expected(self.spread, rows)


def expected(spread: Member, rows: Rows) -> Floats:
    """Return the expected absolute error of every row in units of the scale, shape (S x H)."""
    return np.maximum(spread.predict(rows), NARROWEST)


def learn(
    relative: Floats,
    weight: Floats,
    zones: NDArray[np.str_],
    hour: NDArray[np.floating],
    quantiles: Sequence[str],
    *,
    parts: int,
) -> dict[str, Floats]:
    """Return the distances under which held-back rows would have been covered as stated.

    `relative` (rows): truth minus median over the expected error; `weight` (rows) says how much each row counts.
    Ascending with the quantile by construction, so that bands never cross.
    """
    levels = [level(name) for name in quantiles]
    part = part_of_day(hour, parts)
    anywhere = weighted_quantiles(relative, weight, levels)
    pooled = _by_part(relative, weight, part, levels, np.repeat(anywhere[:, None], parts, axis=1))
    found = {POOLED: pooled}
    for zone in np.unique(zones):
        rows = zones == zone
        found[str(zone)] = _by_part(relative[rows], weight[rows], part[rows], levels, pooled)
    return found


def _by_part(relative: Floats, weight: Floats, part: NDArray[np.int64], levels: list[float], other: Floats) -> Floats:
    found = other.copy()
    for number in range(other.shape[1]):
        rows = part == number
        if rows.sum() >= FEWEST:
            found[:, number] = weighted_quantiles(relative[rows], weight[rows], levels)
    return found


def weighted_quantiles(values: Floats, weight: Floats, levels: Sequence[float]) -> Floats:
    """Return quantiles of weighted values, interpolated between the middles of their shares."""
    if not len(values):
        return np.zeros(len(levels))
    order = np.argsort(values, kind="stable")
    share = np.cumsum(weight[order])
    return np.interp(levels, (share - weight[order] / 2) / share[-1], values[order])


def part_of_day(hour: NDArray[np.floating], parts: int) -> NDArray[np.int64]:
    """Return the part of the UTC day of each row."""
    return (hour.astype(np.int64) * parts // 24) % parts
