"""Ridge regression: coefficients that all actions share, and what each adds. It serves without native code."""

from collections.abc import Callable
from dataclasses import replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from training.grid.lessons import Lesson
from training.grid.trainers import Fitted, Progress
from training.grid.trainers.bands import SPREAD, distances, held_back
from wattahead.grid.columns import CATEGORIES, NAMES
from wattahead.models.rows import Rows
from wattahead.models.screen_ridge import Ridge, standard, to_json

Floats = NDArray[np.float64]

FEATURES: Final = tuple(name for name in NAMES if name not in CATEGORIES)
SHARED, OWN = 1.0, 30.0  # penalties, in rows of standardised features: what one action adds is learnt from few rows


def fit(lesson: Lesson, progress: Progress) -> Fitted:
    """Return the tables of all actions, for the loading and for failure, and each action's spread."""
    progress("held-back episodes")
    said = held_back(lesson, lambda known: _factor(_fitted(known)))
    error = np.where(lesson.survived, lesson.factor - said, np.nan).reshape(lesson.failed.shape)
    progress("tables")
    model = _fitted(lesson)
    spread = np.append(_spread(error), np.nanquantile(np.abs(error), SPREAD))
    known = np.isfinite(error)
    away = distances(error[known], np.broadcast_to(spread[:-1], error.shape)[known], lesson.quantiles)
    files = {"ridge.json": to_json(replace(model, spread=spread)), "distances.json": away}
    return Fitted("screen_ridge", ("action", "rho_1", *(name for name in FEATURES if name != "rho_1")), files, {})


def _factor(model: Ridge) -> Callable[[Rows], Floats]:
    return lambda rows: model.answer(rows, model.loading)


def _fitted(lesson: Lesson) -> Ridge:
    columns = lesson.rows.columns(FEATURES).astype(np.float64)
    center, width = columns.mean(axis=1), np.maximum(columns.std(axis=1), 1e-9)
    away = standard(columns, center, width)
    design = np.concatenate([away, np.ones((1, away.shape[1]))])
    actions = lesson.failed.shape[1]
    everywhere = np.ones(away.shape[1], dtype=bool)
    factor = _tables(design, np.nan_to_num(lesson.factor), lesson.survived, actions)
    fail = _tables(design, (~lesson.survived).astype(np.float64), everywhere, actions)
    return Ridge(FEATURES, center, width, factor, fail, np.zeros(actions + 1))


def _tables(design: Floats, target: Floats, known: NDArray[np.bool_], actions: int) -> Floats:
    """Return coefficients by action, (A + 1, F + 1): the last row is what all share, for actions without their own."""
    shared = _solved(design[:, known], target[known], SHARED)
    left = target - shared @ design
    tables = np.tile(shared, (actions + 1, 1))
    for number in range(actions):
        rows = np.arange(number, design.shape[1], actions)
        rows = rows[known[rows]]
        if len(rows):
            tables[number] += _solved(design[:, rows], left[rows], OWN)
    return tables


def _solved(design: Floats, target: Floats, penalty: float) -> Floats:
    found: Floats = np.asarray(
        np.linalg.solve(design @ design.T + penalty * np.eye(len(design)), design @ target), dtype=np.float64
    )
    return found


def _spread(error: Floats) -> Floats:
    """Return each action's spread, (A): that of all where an action never survived."""
    everybody = np.nanquantile(np.abs(error), SPREAD)
    found = np.full(error.shape[1], everybody)
    some = np.isfinite(error).any(axis=0)
    found[some] = np.nanquantile(np.abs(error[:, some]), SPREAD, axis=0)
    return found
