"""What a feature may look at: the known past of the target, the known weather, the valid times and the places."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from wattahead.domain.hours import DAY

Floats = NDArray[np.float64]
Instants = NDArray[np.int64]

WEATHER_BEFORE = DAY  # weather is kept from a day before the issue time …
WEATHER_AFTER = DAY // 4  # … to six hours behind the horizon, for neighbouring hours
SEARCH_DAYS = 28  # how far back a known day is looked for
EXTERNAL_BEFORE = SEARCH_DAYS * DAY  # somebody else's forecasts are kept as far back, for what became of them …
EXTERNAL_AFTER = WEATHER_AFTER  # … and as far behind the horizon as the weather


@dataclass(frozen=True)
class View:
    """Known arrays for some series and issue times; S series, T issue times, H steps of the horizon."""

    issue_times: Instants  # (T) [µs]
    steps: int  # H
    step: int  # [µs]
    target: Floats  # (S, T, W) [unit], the last cell ends at the issue time; NaN where unknown
    scale: Floats  # (S, T) [unit]; NaN where there is none
    weather: Mapping[str, Floats]  # variable -> (S, T, before + H + after, point), NaN where unknown
    latitude: Floats  # (S) [degrees north]
    longitude: Floats  # (S) [degrees east]
    timezones: tuple[str, ...] = ()  # (S) IANA names, "" for mean solar time; empty: nobody asked the catalog
    holidays: tuple[str, ...] = ()  # (S) calendars such as US-CA, "" for none; empty: nobody asked the catalog
    others: Mapping[str, "View"] = field(default_factory=dict)  # other signals of the same zones: targets and scales
    forecasts: Mapping[str, Floats] = field(default_factory=dict)  # medians of other signals, (S, T, H) [their unit]
    external: Mapping[str, Floats] = field(default_factory=dict)  # provider -> (S, T, before + H + after) [unit]
    factors: Mapping[str, float] = field(default_factory=dict)  # of a mix: signal -> what a unit of it brings
    made: dict[str, Floats] = field(default_factory=dict)  # derived from the above, kept for the next feature

    @property
    def shape(self) -> tuple[int, int, int]:
        """Series, issue times, steps."""
        return len(self.target), len(self.issue_times), self.steps

    @cached_property
    def history(self) -> Floats:
        """The target in units of the scale, same shape."""
        return self.target / self.scale[:, :, None]

    @cached_property
    def valid_times(self) -> Instants:
        """Start of every interval, shape (T, H) [µs]."""
        return self.issue_times[:, None] + np.arange(self.steps) * self.step

    @property
    def cells_per_day(self) -> int:
        """Grid cells in a day."""
        return DAY // self.step

    @cached_property
    def same_time(self) -> Floats:
        """Known values at the same time of day, shape (days back, S, T, H); index 0 is a day before the valid time."""
        width = self.history.shape[2]
        found = np.full((SEARCH_DAYS, *self.shape), np.nan)
        for back in range(1, SEARCH_DAYS + 1):
            cells = width + np.arange(self.steps) - back * self.cells_per_day
            inside = (cells >= 0) & (cells < width)
            found[back - 1][:, :, inside] = self.history[:, :, cells[inside]]
        return found

    @cached_property
    def known_days(self) -> NDArray[np.int8]:
        """How many days of `same_time` are known up to each one, same shape: 1 marks the newest known day."""
        return np.cumsum(np.isfinite(self.same_time), axis=0, dtype=np.int8)

    @cached_property
    def newest(self) -> NDArray[np.int64]:
        """Cells from the newest known value to the issue time, shape (S, T): 0 is the last cell, W means none.

        A value is known even where there is no scale to divide it by, as when it was zero for weeks.
        """
        known = np.isfinite(self.target)[:, :, ::-1]
        return np.where(known.any(axis=2), known.argmax(axis=2), self.target.shape[2])
