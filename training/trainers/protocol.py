"""What a trainer is: a module (or any object) with `fit` and `SPACE`. It learns from samples and gives bundle files."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from training.samples import Samples
from wattahead.domain.catalog import Pool
from wattahead.models.rows import Member

Progress = Callable[[str], None]


@dataclass(frozen=True)
class Lesson:
    """What there is to learn: samples that all lie before the days on which the result is judged."""

    samples: Samples
    pool: Pool
    features: tuple[str, ...]
    seed: int


@dataclass(frozen=True)
class Fitted:
    """Files of a bundle before its manifest, the features they need in order, and the facts of the fit."""

    kind: str  # which loader of `wattahead.models.loading` reads the files
    features: tuple[str, ...]
    files: Mapping[str, bytes]
    facts: Mapping[str, Any]
    # (samples x H) medians in units of the scale, NaN where there is none. The members of each come from fits that had
    # not seen its week; their weights, a handful of numbers, are those of all weeks. Bands may move them a little more.
    held_out: NDArray[np.float64] | None = None


@dataclass(frozen=True)
class Range:
    """What a search may try for one parameter: from `low` to `high`, on a logarithmic scale or a plain one."""

    low: float
    high: float
    log: bool = False
    whole: bool = False  # whole numbers only


@dataclass(frozen=True)
class Piece:
    """A fitted member of a blend: how it predicts here, and how the bundle says so."""

    form: str  # as `wattahead.models.blend` reads it
    member: Member
    facts: Mapping[str, Any]
    body: bytes


class Learner(Protocol):
    """Fits a median."""

    def fit(self, samples: Samples) -> Piece:
        """Return what was learnt; the same samples give the same bytes."""
        ...


class Trainer(Protocol):
    """One way to learn a pool."""

    SPACE: Mapping[str, Range]  # the parameters of the pool that a search may change

    def fit(self, lesson: Lesson, progress: Progress) -> Fitted:
        """Fit on `lesson`; the same lesson gives the same bytes. `progress` is called now and then, and may raise."""
        ...
