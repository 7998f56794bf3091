"""Pictures as inline SVG whose colours are the page's own, so that they follow it into dark mode."""

import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from html import escape
from io import BytesIO
from typing import Any, Final

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure

COLOURS: Final = {  # name -> on white, on black; one for each thing, in every picture
    "paper": ("#ffffff", "#14181d"),
    "ink": ("#1f2933", "#e6e9ed"),
    "soft": ("#5a6673", "#a3adb8"),
    "line": ("#dfe3e8", "#353e48"),
    "ours": ("#1f5fa8", "#6fb3f7"),
    "band": ("#cfe0f2", "#25476c"),
    "truth": ("#d9480f", "#ff9a57"),
    "seasonal_naive": ("#7a828b", "#8d97a1"),
    "climatology": ("#2b8a5e", "#57c995"),
    "external": ("#9c36b5", "#d792ec"),
}
WIDTH: Final = 4.6  # inches: about a phone's width, so that text is not shrunk there
LETTER: Final = 0.08  # inches
SETTINGS: Final[Any] = {
    "svg.fonttype": "none",
    "font.size": 9,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.spines.left": False,
    "axes.linewidth": 0.8,
    "legend.frameon": False,
    "legend.fontsize": 8.5,
}
_NUMBER: Final = re.compile(r"(\d+\.\d\d)\d+")  # hundredths of a point are more than anybody sees
_PLACES: Final = re.compile(r' (d|x|y|transform)="[^"]*"')
_OPENING: Final = re.compile(r'<svg [^>]*?viewBox="([^"]*)"[^>]*>')
_DROPPED: Final = (
    re.compile(r"<metadata>.*?</metadata>", re.DOTALL),
    re.compile(r"<!--.*?-->", re.DOTALL),
    re.compile(r"<defs>\s*<style.*?</style>\s*</defs>", re.DOTALL),  # it would hold for the whole page
    re.compile(r' id="[a-zA-Z0-9.]+_\d+"'),  # of groups, the same in every picture
    re.compile(r"font-family: [^;\"]*;? ?"),  # the page has one
    re.compile(r' transform="rotate\(-0 [^"]*"'),
)
_MARKS: Final = {name: f"#0102{number:02x}" for number, name in enumerate(COLOURS)}
_IN_USE: Final[ContextVar[Mapping[str, str]]] = ContextVar("colours in use", default=_MARKS)


@dataclass(frozen=True)
class Picture:
    """One drawing: SVG for a page, what it shows in words, and a line below it."""

    svg: str
    alt: str
    caption: str


def colour(name: str) -> str:
    """Return the mark that stands for a colour in a drawing; any forecaster that is not ours is `external`."""
    known = _IN_USE.get()
    return known.get(name, known["external"])


@contextmanager
def on_white() -> Iterator[None]:
    """Draw in the colours themselves instead of marks: for a file that is no part of a page."""
    before = _IN_USE.set({name: white for name, (white, _) in COLOURS.items()})
    try:
        yield
    finally:
        _IN_USE.reset(before)


def drawn(name: str, alt: str, caption: str, draw: Callable[[Axes], None], height: float = 2.9) -> Picture:
    """Return what `draw` puts on empty axes. `name` is unique in the page; equal drawings are equal bytes."""
    with mpl.rc_context(SETTINGS | {"svg.hashsalt": name}):
        figure = Figure(figsize=(WIDTH, height))
        axes = figure.add_subplot()
        dress(axes)
        draw(axes)
        _fit(figure, axes)
        body = BytesIO()
        figure.savefig(body, format="svg", transparent=True, metadata={"Date": None})
    return Picture(_inline(body.getvalue().decode(), alt), alt, caption)


def _fit(figure: Figure, axes: Axes) -> None:
    """Leave room for the labels by their letters: laying them out exactly takes longer than drawing all the rest."""
    longest = max((len(label.get_text()) for label in axes.get_yticklabels()), default=0)
    width, height = figure.get_size_inches()
    left, right, bottom, top = LETTER * longest + 0.18, 0.26, 0.58, 0.62
    axes.set_position((left / width, bottom / height, 1 - (left + right) / width, 1 - (bottom + top) / height))


def dress(axes: Axes) -> None:
    """Give axes the look of all pictures."""
    axes.tick_params(colors=colour("soft"), labelcolor=colour("soft"), length=0, pad=5)
    axes.spines["bottom"].set_color(colour("line"))
    axes.grid(axis="y", color=colour("line"), linewidth=0.8)
    axes.set_axisbelow(True)
    for label in (axes.xaxis.label, axes.yaxis.label):
        label.set_color(colour("soft"))


def unit_label(axes: Axes, text: str) -> None:
    """Write what the vertical axis shows above it, where it can be read without turning the head."""
    axes.set_title(text, loc="left", fontsize=9, color=colour("soft"), pad=8)


def legend(axes: Axes, **settings: Any) -> None:  # noqa: ANN401 - whatever matplotlib takes
    """Add a legend above the drawing, at its right."""
    placed = {"loc": "lower right", "bbox_to_anchor": (1.03, 1.1), "ncols": 3, "borderpad": 0.2, "columnspacing": 1.0}
    axes.legend(labelcolor=colour("ink"), handlelength=1.4, **{**placed, **settings})


def _inline(svg: str, alt: str) -> str:
    """Return an SVG file as an element of a page: no prolog, no ids that nothing refers to, colours by name."""
    body = svg[svg.index("<svg") :]
    for dropped in _DROPPED:
        body = dropped.sub("", body)
    body = _PLACES.sub(lambda found: _NUMBER.sub(r"\1", found[0]).replace("\n", ""), body)
    body = re.sub(r">\s+<", "><", body)
    body = _OPENING.sub(lambda found: f'<svg viewBox="{found[1]}" role="img" aria-label="{escape(alt)}">', body)
    for name, mark in _MARKS.items():
        body = body.replace(mark, f"var(--{name})")
    return body.strip()
