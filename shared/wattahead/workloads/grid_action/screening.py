"""Which actions are worth a row: the linear answer for all of them, the model for the promising, the best in order."""

from collections.abc import Iterator
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from wattahead.domain.bundle import NO_FORECAST_LEVEL
from wattahead.domain.quality import Quality
from wattahead.grid.candidates import Candidates
from wattahead.grid.columns import ISOLATES, LINEAR, NAMES, columns
from wattahead.grid.states import States
from wattahead.models.rows import Floats, Rows
from wattahead.workloads.grid_action.rows import NONE, Ranked
from wattahead.workloads.ladder import Climbed, climb
from wattahead.workloads.protocol import Task

LIKELY: Final = 0.5  # an action that fails with this probability stands behind all others
ASKED: Final = 2_000  # actions of a state that a model is asked about: those with the lowest linear answers
CELLS: Final = 4_000_000  # numbers in one block of columns: 16 MB


def screened(
    task: Task, grid: str, candidates: Candidates, states: States, outputs: tuple[str, ...], *, top: int
) -> tuple[Ranked, Climbed]:
    """Return the `top` actions of every state of a grid beside doing nothing, and how the ladder served the states.

    The answer for a state depends on the states of its own grid only, and on them in one order.
    """
    found = [_screened(task, grid, candidates, part, outputs, top) for part in _parts(states, len(candidates.actions))]
    return joined([ranked for ranked, _ in found]), _together([climbed for _, climbed in found])


def unknown(states: int, outputs: int, *, top: int) -> Ranked:
    """Return what there is to say of states of which nothing is known."""
    shape = states, top + 1
    return Ranked(
        np.full(shape, NONE),
        np.zeros(shape, dtype=np.int64),
        np.full(shape, NONE),
        np.full((outputs, *shape), np.nan),
        np.zeros(shape, dtype=np.int32),
        np.full(states, NO_FORECAST_LEVEL, dtype=np.int8),
        (None,) * states,
    )


def joined(parts: list[Ranked]) -> Ranked:
    """Return the states of several, one after the other."""

    def together(name: str, axis: int = 0) -> NDArray[Any]:
        return np.concatenate([getattr(one, name) for one in parts], axis=axis)

    return Ranked(
        together("actions"),
        together("rank"),
        together("line"),
        together("values", axis=1),
        together("flags"),
        together("level"),
        tuple(rung for one in parts for rung in one.served_by),
    )


def placed(all_states: Ranked, some: Ranked, where: NDArray[np.int64]) -> Ranked:
    """Return `all_states` with those at `where` replaced by `some`."""
    found = {name: getattr(all_states, name).copy() for name in ("actions", "rank", "line", "values", "flags", "level")}
    for name, array in found.items():
        array[(slice(None), where) if name == "values" else where] = getattr(some, name)
    served = dict(zip(where.tolist(), some.served_by, strict=True))
    return Ranked(**found, served_by=tuple(served.get(number) for number in range(len(all_states.level))))


def order(middle: Floats, fail: Floats) -> NDArray[np.int64]:
    """Return the actions of every state, best first, (N, A): by loading, those that likely fail behind all others."""
    return np.lexsort((middle, fail >= LIKELY), axis=1)


def guarded(values: Floats) -> tuple[Floats, NDArray[np.int32]]:
    """Return safe outputs (Q, N, A) and flags (N, A): quantiles ascend from 0, the last output is a probability."""
    loading, fail = values[:-1], values[-1]
    ordered = np.sort(loading, axis=0)
    bounded, sure = np.maximum(ordered, 0.0), np.clip(fail, 0.0, 1.0)
    flags = np.where((ordered != loading).any(axis=0) & np.isfinite(loading).all(axis=0), Quality.REORDERED, 0)
    flags |= np.where(((bounded != ordered) & np.isfinite(ordered)).any(axis=0), Quality.CLIPPED, 0)
    return np.concatenate([bounded, sure[None]]), flags.astype(np.int32)


def _parts(states: States, actions: int) -> Iterator[States]:
    size = max(1, CELLS // (actions * len(NAMES)))
    for first in range(0, len(states), size):
        yield states.take(slice(first, first + size))


def _screened(
    task: Task, grid: str, candidates: Candidates, states: States, outputs: tuple[str, ...], top: int
) -> tuple[Ranked, Climbed]:
    block = columns(candidates, states)
    asked = _asked(block)
    few = np.take_along_axis(block, asked[None], axis=2)
    count, width = asked.shape
    rows = Rows((grid,) * count, width, NAMES, few.reshape(len(NAMES), -1), np.ones(count))
    climbed = climb(rows, task.rungs, task.open_model, quantiles=len(outputs))
    values, flags = guarded(climbed.values.reshape(-1, count, width))
    best, rank = _best(values[outputs.index("p50")], values[-1], asked, top)

    def chosen(array: NDArray[Any]) -> NDArray[Any]:
        return np.take_along_axis(array, best, axis=1)

    served = climbed.level != NO_FORECAST_LEVEL
    line = few[NAMES.index("line_1")].astype(np.int64)
    ranked = Ranked(
        np.where(served[:, None], chosen(asked), NONE),
        rank,
        np.where(served[:, None], chosen(line), NONE),
        np.take_along_axis(values, best[None], axis=2),
        chosen(flags),
        climbed.level,
        climbed.served_by,
    )
    return ranked, climbed


def _asked(block: NDArray[np.float32]) -> NDArray[np.int64]:
    """Return the actions of every state that a model is asked about, ascending, doing nothing among them, (N, M)."""
    _, count, actions = block.shape
    if actions <= ASKED:
        return np.broadcast_to(np.arange(actions), (count, actions))
    hopeful = order(block[NAMES.index(LINEAR)], block[NAMES.index(ISOLATES)])
    place = np.where(hopeful == 0, -1, np.arange(actions))  # doing nothing is always among them
    first = np.argsort(place, axis=1, kind="stable")[:, :ASKED]
    return np.sort(np.take_along_axis(hopeful, first, axis=1), axis=1)


def _best(
    middle: Floats, fail: Floats, asked: NDArray[np.int64], top: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the places in `asked` of the best `top` actions and of doing nothing, best first, and their ranks."""
    ordered = order(middle, fail)
    is_nothing = np.take_along_axis(asked, ordered, axis=1) == 0
    before = np.cumsum(~is_nothing, axis=1)
    kept = is_nothing | (before <= top)
    width = min(top, asked.shape[1] - 1) + 1
    rank = np.argsort(~kept, axis=1, kind="stable")[:, :width]
    return np.take_along_axis(ordered, rank, axis=1), rank + 1


def _together(parts: list[Climbed]) -> Climbed:
    return Climbed(
        np.empty((0, 0)),
        np.concatenate([one.level for one in parts]),
        tuple(rung for one in parts for rung in one.served_by),
        {role: why for one in parts for role, why in one.errors.items()},
        np.concatenate([one.sparse for one in parts]),
    )
