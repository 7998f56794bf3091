"""Cells in shades of the page's own colours, and the scale that says what they mean."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from matplotlib.axes import Axes
from matplotlib.patches import PathPatch
from matplotlib.path import Path
from numpy.typing import NDArray

from training.report.picture import colour

BLANK: Final = -1  # a cell of no shade
SMALL: Final = 7.5  # points, of letters beside a scale
_CORNERS: Final = (Path.MOVETO, Path.LINETO, Path.LINETO, Path.LINETO, Path.CLOSEPOLY)


@dataclass(frozen=True)
class Shade:
    """One colour of the page, as strong as it shall be; paper shines through, white or black."""

    name: str
    strength: float

    @property
    def paint(self) -> dict[str, Any]:
        """How matplotlib is told. Edges are left sharp: soft ones would leave seams between cells."""
        return {"facecolor": colour(self.name), "alpha": self.strength, "linewidth": 0, "antialiased": False}


def cells(
    axes: Axes, kinds: NDArray[np.integer], shades: Sequence[Shade], right: NDArray[Any], top: NDArray[Any]
) -> None:
    """Fill a grid of R rows and C columns: cell by cell the number of its shade, or `BLANK`.

    `right` (C + 1) and `top` (R, 2) are edges. Neighbours of a shade are one area, and each shade is one path.
    """
    for number, shade in enumerate(shades):
        boxes = [
            (right[first], right[last], *top[row])
            for row, line in enumerate(kinds == number)
            for first, last in _runs(line)
        ]
        if boxes:
            corners = [
                [(left, low), (end, low), (end, high), (left, high), (left, low)] for left, end, low, high in boxes
            ]
            path = Path(np.array(corners).reshape(-1, 2), _CORNERS * len(boxes))
            axes.add_patch(PathPatch(path, **shade.paint))


def scale(
    axes: Axes, place: tuple[float, float, float, float], shades: Sequence[Shade], labels: Sequence[str], apart: str
) -> None:
    """Draw the shades in a strip at a place (of the axes: left, bottom, width, height).

    `labels` stand at the edges between the shades. If `apart` says something, the last shade stands apart, under it.
    """
    strip = axes.inset_axes(place)
    strip.axis("off")
    count, ends = len(shades) - bool(apart), 0.6 * bool(apart)
    for number, shade in enumerate(shades):
        at = number + (ends if number == count else 0)
        strip.fill_between([at, at + 1], 0, 1, **shade.paint)
    told: dict[str, Any] = {"ha": "center", "va": "bottom", "fontsize": SMALL, "color": colour("soft")}
    for number, label in enumerate(labels):
        strip.text(number + 1, 1.25, label, **told)
    if apart:
        strip.text(count + ends + 0.5, 1.25, apart, **told)
    strip.set(xlim=(0, len(shades) + ends), ylim=(0, 1))


def _runs(line: NDArray[np.bool_]) -> list[tuple[int, int]]:
    """Return where something holds, from first to behind the last."""
    turns = np.flatnonzero(np.diff(np.concatenate([[False], line, [False]]).astype(np.int8)))
    return [(first, last) for first, last in turns.reshape(-1, 2).tolist()]
