"""Bands around a loading: how far off held-back episodes were, in units of a spread that was learnt."""

import json
from collections.abc import Callable, Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from training.grid.lessons import Lesson, folds
from wattahead.models.baseline import level
from wattahead.models.rows import Rows
from wattahead.models.screen import NARROWEST

Floats = NDArray[np.float64]

FOLDS: Final = 3
SPREAD: Final = 0.8  # the spread is this quantile of the absolute error


def held_back(lesson: Lesson, fit: Callable[[Lesson], Callable[[Rows], Floats]]) -> Floats:
    """Return what fits that had not seen a state's episode say of it, (S x A): `fit` gives what predicts rows."""
    fold = folds(lesson.episode, FOLDS, lesson.seed)
    found = np.full(lesson.failed.shape, np.nan)
    for number in np.unique(fold).tolist():
        apart = fold == number
        found[apart] = fit(lesson.take(~apart))(lesson.take(apart).rows).reshape(-1, lesson.failed.shape[1])
    return found.reshape(-1)


def distances(error: Floats, spread: Floats, quantiles: Sequence[str]) -> bytes:
    """Return the bundle file of distances: quantiles of the errors (truth less prediction) in units of the spread.

    Split conformal prediction on normalised residuals (Lei, G'Sell, Rinaldo, Tibshirani and Wasserman, J. Am. Stat.
    Assoc. 113, 2018). The median is the prediction itself.
    """
    relative = error / np.maximum(spread, NARROWEST)
    away = np.quantile(relative, [level(name) for name in quantiles])
    found = {name: 0.0 if name == "p50" else round(float(one), 6) for name, one in zip(quantiles, away, strict=True)}
    return json.dumps(found, sort_keys=True).encode()
