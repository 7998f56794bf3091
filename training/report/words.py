"""Numbers as people read them, and what each measure means."""

from html import escape
from typing import Final

import numpy as np

from wattahead.evaluation.measures import Found

MEANINGS: Final = {
    "MAE": "Mean absolute error of the median, in the unit of the series. Hours without a truth count nowhere.",
    "nMAE": "MAE as a share of the mean of the truth.",
    "rCRPS": (
        "The continuous ranked probability score, estimated from the quantiles as twice their weighted pinball loss "
        "(Laio and Tamea 2007), over the spread of the truth from P1 to P99. It judges the whole forecast, not only "
        "its median, and reads alike for every series."
    ),
    "skill": "Share of another forecast's MAE that is gone, over the hours both know: 0 is no better, 1 is perfect.",
    "seasonal naive": "The same hour of the newest day that was known when the forecast was made.",
    "climatology": "The median of zone, month and hour in the training data.",
    "bias": "Mean of forecast minus truth: positive is too high.",
    "band covers": "Share of the hours whose truth lies between the outermost quantiles; p10 to p90 states 80 %.",
    "large ramps hit": (
        "Of the tenth of the hours with the largest change of the truth, the share in which the median changed in the "
        "same direction by at least the smallest of these changes (Ferreira et al. 2010 for the definition of a ramp)."
    ),
    "situation": (
        "Thirds of the forecasts by how the weather turned out: for solar by the clear-sky index, otherwise by the "
        "mean of the truth. It is known only afterwards, so bands cannot cover alike in each third."
    ),
    "95 % interval": (
        "Whole days are drawn 1,000 times with repetition; fewer than 5 days give none. Days are taken as "
        "independent, so long spells of weather make the true interval somewhat wider."
    ),
}
GLOSSARY: Final = (
    "<dl>" + "".join(f"<dt>{escape(word)}</dt><dd>{escape(told)}</dd>" for word, told in MEANINGS.items()) + "</dl>"
)


def number(value: float, digits: int | None = None) -> str:
    """Write a number; without `digits`, with about four significant ones."""
    if digits is None:
        digits = 0 if abs(value) >= 100 else 1 if abs(value) >= 10 else 2  # noqa: PLR2004 - four digits are plenty
    return f"{value:,.{digits}f}" if np.isfinite(value) else "-"


def ranged(one: Found, digits: int | None = None) -> str:
    """Write a measure with its interval."""
    ends = f" ({number(one.low, digits)} to {number(one.high, digits)})" if np.isfinite(one.low) else ""
    return number(one.value, digits) + ends
