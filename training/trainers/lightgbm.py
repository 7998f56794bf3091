"""LightGBM: boosters of the median by lead, for all zones of a pool, and bands around it."""

from dataclasses import dataclass
from typing import Final

from training.trainers.blend import Blending, blended
from training.trainers.boosting import Growth, Median
from training.trainers.parameters import chosen
from training.trainers.protocol import Fitted, Lesson, Progress, Range

SPACE: Final = {
    "rounds": Range(100, 1000, log=True, whole=True),
    "learning_rate": Range(0.01, 0.1, log=True),
    "leaves": Range(8, 64, log=True, whole=True),
    "least_rows": Range(20, 400, log=True, whole=True),
    "feature_share": Range(0.2, 1.0),
    "row_share": Range(0.4, 1.0),
}


@dataclass(frozen=True)
class Parameters(Growth, Blending):
    """What may be set in the catalog under a pool's `parameters`."""


def fit(lesson: Lesson, progress: Progress) -> Fitted:
    """Fit boosters and their bands."""
    settings = chosen(Parameters(), "lightgbm", lesson.pool.parameters)
    return blended(lesson, {"trees": [Median(lesson.features, settings, lesson.seed)]}, settings, progress)
