"""Trainers by name. A new one is a module here and a line in TRAINERS."""

from collections.abc import Callable
from typing import Final

from training.samples import Samples
from training.trainers.fitted import Fitted
from training.trainers.lightgbm_quantiles import fit as lightgbm
from wattahead.domain.catalog import Pool
from wattahead.domain.errors import Refused

Progress = Callable[[str], None]
Trainer = Callable[[Samples, Pool, tuple[str, ...], int, Progress], Fitted]

TRAINERS: Final[dict[str, Trainer]] = {"lightgbm": lightgbm}


def trainer(name: str) -> Trainer:
    """Return the trainer called `name`."""
    if name not in TRAINERS:
        raise Refused("E_CONFIG", f"there is no trainer {name!r}", fix=f"use one of {', '.join(TRAINERS)}")
    return TRAINERS[name]
