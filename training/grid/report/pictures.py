"""What a simulated set shows: how the loading of lines responds to actions, and how much the best action relieves."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter, NullLocator
from numpy.typing import NDArray

from training.grid.evaluate import CAP, OVERLOAD
from training.grid.report.shades import BLANK, SMALL, Shade, cells, scale
from training.grid.simulation.dataset import Dataset
from training.report.picture import Picture, colour, drawn, legend, unit_label
from wattahead.domain.errors import Refused
from wattahead.domain.hours import iso
from wattahead.grid.candidates import Candidates

Floats = NDArray[np.float64]
Numbers = NDArray[np.integer]

MOST_ACTIONS, MOST_LINES = 200, 30  # in one heat map; of more, only the first are drawn
FIRST_ACTIONS, FIRST_LINES = 40, 20
NAMED: Final = 3  # of the best actions
EDGES: Final = (0.5, 0.7, 0.85, OVERLOAD, 1.1, 1.3, 1.6)
FAILS: Final = len(EDGES) + 1
SHADES: Final = (
    *(Shade("ours", strength) for strength in (0.1, 0.24, 0.46, 0.74)),
    *(Shade("truth", strength) for strength in (0.34, 0.54, 0.76, 1.0)),
    Shade("soft", 0.85),
)
ROW, MARGINS = 0.165, 1.2  # inches: of a line in the heat map, and what stands above and below it
BINS: Final = np.geomspace(0.01, 10.0, 37)  # of reliefs; what is outside counts in the outermost


@dataclass(frozen=True)
class Drawing:
    """What is to be drawn on one pair of axes, and what is said of it."""

    name: str
    alt: str
    caption: str
    draw: Callable[[Axes], None]
    height: float = 2.9  # inches

    @property
    def picture(self) -> Picture:
        """The drawing as a part of a page."""
        return drawn(self.name, self.alt, self.caption, self.draw, self.height)


def of_set(dataset: Dataset) -> list[Picture]:
    """Return the pictures of a set by itself."""
    return [heat_map(dataset).picture, relief(dataset).picture]


def highest(dataset: Dataset) -> Floats:
    """Return the highest loading after each action, infinite where the grid does not survive it, (S, A)."""
    return np.where(dataset.failed, np.inf, dataset.rho_max).astype(np.float64)


def instructive(dataset: Dataset) -> int:
    """Return the state in which one action relieves most, an overloaded one if there is any.

    Loadings are compared up to `CAP`: otherwise it would be a state that is lost in any case.
    """
    after = np.minimum(highest(dataset), CAP)
    now = dataset.rho_max[:, 0]
    gained = np.where(np.isfinite(now), after[:, 0] - after.min(axis=1), -np.inf)
    return int(np.lexsort((gained, now > OVERLOAD))[-1])


# --- one state ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Response:
    """What actions do in one state: C actions, best first, and R lines, the most loaded one now first."""

    actions: Numbers  # (C)
    lines: Numbers  # (R)
    highest: Floats  # (C) infinite where the grid does not survive
    loading: Floats  # (R, C) NaN where it is not known


def response(dataset: Dataset, state: int) -> Response:
    """Return what is drawn of a state: all actions and lines, or the first ones and doing nothing."""
    after = highest(dataset.take(slice(state, state + 1)))[0]
    order = np.argsort(after, kind="stable")
    if len(order) > MOST_ACTIONS:
        first = order[:FIRST_ACTIONS]
        order = first if 0 in first else np.append(first, 0)
    now = dataset.states.take(slice(state, state + 1)).rho(dataset.network)[0]
    lines = np.argsort(-np.nan_to_num(now, nan=-1.0), kind="stable")
    lines = lines[:FIRST_LINES] if len(lines) > MOST_LINES else lines
    return Response(order, lines, after[order], _loading(dataset, state, order)[lines])


def _loading(dataset: Dataset, state: int, actions: Numbers) -> Floats:
    """Return the loading of every line, (L, C); NaN where the grid does not survive, and where it was not kept."""
    kept = dataset.rho[state, actions].astype(np.float64)
    if dataset.lines is None:
        return kept.T
    whole = np.full((len(actions), len(dataset.network.lines)), np.nan)
    np.put_along_axis(whole, dataset.lines[state, actions].astype(np.int64), kept, axis=1)
    return whole.T


def heat_map(dataset: Dataset, state: int | None = None) -> Drawing:
    """Return the loading of lines after each action in one state, by default an instructive one."""
    if state is not None and not 0 <= state < len(dataset):
        raise Refused("E_CONFIG", f"there is no state {state}", fix=f"use one from 0 to {len(dataset) - 1}")
    chosen = instructive(dataset) if state is None else state
    found = response(dataset, chosen)
    names = [dataset.network.lines[line].name for line in found.lines]
    height = ROW * (len(names) + 1.5)
    told, most = _told(dataset, chosen, found), f"{OVERLOAD:g}"

    def draw(axes: Axes) -> None:
        bottom = np.append(0, np.arange(len(names)) + 1.5)  # the first row stands apart
        edges = np.stack([bottom + 0.04, bottom + 0.96], axis=1)
        cells(axes, shaded(found), SHADES, np.arange(len(found.actions) + 1), edges)
        axes.set(xlim=(0, len(found.actions)), ylim=(len(names) + 1.5, 0), xticks=[])
        axes.set_yticks(bottom + 0.5, ["highest", *names], fontsize=SMALL)
        axes.grid(visible=False)
        axes.spines["bottom"].set_visible(False)
        _marks(axes, found)
        shown = len(found.actions)
        axes.set_xlabel(f"{shown} actions, the best at the left", labelpad=23)
        unit_label(axes, "loading of lines")
        labels = [f"{edge:g}" for edge in EDGES]
        scale(axes, (0.3, 1 + 0.1 / height, 0.7, 0.1 / height), SHADES, labels, "fails")

    alt = f"Heat map of {len(names)} lines by {len(found.actions)} actions, orange above the limit {most}: {told}"
    return Drawing(f"{dataset.network.name} heat map", alt, told, draw, height + MARGINS)


def shaded(found: Response) -> NDArray[np.int64]:
    """Return the numbers of the shades, (1 + R, C): the highest loading first; one at the limit is within it."""
    loading = np.vstack([found.highest, found.loading])
    kinds = np.where(np.isnan(loading), BLANK, np.searchsorted(EDGES, loading, side="left"))
    return np.where(np.isinf(found.highest), FAILS, kinds)


def _marks(axes: Axes, found: Response) -> None:
    """Write below which columns are the best and which is doing nothing, side by side where they are close."""
    wide = len(found.actions) / 26  # about two letters
    best = np.flatnonzero(np.isfinite(found.highest))[:NAMED].tolist()
    nothing = int(np.flatnonzero(found.actions == 0)[0])
    labels = {column: str(place + 1) for place, column in enumerate(best)}
    labels[nothing] = f"{labels[nothing]} (nothing)" if nothing in labels else "nothing"
    bottom, free = axes.get_ylim()[0], 0.0
    for column, label in sorted(labels.items()):
        half = (0.25 + 0.23 * len(label)) * wide
        at = min(max(column + 0.5, free + half), len(found.actions) - half)
        free = at + half
        axes.plot([column + 0.5, at], [bottom + 0.1, bottom + 0.8], color=colour("soft"), linewidth=0.7, clip_on=False)
        axes.text(at, bottom + 0.9, label, ha="center", va="top", fontsize=SMALL + 0.5, color=colour("ink"))


def _told(dataset: Dataset, state: int, found: Response) -> str:
    """Return what a heat map shows, in words: they stand below it."""
    candidates, network = Candidates(dataset.network), dataset.network
    after = highest(dataset.take(slice(state, state + 1)))[0]
    when = f"State {state} of {network.name}, {iso(int(dataset.times[state]))}"
    now = f"highest loading {after[0]:.2f}" if np.isfinite(after[0]) else "doing nothing fails"
    least = f"{int(np.sum(after <= OVERLOAD)):,} of {len(after):,} actions leave no line above its limit"
    best = [
        f"({place + 1}) {candidates.words(candidates.actions[action])}, {value:.2f}"
        for place, (action, value) in enumerate(zip(found.actions[:NAMED], found.highest[:NAMED], strict=True))
        if np.isfinite(value)
    ]
    parts = [f"{when}: {now}; {least}, {int(np.isinf(after).sum()):,} fail.", f"Best: {'; '.join(best)}."]
    return " ".join([*(parts if best else parts[:1]), *_left_out(dataset, found)])


def _left_out(dataset: Dataset, found: Response) -> list[str]:
    actions, lines = dataset.failed.shape[1], len(dataset.network.lines)
    told = []
    if len(found.actions) < actions:
        told.append(f"Shown are the {FIRST_ACTIONS} best of {actions:,} actions, and doing nothing.")
    if len(found.lines) < lines:
        told.append(f"Shown are the {len(found.lines)} lines of {lines} that are loaded most now.")
    if dataset.lines is not None:
        told.append(f"Blank: not among the {dataset.rho.shape[2]} highest after this action.")
    return told


# --- all states -----------------------------------------------------------------------------------------------------


def relief(dataset: Dataset) -> Drawing:
    """Return by how much the best action lowers the highest loading, over all states that have one now."""
    after = highest(dataset)
    after = after[np.isfinite(after[:, 0])]
    now, best = after[:, 0], after.min(axis=1)
    gained, over = now - best, now > OVERLOAD
    relieved = over & (best <= OVERLOAD)
    groups: Sequence[tuple[str, NDArray[np.bool_], Shade]] = (
        ("no overload", ~over, Shade("band", 1.0)),
        ("overload, relieved", relieved, Shade("ours", 1.0)),
        ("overload, stays", over & ~relieved, Shade("truth", 1.0)),
    )

    def draw(axes: Axes) -> None:
        stood = np.zeros(len(BINS) - 1)
        for label, chosen, shade in groups:
            counts, _ = np.histogram(np.clip(gained[chosen], BINS[0], BINS[-1]), BINS)
            axes.bar(BINS[:-1], counts, 0.9 * np.diff(BINS), stood, align="edge", label=label, **shade.paint)
            stood += counts
        axes.set(xscale="log", xlim=(BINS[0], BINS[-1]), xlabel="highest loading now less that after the best action")
        axes.xaxis.set_major_formatter(FuncFormatter(lambda x, _: f"{x:g}"))
        axes.xaxis.set_minor_locator(NullLocator())
        unit_label(axes, "states")
        legend(axes)

    share = "There are no overloaded states"
    if over.any():
        share = f"One action brings {100 * relieved.sum() / over.sum():.0f} % of {over.sum():,} overloaded states"
        share += " within all limits"
    told = f"{share}; the median relief of all {len(gained):,} states is {_median(gained)}."
    return Drawing(f"{dataset.network.name} relief", f"Distribution of the best action's relief. {told}", told, draw)


def _median(gained: Floats) -> str:
    return f"{np.median(gained):.2f}" if len(gained) else "unknown"
