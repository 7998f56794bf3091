"""Trainers of screens by name. A new one is a module here and a line in TRAINERS, or an entry point elsewhere."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, Protocol

from training.grid.lessons import Lesson
from training.plugins import Plugins

Progress = Callable[[str], None]

GROUP: Final = "wattahead.grid_trainers"  # entry points: name = "package.module", or "package.module:object"
TRAINERS: Final = {"lightgbm": "training.grid.trainers.lightgbm", "ridge": "training.grid.trainers.ridge"}


@dataclass(frozen=True)
class Fitted:
    """Files of a bundle before its manifest, the features they need in order, and the facts of the fit."""

    kind: str  # which loader of `wattahead.models.loading` reads the files
    features: tuple[str, ...]
    files: Mapping[str, bytes]
    facts: Mapping[str, Any]


class Trainer(Protocol):
    """One way to learn what actions do."""

    def fit(self, lesson: Lesson, progress: Progress) -> Fitted:
        """Fit on `lesson`; the same lesson gives the same bytes. `progress` is called now and then, and may raise."""
        ...


_PLUGINS: Final = Plugins("trainer of grids", GROUP, TRAINERS)
known = _PLUGINS.known  # the names of all trainers, ours first


def trainer(name: str) -> Trainer:
    """Return the trainer called `name`; only its own module is imported. An unknown one raises `E_CONFIG`."""
    found: Trainer = _PLUGINS.load(name)
    return found
