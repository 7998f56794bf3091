"""The page itself: one HTML file that needs nothing else, not even a network. The same input gives the same bytes."""

from collections.abc import Iterable, Mapping, Sequence
from html import escape
from pathlib import Path
from typing import Final

import numpy as np

from training.report import plots
from training.report.picture import COLOURS, Picture
from training.report.words import GLOSSARY, number, ranged
from wattahead.domain.hours import iso
from wattahead.evaluation.measures import Measured
from wattahead.evaluation.scored import Scored

Judged = Sequence[tuple[Scored, Measured]]

DRAWN: Final = 24  # series with pictures of their own; all are in the tables
STEPS: Final = (0.02, 0.15, 0.4)  # skill from which a cell of the map is a shade darker


def page(
    title: str,
    about: str,
    origin: str,
    judged: Judged,
    gain: Mapping[str, float] | None = None,
    more: Mapping[str, str] | None = None,
    drawn: int = DRAWN,
) -> str:
    """Return a page on forecasts and what came true. `gain` is of a model's features, for a training.

    `origin` says where the data comes from and stands beside the title; `about` is a sentence on the run. `more` is
    further sections as HTML, by title. At most `drawn` series have pictures of their own.
    """
    heard = [(one, found) for one, found in judged if found.value]
    others = list(dict.fromkeys(name for one, _ in heard for name in one.references))
    parts = [
        f"<h1>{escape(title)}</h1>",
        f'<p><span class="origin">data: {escape(origin)}</span></p>' if origin else "",
        f'<p class="soft">{escape(about)}</p>',
        section("How good it was", _overview(heard, others)),
        section("Where it is better than seasonal naive", _map(heard)),
        section("What the model looks at", _gains(gain)) if gain else "",
        *(section(head, body) for head, body in (more or {}).items()),
        section("Series by series", _each(heard, drawn)),
        section("What the measures mean", GLOSSARY),
    ]
    return framed(title, "\n".join(filter(None, parts)))


def span(judged: Judged) -> str:
    """Return how many series and which issue times were judged, in words."""
    times = np.concatenate([one.issue_times for one, _ in judged])
    hours = sum(found.of("mae").n for _, found in judged)
    return (
        f"{len(judged)} series, issue times {iso(int(times.min()))} to {iso(int(times.max()))}, "
        f"{hours:,} hours that came true. Times are in UTC."
    )


def section(title: str, body: str) -> str:
    """Return a part of a page under its title; nothing where there is nothing to say."""
    return f"<section>\n<h2>{escape(title)}</h2>\n{body}\n</section>" if body else ""


def _overview(judged: Judged, others: Sequence[str]) -> str:
    pictures = []
    for other in others:
        found = {str(one.series): held.of(f"skill_{other}") for one, held in judged}
        known = {name: one for name, one in found.items() if np.isfinite(one.value)}
        if known and len(known) <= DRAWN:
            pictures.append(plots.skills(known, other))
    return _table(judged, others) + figures(pictures)


def _table(judged: Judged, others: Sequence[str]) -> str:
    head = ["series", "unit", "hours", "MAE", *(f"MAE of {plots.said(name)}" for name in others)]
    head += [f"skill over {plots.said(name)}" for name in others]
    head += ["nMAE %", "rCRPS %", "bias", "band covers", "width of band", "large ramps hit"]
    rows = [(str(one.series), _row(one, found, others)) for one, found in judged]
    return html_table(head, rows, "In brackets: 95 % intervals by drawing whole days 1,000 times.")


def _row(one: Scored, found: Measured, others: Sequence[str]) -> list[str]:
    return [
        one.signal.unit,
        f"{found.of('mae').n:,}",
        ranged(found.of("mae")),
        *(number(found.of(f"mae_{name}").value) for name in others),
        *(ranged(found.of(f"skill_{name}"), 2) for name in others),
        number(100 * found.of("nmae_mean").value, 1),
        number(100 * found.of("rcrps").value, 1),
        number(found.of("mbe").value),
        ranged(found.of("coverage"), 2),
        number(found.of("width").value),
        number(found.of("ramp_hits").value, 2),
    ]


def _map(judged: Judged) -> str:
    """Return skill over seasonal naive, series by month; by hour of the day while there is one month only."""
    months = _labels(judged, "month")
    name, labels = ("month", months) if len(months) > 1 else ("hour", _labels(judged, "hour"))
    rows = []
    for one, found in judged:
        held = found.by("skill_seasonal_naive", name)
        rows.append((str(one.series), [held[label].value if label in held else np.nan for label in labels]))
    head = "".join(f'<th scope="col">{escape(label)}</th>' for label in labels)
    body = "".join(f'<tr><th scope="row">{escape(title)}</th>{"".join(map(_cell, row))}</tr>\n' for title, row in rows)
    caption = (
        f"Skill over seasonal naive by {'month' if name == 'month' else 'hour of the day'} of the valid time, UTC."
    )
    return (
        f'<div class="wide"><table class="map"><caption>{caption} Blue is better, orange worse.</caption>\n'
        f'<thead><tr><th scope="col">series</th>{head}</tr></thead>\n<tbody>{body}</tbody></table></div>'
    )


