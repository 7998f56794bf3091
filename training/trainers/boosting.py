"""Boosters of LightGBM as members of a blend: for the median, and for how far off it may be."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import lightgbm
import numpy as np
from numpy.typing import NDArray

from training.samples import Samples
from training.trainers.protocol import Piece, Range
from wattahead.models.booster import with_zone
from wattahead.models.linear import HOURS
from wattahead.models.rows import envelope_of
from wattahead.models.trees import block_of, load_trees, pack

Floats = NDArray[np.float64]

LOWEST: Final = 0.02  # of the envelope: below it a ratio says nothing
REACHED: Final = 0.8  # of the errors are smaller than the spread: what the usual bands are about

SPACE: Final = {
    "rounds": Range(100, 1000, log=True, whole=True),
    "learning_rate": Range(0.01, 0.1, log=True),
    "leaves": Range(8, 64, log=True, whole=True),
    "least_rows": Range(20, 400, log=True, whole=True),
    "feature_share": Range(0.2, 1.0),
    "row_share": Range(0.4, 1.0),
}


@dataclass(frozen=True)
class Growth:
    """How boosters grow."""

    rounds: int = 300
    learning_rate: float = 0.07
    leaves: int = 31
    least_rows: int = 60  # in a leaf
    feature_share: float = 0.5
    row_share: float = 0.7
    lead_hours: int = 6  # leads that share a booster
    memory_days: float = 400.0  # what happened that long ago counts half
    random_cuts: int = 1  # 1: each split tries one threshold a feature, at random; 0: the best of all


@dataclass(frozen=True)
class Median:
    """Boosters of the median, one for each block of leads, of all zones together or each by itself."""

    features: tuple[str, ...]
    growth: Growth
    seed: int
    by_zone: bool = False
    envelope: str = ""

    def fit(self, samples: Samples) -> Piece:
        """Return the boosters."""
        zones = sorted(set(samples.rows.zones))
        seen = self._seen(samples, zones)
        learnt = [zone for zone in zones if (seen.known & (samples.zones == zone)).any()]
        parts = []
        for zone in learnt if self.by_zone else [""]:
            of_zone = seen.known & (samples.zones == zone) if zone else seen.known
            for first, last in _blocks(self.growth.lead_hours):
                rows = of_zone & block_of(samples.rows.column("lead"), first, last)
                rows = rows if rows.any() else of_zone  # leads without any truth
                parts.append((zone, first, last, self.grown(seen.matrix[rows], seen.target[rows], seen.weight[rows])))
        facts, body = pack(self.features, zones, parts, self.envelope)
        return Piece("trees", load_trees(facts, body), facts, body)

    def _seen(self, samples: Samples, zones: Sequence[str]) -> "_Seen":
        raised = envelope_of(samples.rows, self.envelope)
        known = np.isfinite(samples.scaled_truth) & (raised > LOWEST)
        known = known if known.any() else np.isfinite(samples.scaled_truth)
        raised = np.maximum(raised, LOWEST)
        matrix = with_zone(samples.rows, self.features, {zone: number for number, zone in enumerate(zones)})
        # The absolute error of the ratio, times the envelope, is the absolute error.
        weight = samples.recency(self.growth.memory_days) * raised
        return _Seen(matrix, samples.scaled_truth / raised, weight, known)

    def grown(self, matrix: NDArray[np.float32], target: Floats, weight: Floats) -> str:
        """Return one booster as LightGBM's text: rows (R, F + 1), what came true (R), how much each row counts (R)."""
        growth = self.growth
        told = _common(self.seed) | {
            "objective": "quantile",
            "alpha": 0.5,
            "learning_rate": growth.learning_rate,
            "num_leaves": growth.leaves,
            "min_data_in_leaf": growth.least_rows,
            "feature_fraction": growth.feature_share,
            "bagging_fraction": growth.row_share,
            "bagging_freq": 1,
            "extra_trees": bool(growth.random_cuts),
        }
        return _text(matrix, target, self.features, told, growth.rounds, weight)


@dataclass(frozen=True)
class _Seen:
    """All rows of some samples, and which of them can be learnt from."""

    matrix: NDArray[np.float32]
    target: Floats
    weight: Floats
    known: NDArray[np.bool_]


@dataclass(frozen=True)
class Spread:
    """One shallow booster of what most absolute errors stay below, learnt from those of held-back weeks."""

    features: tuple[str, ...]
    error: Floats  # (N x H) in units of the scale; NaN for rows that say nothing
    weight: Floats  # (N x H) how much each row counts
    rounds: int
    seed: int

    def fit(self, samples: Samples, learn: NDArray[np.bool_]) -> Piece:
        """Return the booster, learnt from some of the samples that `error` is about."""
        zones = sorted(set(samples.rows.zones))
        rows = np.repeat(learn, samples.rows.steps) & np.isfinite(self.error)
        matrix = with_zone(samples.rows, self.features, {zone: number for number, zone in enumerate(zones)})
        told = _common(self.seed) | {
            "objective": "quantile",
            "alpha": REACHED,
            "learning_rate": 0.05,
            "num_leaves": 15,
            "min_data_in_leaf": 400,
            "feature_fraction": 0.3,
            "bagging_fraction": 0.5,
            "bagging_freq": 1,
        }
        text = _text(matrix[rows], self.error[rows], self.features, told, self.rounds, self.weight[rows])
        facts, body = pack(self.features, zones, [("", 0, None, text)])
        return Piece("trees", load_trees(facts, body), facts, body)


def _common(seed: int) -> dict[str, Any]:
    return {
        "seed": seed,
        "deterministic": True,
        "force_row_wise": True,
        "num_threads": 1,
        "verbosity": -1,
        "max_bin": 127,
    }


def _text(
    matrix: NDArray[np.float32],
    target: Floats,
    features: Sequence[str],
    told: dict[str, Any],
    rounds: int,
    weight: Floats | None = None,
) -> str:
    names = [*features, "zone"]
    data = lightgbm.Dataset(matrix, target, weight=weight, feature_name=names, categorical_feature=[len(features)])
    return lightgbm.train(told, data, rounds).model_to_string(num_iteration=-1)


def _blocks(lead_hours: int) -> list[tuple[float, float | None]]:
    starts = range(0, HOURS, lead_hours)
    return [(float(first), float(first + lead_hours) if first + lead_hours < HOURS else None) for first in starts]
