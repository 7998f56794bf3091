"""How good screens are, in pictures: predictions beside what came true, and what verifying the first actions left."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter, NullLocator
from numpy.typing import NDArray

from training.grid.evaluate import CAP, OVERLOAD, Said, measures
from training.grid.gate import CHAMPION, LINEAR
from training.grid.lessons import Lesson
from training.grid.report.pictures import Drawing
from training.grid.report.shades import BLANK, Shade, cells, scale
from training.report.picture import Picture, colour, legend, unit_label
from wattahead.evaluation.actions import regret
from wattahead.workloads.grid_action.screening import order

Floats = NDArray[np.float64]
Answers = Mapping[str, Said]  # of a set by model, the one that it is about first

VERIFIED: Final = 20  # first actions, at most
NO_REGRET: Final = 1e-4
LOWEST: Final = 0.4  # loadings below it are drawn at it
CELLS: Final = 48
EDGES: Final = (10, 100, 1000)  # actions in a cell
SHADES: Final = tuple(Shade("ours", strength) for strength in (0.16, 0.36, 0.64, 1.0))
FEWEST: Final = 30  # actions that the band is drawn of
HEIGHT: Final = 4.2  # inches
COLOURS: Final = {LINEAR: "external", "mean of the action": "climatology", CHAMPION: "truth"}


def of_answers(lessons: Mapping[str, Lesson], answers: Mapping[str, Answers]) -> list[Picture]:
    """Return the pictures of what models say: set -> model -> answer, the sets and models that matter most first.

    Predictions of the first model are drawn on the first set, and regrets of all models on each set.
    """
    first = next(iter(answers))
    model, said = next(iter(answers[first].items()))
    curves = {name: regrets(lessons[name], found) for name, found in answers.items()}
    ends = _ends([curve for found in curves.values() for curve in found.values()])
    drawings = [accuracy(first, lessons[first], model, said)]
    drawings += [verifying(name, found, len(lessons[name]), ends) for name, found in curves.items()]
    return [one.picture for one in drawings]


def accuracy(name: str, lesson: Lesson, model: str, said: Said) -> Drawing:
    """Return the true highest loading by the predicted one, with the band, of all actions that the grid survives."""
    lives = ~lesson.failed
    predicted, truth = (np.clip(one[lives], LOWEST, CAP) for one in (said.rho_max, lesson.rho_max))
    edges = np.linspace(LOWEST, CAP, CELLS + 1)
    counts = np.histogram2d(truth, predicted, edges)[0]
    band = None if said.low is None or said.high is None else (said.low[lives], said.high[lives])

    def draw(axes: Axes) -> None:
        kinds = np.where(counts == 0, BLANK, np.searchsorted(EDGES, counts, side="right"))
        cells(axes, kinds, SHADES, edges, np.stack([edges[:-1], edges[1:]], axis=1))
        axes.plot([LOWEST, CAP], [LOWEST, CAP], color=colour("ink"), linewidth=0.8, dashes=(4, 3))
        for line in (axes.axvline, axes.axhline):
            line(OVERLOAD, color=colour("soft"), linewidth=0.6)
        if band:
            middle = (edges[:-1] + edges[1:])[:-1] / 2  # the last one is of all beyond it
            for number, end in enumerate(typical(predicted, band, edges)):
                label = None if number else "median of the band"
                axes.plot(middle, end[:-1], color=colour("truth"), linewidth=1.4, label=label)
            legend(axes, loc="lower right", bbox_to_anchor=(1.0, 0.02))
        axes.set(xlim=(LOWEST, CAP), ylim=(LOWEST, CAP), xlabel="predicted highest loading")
        for axis in (axes.xaxis, axes.yaxis):
            axis.set_major_formatter(FuncFormatter(_ended))
        axes.grid(visible=False)
        unit_label(axes, "what came true")
        tall = HEIGHT - 1.2
        labels = [f"{edge:,}" for edge in EDGES]
        scale(axes, (0.5, 1 + 0.1 / tall, 0.5, 0.1 / tall), SHADES, labels, "")

    told = _told(lesson, said)
    alt = f"Predicted and true highest loading on {name}, by {model}. {told}"
    return Drawing(
        f"accuracy {name}", alt, f"By {model} on {name}; shades are numbers of actions. {told}", draw, HEIGHT
    )


def typical(predicted: Floats, band: tuple[Floats, Floats], edges: Floats) -> tuple[Floats, Floats]:
    """Return the medians of the band's ends between edges of the prediction; NaN where there are few actions."""
    inside = np.clip(np.searchsorted(edges, predicted, side="right") - 1, 0, len(edges) - 2)
    rows = [np.flatnonzero(inside == number) for number in range(len(edges) - 1)]
    low, high = (np.array([np.median(end[row]) if len(row) >= FEWEST else np.nan for row in rows]) for end in band)
    return low, high


def regrets(lesson: Lesson, answers: Answers) -> dict[str, Floats]:
    """Return the regret of each model after its first 1, 2, … actions were verified."""
    count = min(VERIFIED, lesson.failed.shape[1])
    found = {}
    for model, said in answers.items():
        ranked = order(said.rho_max, said.fail)
        found[model] = np.array([regret(lesson.truth, ranked, first) for first in range(1, count + 1)])
    return found


def verifying(name: str, curves: Mapping[str, Floats], states: int, ends: tuple[float, float]) -> Drawing:
    """Return the regret that is left by how many of the first actions are verified; `ends` are those of the scale."""
    first = next(iter(curves))

    def draw(axes: Axes) -> None:
        for model, curve in curves.items():
            strong = model == first
            style: dict[str, Any] = {"linewidth": 2 if strong else 1.2, "zorder": 3 if strong else 2}
            shade = colour("ours" if strong else COLOURS.get(model, "seasonal_naive"))
            shown = np.maximum(curve, ends[0])
            axes.plot(np.arange(len(curve)) + 1, shown, color=shade, label=model, marker="o", markersize=2.6, **style)
        axes.set(xlim=(0.6, VERIFIED + 0.4), yscale="log", ylim=ends, xticks=[1, 5, 10, 15, 20])
        axes.set_xlabel("actions verified")
        axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
        axes.yaxis.set_minor_locator(NullLocator())
        unit_label(axes, "regret")
        legend(axes)

    at = [count for count in (1, 5, 10) if count <= len(curves[first])]
    told = "; ".join(
        f"{model} {', '.join(f'{curve[count - 1]:.3f}' for count in at)}" for model, curve in curves.items()
    )
    counts = ", ".join(map(str, at))
    text = f"Regret on {name} ({states:,} states) when {counts} actions are verified: {told}."
    return Drawing(f"regret {name}", text, text, draw)


def _ends(curves: Sequence[Floats]) -> tuple[float, float]:
    """Return the ends of a scale that holds all curves; what is below `NO_REGRET` is drawn at it."""
    every = np.concatenate(curves)
    every = np.maximum(every[np.isfinite(every)], NO_REGRET)
    return (float(every.min()) / 1.2, float(every.max()) * 1.2) if len(every) else (NO_REGRET, 1.0)


def _told(lesson: Lesson, said: Said) -> str:
    found = measures(lesson, said)
    covers = f"; the band covers {100 * found['coverage']:.0f} %" if "coverage" in found else ""
    count = int((~lesson.failed).sum())
    return f"{count:,} actions in {len(lesson):,} states: RMSE {found['rmse']:.3f} up to {CAP:g}{covers}."


def _ended(value: float, _: int) -> str:
    return f"{value:g}{'+' if value >= CAP else ''}"
