"""How loading responds to actions in a simulated set, as a picture in a file."""

import textwrap
from pathlib import Path
from typing import Any, Final

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from training.grid.report.pictures import Drawing, heat_map, relief
from training.grid.simulation.dataset import Dataset, load
from training.report.picture import COLOURS, LETTER, SETTINGS, colour, dress, on_white
from wattahead.domain.errors import Refused
from wattahead.storage.objects import Bucket

KINDS: Final = (".png", ".svg")
PANEL: Final = 5.2  # inches: the width of one drawing
ABOVE, BELOW, RIGHT = 0.62, 0.62, 0.3  # inches around its axes
LETTERS, LINE = 76, 0.15  # of a caption: letters in a line, and the line's height in inches
DPI: Final = 160


def show(bucket: Bucket, digest: str, states: int, to: Path, state: int | None = None) -> Path:
    """Draw a simulated set into a file, as `save` does; raise `E_FEAT_MISSING` where there is no such set."""
    _must_be_picture(to)
    return save(load(bucket, digest, states), to, state)


def save(dataset: Dataset, to: Path, state: int | None = None) -> Path:
    """Draw a set into a PNG or SVG file, by its suffix, and return the file; the same set gives the same bytes.

    `state` is the one whose heat map is drawn, by default one in which an action relieves most. Raises `E_CONFIG` for
    another suffix, a state that is not there, and a file that cannot be written.
    """
    _must_be_picture(to)
    drawings = (heat_map(dataset, state), relief(dataset))
    with on_white(), mpl.rc_context(SETTINGS | {"svg.hashsalt": dataset.network.name, "svg.fonttype": "path"}):
        figure = _side_by_side(drawings)
        about = {"Date": None} if to.suffix.lower() == ".svg" else {}
        try:
            to.parent.mkdir(parents=True, exist_ok=True)
            figure.savefig(to, dpi=DPI, metadata=about)
        except OSError as error:
            raise Refused("E_CONFIG", f"{to} cannot be written: {error}", fix="name a file that may be") from error
    return to


def _must_be_picture(to: Path) -> None:
    if to.suffix.lower() not in KINDS:
        raise Refused("E_CONFIG", f"{to} is no picture that can be written", fix=f"end it with {' or '.join(KINDS)}")


def _side_by_side(drawings: tuple[Drawing, ...]) -> Figure:
    captions = [textwrap.wrap(one.caption, LETTERS) for one in drawings]
    tall = max(one.height + LINE * (len(lines) + 1) for one, lines in zip(drawings, captions, strict=True))
    figure = Figure(figsize=(PANEL * len(drawings), tall), facecolor=COLOURS["paper"][0])
    for number, (one, lines) in enumerate(zip(drawings, captions, strict=True)):
        axes = figure.add_subplot(label=one.name)
        dress(axes)
        one.draw(axes)
        _place(axes, number * PANEL, one.height)
        where = (number * PANEL + 0.2) / (PANEL * len(drawings)), 1 - one.height / tall
        told: dict[str, Any] = {"va": "top", "fontsize": 8.5, "linespacing": 1.3, "color": colour("soft")}
        figure.text(*where, "\n".join(lines), **told)
    return figure


def _place(axes: Axes, left: float, height: float) -> None:
    """Put axes at the top of the figure, with room for their labels, in the strip that begins at `left` [inches]."""
    width, tall = axes.get_figure(root=True).get_size_inches()  # type: ignore[union-attr]
    label = LETTER * max((len(one.get_text()) for one in axes.get_yticklabels()), default=0) + 0.3
    box = (left + label, tall - height + BELOW, PANEL - label - RIGHT, height - ABOVE - BELOW)
    axes.set_position((box[0] / width, box[1] / tall, box[2] / width, box[3] / tall))
