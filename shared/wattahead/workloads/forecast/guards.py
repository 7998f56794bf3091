"""What may leave: ordered quantiles within physical bounds, no solar power at night. Every intervention is flagged."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from wattahead.domain import sun
from wattahead.domain.catalog import Signal, Zone
from wattahead.domain.hours import HOUR
from wattahead.domain.quality import Quality

Floats = NDArray[np.float64]

DARK_BELOW = -1.0  # degrees; refraction and the sun's disc lift the edge of day by 0.8
DARK_MARGIN = 2 * HOUR  # a zone is wider than its point, and hour labels may be off by one
FAINT = 0.01  # of the scale: less than this at night is rounding of trees, removed without a flag


def guard(
    values: Floats, scale: Floats, signal: Signal, dark: NDArray[np.bool_], capacity: Floats | float = np.inf
) -> tuple[Floats, NDArray[np.int32]]:
    """Return safe values and the flags of what had to be done, per row.

    `values` (Q, rows), `scale` and `capacity` (rows) in the unit of the signal, `capacity` infinite where none is
    stated; `dark` (rows) marks hours without sun.
    """
    ordered = np.sort(values, axis=0)
    flags = np.where((ordered != values).any(axis=0) & np.isfinite(values).all(axis=0), Quality.REORDERED, 0)
    highest = np.minimum(np.where(np.isfinite(scale), scale * signal.upper_of_scale, np.inf), capacity)
    bounded = np.minimum(ordered, highest)
    if signal.lower is not None:
        bounded = np.maximum(bounded, signal.lower)
    tolerance = FAINT * np.where(np.isfinite(scale), scale, 0.0)
    flags |= np.where((np.abs(bounded - ordered) > tolerance).any(axis=0), Quality.CLIPPED, 0)
    if signal.night_zero:
        flags |= np.where(dark & (bounded > tolerance).any(axis=0), Quality.NIGHT_ZEROED, 0)
        bounded = np.where(dark & np.isfinite(bounded), 0.0, bounded)
    return bounded, flags.astype(np.int32)


def dark_hours(valid_times: NDArray[np.int64], step: int, zones: Sequence[Zone]) -> NDArray[np.bool_]:
    """Return which intervals have no sun anywhere in each zone, margins included, shape (zones, intervals)."""
    times = np.unique(valid_times)  # a backtest asks of the same hour at many issue times
    edges = (times - DARK_MARGIN, times + step // 2, times + step + DARK_MARGIN)
    held = [(zone.latitude, zone.longitude) for zone in zones]
    places = {place: number for number, place in enumerate(dict.fromkeys(held))}
    latitude, longitude = np.array(list(places)).reshape(-1, 2).T[..., None]
    dark = np.max([sun.elevation(at, latitude, longitude) for at in edges], axis=0) < DARK_BELOW
    return dark[np.array([places[place] for place in held], dtype=int)[:, None], np.searchsorted(times, valid_times)]
