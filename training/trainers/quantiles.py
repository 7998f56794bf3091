"""LightGBM, one booster per quantile, for all zones of a pool; intervals calibrated on held-back days."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

import lightgbm
import numpy as np
from numpy.typing import NDArray

from training import splits
from training.samples import Samples, complete
from training.trainers.parameters import chosen
from training.trainers.protocol import Fitted, Lesson, Progress, Range
from wattahead.models import calibration
from wattahead.models.baseline import level
from wattahead.models.booster import with_zone

Floats = NDArray[np.float64]
TOLD_EVERY = 100  # trees
SPACE: Final = {
    "learning_rate": Range(0.01, 0.1, log=True),
    "leaves": Range(8, 64, log=True, whole=True),
    "least_rows": Range(20, 200, log=True, whole=True),
    "feature_share": Range(0.3, 1.0),
    "row_share": Range(0.5, 1.0),
}


@dataclass(frozen=True)
class Parameters:
    """What may be set in the catalog under a pool's `parameters`."""

    rounds: int = 400
    patience: int = 30
    learning_rate: float = 0.05
    leaves: int = 31
    least_rows: int = 60  # in a leaf, per issue hour: issue times of one day tell much the same story
    feature_share: float = 0.7
    row_share: float = 0.8
    folds: int = 4
    calibration_parts: int = 4  # of the UTC day, each with factors of its own
    max_missing: float = 0.2


@dataclass(frozen=True)
class _Table:
    """Rows with a known truth: matrix, target in units of the scale, and which sample each row is of."""

    matrix: NDArray[np.float32]
    target: Floats
    sample: NDArray[np.int64]

    def fit(
        self,
        chosen: NDArray[np.bool_],
        settings: dict[str, Any],
        rounds: int,
        stop_on: NDArray[np.bool_] | None = None,
        callbacks: tuple[Callable[..., None], ...] = (),
    ) -> lightgbm.Booster:
        """Fit on the rows of the chosen samples; with `stop_on`, measured on those after every tree."""
        rows = chosen[self.sample]
        data = lightgbm.Dataset(
            self.matrix[rows],
            self.target[rows],
            feature_name=list(settings["names"]),
            categorical_feature=[self.matrix.shape[1] - 1],
        )
        plain = {name: value for name, value in settings.items() if name != "names"}
        if stop_on is None:
            return lightgbm.train(plain, data, rounds)
        later = stop_on[self.sample]
        valid = lightgbm.Dataset(self.matrix[later], self.target[later], reference=data)
        return lightgbm.train(plain, data, rounds, valid_sets=[valid], callbacks=list(callbacks))


def fit(lesson: Lesson, progress: Progress) -> Fitted:
    """Fit boosters and calibration on samples that all lie before the out-of-time days."""
    pool, features, seed = lesson.pool, lesson.features, lesson.seed
    settings = chosen(Parameters(), "quantiles", pool.parameters)
    learnable = complete(lesson.samples)
    samples = lesson.samples.take(learnable)
    zones = sorted(set(samples.rows.zones))
    table = _table(samples, features, zones)
    files, rounds, held = {}, {}, []
    for name in pool.quantiles:
        told = _settings(settings, level(name), seed, (*features, "zone"), len(pool.issue_hours))
        rounds[name] = _rounds(table, samples, told, settings, _counted(progress, name))
        progress(f"{name}: {rounds[name]} rounds")
        held.append(_held_back(table, samples, told, rounds[name], settings.folds))
        progress(f"{name}: held-back weeks")
        files[f"{name}.txt"] = (
            table.fit(np.ones(len(samples), bool), told, rounds[name]).model_to_string(num_iteration=-1).encode()
        )
        progress(f"{name}: final fit")
    hour = samples.rows.column("hour").astype(np.float64)
    files["calibration.json"] = calibration.to_json(
        calibration.learn(
            np.sort(held, axis=0),
            samples.scaled_truth,
            samples.zones,
            hour,
            pool.quantiles,
            parts=settings.calibration_parts,
        )
    )
    return Fitted(
        "lightgbm",
        features,
        files,
        {
            "zones": zones,
            "rounds": rounds,
            "parameters": vars(settings),
            "samples": len(samples),
            "max_missing": settings.max_missing,
        },
        _spread(held[pool.quantiles.index("p50")], learnable),
    )


def _spread(held: Floats, chosen: NDArray[np.bool_]) -> Floats:
    """Return values of the chosen samples among all samples, shape (N, H); NaN for the others."""
    values = held.reshape(int(chosen.sum()), -1)
    found = np.full((len(chosen), values.shape[1]), np.nan)
    found[chosen] = values
    return found


def _table(samples: Samples, features: tuple[str, ...], zones: list[str]) -> _Table:
    target = samples.scaled_truth
    known = np.isfinite(target)
    matrix = with_zone(samples.rows, features, {zone: number for number, zone in enumerate(zones)})
    return _Table(matrix[known], target[known], np.repeat(np.arange(len(samples)), samples.rows.steps)[known])


def _settings(
    settings: Parameters, probability: float, seed: int, names: tuple[str, ...], issue_hours: int
) -> dict[str, Any]:
    return {
        "objective": "quantile",
        "alpha": probability,
        "learning_rate": settings.learning_rate,
        "num_leaves": settings.leaves,
        "min_data_in_leaf": settings.least_rows * issue_hours,
        "feature_fraction": settings.feature_share,
        "bagging_fraction": settings.row_share,
        "bagging_freq": 1,
        "seed": seed,
        "deterministic": True,
        "force_row_wise": True,
        "num_threads": 1,
        "verbosity": -1,
        "names": names,
    }


def _rounds(
    table: _Table, samples: Samples, chosen: dict[str, Any], settings: Parameters, counted: Callable[..., None]
) -> int:
    """Return how many trees the later fifth of the days wants; a tenth more for the fit on all days."""
    early, late = splits.early_stopping(samples)
    stops = lightgbm.early_stopping(settings.patience, verbose=False)
    best = table.fit(early, chosen, settings.rounds, late, (stops, counted)).best_iteration
    return max(int(best * 1.1), 10)


def _counted(progress: Callable[[str], None], name: str) -> Callable[[lightgbm.callback.CallbackEnv], None]:
    """Return a callback that tells of every hundredth tree, so that a long fit is seen to live, and can be stopped."""

    def told(now: lightgbm.callback.CallbackEnv) -> None:
        if (now.iteration + 1) % TOLD_EVERY == 0:
            progress(f"{name}: {now.iteration + 1} trees")

    return told


def _held_back(table: _Table, samples: Samples, chosen: dict[str, Any], rounds: int, folds: int) -> Floats:
    """Return, for every row, the quantile from a fit that had not seen its week, shape (N x H)."""
    found = np.full(len(samples) * samples.rows.steps, np.nan)
    rows = np.flatnonzero(np.isfinite(samples.scaled_truth))
    for learn, held in splits.folds(samples, folds):
        if not learn[table.sample].any() or not held.any():
            continue
        booster = table.fit(learn, chosen, rounds)
        inside = held[table.sample]
        found[rows[inside]] = booster.predict(table.matrix[inside], num_threads=1)
    return found
