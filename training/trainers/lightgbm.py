"""LightGBM: boosters of the median by lead, for all zones of a pool, and bands around it."""

from dataclasses import dataclass
from typing import Final

from training.trainers import boosting
from training.trainers.blend import Blending, blended
from training.trainers.boosting import Growth, Median
from training.trainers.parameters import chosen
from training.trainers.protocol import Fitted, Lesson, Progress

SPACE: Final = boosting.SPACE


@dataclass(frozen=True)
class Parameters(Growth, Blending):
    """What may be set in the catalog under a pool's `parameters`."""


def fit(lesson: Lesson, progress: Progress) -> Fitted:
    """Fit boosters and their bands."""
    settings = chosen(Parameters(), "lightgbm", lesson.pool.parameters)
    return blended(lesson, {"trees": [Median(lesson.features, settings, lesson.seed)]}, settings, progress)
