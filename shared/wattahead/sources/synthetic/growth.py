"""Installed capacity and demand over the years."""

from typing import Final

import numpy as np

from wattahead.domain.hours import DAY, instant
from wattahead.domain.sun import Instants
from wattahead.sources.synthetic.draws import Array

_EPOCH: Final = instant("2018-01-01T00:00Z")
_LEAST: Final = 0.2  # years long before the epoch keep a fleet


def grown(hours: Instants, rate: float) -> Array:
    """Return size relative to 2018: linear, because decades of a compound rate would outgrow demand."""
    size: Array = np.maximum(1 + rate * (hours - _EPOCH) / (365.2425 * DAY), _LEAST)
    return size
