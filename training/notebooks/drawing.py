"""Small pictures, one panel a zone: the notebooks' only drawing beside plain matplotlib."""

from collections.abc import Sequence
from typing import Any, Final

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.dates import AutoDateLocator, ConciseDateFormatter
from matplotlib.ticker import FuncFormatter
from numpy.typing import NDArray

Floats = NDArray[np.float64]

_STYLE: Final[Any] = {
    "axes.spines.top": False, "axes.spines.right": False, "axes.grid": True, "grid.alpha": 0.3, "font.size": 8,
    "legend.frameon": False, "figure.constrained_layout.use": True, "axes.titlesize": 9,
}  # fmt: skip


def panels(
    titles: Sequence[str], below: str = "", left: str = "", *, shared: bool = True, high: float = 2.3
) -> list[Axes]:
    """Return a row of axes of some height [inches], one for each title."""
    plt.rcParams.update(_STYLE)
    wide = max(3.0 * len(titles), 4.5)
    _, axes = plt.subplots(1, max(len(titles), 1), figsize=(wide, high), sharey=shared, squeeze=False)
    row = list(axes[0])
    for one, title in zip(row, titles, strict=False):
        one.set(title=title, xlabel=below)
        one.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.6g}"))
    row[0].set_ylabel(left)
    return row


def band(axes: Axes, at: Floats, levels: Floats, **how: Any) -> None:  # noqa: ANN401 - matplotlib's own words
    """Draw p10 to p90 as an area and p50 as a line; `levels` (3, places)."""
    (line,) = axes.plot(at, levels[1], **how)
    axes.fill_between(at, levels[0], levels[2], color=line.get_color(), alpha=0.2, linewidth=0)


def legend(row: Sequence[Axes]) -> None:
    """Put the last panel's legend beside the row."""
    row[-1].legend(loc="upper left", bbox_to_anchor=(1, 1))


def dates(axes: Axes) -> None:
    """Label a time axis briefly."""
    place = AutoDateLocator(minticks=3, maxticks=8)  # type: ignore[no-untyped-call]
    axes.xaxis.set(major_locator=place, major_formatter=ConciseDateFormatter(place))  # type: ignore[no-untyped-call]


def heat(axes: Axes, table: Floats, **how: Any) -> None:  # noqa: ANN401 - matplotlib's own words
    """Draw shares of one, months by hours of the day, as colours."""
    axes.pcolormesh(np.arange(table.shape[1]), np.arange(len(table)) + 1, table, vmin=0, vmax=1, **how)
    axes.grid(visible=False)
