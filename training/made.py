"""Forecasts of one series as they were made, before anything is put beside them."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from wattahead.domain.catalog import Signal, Zone
from wattahead.domain.series import Series

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Made:
    """T issue times in ascending order, H steps each; arrays of shape (T, H) unless stated."""

    series: Series
    signal: Signal
    zone: Zone
    pool: str
    issue_times: NDArray[np.int64]  # (T) [µs]
    quantiles: Mapping[str, Floats]
    baselines: Mapping[str, Floats]  # their medians
    scale: Floats  # (T)
    level: NDArray[np.int8]  # (T)
    version: str  # empty when several models made them

    @property
    def steps(self) -> int:
        """Intervals in a forecast."""
        return self.quantiles["p50"].shape[1]
