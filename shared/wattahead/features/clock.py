"""Features of the valid time: what the clock, the calendar and the sun say. Known for any issue time."""

from collections.abc import Callable
from typing import Final

import numpy as np
from numpy.typing import NDArray

from wattahead.domain import sun
from wattahead.domain.hours import DAY, HOUR, MINUTE
from wattahead.features.limits import reach
from wattahead.features.view import View

Floats = NDArray[np.float64]
Instants = NDArray[np.int64]

_YEAR = 365.2425 * DAY
_PARTS = 6  # of an interval, for its mean
_MINUTES_BEFORE = 120  # labels at the end of an hour, and an hour to spare
_MINUTES_AFTER = 180  # radiation that trails the sun
EPOCH_WEEKDAY: Final = 3  # 1970-01-01 was a Thursday; Monday is 0


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
    return solar_time(view.valid_times, view.longitude) % DAY / HOUR


def weekday(view: View) -> Floats:
    """Day of the week by the sun's mean time at the zone, Monday 0."""
    return (solar_time(view.valid_times, view.longitude) // DAY + EPOCH_WEEKDAY) % 7


def sun_elevation(view: View, minutes: int = 0) -> Floats:
    """Elevation of the sun in the middle of the interval, or `minutes` after it [degrees]."""
    return _seen(view, view.step // 2 + minutes * MINUTE, sun.elevation)


def sun_elevation_before(view: View, minutes: int) -> Floats:
    """Elevation of the sun `minutes` before the middle of the interval [degrees]."""
    return sun_elevation(view, -minutes)


def clear_sky(view: View, minutes: int = 0) -> Floats:
    """Irradiance under a clear sky in the middle of the interval, or `minutes` after it [W/m2]."""
    return _seen(view, view.step // 2 + minutes * MINUTE, _clear)


def clear_sky_before(view: View, minutes: int) -> Floats:
    """Irradiance under a clear sky `minutes` before the middle of the interval [W/m2]."""
    return clear_sky(view, -minutes)


def clear_sky_mean(view: View) -> Floats:
    """Mean irradiance under a clear sky over the interval [W/m2]: its parts stand for sunrise and sunset."""
    total = np.zeros(view.shape)
    for part in range(_PARTS):
        total += _seen(view, view.step * (2 * part + 1) // (2 * _PARTS), _clear)
    return total / _PARTS


def solar_time(at: Instants, longitude: Floats) -> Floats:
    """Return mean solar time at places (S) for instants (T, H) [µs], shape (S, T, H).

    No time zone data base, no daylight saving: the same on every machine.
    """
    return np.asarray(at[None] + longitude[:, None, None] / 360 * DAY)


def _seen(view: View, after: int, sight: Callable[[Instants, Floats, Floats], Floats]) -> Floats:
    """Return what `sight` gives for instants, degrees north and east, `after` [µs] the start of every interval."""
    different = np.unique(view.valid_times)  # an hour is ahead of many issue times, and the sun asks for none of them
    seen = sight(different + after, view.latitude[:, None], view.longitude[:, None])
    return seen[:, np.searchsorted(different, view.valid_times)]


def _clear(at: Instants, latitude: Floats, longitude: Floats) -> Floats:
    return sun.clear_sky(sun.direction(at, latitude, longitude)[0])


def _day_angle(view: View) -> Floats:
    return np.asarray(2 * np.pi * (view.valid_times % DAY) / DAY)


FAMILIES: Final[dict[str, tuple[Callable[..., Floats], Callable[..., int]]]] = {
    **{
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
            clear_sky_mean,
        )
    },
    r"sun_elevation_minus_(\d+)m": (sun_elevation_before, reach(1, _MINUTES_BEFORE, "minutes")),
    r"sun_elevation_plus_(\d+)m": (sun_elevation, reach(1, _MINUTES_AFTER, "minutes")),
    r"clear_sky_minus_(\d+)m": (clear_sky_before, reach(1, _MINUTES_BEFORE, "minutes")),
    r"clear_sky_plus_(\d+)m": (clear_sky, reach(1, _MINUTES_AFTER, "minutes")),
}
