"""Trainers by name. A new one is a module here and a line in TRAINERS, or an entry point of another package."""

from importlib import import_module
from importlib.metadata import entry_points
from typing import Final

from training.trainers.protocol import Trainer
from wattahead.domain.errors import Refused

GROUP: Final = "wattahead.trainers"  # entry points: name = "package.module", or "package.module:object"
TRAINERS: Final[dict[str, str]] = {
    "climatology": "training.trainers.climatology",
    "ensemble": "training.trainers.ensemble",
    "lightgbm": "training.trainers.lightgbm",
    "linear": "training.trainers.linear",
    "quantiles": "training.trainers.quantiles",
    "seasonal_naive": "training.trainers.seasonal_naive",
    "xgboost": "training.trainers.xgboost",
}


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
    raise Refused("E_CONFIG", f"there is no trainer {name!r}", fix=f"use one of {', '.join(known())}")
