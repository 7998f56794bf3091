"""How sure a measure is: whole days are drawn again and again, with what they sum up to.

Errors of one day belong together, so hours must not be drawn one by one (Künsch, Annals of Statistics 17, 1989, for
blocks; Efron and Tibshirani, An Introduction to the Bootstrap, 1993, chapter 13, for percentiles). Days are taken as
independent: where weather stays for days, the true interval is somewhat wider.
"""

from collections.abc import Callable
from typing import Final

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

DRAWS: Final = 1000
SEED: Final = 1
LEVEL: Final = 0.95
FEWEST: Final = 5  # days; percentiles of fewer mean nothing


def drawn(days: int, draws: int = DRAWS, seed: int = SEED) -> Floats:
    """Return how often each of `days` days comes in each of `draws` samples of as many days, shape (draws, days)."""
    return np.random.default_rng(seed).multinomial(days, np.full(days, 1 / days), size=draws).astype(np.float64)


def intervals(
    top: Floats, bottom: Floats, draws: Floats, finish: Callable[[Floats], Floats], level: float = LEVEL
) -> tuple[Floats, Floats]:
    """Return low and high ends, shape (K), of `finish(sum of top / sum of bottom)`.

    `top` and `bottom` are sums of K slices by day, shape (days, K); `draws` are those of `drawn`. NaN for a slice
    that has something on fewer than 5 days. A draw that has no day of a slice says nothing about it.
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        values = finish((draws @ top) / (draws @ bottom))
    values = np.where(np.isfinite(values), values, np.nan)
    ends = [(1 - level) / 2, (1 + level) / 2]
    found = np.quantile(values, ends, axis=0)
    few = (bottom != 0).sum(axis=0) < FEWEST
    gaps = ~few & np.isnan(values).any(axis=0) & np.isfinite(values).any(axis=0)
    found[:, gaps] = np.nanquantile(values[:, gaps], ends, axis=0)
    low, high = np.where(few, np.nan, found)
    return low, high
