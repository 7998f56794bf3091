"""Trainers by name. A new one is a module here and a line in TRAINERS, or an entry point of another package."""

from typing import Final

from training.plugins import Plugins
from training.trainers.protocol import Trainer

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


_PLUGINS: Final = Plugins("trainer", GROUP, TRAINERS)
known = _PLUGINS.known  # the names of all trainers, ours first


def trainer(name: str) -> Trainer:
    """Return the trainer called `name`; only its own module is imported. An unknown one raises `E_CONFIG`."""
    found: Trainer = _PLUGINS.load(name)
    return found
