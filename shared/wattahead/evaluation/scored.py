"""Forecasts of one series beside what came true and what others said: all that an evaluation looks at."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from wattahead.domain import sun
from wattahead.domain.catalog import Signal, Zone
from wattahead.domain.hours import DAY
from wattahead.domain.series import Series

Floats = NDArray[np.float64]
Instants = NDArray[np.int64]

SUN_IS_UP = 5  # degrees: the usual bound for solar


@dataclass(frozen=True)
class Scored:
    """One series over T issue times in ascending order, H steps each; arrays of shape (T, H) unless stated."""

    series: Series
    signal: Signal
    zone: Zone
    pool: str
    issue_times: Instants  # (T) [µs]
    quantiles: Mapping[str, Floats]  # p10, p50, … ascending [unit of the signal]
    references: Mapping[str, Floats]  # medians of seasonal_naive, climatology, perhaps an operator's forecast
    truth: Floats
    scale: Floats  # (T) capacity, or what the model was scaled by [unit of the signal]; NaN where there is none
    level: NDArray[np.int8]  # (T) fallback level
    version: str = ""  # of the model, when one model made all of it

    @property
    def median(self) -> Floats:
        """The forecast's p50."""
        return self.quantiles["p50"]

    @property
    def levels(self) -> list[float]:
        """Probabilities of the quantiles."""
        return [int(name.removeprefix("p")) / 100 for name in self.quantiles]

    @property
    def band(self) -> tuple[Floats, Floats]:
        """The outermost quantiles."""
        values = list(self.quantiles.values())
        return values[0], values[-1]

    @property
    def valid_times(self) -> Instants:
        """Start of every interval [µs]."""
        return self.issue_times[:, None] + np.arange(self.truth.shape[1]) * self.signal.step

    @property
    def days(self) -> Instants:
        """Day that every interval lies in, counted from 1970, by the mean solar time of the zone."""
        return np.asarray((self.valid_times + int(self.zone.longitude / 360 * DAY)) // DAY)

    @property
    def sun_height(self) -> Floats:
        """Sine of the sun's elevation in the middle of every interval."""
        middle = self.valid_times + self.signal.step // 2
        up, _ = sun.direction(middle, np.array(self.zone.latitude), np.array(self.zone.longitude))
        return up

    @property
    def daylight(self) -> NDArray[np.bool_]:
        """Intervals whose middle has the sun above 5 degrees."""
        return np.asarray(self.sun_height > np.sin(np.radians(SUN_IS_UP)))
