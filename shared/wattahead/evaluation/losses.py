"""What each hour costs: arrays in, one value an hour out. NaN where the truth or the forecast is unknown."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


def absolute(truth: Floats, median: Floats) -> Floats:
    """Absolute error [unit of the truth]."""
    return np.abs(median - truth)


def signed(truth: Floats, median: Floats) -> Floats:
    """Forecast minus truth [unit of the truth]: positive where the forecast is too high."""
    return median - truth


def squared(truth: Floats, median: Floats) -> Floats:
    """Squared error [square of the truth's unit]."""
    return np.asarray((median - truth) ** 2)


def relative(truth: Floats, median: Floats) -> Floats:
    """Absolute error as a share of the truth's size; NaN where the truth is 0."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(truth != 0, np.abs(median - truth) / np.abs(truth), np.nan)


def pinball(truth: Floats, quantile: Floats, probability: float) -> Floats:
    """Pinball loss of one quantile [unit of the truth] (Koenker and Bassett, Econometrica 46, 1978)."""
    miss = truth - quantile
    return np.maximum(probability * miss, (probability - 1) * miss)


def crps(truth: Floats, quantiles: Floats, probabilities: Sequence[float]) -> Floats:
    """Continuous ranked probability score, estimated from quantiles of shape (Q, ...) [unit of the truth].

    It is twice the pinball loss, integrated over all probabilities (Laio and Tamea, Hydrol. Earth Syst. Sci. 11,
    2007, eq. 9; Gneiting and Ranjan, J. Bus. Econ. Stat. 29, 2011). The integral is a sum over the stated quantiles,
    each with the weight of `weights`. Few quantiles leave the tails out: compare only equal sets of them.
    """
    parts = [pinball(truth, values, level) for values, level in zip(quantiles, probabilities, strict=True)]
    return np.asarray(2 * np.einsum("q,q...->...", weights(probabilities), np.stack(parts)))


def weights(probabilities: Sequence[float]) -> Floats:
    """Return the share of [0, 1] that lies nearest to each of the ascending probabilities; they add up to 1."""
    levels = np.asarray(probabilities, dtype=np.float64)
    return np.diff(np.concatenate([[0.0], (levels[1:] + levels[:-1]) / 2, [1.0]]))


def inside(truth: Floats, low: Floats, high: Floats) -> Floats:
    """1 where the truth lies within [low, high], 0 where it does not."""
    return _where_known((truth >= low) & (truth <= high), truth, low, high)


def below(truth: Floats, quantile: Floats) -> Floats:
    """1 where the truth is at most the quantile: its mean is the quantile's probability if that is right."""
    return _where_known(truth <= quantile, truth, quantile)


def width(truth: Floats, low: Floats, high: Floats) -> Floats:
    """Width of the band [unit of the truth] in the hours whose truth is known, as every other measure."""
    return np.where(np.isfinite(truth), high - low, np.nan)


def change(values: Floats) -> Floats:
    """Change from the step before along the last axis, same shape; NaN at the first step of a forecast."""
    return np.diff(values, axis=-1, prepend=np.nan)


def ramps(changes: Floats, threshold: float) -> NDArray[np.int8]:
    """1 where a change is at least `threshold` upwards, -1 downwards, 0 in between or unknown.

    A ramp is a change over a time step above a threshold (Ferreira et al., A survey on wind power ramp forecasting,
    Argonne National Laboratory, ANL/DIS-10-13, 2010, section 2).
    """
    return (np.sign(np.nan_to_num(changes)) * (np.abs(np.nan_to_num(changes)) >= threshold)).astype(np.int8)


def _where_known(values: NDArray[np.bool_], *needed: Floats) -> Floats:
    known = np.logical_and.reduce([np.isfinite(part) for part in needed])
    return np.where(known, values, np.nan)
