"""How good forecasts were: one plain function per measure, arrays in, a number out. NaN rows count nowhere."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from wattahead.evaluation import losses

Floats = NDArray[np.float64]

RAMP_PERCENTILE = 90  # of the truth's own changes: the tenth of the steps with the largest ones are ramps


def mae(truth: Floats, median: Floats) -> float:
    """Mean absolute error of the median [unit of the truth]."""
    return _mean(losses.absolute(truth, median))


def nmae(truth: Floats, median: Floats, by: Floats) -> float:
    """Mean absolute error over the mean of `by` in the same hours: the truth itself, a capacity or a scale."""
    error = losses.absolute(truth, median)
    known = np.isfinite(error) & np.isfinite(by)
    size = _mean(np.where(known, by, np.nan))
    return _mean(np.where(known, error, np.nan)) / size if size > 0 else float("nan")


def bias(truth: Floats, median: Floats) -> float:
    """Mean bias error: forecast minus truth [unit of the truth]."""
    return _mean(losses.signed(truth, median))


def rmse(truth: Floats, median: Floats) -> float:
    """Root of the mean squared error [unit of the truth]."""
    return float(np.sqrt(_mean(losses.squared(truth, median))))


def mape(truth: Floats, median: Floats) -> float:
    """Mean absolute percentage error [%]; hours whose truth is 0 are left out."""
    return 100 * _mean(losses.relative(truth, median))


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


def width(truth: Floats, low: Floats, high: Floats) -> float:
    """Mean width of the band [unit of the truth]."""
    return _mean(losses.width(truth, low, high))


def ramp_mae(truth: Floats, median: Floats) -> float:
    """Mean absolute error of the change from step to step, arrays of shape (issue times, steps) [unit of the truth]."""
    return mae(losses.change(truth), losses.change(median))


def ramp_hits(truth: Floats, median: Floats) -> float:
    """Share of the truth's ramps that the median has at the same step and in the same direction, as large."""
    threshold = ramp_threshold(truth)
    came, said = (losses.ramps(losses.change(values), threshold) for values in (truth, median))
    return float((said == came)[came != 0].mean()) if (came != 0).any() else float("nan")


def ramp_threshold(truth: Floats) -> float:
    """Return how large a change is a ramp [unit of the truth]; infinite where no change is known or none was."""
    changes = np.abs(losses.change(truth))
    known = changes[np.isfinite(changes)]
    return float(np.percentile(known, RAMP_PERCENTILE)) or np.inf if len(known) else np.inf


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
