"""What the notebooks compute: a few numbers over hours, NaN where something is unknown. Nothing here draws or reads."""

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Groups = NDArray[np.int64]

_FEWEST: Final = 20  # values that a group or a bin needs to say something
_WEEK: Final = 7  # days
_BLOCK: Final = 3  # hours of a step of GFS


def mean_by(values: Floats, groups: Groups, count: int) -> Floats:
    """Return the mean of each group 0 … count - 1, shape (count)."""
    known = np.isfinite(values)
    total = np.bincount(groups[known], values[known], count)
    many = np.bincount(groups[known], minlength=count)
    return np.where(many, total / np.maximum(many, 1), np.nan)


def quantiles_by(values: Floats, groups: Groups, count: int, levels: Sequence[float] = (0.1, 0.5, 0.9)) -> Floats:
    """Return quantiles of each group, shape (levels, count)."""
    made = np.full((len(levels), count), np.nan)
    for one in range(count):
        held = values[(groups == one) & np.isfinite(values)]
        if len(held) >= _FEWEST:
            made[:, one] = np.quantile(held, levels)
    return made


def binned(by: Floats, values: Floats, bins: int = 25) -> tuple[Floats, Floats]:
    """Return the middle of equal bins of `by`, and p10, p50 and p90 of the values in each, shape (3, bins)."""
    known = np.isfinite(by) & np.isfinite(values)
    if not known.any():
        return np.full(bins, np.nan), np.full((3, bins), np.nan)
    edges = np.linspace(by[known].min(), by[known].max(), bins + 1)
    which = np.clip(np.digitize(by, edges) - 1, 0, bins - 1)
    return (edges[1:] + edges[:-1]) / 2, quantiles_by(np.where(known, values, np.nan), which, bins)


def correlation(first: Floats, second: Floats) -> float:
    """Return Pearson's correlation over the hours that both know; NaN where there are few or nothing varies."""
    known = np.isfinite(first) & np.isfinite(second)
    if known.sum() < _FEWEST or not first[known].std() or not second[known].std():
        return float("nan")
    return float(np.corrcoef(first[known], second[known])[0, 1])


def before(values: Floats, lag: int) -> Floats:
    """Return for each hour the value `lag` hours before it; below zero the value after it."""
    moved = np.full(values.shape, np.nan)
    if lag >= 0:
        moved[..., lag:] = values[..., : values.shape[-1] - lag]
    else:
        moved[..., :lag] = values[..., -lag:]
    return moved


def trailing(values: Floats, days: int) -> Floats:
    """Return the highest value of the `days` before the UTC day of each hour: what a target is divided by."""
    highest = np.fmax.reduce(values.reshape(-1, 24), axis=1)
    padded = np.concatenate([np.full(days, np.nan), highest[:-1]])
    windows = sliding_window_view(padded, days)[: len(highest)]
    scale = np.repeat(np.fmax.reduce(windows, axis=1), 24)
    return np.where(scale > 0, scale, np.nan)


def without_day(values: Floats, days: int = 29) -> Floats:
    """Return what the mean of each hour of the day over the `days` around does not say."""
    by_day = values.reshape(-1, 24)
    if len(by_day) < days:
        return np.full(values.shape, np.nan)
    held = np.pad(by_day, ((days // 2, days // 2), (0, 0)), constant_values=np.nan)
    windows = sliding_window_view(held, days, axis=0)
    there = np.isfinite(windows).sum(axis=2)
    usual = np.where(there, np.nansum(windows, axis=2) / np.maximum(there, 1), np.nan)
    return np.asarray((by_day - usual).reshape(-1))


def unusual_days(values: Floats, days: int = 29) -> Floats:
    """Return how far each day's mean lies from the median of the days around it, in units of the usual distance."""
    mean = values.reshape(-1, 24).mean(axis=1)
    if len(mean) < days:
        return np.full(len(mean), np.nan)
    known = np.isfinite(mean)
    windows = sliding_window_view(np.pad(mean, days // 2, mode="reflect"), days)
    whole = np.isfinite(windows).all(axis=1)
    away = np.where(whole, mean - np.median(windows, axis=1), np.nan)
    usual = np.median(np.abs(away[known & whole])) if whole.any() else 0.0
    return away / usual if usual > 0 else np.full(len(mean), np.nan)


def against_weeks(by_day: Floats) -> Floats:
    """Return each day's mean as a change against the week centred on it (0.1 is 10 %), shape (days)."""
    if len(by_day) < _WEEK:
        return np.full(len(by_day), np.nan)
    windows = sliding_window_view(np.pad(by_day, _WEEK // 2, constant_values=np.nan), _WEEK)
    mean = windows.mean(axis=1)
    return np.where(mean > 0, by_day / np.where(mean > 0, mean, 1) - 1, np.nan)


def spikes(values: Floats, times: float = 10.0) -> NDArray[np.int64]:
    """Return hours that stand alone, the furthest first: both steps beyond `times` the 99 % quantile of steps."""
    step = np.diff(values)
    known = np.abs(step[np.isfinite(step)])
    if not len(known) or not known.any():
        return np.empty(0, dtype=np.int64)
    far = times * np.quantile(known, 0.99)
    alone = (np.abs(step[:-1]) > far) & (np.abs(step[1:]) > far) & (np.sign(step[:-1]) != np.sign(step[1:]))
    nearest = np.minimum(np.abs(step[:-1]), np.abs(step[1:]))[alone]
    return (np.flatnonzero(alone) + 1)[np.argsort(-nearest, kind="stable")]


def in_gfs_steps(values: Floats) -> Floats:
    """Return hourly means as GFS gives them: means since 00, 06, 12 and 18 UTC of each 3 hours, labelled by the end."""
    steps = values.reshape(-1, 2, _BLOCK).mean(axis=2)
    steps[:, 1] = steps.mean(axis=1)
    return before(np.repeat(steps.reshape(-1), _BLOCK), 1)


def emission_factors(carbon: Floats, mix: Floats) -> Floats:
    """Return grams per kWh of each source that explain carbon intensity (H) by production (sources, H), shape (S)."""
    known = np.isfinite(carbon) & np.isfinite(mix).all(axis=0)
    shares = mix[:, known] / np.maximum(mix[:, known].sum(axis=0), 1)
    return np.linalg.lstsq(shares.T, carbon[known], rcond=None)[0]


def stuck(values: Floats) -> tuple[int, int]:
    """Return the length of the longest run of one value above zero [hours], and the hour it begins."""
    starts = np.flatnonzero(np.append(True, values[1:] != values[:-1]))
    lengths = np.diff(np.append(starts, len(values)))
    lengths = np.where(values[starts] > 0, lengths, 0)
    longest = int(np.argmax(lengths))
    return int(lengths[longest]), int(starts[longest])


def kinks(values: Floats, days: int = 0) -> Floats:
    """Return how far the value `days` days after each hour lies from the mean of the hour's two neighbours."""
    return np.abs(before(values, -24 * days) - (before(values, 1) + before(values, -1)) / 2)
