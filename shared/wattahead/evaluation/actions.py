"""How good a screening of actions was: plain functions, arrays in, a number out. S states, A actions.

What came true is the highest loading after each action, infinite where the grid does not survive it.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
DARK: Final = 2.0  # the loading that a grid counts as which does not survive
Order = NDArray[np.integer]  # (S, A) actions from the best to the worst, as they were predicted


def rmse(truth: Floats, predicted: Floats) -> float:
    """Root of the mean squared error."""
    return float(np.sqrt(np.mean((truth - predicted) ** 2)))


def r2(truth: Floats, predicted: Floats) -> float:
    """Share of the truth's variance that is explained."""
    return float(1 - np.mean((truth - predicted) ** 2) / np.var(truth))


def auc(happened: NDArray[np.bool_], score: Floats) -> float:
    """Chance that one that happened has the higher score than one that did not; ties count half.

    The area under the ROC curve as a rank sum (Hanley and McNeil, Radiology 143, 1982); NaN without both.
    """
    yes, no = int(happened.sum()), int((~happened).sum())
    if not yes or not no:
        return float("nan")
    _, place, count = np.unique(score, return_inverse=True, return_counts=True)
    ranks = np.cumsum(count) - (count - 1) / 2
    return float((ranks[place][happened].sum() - yes * (yes + 1) / 2) / (yes * no))


def hit(truth: Floats, order: Order, first: int) -> float:
    """Share of the states whose best action, or one as good, is among the first ones of the order.

    States that no action saves are not counted.
    """
    best = truth.min(axis=1)
    saved = np.isfinite(best)
    return float(np.mean(_best_of(truth, order, first)[saved] <= best[saved] + 1e-6)) if saved.any() else float("nan")


def regret(truth: Floats, order: Order, first: int, *, nothing: int = 0) -> float:
    """How much more loading than with the best action, if the first ones of the order are verified and the best taken.

    Doing nothing (the action `nothing`) is always verified too: it is what is left when all of them fail.
    """
    taken = np.minimum(_best_of(truth, order, first), truth[:, nothing])
    return _beyond_best(taken, truth)


def unverified_regret(truth: Floats, order: Order, *, nothing: int = 0) -> float:
    """How much more loading than with the best action, if the first of the order is taken unseen.

    An action that fails counts as the loading of doing nothing, which is a lower bound of what it costs.
    """
    taken = np.take_along_axis(truth, order[:, :1], axis=1)[:, 0]
    return _beyond_best(np.where(np.isfinite(taken), taken, truth[:, nothing]), truth)


def _best_of(truth: Floats, order: Order, first: int) -> Floats:
    return np.take_along_axis(truth, order[:, :first], axis=1).min(axis=1)


def _beyond_best(taken: Floats, truth: Floats) -> float:
    """Return the mean of what is lost; a grid that goes dark though it need not counts as `DARK` at least."""
    best = truth.min(axis=1)
    saved = np.isfinite(best)
    lost = np.where(np.isfinite(taken), taken, np.maximum(DARK, best))[saved] - best[saved]
    return float(np.mean(lost)) if saved.any() else float("nan")
