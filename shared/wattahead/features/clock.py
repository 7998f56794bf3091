"""Features of the valid time: what the clock, the calendar and the sun say. Known for any issue time."""

from collections.abc import Callable
from typing import Final

import numpy as np
from numpy.typing import NDArray

from wattahead.domain import sun
from wattahead.domain.hours import DAY, HOUR
from wattahead.features.view import View

Floats = NDArray[np.float64]
Instants = NDArray[np.int64]

_YEAR = 365.2425 * DAY
_EPOCH_WEEKDAY = 3  # 1970-01-01 was a Thursday; Monday is 0


def lead(view: View) -> Floats:
    """Hours from the issue time to the start of the interval."""
    return (np.arange(view.steps) * view.step / HOUR)[None, None, :]


def hour(view: View) -> Floats:
    """UTC hour of the day, 0 to 24, with its fraction."""
    return (view.valid_times % DAY / HOUR)[None]


def month(view: View) -> Floats:
    """UTC month, January 1."""
    months = view.valid_times.astype("datetime64[us]").astype("datetime64[M]").astype(np.int64)
    return np.asarray(months % 12 + 1.0)[None]


def hour_sin(view: View) -> Floats:
    """Sine of the UTC time of day."""
    return np.sin(_day_angle(view))[None]


def hour_cos(view: View) -> Floats:
    """Cosine of the UTC time of day."""
    return np.cos(_day_angle(view))[None]


def year_sin(view: View) -> Floats:
    """Sine of the time of year."""
    return np.sin(2 * np.pi * view.valid_times / _YEAR)[None]


def year_cos(view: View) -> Floats:
    """Cosine of the time of year."""
    return np.cos(2 * np.pi * view.valid_times / _YEAR)[None]


def solar_hour(view: View) -> Floats:
    """Hour of the day by the sun's mean time at the zone, 0 to 24."""
    return _local(view) % DAY / HOUR


def weekday(view: View) -> Floats:
    """Day of the week by the sun's mean time at the zone, Monday 0."""
    return (_local(view) // DAY + _EPOCH_WEEKDAY) % 7


def sun_elevation(view: View) -> Floats:
    """Elevation of the sun in the middle of the interval [degrees]."""
    return sun.elevation(*_middle(view))


def clear_sky(view: View) -> Floats:
    """Irradiance under a clear sky in the middle of the interval [W/m2]."""
    up, _ = sun.direction(*_middle(view))
    return sun.clear_sky(up)


def _middle(view: View) -> tuple[Instants, Floats, Floats]:
    """Return the middle of every interval and the places of the series, ready to broadcast."""
    return (view.valid_times + view.step // 2)[None], view.latitude[:, None, None], view.longitude[:, None, None]


def _day_angle(view: View) -> Floats:
    return np.asarray(2 * np.pi * (view.valid_times % DAY) / DAY)


def _local(view: View) -> Floats:
    """Mean solar time as an instant: no time zone data base, no daylight saving, the same on every machine."""
    return view.valid_times[None] + view.longitude[:, None, None] / 360 * DAY


FAMILIES: Final[dict[str, tuple[Callable[..., Floats], Callable[..., int]]]] = {
    function.__name__: (function, lambda: 0)
    for function in (
        lead,
        hour,
        month,
        hour_sin,
        hour_cos,
        year_sin,
        year_cos,
        solar_hour,
        weekday,
        sun_elevation,
        clear_sky,
    )
}
