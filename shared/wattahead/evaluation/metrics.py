"""How good forecasts were: one plain function per measure, arrays in, a number out. NaN rows count nowhere."""

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


def mae(truth: Floats, median: Floats) -> float:
    """Mean absolute error of the median [unit of the truth]."""
    return _mean(np.abs(truth - median))


def bias(truth: Floats, median: Floats) -> float:
    """Mean of forecast minus truth [unit of the truth]."""
    return _mean(median - truth)


def rmse(truth: Floats, median: Floats) -> float:
    """Root of the mean squared error [unit of the truth]."""
    return float(np.sqrt(_mean((truth - median) ** 2)))


def mape(truth: Floats, median: Floats) -> float:
    """Mean absolute percentage error [%]; hours whose truth is 0 are left out."""
    with np.errstate(divide="ignore", invalid="ignore"):
        share = np.where(truth != 0, np.abs(truth - median) / np.abs(truth), np.nan)
    return 100 * _mean(share)


def pinball(truth: Floats, quantile: Floats, probability: float) -> float:
    """Mean pinball loss of one quantile [unit of the truth] (Koenker and Bassett, Econometrica 46, 1978)."""
    miss = truth - quantile
    return _mean(np.maximum(probability * miss, (probability - 1) * miss))


def mean_pinball(truth: Floats, quantiles: Floats, probabilities: list[float]) -> float:
    """Mean pinball loss over quantiles of shape (Q, rows) [unit of the truth]."""
    return float(
        np.mean([pinball(truth, values, level) for values, level in zip(quantiles, probabilities, strict=True)])
    )


def coverage(truth: Floats, low: Floats, high: Floats) -> float:
    """Share of the hours whose truth lies within [low, high]."""
    known = np.isfinite(truth) & np.isfinite(low) & np.isfinite(high)
    return _mean(np.where(known, (truth >= low) & (truth <= high), np.nan))


def skill(error: float, reference: float) -> float:
    """Share of the reference's error that is gone; 0 is no better, 1 is perfect."""
    return 1 - error / reference if reference else float("nan")


def _mean(values: Floats) -> float:
    finite = values[np.isfinite(values)]
    return float(finite.mean()) if len(finite) else float("nan")
