"""Features of other signals in the same zone: their known past, and their forecasts of the same issue time.

`of_<signal>_<feature>` is any feature of a target's own past, asked of the other signal. `forecast_<signal>` is the
median of its forecast. Both are in units of the other signal's own scale. `mix` is what a target with factors would be
if nothing else were in it: their mean, weighted by what is forecast, such as a carbon intensity by the plants to run.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from wattahead.domain.errors import Refused
from wattahead.domain.graph import FORECAST, MIX
from wattahead.domain.hours import DAY, HOUR
from wattahead.features.history import mean
from wattahead.features.view import View

Floats = NDArray[np.float64]
Instants = NDArray[np.int64]

FORMS: Final = (
    "of_<signal>_same_time_1", "forecast_<signal>", "forecast_<signal>_plus_1h", MIX,
)  # fmt: skip
_OF: Final = "of_"


@dataclass(frozen=True)
class Issued:
    """Forecasts of one signal for S series. What was issued at another time is never given for one that is asked."""

    issue_times: Instants  # (T) [µs], ascending
    values: Floats  # (S, T, H) [unit]; NaN where there is none

    def at(self, issue_times: Instants, steps: int) -> Floats:
        """Return the forecasts of these issue times, shape (S, issue time, steps); NaN where none was issued."""
        found = np.full((len(self.values), len(issue_times), steps), np.nan)
        if len(self.issue_times):
            place = np.minimum(np.searchsorted(self.issue_times, issue_times), len(self.issue_times) - 1)
            there = np.flatnonzero(self.issue_times[place] == issue_times)
            width = min(steps, self.values.shape[2])
            found[:, there, :width] = self.values[:, place[there], :width]
        return found

    def take(self, series: NDArray[np.int64]) -> "Issued":
        """Return the forecasts of some of the series."""
        return Issued(self.issue_times, self.values[series])


def past(compute: Callable[[View], Floats], view: View, signal: str) -> Floats:
    """Return a feature of another signal's own past; NaN where the signal is not known here."""
    return compute(view.others[signal]) if signal in view.others else np.full(view.shape, np.nan)


def forecast(view: View, signal: str, hours: int = 0) -> Floats:
    """Return the median at the valid time, or `hours` after it; NaN beyond the horizon or without a forecast."""
    found = np.full(view.shape, np.nan)
    if signal in view.forecasts:
        held = view.forecasts[signal] / view.others[signal].scale[:, :, None]
        away = hours * HOUR // view.step
        first, last = max(-away, 0), min(view.steps, view.steps - away)
        if first < last:
            found[:, :, first:last] = held[:, :, first + away : last + away]
    return found


def forecast_mean(view: View, signal: str) -> Floats:
    """Return the mean of the medians over the horizon, the same for every step."""
    return mean(forecast(view, signal), axis=2)[:, :, None]


def mix(view: View) -> Floats:
    """Return the mean of the target's factors, weighted by the medians of their signals, in units of its scale.

    A signal that the zone does not have counts for nothing, unless somebody forecasts it all the same. NaN without the
    forecast of one that it has, and where their sum is not above zero.
    """
    total, brought = np.zeros(view.shape), np.zeros(view.shape)
    for name, factor in sorted(view.factors.items()):
        amount = _amount(view, name) if name in view.forecasts else np.full(view.shape, np.nan)
        total += amount
        brought += factor * amount
    mean = np.divide(brought, total, out=np.full(view.shape, np.nan), where=total > 0)
    return mean / view.scale[:, :, None]


def _amount(view: View, signal: str) -> Floats:
    said = view.forecasts[signal]
    return np.where(np.isnan(said) & absent(view, signal)[:, :, None], 0.0, said)


def absent(view: View, signal: str) -> NDArray[np.bool_]:
    """Return where a zone does not have another signal, shape (S, T): there is no scale to measure it by."""
    return np.isnan(view.others[signal].scale)


def forecast_feature(name: str) -> tuple[str, Callable[[View], Floats]] | None:
    """Return the signal whose forecast a feature reads, and how it is computed; None for any other feature."""
    match = FORECAST.fullmatch(name)
    if not match:
        return None
    signal, side, hours, whole = match.groups()
    if whole:
        return signal, lambda view: forecast_mean(view, signal)
    away = int(hours or 0)
    if side and not 1 <= away <= DAY // HOUR:
        raise Refused("E_CONFIG", f"a feature asks for {away} hours", fix=f"use 1 to {DAY // HOUR}")
    return signal, lambda view: forecast(view, signal, -away if side == "minus" else away)


def splits(name: str) -> Iterator[tuple[str, str]]:
    """Yield the ways to read `of_<signal>_<feature>`, the longest feature first: a signal's name may hold anything."""
    if name.startswith(_OF) and re.fullmatch(r"\w+", name, re.ASCII):
        words = name.removeprefix(_OF).split("_")
        for count in range(1, len(words) if words[0] else 0):
            yield "_".join(words[:count]), "_".join(words[count:])
