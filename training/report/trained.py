"""The page about one training: what was decided, from what, by which members, and how good it was out of time."""

import json
from collections.abc import Iterator, Mapping, Sequence
from html import escape
from typing import Any, Final

import numpy as np

from training.candidate import Candidate, Material
from training.findings import Finding
from training.judged import Judged, origins
from training.report.gains import gains
from training.report.page import html_table, page, span
from training.report.words import number
from training.splits import OUT_OF_TIME_DAYS
from wattahead.domain.hours import iso
from wattahead.jobs.promote import Verdict
from wattahead.models import blend

LISTED: Final = 30  # rows of a table; zones beyond them are in the manifest


def training_page(told: Material, made: Candidate, judged: Judged, verdict: Verdict, *, drawn: int) -> str:
    """Return the page of one training, as HTML. `judged` is of the out-of-time days that the gate looked at."""
    gain = gains(made.fitted.files, told.split.test.rows)
    more = {
        "How it is made": _members(made) + _bands(made),
        "What the data look like": _findings(told.findings),
        "What it was trained with": _parameters(told, made),
    }
    about = f"{_said(verdict)} Judged on the last {OUT_OF_TIME_DAYS} days, of which nothing was learnt: {span(judged)}"
    title = f"Training of {told.name} until {iso(told.until)}"
    return page(title, about, origins(judged), judged, gain, more, drawn)


def _said(verdict: Verdict) -> str:
    done = "Promoted" if verdict.promoted else "Not promoted; who served before serves on"
    return f"{done}: {verdict.reason} (in units of the scale)."


# --- members and bands ------------------------------------------------------------------------------------------------


def _members(made: Candidate) -> str:
    errors: Mapping[str, float] = made.fitted.facts.get("members", {})
    weights: Mapping[str, Sequence[Sequence[float]]] = made.fitted.facts.get("weights", {})
    if not errors or not weights:
        return f'<p class="soft">One model of kind {escape(made.fitted.kind)}.</p>\n'
    zones = sorted(weights)[:LISTED]  # those of any other zone first
    means = {zone: np.mean(weights[zone], axis=0) for zone in zones}
    rows = [
        (name, [f"{100 * error:.2f}", *(f"{100 * means[zone][place]:.0f} %" for zone in zones)])
        for place, (name, error) in enumerate(errors.items())
    ]
    head = ["member", "error, % of the scale", *(f"weight, {zone or 'any other zone'}" for zone in zones)]
    return html_table(head, rows, "Mean absolute error on held-back weeks, and weights learnt from them.")


def _bands(made: Candidate) -> str:
    """Return how far the quantiles lie from the median, in units of the spread."""
    if blend.FILE not in made.fitted.files:
        return ""
    distances: Mapping[str, Sequence[float]] = json.loads(made.fitted.files[blend.FILE])["distances"]
    rows = [
        (zone or "any other zone", [number(value, 2) for value in (held[0], held[-1])])
        for zone, held in sorted(distances.items())[:LISTED]
    ]
    told = "Outermost quantiles, as distances from the median in units of the spread that the model tells of a row."
    return html_table(["zone", "lowest", "highest"], rows, told)


# --- findings and parameters ------------------------------------------------------------------------------------------


def _findings(found: Sequence[Finding]) -> str:
    if not found:
        return '<p class="soft">Nothing was found that could be measured.</p>'
    ordered = sorted(found, key=lambda one: (not one.fix, one.zone, one.what, one.variable))
    rows = [
        (one.zone, [one.what, f"{one.value:.3g} {one.unit}", f"{one.confidence:.2f}", one.sentence, one.fix])
        for one in ordered[:LISTED]
    ]
    left = f" {len(ordered) - LISTED} more are in the manifest." if len(ordered) > LISTED else ""
    told = (
        f"Of the days that were learnt from. Nothing is changed by a finding: the last column names what would.{left}"
    )
    return html_table(["zone", "what", "value", "confidence", "finding", "to mend"], rows, told, "words")


def _parameters(told: Material, made: Candidate) -> str:
    pool, learn, facts = told.source.pool, told.split.learn, made.fitted.facts
    ends = (iso(int(edge)) for edge in (learn.issue_times.min(), learn.issue_times.max()))
    known = {
        "trainer": pool.trainer,
        "bundle": made.rung.bundle_id,
        "learnt from": f"{len(learn):,} samples, {' to '.join(ends)}",
        **{name: str(value) for name, value in _plain(facts.get("parameters", {}))},
    }
    features = f'<p class="soft">{len(told.features)} features: {escape(", ".join(told.features))}.</p>\n'
    return features + html_table(["parameter", "value"], [(name, [value]) for name, value in known.items()], "")


def _plain(parameters: Mapping[str, Any]) -> Iterator[tuple[str, object]]:
    for name in sorted(parameters):
        yield name.replace("_", " "), parameters[name]
