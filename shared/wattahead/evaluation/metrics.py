"""How good forecasts were: plain functions, arrays in, a number out. NaN rows count nowhere."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from wattahead.evaluation import losses

Floats = NDArray[np.float64]

RAMP_PERCENTILE = 90  # of the truth's own changes: the tenth of the steps with the largest ones are ramps


def mae(truth: Floats, median: Floats) -> float:
    """Mean absolute error of the median [unit of the truth]."""
    return _mean(losses.absolute(truth, median))


def pinball(truth: Floats, quantile: Floats, probability: float) -> float:
    """Mean pinball loss of one quantile [unit of the truth] (Koenker and Bassett, Econometrica 46, 1978)."""
    return _mean(losses.pinball(truth, quantile, probability))


def mean_pinball(truth: Floats, quantiles: Floats, probabilities: Sequence[float]) -> float:
    """Mean pinball loss over quantiles of shape (Q, rows) [unit of the truth]."""
    return float(
        np.mean([pinball(truth, values, level) for values, level in zip(quantiles, probabilities, strict=True)])
    )


def crps(truth: Floats, quantiles: Floats, probabilities: Sequence[float]) -> float:
    """Mean continuous ranked probability score, from quantiles of shape (Q, rows) [unit of the truth]."""
    return _mean(losses.crps(truth, quantiles, probabilities))


def rcrps(truth: Floats, quantiles: Floats, probabilities: Sequence[float]) -> float:
    """CRPS over the spread of the truth, as OpenSTEF's benchmark states it: comparable from series to series."""
    size = spread(truth)
    return crps(truth, quantiles, probabilities) / size if size > 0 else float("nan")


def spread(truth: Floats) -> float:
    """P99 minus P1 of the truth [unit of the truth]."""
    known = truth[np.isfinite(truth)]
    return float(np.subtract(*np.percentile(known, [99, 1]))) if len(known) else float("nan")


def coverage(truth: Floats, low: Floats, high: Floats) -> float:
    """Share of the hours whose truth lies within [low, high]."""
    return _mean(losses.inside(truth, low, high))


def ramp_threshold(truth: Floats) -> float:
    """Return the smallest change that is a ramp [unit of the truth]; infinite where no change is known or none was.

    Where less than a tenth of the steps changed at all, each of these changes is one.
    """
    changes = np.abs(losses.change(truth))
    known = changes[np.isfinite(changes)]
    bound = np.percentile(known, RAMP_PERCENTILE) if len(known) else np.inf
    return float(np.min(known[(known >= bound) & (known > 0)], initial=np.inf))


def far_from_zero(truth: Floats) -> bool:
    """Return whether percentages mean something: no hour below a tenth of the mean."""
    known = truth[np.isfinite(truth)]
    return bool(len(known) and known.min() > known.mean() / 10 > 0)


def skill(error: float, reference: float) -> float:
    """Share of the reference's error that is gone; 0 is no better, 1 is perfect."""
    return 1 - error / reference if reference else float("nan")


def _mean(values: Floats) -> float:
    finite = values[np.isfinite(values)]
    return float(finite.mean()) if len(finite) else float("nan")
