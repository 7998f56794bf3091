"""Quantiles around a median: how far off the held-back weeks were, for a row that looks like this one.

A booster tells how far off a median of some size may be in such a row (the spread); quantiles of the errors of
held-back weeks in units of it, by zone and with more weight on recent days, tell how far each quantile stands away.
Split conformal prediction on normalised residuals (Lei, G'Sell, Rinaldo, Tibshirani and Wasserman, J. Am. Stat. Assoc.
113, 2018), with weights after Barber, Candes, Ramdas and Tibshirani, "Conformal prediction beyond exchangeability",
2023. Held-back weeks lie between weeks learnt from, and the future does not: a small share of the rows to come
is taken to be like none of them, half of it below and half above.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from wattahead.models.baseline import level
from wattahead.models.linear import by_zone
from wattahead.models.rows import Floats, Member, Rows

MEDIAN: Final = "median"  # the feature of the spread that no rows hold before they are predicted
NARROWEST: Final = 1e-3  # of the scale: no spread is smaller
FEWEST: Final = 100  # held-back rows that a zone needs for distances of its own
POOLED: Final = ""  # the distances for a zone that was not in training


@dataclass(frozen=True)
class Bands:
    """Distances from the median in units of the spread, by zone and quantile."""

    spread: Member
    distances: Mapping[str, Floats]  # zone -> (Q)

    def apply(self, median: Floats, rows: Rows) -> Floats:
        """Return the quantiles of every row, ascending, shape (Q, S x H), for medians in units of the scale."""
        tables, which = by_zone(self.distances, rows.zones)  # (zones, Q)
        away = np.repeat(tables[which].T, rows.steps, axis=1)  # (Q, S x H)
        return median + away * spread_of(self.spread, with_median(rows, median))


def with_median(rows: Rows, median: Floats) -> Rows:
    """Return what the spread is asked: rows, and beside them their medians in units of the scale, (S x H)."""
    return rows.beside(MEDIAN, median)


def spread_of(spread: Member, rows: Rows) -> Floats:
    """Return how far off every row's median may be in units of the scale, shape (S x H); ask with `with_median`."""
    return np.maximum(spread.predict(rows), NARROWEST)


def learn(
    relative: Floats, weight: Floats, zones: NDArray[np.str_], quantiles: Sequence[str], *, unlike: float = 0.0
) -> dict[str, Floats]:
    """Return the distances under which rows like the held-back ones would be covered as stated.

    `relative` (rows): truth minus median over the spread; `weight` (rows) says how much each row counts, `unlike` what
    share of the rows to come is like none of them. Ascending with the quantile by construction, so that bands never
    cross.
    """
    levels = outward(np.array([level(name) for name in quantiles]), unlike)
    found = {POOLED: weighted_quantiles(relative, weight, levels)}
    for zone in np.unique(zones):
        rows = zones == zone
        enough = rows.sum() >= FEWEST
        found[str(zone)] = weighted_quantiles(relative[rows], weight[rows], levels) if enough else found[POOLED]
    return found


def outward(levels: Floats, unlike: float) -> Floats:
    """Return the levels among known rows that are `levels` of all rows, if others lie half below and half above them.

    `unlike`: how many others there are, in parts of the known rows.
    """
    return np.clip(levels + (levels - 0.5) * unlike, 0.0, 1.0)


def weighted_quantiles(values: Floats, weight: Floats, levels: Sequence[float] | Floats) -> Floats:
    """Return quantiles of weighted values, interpolated between the middles of their shares; 0 without values."""
    if not len(values):
        return np.zeros(len(levels))
    order = np.argsort(values, kind="stable")
    share = np.cumsum(weight[order])
    return np.interp(levels, (share - weight[order] / 2) / share[-1], values[order])
