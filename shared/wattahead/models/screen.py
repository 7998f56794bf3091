"""Models that screen actions: rows are states, steps are actions, and values are the highest loading and the risk.

A model is told what the linear answer of physics is and how it comes about (`wattahead.grid.columns`), and learns what
is missing: the logarithm of the true loading over the linear one. So a linear answer that is far off the scale, or of a
network it has seen little of, is corrected in proportion.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from wattahead.domain.bundle import Manifest
from wattahead.domain.errors import Refused
from wattahead.models.booster import whole
from wattahead.models.native import NativeBooster
from wattahead.models.rows import Floats, Rows

FAIL: Final = "fail"  # the probability that the grid does not survive the action, beside the quantiles of its loading
LINEAR, ISOLATES = "rho_1", "isolates"  # features: the linear answer, and whether something is cut off
CHANGE, UNCHANGED = "largest_change", 1e-4  # [MW] of any line's flow: the feature, and what is none
MOVED, STIFFNESS, LOOSE = "moved", "stiffness", 1.0  # ends of lines, and [MW/rad] by which they hang together
LOWEST: Final = 0.05  # a linear answer below it says nothing of proportion
NARROWEST: Final = 1e-3  # of the logarithm: no spread is smaller


@dataclass(frozen=True)
class LinearFlows:
    """The linear answer as it is, certain of failure where an action cuts something off. It learnt no bands."""

    outputs: tuple[str, ...]

    def usable(self, rows: Rows) -> NDArray[np.bool_]:
        """A state whose actions all have an answer."""
        return answered(rows)

    def predict(self, rows: Rows) -> Floats:
        """The same loading for every quantile, (Q, S x A)."""
        found = {FAIL: rows.column(ISOLATES)}
        return np.stack([found.get(name, rows.column(LINEAR)) for name in self.outputs]).astype(np.float64)


@dataclass(frozen=True)
class Screen:
    """Boosters for the median, for how far off it may be, and for failure."""

    outputs: tuple[str, ...]
    features: tuple[str, ...]
    median: NativeBooster
    spread: NativeBooster
    fail: NativeBooster
    distances: Mapping[str, float]  # quantile -> its distance from the median in units of the spread

    def usable(self, rows: Rows) -> NDArray[np.bool_]:
        """A state whose actions all have a linear answer to begin from."""
        return answered(rows)

    def predict(self, rows: Rows) -> Floats:
        """Quantiles of the highest loading given that the grid survives, and the probability that it does not."""
        matrix = np.ascontiguousarray(rows.columns(self.features).T)
        middle = np.log(linear(rows)) + self.median.predict(matrix)
        away = np.maximum(self.spread.predict(matrix), NARROWEST)
        found = {name: np.exp(middle + distance * away) for name, distance in self.distances.items()}
        found[FAIL] = self.fail.predict(matrix)
        return told(rows, found, self.outputs)


def told(rows: Rows, found: Mapping[str, Floats], outputs: tuple[str, ...]) -> Floats:
    """Return the outputs in order, (Q, S x A). An action that changes nothing leaves the loading that is, for sure."""
    whole = (rows.column(MOVED) == 0) | (rows.column(STIFFNESS) > LOOSE)  # what hangs by nothing is cut off
    same = (rows.column(CHANGE) <= UNCHANGED) & (rows.column(ISOLATES) == 0) & whole
    present = rows.column(LINEAR).astype(np.float64)
    return np.stack([np.where(same, 0.0 if name == FAIL else present, found[name]) for name in outputs])


def answered(rows: Rows) -> NDArray[np.bool_]:
    """Return for each state whether all its actions have a linear answer, (S)."""
    return np.all(np.isfinite(rows.column(LINEAR)).reshape(-1, rows.steps), axis=1)


def linear(rows: Rows) -> Floats:
    """Return the linear answer of every row, as far as it says something of proportion, (S x A)."""
    return np.maximum(rows.column(LINEAR).astype(np.float64), LOWEST)


def load_screen(manifest: Manifest, files: Mapping[str, bytes]) -> Screen:
    """Return the model in `files`. Call it with verified bytes only: a damaged booster aborts the process."""
    median, spread, fail = (
        NativeBooster(whole(files[f"{name}.txt"].decode(), name)) for name in ("median", "spread", "fail")
    )
    if any(booster.features != manifest.features for booster in (median, spread, fail)):
        raise Refused(
            "E_BUNDLE_FEATURES",
            f"boosters of pool {manifest.pool} were trained on other features than the manifest lists",
            fix="train and publish it again",
        )
    outputs = manifest.output.quantiles
    return Screen(outputs, manifest.features, median, spread, fail, checked_distances(manifest, files))


def checked_distances(manifest: Manifest, files: Mapping[str, bytes]) -> dict[str, float]:
    """Return the distance of every quantile; raise `ValueError` unless each has one that is a finite number."""
    held = {str(name): float(away) for name, away in json.loads(files["distances.json"]).items()}
    wanted = {name for name in manifest.output.quantiles if name != FAIL}
    if set(held) != wanted or not np.isfinite(list(held.values())).all():
        raise ValueError(f"distances of {sorted(held)} are not finite numbers for {sorted(wanted)}")
    return held
