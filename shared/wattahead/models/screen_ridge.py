"""A screen of lines: the factor on the linear answer, and the risk, each linear in the columns, by action."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from wattahead.domain.bundle import Manifest
from wattahead.models.rows import Floats, Rows
from wattahead.models.screen import FAIL, NARROWEST, answered, checked_distances, linear, told

ACTION: Final = "action"
FURTHEST: Final = 6.0  # standard deviations; further out is a fault or a first, and lines do not end by themselves
LARGEST: Final = 5.0  # of the logarithm of the factor: a hundred and fifty times the linear answer


@dataclass(frozen=True)
class Ridge:
    """Coefficients by action; F features, A actions, whose tables are followed by one for actions without their own."""

    features: tuple[str, ...]
    center: Floats  # (F)
    width: Floats  # (F)
    loading: Floats  # (A + 1, F + 1) of the logarithm of loading over linear answer, the constant last
    failing: Floats  # (A + 1, F + 1) of the probability of failure
    spread: Floats  # (A + 1) how far off the logarithm may be

    def answer(self, rows: Rows, tables: Floats) -> Floats:
        """Return one value per row. In order, whatever the batch: a BLAS product has other last bits."""
        which = self.action(rows)
        total = tables[which, -1].copy()
        for number, column in enumerate(rows.columns(self.features)):
            away = standard(column[None], self.center[number : number + 1], self.width[number : number + 1])[0]
            total += away * tables[which, number]
        return total

    def action(self, rows: Rows) -> NDArray[np.int64]:
        """Return the table of every row."""
        which = rows.column(ACTION).astype(np.int64)
        return np.where((which >= 0) & (which < len(self.spread) - 1), which, len(self.spread) - 1)


@dataclass(frozen=True)
class RidgeScreen:
    """The tables, and the distances of quantiles in units of the spread."""

    outputs: tuple[str, ...]
    ridge: Ridge
    distances: Mapping[str, float]

    def usable(self, rows: Rows) -> NDArray[np.bool_]:
        """A state whose actions all have a linear answer to begin from."""
        return answered(rows)

    def predict(self, rows: Rows) -> Floats:
        """Quantiles of the highest loading given that the grid survives, and the probability that it does not."""
        ridge = self.ridge
        middle = np.log(linear(rows)) + np.clip(ridge.answer(rows, ridge.loading), -LARGEST, LARGEST)
        away = np.maximum(ridge.spread[ridge.action(rows)], NARROWEST)
        found = {name: np.exp(middle + distance * away) for name, distance in self.distances.items()}
        found[FAIL] = np.clip(ridge.answer(rows, ridge.failing), 0.0, 1.0)
        return told(rows, found, self.outputs)


def standard(columns: NDArray[np.floating], center: Floats, width: Floats) -> Floats:
    """Return columns (F, R) as distances from their centres; one that is missing stands at its centre."""
    away = (columns.astype(np.float64) - center[:, None]) / width[:, None]
    return np.clip(np.nan_to_num(away, nan=0.0), -FURTHEST, FURTHEST)


def to_json(ridge: Ridge) -> bytes:
    """Return the tables as a bundle file, to eight significant digits."""
    numbers = ("center", "width", "loading", "failing", "spread")
    plain = {name: _digits(getattr(ridge, name)) for name in numbers}
    return json.dumps({"features": ridge.features, **plain}, sort_keys=True).encode()


def load_ridge(manifest: Manifest, files: Mapping[str, bytes]) -> RidgeScreen:
    """Return the model in `files`."""
    held: dict[str, Any] = json.loads(files["ridge.json"])
    features = tuple(held["features"])
    center, width, loading, failing, spread = (
        np.array(held[name], dtype=np.float64) for name in ("center", "width", "loading", "failing", "spread")
    )
    shape = (len(spread), len(features) + 1)
    if not (loading.shape == failing.shape == shape and center.shape == width.shape == (len(features),)):
        raise ValueError(f"tables are not of {shape[0]} actions and {shape[1]} coefficients each")
    if not all(np.isfinite(one).all() for one in (center, width, loading, failing, spread)) or not (width > 0).all():
        raise ValueError("tables hold numbers that are not finite, or widths that are not above 0")
    ridge = Ridge(features, center, width, loading, failing, spread)
    return RidgeScreen(manifest.output.quantiles, ridge, checked_distances(manifest, files))


def _digits(values: Floats) -> list[Any]:
    return np.vectorize(lambda value: float(f"{value:.8g}"), otypes=[float])(values).tolist()
