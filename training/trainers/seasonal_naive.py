"""Nothing better than the same hour of the last known day: a pool may ask for it by name."""

from collections.abc import Mapping
from typing import Final

from training.trainers.protocol import Fitted, Lesson, Progress, Range
from wattahead.domain.errors import Refused
from wattahead.models.baseline import NAIVE_FEATURES

SPACE: Final[Mapping[str, Range]] = {}


def fit(lesson: Lesson, progress: Progress) -> Fitted:
    """Return the seasonal naive, which learns nothing and has no files."""
    refuse_parameters("seasonal_naive", lesson)
    progress("nothing to learn")
    return Fitted("seasonal_naive", NAIVE_FEATURES, {}, {})


def refuse_parameters(trainer: str, lesson: Lesson) -> None:
    """Refuse parameters given to a trainer that has none."""
    for name in sorted(lesson.pool.parameters):
        raise Refused("E_CONFIG", f"trainer {trainer} has no parameter {name!r}", fix="leave the pool's parameters out")
