"""The gate in time: every revision of many series on a grid, and what of it was known at an issue time.

Nothing else in `features` looks at `available_at`. What leaves `known` is what a forecaster could have seen.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from wattahead.domain.errors import Refused
from wattahead.domain.hours import NEVER, iso

Floats = NDArray[np.float64]
Instants = NDArray[np.int64]

TORN: Final = np.inf  # no source can give it: rows that are not finite are left out


@dataclass(frozen=True)
class Panel:
    """Revisions of many series on one regular grid.

    `values` [unit of the series] and `available` [µs] have the shape (series, cell, revision); along the
    last axis `available` ascends and is `NEVER` where there is no revision. A revision that came with two different
    values is `TORN`.
    """

    start: int  # first cell [µs]
    step: int  # length of a cell [µs]
    values: Floats
    available: Instants
    conflicts: dict[int, Refused]  # series index -> a cell whose last revision is torn

    def known(self, issue_times: Instants, *, before: int, after: int = 0) -> Floats:
        """Return the newest value known at each issue time, for cells around it.

        Shape (series, issue time, before + after): cells from `before` cells ahead of the issue time to `after`
        cells behind it. NaN where nothing was known, or where the panel does not reach. A series is empty at the issue
        times at which the newest known revision of one of these cells is torn; a correction known later heals it.
        """
        first, width = (issue_times - self.start) // self.step - before, before + after
        beyond = (max(-int(first.min(initial=0)), 0), max(int(first.max(initial=0)) + width - self.values.shape[1], 0))
        values, available = _wider(self.values, beyond, np.nan), _wider(self.available, beyond, NEVER)
        known = np.full((len(values), len(first), width), np.nan)
        for revision in range(values.shape[2]):  # ascending: a later one that was known replaces an earlier one
            then, held = (
                sliding_window_view(array[:, :, revision], width, axis=1)[:, first + beyond[0]]
                for array in (available, values)
            )
            np.copyto(known, held, where=then <= issue_times[:, None])
        if np.isinf(values).any():
            known[np.isinf(known).any(axis=2)] = np.nan
        return known

    def held(self, step: int) -> "Panel":
        """Return the panel on cells of `step` [µs], each with all that is known of the cell it lies in."""
        parts = self.step // step
        if parts == 1:
            return self
        values, available = np.repeat(self.values, parts, axis=1), np.repeat(self.available, parts, axis=1)
        return Panel(self.start, step, values, available, self.conflicts)

    def settled(self, known_by: int) -> Floats:
        """Return the last revision of every cell that was known by `known_by` [µs], shape (series, cell).

        What came true, for training and evaluation only.
        """
        seen = self.available <= known_by
        last = np.maximum(seen.sum(axis=2) - 1, 0)
        values = np.take_along_axis(self.values, last[:, :, None], axis=2)[:, :, 0]
        return np.where(seen.any(axis=2) & np.isfinite(values), values, np.nan)


def panel(
    row_series: NDArray[np.integer],
    valid_time: Instants,
    available_at: Instants,
    value: Floats,
    *,
    series: int,
    start: int,
    end: int,
    step: int,
    names: Sequence[str] = (),
) -> Panel:
    """Build a panel of `series` series over the cells of [start, end) from rows in any order.

    Rows outside the grid or with a null value are left out; equal rows count once. Different values for one series,
    valid time and available_at make a torn revision, and the series is listed in `conflicts` (`E_TIME_CONFLICT`)
    unless a later revision replaces it.
    """
    cells = (end - start) // step
    kept = (valid_time >= start) & (valid_time < end) & np.isfinite(value) & (row_series >= 0)
    who, cell, known_at, what = row_series[kept], (valid_time[kept] - start) // step, available_at[kept], value[kept]
    order = np.lexsort((what, known_at, cell, who))
    who, cell, known_at, what = who[order], cell[order], known_at[order], what[order]
    same = np.zeros(len(who), dtype=bool)
    same[1:] = (who[1:] == who[:-1]) & (cell[1:] == cell[:-1]) & (known_at[1:] == known_at[:-1])
    differs = same & (np.append(0.0, what[:-1]) != what)
    torn = np.zeros(len(who), dtype=bool)
    torn[np.flatnonzero(~same)[np.cumsum(~same)[differs] - 1]] = (
        True  # the first row stands for all that equal its stamp
    )
    who, cell, known_at, what = who[~same], cell[~same], known_at[~same], np.where(torn, TORN, what)[~same]
    place = who * cells + cell
    revision = _rank(place)
    depth = int(revision.max(initial=0)) + 1
    values = np.full((series, cells, depth), np.nan)
    available = np.full((series, cells, depth), NEVER, dtype=np.int64)
    values[who, cell, revision] = what
    available[who, cell, revision] = known_at
    stands = np.isinf(what) & (np.append(place[1:], -1) != place)
    return Panel(start, step, values, available, _conflicts(who[stands], start + cell[stands] * step, names))


def _wider(array: NDArray[Any], beyond: tuple[int, int], empty: float) -> NDArray[Any]:
    """Return an array of cells with as many `empty` ones before and behind them."""
    return np.pad(array, ((0, 0), beyond, (0, 0)), constant_values=empty) if any(beyond) else array


def _conflicts(who: NDArray[np.integer], when: Instants, names: Sequence[str]) -> dict[int, Refused]:
    found: dict[int, Refused] = {}
    for index, at in zip(who.tolist(), when.tolist(), strict=True):
        name = names[index] if names else str(index)
        found.setdefault(
            index,
            Refused(
                "E_TIME_CONFLICT",
                f"{name} has two values for {iso(at)} with one available_at",
                fix="ingest a correction with a later available_at",
            ),
        )
    return found


def _rank(group: NDArray[np.integer]) -> NDArray[np.integer]:
    """Count 0, 1, 2 … within runs of equal values."""
    starts = np.flatnonzero(np.append(True, group[1:] != group[:-1]))
    lengths = np.diff(np.append(starts, len(group)))
    return np.arange(len(group)) - np.repeat(starts, lengths) if len(group) else group
