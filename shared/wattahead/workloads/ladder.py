"""The fallback ladder: each series is served by the first rung that can serve it."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from wattahead.domain.bundle import NO_FORECAST_LEVEL, Rung
from wattahead.domain.errors import Refused
from wattahead.models.rows import Floats, Model, Rows


@dataclass(frozen=True)
class Climbed:
    """What the ladder gave. S series, H steps, Q quantiles."""

    values: Floats  # (Q, S x H) [unit]; NaN for a series that no rung could serve
    level: NDArray[np.int8]  # (S)
    served_by: tuple[Rung | None, ...]  # (S)
    errors: dict[str, str]  # role -> why that rung served nobody
    sparse: NDArray[np.bool_]  # (S) a rung was not asked because too much of what it needs was missing


def climb(rows: Rows, rungs: Iterable[Rung], open_model: Callable[[Rung], Model], *, quantiles: int) -> Climbed:
    """Serve every series from the first of `rungs` that can.

    A rung whose bundle is permanently faulty is passed over and named in `errors`; transient faults are raised.
    """
    series = len(rows.zones)
    values = np.full((quantiles, series, rows.steps), np.nan)
    level = np.full(series, NO_FORECAST_LEVEL, dtype=np.int8)
    served: list[Rung | None] = [None] * series
    errors: dict[str, str] = {}
    waiting, sparse = np.arange(series), np.zeros(series, dtype=bool)
    for rung in rungs:
        if not len(waiting):
            break
        try:
            who, got, unusable = _serve(rows, waiting, open_model(rung))
        except Refused as error:
            errors[rung.role] = str(error)
            continue
        sparse[unusable] = True
        values[:, who] = got
        level[who] = rung.level
        for index in who.tolist():
            served[index] = rung
        waiting = np.setdiff1d(waiting, who, assume_unique=True)
    return Climbed(values.reshape(quantiles, -1), level, tuple(served), errors, sparse)


def _serve(rows: Rows, waiting: NDArray[np.int64], model: Model) -> tuple[NDArray[np.int64], Floats, NDArray[np.int64]]:
    """Return whom of `waiting` the model serves with finite values, the values (Q, series, H), and whom it cannot."""
    asked = rows if len(waiting) == len(rows.zones) else rows.take(waiting)
    try:
        usable = model.usable(asked)
        if not usable.any():
            return waiting[:0], np.empty((1, 0, rows.steps)), waiting
        values = model.predict(asked if usable.all() else asked.take(np.flatnonzero(usable)))
    except (Refused, MemoryError):  # there is more memory another time, and a fallback would stay
        raise
    except Exception as error:  # models run code that is not ours, and whatever they raise is this rung's fault alone
        raise Refused(
            "E_BUNDLE_PROOF", f"a model raised {type(error).__name__}: {error}", fix="train it again"
        ) from error
    values = values.reshape(len(values), -1, rows.steps)
    sound = np.isfinite(values).all(axis=(0, 2))
    return waiting[usable][sound], values[:, sound], waiting[~usable]