def _labels(judged: Judged, name: str) -> list[str]:
    found = {label for _, held in judged for label in held.by("mae", name)}
    return sorted(found, key=lambda label: (len(label), label))


def _cell(value: float) -> str:
    if not np.isfinite(value):
        return "<td></td>"
    shade = sum(abs(value) >= step for step in STEPS)
    kind = f' class="{"up" if value > 0 else "down"}{shade}"' if shade else ""
    return f"<td{kind}>{max(value, -9.99):.2f}</td>"


def _gains(gain: Mapping[str, float]) -> str:
    told = "Trees: how much their splits on a feature lowered the loss. Lines: the mean size of what a feature adds. "
    return f'<p class="soft">{told}Members of a blend count by their weight.</p>\n{figures([plots.gains(gain)])}'


def _each(judged: Judged, drawn: int) -> str:
    parts = []
    shown = judged if len(judged) <= drawn else sorted(judged, key=_skill)[:drawn]
    for place, (one, found) in enumerate(shown):
        pictures = [
            *plots.days(one).values(),
            plots.error_by(one, found, "lead", "hours ahead"),
            plots.error_by(one, found, "hour", "hour of the day, UTC"),
            plots.reliability(one, found),
            plots.coverage(one, found),
        ]
        summary = f"<summary>{escape(str(one.series))} [{escape(one.signal.unit)}]</summary>"
        slices = _slices(found)
        parts.append(f"<details{' open' if place == 0 else ''}>{summary}\n{figures(pictures)}\n{slices}</details>")
    left = len(judged) - len(shown)
    told = f"Shown are the {len(shown)} with the least skill over seasonal naive"
    told += f"; {left} more are in the tables above only."
    return (f'<p class="soft">{told}</p>\n' if left else "") + "\n".join(parts)


def _skill(judged: tuple[Scored, Measured]) -> float:
    value = judged[1].of("skill_seasonal_naive").value
    return value if np.isfinite(value) else np.inf


def _slices(found: Measured) -> str:
    """Return what differs by season, by light and by weather situation."""
    head = ["slice", "hours", "MAE", "nMAE %", "bias", "skill over seasonal naive", "band covers"]
    rows = []
    for name in ("all", "season", "light", "situation"):
        for label, error in found.by("mae", name).items():
            values = [
                f"{error.n:,}",
                ranged(error),
                number(100 * found.of("nmae_mean", name, label).value, 1),
                number(found.of("mbe", name, label).value),
                ranged(found.of("skill_seasonal_naive", name, label), 2),
                ranged(found.of("coverage", name, label), 2),
            ]
            rows.append((label if name == "all" else f"{name}: {label}", values))
    return html_table(head, rows, "")


def html_table(head: Sequence[str], rows: Iterable[tuple[str, Sequence[str]]], caption: str, kind: str = "") -> str:
    """Return a table: column heads, and rows of a name and the values behind it. Of kind `words`, lines are broken."""
    top = "".join(f'<th scope="col">{escape(name)}</th>' for name in head)
    body = "".join(
        f'<tr><th scope="row">{escape(title)}</th>{"".join(f"<td>{escape(value)}</td>" for value in values)}</tr>\n'
        for title, values in rows
    )
    told = f"<caption>{escape(caption)}</caption>" if caption else ""
    table = f'<table class="{kind}">' if kind else "<table>"
    return f'<div class="wide">{table}{told}<thead><tr>{top}</tr></thead>\n<tbody>{body}</tbody></table></div>\n'


def figures(pictures: Sequence[Picture]) -> str:
    """Return pictures side by side, as many as fit, each with its caption."""
    drawn = "\n".join(f"<figure>{one.svg}<figcaption>{escape(one.caption)}</figcaption></figure>" for one in pictures)
    return f'<div class="plots">\n{drawn}\n</div>' if pictures else ""


def framed(title: str, body: str) -> str:
    """Return a whole page: its head with the colours in light and dark, and `body` as HTML."""
    light, dark = (" ".join(f"--{name}: {pair[way]};" for name, pair in COLOURS.items()) for way in (0, 1))
    css = (Path(__file__).parent / "page.css").read_text(encoding="utf-8")
    colours = (
        f":root {{ color-scheme: light dark; {light} }}\n@media (prefers-color-scheme: dark) {{ :root {{ {dark} }} }}"
    )
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{escape(title)}</title>\n<style>\n{colours}\n{css}</style>\n</head>\n<body>\n{body}\n</body>\n</html>\n"
    )
