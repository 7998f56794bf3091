"""Trainers of screens by name. A new one is a module here and a line in TRAINERS, or an entry point elsewhere."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib import import_module
from importlib.metadata import entry_points
from typing import Any, Final, Protocol

from training.grid.lessons import Lesson
from wattahead.domain.errors import Refused

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


def known() -> list[str]:
    """Return the names of all trainers, ours first."""
    return [*TRAINERS, *sorted({point.name for point in entry_points(group=GROUP)} - set(TRAINERS))]


def trainer(name: str) -> Trainer:
    """Return the trainer called `name`; only its own module is imported. An unknown one raises `E_CONFIG`."""
    if name in TRAINERS:
        return import_module(TRAINERS[name])
    for point in entry_points(group=GROUP):
        if point.name == name:
            return point.load()
    raise Refused("E_CONFIG", f"there is no trainer {name!r} of grids", fix=f"use one of {', '.join(known())}")
