"""What there is to learn of a simulated set: columns of every action in every state, beside what it would do."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from training.grid.simulation.dataset import Dataset
from wattahead.domain.errors import Refused
from wattahead.grid.candidates import Candidates
from wattahead.grid.columns import NAMES, columns
from wattahead.models.rows import Rows
from wattahead.models.screen import linear

Floats = NDArray[np.float64]

TESTED: Final = 0.25  # share of the episodes that nothing is learnt from
FEWEST: Final = 4  # episodes: three parts to learn and calibrate from, and one to judge by


@dataclass(frozen=True)
class Lesson:
    """S states with A actions each; a state stands where a series stands in other rows, an action where a step does."""

    rows: Rows  # S states, A actions, the features of `wattahead.grid.columns`
    rho_max: Floats  # (S, A) highest loading after the action; NaN where it fails
    failed: NDArray[np.bool_]  # (S, A)
    episode: NDArray[np.int32]  # (S)
    quantiles: tuple[str, ...] = ("p10", "p50", "p90")
    seed: int = 0
    parameters: Mapping[str, float] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.episode)

    def take(self, chosen: NDArray[np.bool_]) -> "Lesson":
        """Return some of the states."""
        arrays = {name: getattr(self, name)[chosen] for name in ("rho_max", "failed", "episode")}
        return replace(self, rows=self.rows.take(np.flatnonzero(chosen)), **arrays)

    @property
    def matrix(self) -> NDArray[np.float32]:
        """The features of every row, (S x A, F)."""
        return np.ascontiguousarray(self.rows.block.T)

    @property
    def survived(self) -> NDArray[np.bool_]:
        """Which rows have a loading, (S x A)."""
        return ~self.failed.reshape(-1)

    @property
    def factor(self) -> Floats:
        """Logarithm of the true loading over the linear answer, (S x A); NaN where the action fails."""
        return np.log(self.rho_max.reshape(-1)) - np.log(linear(self.rows))

    @property
    def truth(self) -> Floats:
        """The highest loading after each action, infinite where it fails, (S, A)."""
        return np.where(self.failed, np.inf, self.rho_max)


def lesson_of(dataset: Dataset, **options: object) -> Lesson:
    """Return what can be learnt of a set."""
    block = columns(Candidates(dataset.network), dataset.states)
    count, actions = dataset.failed.shape
    rows = Rows((dataset.network.name,) * count, actions, NAMES, block.reshape(len(NAMES), -1), np.ones(count))
    highest = dataset.rho_max.astype(np.float64)
    return Lesson(rows, highest, dataset.failed, dataset.episode, **options)  # type: ignore[arg-type]


def split(episodes: NDArray[np.int32], seed: int, share: float = TESTED) -> NDArray[np.bool_]:
    """Return which states are held back, (S): whole episodes, a seeded draw of them; states of one are alike."""
    different = np.unique(episodes)
    if len(different) < FEWEST:
        fact = f"{len(different)} episodes are too few to judge by others than are learnt from"
        raise Refused("E_TRAIN_ROWS", fact, fix="simulate more states")
    held = max(1, round(share * len(different)))
    drawn = np.random.default_rng(seed).permutation(different)[:held]
    return np.isin(episodes, drawn)


def folds(episodes: NDArray[np.int32], count: int, seed: int) -> NDArray[np.int64]:
    """Return the fold of every state, (S): whole episodes, as many in each."""
    different = np.unique(episodes)
    place = np.random.default_rng(seed).permutation(len(different)) % min(count, len(different))
    return place[np.searchsorted(different, episodes)]
