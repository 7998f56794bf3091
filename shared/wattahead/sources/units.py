"""Guesses at a wrong unit, from how far the typical value of a series is off; only ever a hint in an error."""

from typing import Final

from wattahead.sources.mapping import Column

_ABSOLUTE_ZERO: Final = 273.15
_KMH: Final = 3.6


def unit_hint(column: Column, median: float | None) -> str:
    """Return `; possible …` when another unit would bring the typical magnitude into the range, or nothing.

    `median` is that of the magnitudes other than zero, which one absurd value does not move.
    """
    if median is None or _fits(column, median):
        return ""
    if column.unit == "K" and _fits(column, median + _ABSOLUTE_ZERO):
        return "; possible unit error: degC where K is stated"
    if column.unit == "degC" and _fits(column, median - _ABSOLUTE_ZERO):
        return "; possible unit error: K where degC is stated"
    if column.unit == "m/s" and _fits(column, median / _KMH):
        return "; possible unit error: km/h where m/s is stated"
    for factor in (1_000, 1_000_000):
        if _fits(column, median / factor):
            return f"; possible unit error x{factor}"
    return ""


def _fits(column: Column, value: float) -> bool:
    return column.range[0] <= value <= column.range[1]
