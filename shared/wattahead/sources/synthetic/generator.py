"""Production and weather forecasts of zones that do not exist, the same for everybody who asks with the same seed."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import pyarrow as pa

from wattahead.domain.errors import Refused
from wattahead.domain.hours import DAY, HOUR, iso
from wattahead.sources.synthetic.atmosphere import RUN_HOURS, Days, true_weather, weather_systems
from wattahead.sources.synthetic.places import Place, places
from wattahead.sources.synthetic.production import zone_production
from wattahead.sources.synthetic.tables import PRODUCTION, WEATHER, Columns, table
from wattahead.sources.synthetic.weather import zone_forecasts

_DAYS_BEYOND: Final = RUN_HOURS // 24  # the run of the day of `end` reaches this far


@dataclass(frozen=True)
class Synthetic:
    """Generated zones: (latitude, longitude) by name, hourly production, and weather forecasts that are not true."""

    zones: Mapping[str, tuple[float, float]]
    production: pa.Table
    weather: pa.Table


def generate(zones: int, start: int, end: int, *, seed: int = 0) -> Synthetic:
    """Return production of the hours from `start` (inclusive) to `end` (exclusive), and the forecasts around them.

    Instants are UTC [µs since 1970]. Production: hour-beginning, MW and g/kWh. Weather: a run a day at 00 UTC, from the
    day before `start` to the day of `end`; each covers 72 h and is to be taken as available 4 h after it was started.

    A value depends on (seed, zone, hour, run) alone: another start or end gives the same values, more zones add rows.

    >>> generate(1, 0, 3_600_000_000).production.num_rows
    1
    """
    _check(start, end)
    first, last = start // DAY - 1, end // DAY
    days = Days(seed, first, last - first + _DAYS_BEYOND)
    wanted = slice((start - first * DAY) // HOUR, (end - first * DAY) // HOUR)
    where = places(zones, seed)
    pairs = [_zone(days, zone, wanted, last - first + 1) for zone in where]
    names = [zone.name for zone in where]
    return Synthetic(
        zones={zone.name: zone.middle for zone in where},
        production=table(PRODUCTION, names, [production for production, _ in pairs]),
        weather=table(WEATHER, names, [weather for _, weather in pairs]),
    )


def _zone(days: Days, zone: Place, wanted: slice, runs: int) -> tuple[Columns, Columns]:
    """Return production of the wanted hours and forecasts of all runs of one zone."""
    systems = weather_systems(days, zone)
    produced: Columns = {"ts": days.hours, **zone_production(days, zone, true_weather(days, zone, systems))}
    production: Columns = {name: column[wanted] for name, column in produced.items()}
    return production, zone_forecasts(days, zone, systems, runs)


def _check(start: int, end: int) -> None:
    if start % HOUR or end % HOUR:
        raise Refused("E_EVENT_ALIGN", f"{start} or {end} is not on the hour", fix="give whole hours in µs since 1970")
    if start >= end:
        raise Refused("E_CONFIG", f"{iso(start)} to {iso(end)} holds no hour", fix="give an end after the start")
    if start < 0:
        raise Refused("E_TIME_RANGE", f"start {iso(start)} is before 1970", fix="start in 1970 or later")
