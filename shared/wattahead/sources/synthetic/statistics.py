"""What a production series looks like: the figures the generator is tuned to. Arrays in, numbers out."""

from dataclasses import dataclass
from typing import Final

import numpy as np

from wattahead.sources.synthetic.draws import Array

_HOURS: Final = 24
_NEARBY: Final = 30  # days each side that tell what a clear day yields: capacity grows within a season
_MOST: Final = 1.2  # of a clear day; more is a metering error, as the 8.9 of PJM on 2020-01-01
_CLEAR: Final = 0.95  # quantile of the days nearby that counts as a clear day; the maximum would be an outlier


@dataclass(frozen=True)
class DailyRatio:
    """Moments of the daily clear-sky ratio: mean, spread, cloudy tail and memory over one and two days."""

    mean: float
    sd: float
    p5: float
    skew: float
    ac1: float
    ac2: float


def daily_sums(hourly: Array, *, offset_hours: int = 0) -> Array:
    """Return sums over whole local days, where local time is UTC + `offset_hours` and the first hour is 00 UTC."""
    skipped = -offset_hours % _HOURS
    days = (hourly.size - skipped) // _HOURS
    sums: Array = hourly[skipped : skipped + days * _HOURS].reshape(days, _HOURS).sum(axis=1)
    return sums


def daily_clear_ratio(power: Array, clear: Array) -> Array:
    """Return each day's energy as a share of a clear day's, from daily sums of power and of clear-sky irradiance.

    A clear day is the 95 % quantile of power per irradiance over the 30 days each side, so growth cancels.
    """
    effect = power / clear
    around = [effect[max(0, day - _NEARBY) : day + _NEARBY + 1] for day in range(effect.size)]
    ratio: Array = np.minimum(effect / np.array([np.nanquantile(days, _CLEAR) for days in around]), _MOST)
    return ratio


def moments(ratio: Array) -> DailyRatio:
    """Return the moments of a daily series."""
    centred = ratio - ratio.mean()
    sd = float(ratio.std())
    return DailyRatio(
        mean=float(ratio.mean()),
        sd=sd,
        p5=float(np.quantile(ratio, 0.05)),
        skew=float((centred**3).mean() / sd**3),
        ac1=correlation(ratio[1:], ratio[:-1]),
        ac2=correlation(ratio[2:], ratio[:-2]),
    )


def correlation(left: Array, right: Array) -> float:
    """Return Pearson's correlation over the pairs in which both are finite."""
    both = np.isfinite(left) & np.isfinite(right)
    return float(np.corrcoef(left[both], right[both])[0, 1])


def lag_error(power: Array, hours: int) -> float:
    """Return the mean absolute error of repeating the value of `hours` ago, as a share of the mean (nMAE)."""
    return float(np.abs(power[hours:] - power[:-hours]).mean() / power[hours:].mean())


def ramp_p99(power: Array) -> float:
    """Return the 99 % quantile of the change from hour to hour, as a share of the 99.9 % quantile of power."""
    return float(np.quantile(np.abs(np.diff(power)), 0.99) / np.quantile(power, 0.999))


def hourly_anomaly(hourly: Array) -> Array:
    """Return whole days less the mean of each hour of the day over the 15 days each side."""
    table = hourly.reshape(-1, _HOURS)
    width = 31
    padded = np.pad(table, ((width // 2, width // 2), (0, 0)), mode="reflect")
    total = np.cumsum(np.vstack([np.zeros((1, _HOURS)), padded]), axis=0)
    anomaly: Array = (table - (total[width:] - total[:-width]) / width).ravel()
    return anomaly
