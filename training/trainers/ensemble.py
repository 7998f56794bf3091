"""Lines and trees together: trees of all zones, trees of each zone, and lines, weighted by what held-back weeks say.

A mix, such as a carbon intensity, has a member more: lines on nothing but what the forecasts of its parts make of it.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from training.trainers import lightgbm, linear
from training.trainers.blend import Blending, blended
from training.trainers.boosting import Growth, Median
from training.trainers.linear import ENVELOPE, ZONES_OF_THEIR_OWN, Line
from training.trainers.parameters import chosen
from training.trainers.protocol import Fitted, Learner, Lesson, Progress
from wattahead.domain.graph import MIX

SPACE: Final = lightgbm.SPACE | linear.SPACE


@dataclass(frozen=True)
class Parameters(Growth, Line, Blending):
    """What may be set in the catalog under a pool's `parameters`."""


def fit(lesson: Lesson, progress: Progress) -> Fitted:
    """Fit members, weights and bands."""
    settings = chosen(Parameters(), "ensemble", lesson.pool.parameters)
    members: dict[str, Sequence[Learner]] = {"linear": linear.learners(lesson, settings)}
    plain = Median(lesson.features, settings, lesson.seed)
    members["trees"] = [plain, replace(plain, envelope=ENVELOPE)] if ENVELOPE in lesson.features else [plain]
    if 1 < len(lesson.pool.zones) <= ZONES_OF_THEIR_OWN:
        members["zones"] = [replace(plain, by_zone=True)]
    if MIX in lesson.features:
        members["mix"] = [linear.Learner((MIX,), settings)]
    return blended(lesson, members, settings, progress)
