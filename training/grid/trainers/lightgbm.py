"""Boosters with the action as a category: what the true loading is of the linear answer, how sure that is, and failure.

Squared error on the logarithm: the median and the mean of a factor are close, and the absolute error learns slower.
"""

from collections.abc import Callable
from typing import Any, Final

import lightgbm as lgb
import numpy as np
from numpy.typing import NDArray

from training.grid.lessons import Lesson
from training.grid.trainers import Fitted, Progress
from training.grid.trainers.bands import SPREAD, distances, held_back
from wattahead.grid.columns import CATEGORIES, NAMES
from wattahead.models.rows import Rows

Floats = NDArray[np.float64]

ROUNDS, LEAVES, RATE = "rounds", "leaves", "learning_rate"
DEFAULTS: Final = {ROUNDS: 250.0, LEAVES: 47.0, RATE: 0.08}
SPREAD_ROUNDS, FAIL_ROUNDS = 60, 150
FEWEST: Final = 50  # rows of a leaf


def fit(lesson: Lesson, progress: Progress) -> Fitted:
    """Return boosters for the median, for how far off it was in episodes it had not seen, and for failure."""
    asked = DEFAULTS | dict(lesson.parameters)
    survived = lesson.survived
    matrix = lesson.matrix
    progress("held-back episodes")
    said = held_back(lesson, lambda known: _predictor(known, asked))
    error = (lesson.factor - said)[survived]
    progress("median")
    median = _train(matrix[survived], lesson.factor[survived], asked, lesson.seed)
    progress("spread")
    about = {"objective": "quantile", "alpha": SPREAD}
    spread = _train(matrix[survived], np.abs(error), asked | {ROUNDS: SPREAD_ROUNDS}, lesson.seed, **about)
    progress("failure")
    fail = _train(matrix, ~survived, asked | {ROUNDS: FAIL_ROUNDS}, lesson.seed, objective="binary")
    held = {"median": median, "spread": spread, "fail": fail}
    files = {f"{name}.txt": booster.model_to_string().encode() for name, booster in held.items()}
    files["distances.json"] = distances(error, np.asarray(spread.predict(matrix[survived])), lesson.quantiles)
    trees = {name: booster.num_trees() for name, booster in held.items()}
    return Fitted("screen", NAMES, files, {"parameters": asked, "trees": trees})


def _predictor(lesson: Lesson, asked: dict[str, float]) -> Callable[[Rows], Floats]:
    survived = lesson.survived
    booster = _train(lesson.matrix[survived], lesson.factor[survived], asked, lesson.seed)
    return lambda rows: np.asarray(booster.predict(rows.block.T))


def _train(
    matrix: NDArray[np.float32], target: NDArray[Any], asked: dict[str, float], seed: int, **changed: object
) -> lgb.Booster:
    parameters = {
        "objective": "regression",
        "learning_rate": asked[RATE],
        "num_leaves": int(asked[LEAVES]),
        "min_data_in_leaf": min(FEWEST, max(1, len(matrix) // 100)),
        "feature_fraction": 0.6,
        "bagging_fraction": 0.7,
        "bagging_freq": 1,
        "cat_smooth": 50,
        "seed": seed,
        "num_threads": 1,
        "deterministic": True,
        "force_row_wise": True,
        "verbosity": -1,
        **changed,
    }
    categories = [NAMES.index(name) for name in CATEGORIES]
    data = lgb.Dataset(matrix, target.astype(np.float64), feature_name=list(NAMES), categorical_feature=categories)
    return lgb.train(parameters, data, int(asked[ROUNDS]))
