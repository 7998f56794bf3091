"""Every measure of a series in every slice, with its interval. A new measure is a line in `ratios`."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from wattahead.evaluation import losses, metrics
from wattahead.evaluation.bootstrap import drawn, intervals
from wattahead.evaluation.scored import Scored
from wattahead.evaluation.slices import SLICES, Labels

Floats = NDArray[np.float64]
DIGITS = 9  # significant ones that are kept: matrix products differ in the last bits from processor to processor


@dataclass(frozen=True)
class Ratio:
    """A measure as a ratio of two sums over hours, so that days are resampled by adding up their sums.

    Hours in which one of the two is NaN count nowhere.
    """

    top: Floats  # (T, H)
    bottom: Floats  # (T, H), or anything that fits it
    unit: str
    finish: Callable[[Floats], Floats] = np.asarray


@dataclass(frozen=True)
class Found:
    """A measure in one slice: its 95 % interval is [low, high], NaN where there is none; n hours speak for it."""

    value: float
    low: float
    high: float
    n: int


NOTHING = Found(np.nan, np.nan, np.nan, 0)


@dataclass(frozen=True)
class Measured:
    """All measures of one series as columns of equal length; measures that are not known have no row."""

    metric: list[str]
    slice: list[str]
    slice_value: list[str]
    unit: list[str]
    value: list[float]
    low: list[float]
    high: list[float]
    n: list[int]

    @cached_property
    def _by_name(self) -> dict[tuple[str, str], dict[str, Found]]:
        held: dict[tuple[str, str], dict[str, Found]] = {}
        numbers = map(Found, self.value, self.low, self.high, self.n)
        for metric, name, label, found in zip(self.metric, self.slice, self.slice_value, numbers, strict=True):
            held.setdefault((metric, name), {})[label] = found
        return held

    def by(self, metric: str, name: str) -> Mapping[str, Found]:
        """Return a measure by the labels of a slice, in their order."""
        return self._by_name.get((metric, name), {})

    def of(self, metric: str, name: str = "all", label: str = "all") -> Found:
        """Return a measure in one slice; NaN where it is not known."""
        return self.by(metric, name).get(label, NOTHING)


def measured(one: Scored) -> Measured:
    """Return every measure of a series in every slice."""
    held = Measured([], [], [], [], [], [], [], [])
    if not np.isfinite(one.truth).any():
        return held
    days = np.unique(one.days, return_inverse=True)[1].reshape(-1)
    draws, asked = drawn(int(days.max()) + 1), ratios(one)
    for name, labels in SLICES.items():
        words, cells = _cells(labels(one), days)
        for metric, ratio in asked.items():
            for word, found in zip(words, _sliced(ratio, cells, draws, len(words)), strict=True):
                if np.isfinite(found.value):
                    _add(held, (metric, name, word, ratio.unit), found)
    return held


def ratios(one: Scored) -> dict[str, Ratio]:
    """Return every measure of a series as a ratio of the sums of what `losses` says of each hour."""
    truth, median, (low, high) = one.truth, one.median, one.band
    unit, each = one.signal.unit, np.ones(truth.shape)
    error, score = (
        losses.absolute(truth, median),
        losses.crps(truth, np.stack(list(one.quantiles.values())), one.levels),
    )
    lost = {
        name: losses.pinball(truth, one.quantiles[name], level)
        for name, level in zip(one.quantiles, one.levels, strict=True)
    }
    found = {
        "mae": Ratio(error, each, unit),
        "nmae_mean": Ratio(error, truth, "1"),
        "nmae_scale": Ratio(error, np.broadcast_to(one.scale[:, None], truth.shape), "1"),
        "rmse": Ratio(losses.squared(truth, median), each, unit, np.sqrt),
        "mbe": Ratio(losses.signed(truth, median), each, unit),
        "pinball": Ratio(np.mean(list(lost.values()), axis=0), each, unit),
        "crps": Ratio(score, each, unit),
        "rcrps": Ratio(score, np.full(truth.shape, metrics.spread(truth)), "1"),
        "coverage": Ratio(losses.inside(truth, low, high), each, "1"),
        "width": Ratio(losses.width(truth, low, high), each, unit),
        "fallback": Ratio(np.where(np.isfinite(truth), one.level[:, None] > 0, np.nan), each, "1"),
    }
    if metrics.far_from_zero(truth):
        found["mape"] = Ratio(100 * losses.relative(truth, median), each, "%")
    for name, loss in lost.items():
        found[f"pinball_{name}"] = Ratio(loss, each, unit)
        found[f"below_{name}"] = Ratio(losses.below(truth, one.quantiles[name]), each, "1")
    for name, said in one.references.items():
        found[f"mae_{name}"] = Ratio(losses.absolute(truth, said), each, unit)
        found[f"skill_{name}"] = Ratio(error, losses.absolute(truth, said), "1", _gone)
    return found | _ramps(truth, median, unit)


def _ramps(truth: Floats, median: Floats, unit: str) -> dict[str, Ratio]:
    """Return how well changes from step to step are told.

    A ramp of the truth is hit where the median has one at the same step in the same direction: a change by at least
    the same threshold, however much larger the truth's is. A ramp of the median that hits none is a false alarm.
    """
    changes = [losses.change(values) for values in (truth, median)]
    came, said = (losses.ramps(change, metrics.ramp_threshold(truth)) for change in changes)
    known = np.isfinite(changes[0]) & np.isfinite(changes[1])
    hit = np.where(known, (said == came) & (came != 0), np.nan)
    return {
        "ramp_mae": Ratio(losses.absolute(*changes), np.ones(truth.shape), unit),
        "ramp_hits": Ratio(hit, np.where(came != 0, 1.0, np.nan), "1"),
        "ramp_false_alarms": Ratio(hit, np.where(said != 0, 1.0, np.nan), "1", _gone),
    }


def _gone(share: Floats) -> Floats:
    return np.asarray(1 - share)


def _cells(labels: Labels, days: NDArray[np.int64]) -> tuple[list[str], NDArray[np.int64]]:
    """Return the words of a slice, in order, and for every hour its cell in a table of days and words; -1 for none."""
    values, codes = np.unique(labels, return_inverse=True)
    cells = days * len(values) + codes.reshape(-1)
    words = [str(value) for value in values]
    if "" in words:  # sorted first
        cells = np.where(codes.reshape(-1) == 0, -1, cells)
    return words, cells


def _sliced(ratio: Ratio, cells: NDArray[np.int64], draws: Floats, words: int) -> Iterator[Found]:
    top, bottom = ratio.top.reshape(-1), ratio.bottom.reshape(-1)
    known = np.isfinite(top) & np.isfinite(bottom) & (cells >= 0)

    def by_day(values: Floats) -> Floats:
        held = np.bincount(cells[known], values[known], draws.shape[1] * words)
        return held.reshape(-1, words).astype(np.float64)

    tops, bottoms = by_day(top), by_day(bottom)
    low, high = intervals(tops, bottoms, draws, ratio.finish)
    n, total = by_day(np.ones(len(top))).sum(axis=0), bottoms.sum(axis=0)
    with np.errstate(divide="ignore", invalid="ignore"):
        value = np.where(total > 0, ratio.finish(tops.sum(axis=0) / total), np.nan)
    for here in range(words):
        yield Found(_rounded(value[here]), _rounded(low[here]), _rounded(high[here]), int(n[here]))


def _rounded(value: float) -> float:
    return float(f"{value:.{DIGITS}g}")


def _add(held: Measured, words: tuple[str, str, str, str], found: Found) -> None:
    columns = (held.metric, held.slice, held.slice_value, held.unit)
    for column, word in zip(columns, words, strict=True):
        column.append(word)
    held.value.append(found.value)
    held.low.append(found.low)
    held.high.append(found.high)
    held.n.append(found.n)
