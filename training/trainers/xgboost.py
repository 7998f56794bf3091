"""XGBoost: boosters of the median by lead, for all zones of a pool, and bands around it; kept as LightGBM's text."""

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import xgboost
from numpy.typing import NDArray

from training.trainers import boosting
from training.trainers.blend import Blending, blended
from training.trainers.boosting import Growth
from training.trainers.parameters import chosen
from training.trainers.protocol import Fitted, Lesson, Progress
from training.trainers.translation import lightgbm_text

Floats = NDArray[np.float64]

SPACE: Final = boosting.SPACE


@dataclass(frozen=True)
class Parameters(Growth, Blending):
    """What may be set in the catalog under a pool's `parameters`."""


@dataclass(frozen=True)
class Median(boosting.Median):
    """The same boosters for the same zones and leads, grown by XGBoost; the zone's number is a number to it."""

    def grown(self, matrix: NDArray[np.float32], target: Floats, weight: Floats) -> str:
        """Return one booster as LightGBM's text."""
        seen = xgboost.DMatrix(matrix, target, weight=weight / weight.mean(), nthread=1)
        booster = xgboost.train(self._told(), seen, self.growth.rounds)
        return lightgbm_text(bytes(booster.save_raw("json")), (*self.features, "zone"))

    def _told(self) -> dict[str, Any]:
        growth = self.growth
        return {
            "objective": "reg:absoluteerror",
            "tree_method": "hist",
            "grow_policy": "lossguide",
            "max_depth": 0,
            "max_leaves": growth.leaves,
            "max_bin": 127,
            "eta": growth.learning_rate,
            "min_child_weight": growth.least_rows,  # rows weigh 1 on average in this objective
            "colsample_bytree": growth.feature_share,
            "subsample": growth.row_share,
            "seed": self.seed,
            "nthread": 1,
            "verbosity": 0,
        }


def fit(lesson: Lesson, progress: Progress) -> Fitted:
    """Fit boosters and their bands."""
    settings = chosen(Parameters(), "xgboost", lesson.pool.parameters)
    return blended(lesson, {"xgboost": [Median(lesson.features, settings, lesson.seed)]}, settings, progress)
