"""Everything a bucket knows of a few zones, on one grid of hours: what the notebooks look at."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

import duckdb
import numpy as np
from holidays import country_holidays
from numpy.typing import NDArray

from training.samples import inputs_of, source_of
from wattahead.domain import sun
from wattahead.domain.catalog import Catalog, Pool, Zone
from wattahead.domain.errors import Refused
from wattahead.domain.hours import DAY, HOUR, NEVER, to_datetime
from wattahead.features.cube import Inputs
from wattahead.features.grammar import variables
from wattahead.queries.connection import connect
from wattahead.storage.catalogs import latest_catalog
from wattahead.storage.objects import Bucket, open_bucket

Floats = NDArray[np.float64]

FEW: Final = 4  # zones beside each other in a picture
_DEGREES_AN_HOUR: Final = 15
_PARTS: Final = 6  # of an hour, for the mean of its clear sky


@dataclass(frozen=True)
class Zones:
    """Z zones over H hours of whole UTC days. NaN where nothing is known."""

    names: tuple[str, ...]
    places: Mapping[str, Zone]
    start: int  # [µs], a UTC midnight
    actuals: Mapping[str, Floats]  # production/solar -> (Z, H) [unit of the source], the newest revision
    weather: Mapping[str, Floats]  # variable -> (Z, H), for each UTC day as it was known at its 00 UTC
    others: Mapping[str, Floats]  # somebody else's forecast of production/solar -> (Z, H), known likewise
    clear_sky: Floats  # (Z, H) [W/m2], means of the hours

    @property
    def hours(self) -> NDArray[np.int64]:
        """Start of every hour [µs], shape (H)."""
        return self.start + np.arange(self.clear_sky.shape[1]) * HOUR

    @property
    def times(self) -> NDArray[np.datetime64]:
        """Start of every hour as a date, for axes, shape (H)."""
        return self.hours.astype("datetime64[us]")

    @property
    def solar_hours(self) -> NDArray[np.int64]:
        """Start of every hour in whole hours of the zone's mean solar time, nearest [µs], shape (Z, H)."""
        return (
            self.hours
            + np.array([[round(self.places[name].longitude / _DEGREES_AN_HOUR)] for name in self.names]) * HOUR
        )

    def held(self, *wanted: str) -> list[str]:
        """Return which of the wanted signals any zone has."""
        return [name for name in wanted if name in self.actuals and np.isfinite(self.actuals[name]).any()]


def read(bucket_url: str, zones: Sequence[str] = ()) -> Zones:
    """Return the hours of some zones, the catalog's first ones unless they are named.

    Steps finer than an hour are averaged. Weather is the mean of a zone's points.
    """
    bucket = open_bucket(bucket_url)
    _, catalog = latest_catalog(bucket)
    names = tuple(zones) or tuple(sorted(catalog.zones))[:FEW]
    with connect(bucket_url) as connection:
        start, end = _span(connection, names)
        shape = len(names), (end - start) // HOUR
        actuals, others = _actuals(connection, names, start, shape), _others(connection, catalog, names, start, shape)
    pool = _with_weather(catalog, names)
    found = inputs(bucket, catalog, pool, names, start, end).weather if pool else {}
    midnights = np.arange(start, end, DAY)
    weather = {
        name: _mean(panel.known(midnights, before=0, after=24).reshape(len(panel.values), -1), len(names))
        for name, panel in found.items()
    }
    places = {name: catalog.zones[name] for name in names}
    return Zones(names, places, start, actuals, weather, others, _light(places, start, shape[1]))


def inputs(bucket: Bucket, catalog: Catalog, pool: str, zones: Sequence[str], start: int, end: int) -> Inputs:
    """Return what a pool's training would read of some zones between two instants [µs], every revision of it."""
    held = catalog.pools[pool]
    every_day = replace(held, zones=tuple(zones), issue_hours=(0,))
    asked = tuple(f"weather_{name}" for name in _variables(catalog, held))
    source = source_of(replace(catalog, pools={pool: every_day}), pool, asked)
    return inputs_of(bucket, source, start, end, forecasts={})[0]


def delays(found: Inputs) -> tuple[Floats, int]:
    """Return after which delay [h] each first value was known, and how many hours were revised later."""
    panel = found.target
    over = panel.start + (np.arange(panel.values.shape[1]) + 1) * panel.step
    first, known = panel.available[:, :, 0], panel.available < NEVER
    late = (first - over) / HOUR
    return late[known[:, :, 0]], int((known.sum(axis=2) > 1).sum())


def _span(connection: duckdb.DuckDBPyConnection, names: Sequence[str]) -> tuple[int, int]:
    asked = "SELECT epoch_us(min(valid_time)), epoch_us(max(valid_time)) FROM actuals WHERE list_contains(?, zone)"
    row = connection.execute(asked, [list(names)]).fetchone()
    if row is None or row[0] is None:
        raise Refused("E_TRAIN_ROWS", f"no actuals of {', '.join(names)}", fix="ingest some history")
    return row[0] // DAY * DAY, (row[1] // DAY + 1) * DAY


def _actuals(
    connection: duckdb.DuckDBPyConnection, names: Sequence[str], start: int, shape: tuple[int, int]
) -> dict[str, Floats]:
    rows = """SELECT key || '/' || subkey AS signal, list_position(?, zone) - 1 AS zone,
        (epoch_us(valid_time) - ?) // 3600000000 AS hour, avg(value) AS value
        FROM actuals WHERE list_contains(?, zone) GROUP BY ALL"""
    found = connection.execute(rows, [list(names), start, list(names)]).fetchnumpy()
    signals, which = np.unique(found["signal"].astype(str), return_inverse=True)
    every = np.full((len(signals), *shape), np.nan)
    every[which, found["zone"].astype(int), found["hour"].astype(int)] = found["value"]
    return dict(zip(signals.tolist(), every, strict=True))


def _others(
    connection: duckdb.DuckDBPyConnection, catalog: Catalog, names: Sequence[str], start: int, shape: tuple[int, int]
) -> dict[str, Floats]:
    """Return others' forecasts as known at 00 UTC of the day they are about."""
    columns = {row[0] for row in connection.execute("DESCRIBE external").fetchall()}
    made = {}
    for signal in catalog.signals.values():
        column = f"{signal.key}_{signal.subkey}"
        if column not in columns:
            continue
        rows = f"""SELECT list_position(?, zone) - 1 AS zone, (epoch_us(valid_time) - ?) // 3600000000 AS hour,
            arg_max({column}, available_at) AS value FROM external
            WHERE list_contains(?, zone) AND {column} IS NOT NULL AND epoch_us(valid_time) BETWEEN ? AND ?
            AND epoch_us(available_at) <= epoch_us(valid_time) // {DAY} * {DAY} GROUP BY 1, 2"""  # noqa: S608 - a signal's own name
        span = [start, start + shape[1] * HOUR - 1]
        found = connection.execute(rows, [list(names), start, list(names), *span]).fetchnumpy()
        made[f"{signal.key}/{signal.subkey}"] = values = np.full(shape, np.nan)
        values[found["zone"].astype(int), found["hour"].astype(int)] = found["value"]
    return made


def _with_weather(catalog: Catalog, names: Sequence[str]) -> str:
    """Return a pool that knows the zones and reads the most weather, if any does."""
    able = [name for name, pool in catalog.pools.items() if set(names) <= set(pool.zones) and _variables(catalog, pool)]
    return max(able, key=lambda name: len(_variables(catalog, catalog.pools[name])), default="")


def _variables(catalog: Catalog, pool: Pool) -> tuple[str, ...]:
    """Return what any pool reads of the same weather."""
    alike = [other.feature_set for other in catalog.pools.values() if other.weather == pool.weather]
    return variables([name for one in alike for name in catalog.feature_sets[one]])


def _mean(points: Floats, zones: int) -> Floats:
    held = points.reshape(zones, -1, points.shape[1])
    there = np.isfinite(held).sum(axis=1)
    return np.where(there, np.nansum(held, axis=1) / np.maximum(there, 1), np.nan)


def _light(places: Mapping[str, Zone], start: int, hours: int) -> Floats:
    at = start + np.arange(hours)[:, None] * HOUR + (2 * np.arange(_PARTS) + 1) * HOUR // (2 * _PARTS)
    light = []
    for place in places.values():
        up, _ = sun.direction(at, np.array(place.latitude), np.array(place.longitude))
        light.append(sun.clear_sky(up).mean(axis=1))
    return np.stack(light)


def rest_days(zones: Zones, calendars: Mapping[str, str]) -> NDArray[np.bool_]:
    """Return which days from noon to noon UTC hold a public holiday's noon, shape (Z, days).

    `calendars` (US-CA) are for zones whose catalog names none; without either there are no holidays.
    """
    noons = zones.solar_hours[:, ::24] + DAY // 2
    off = np.zeros(noons.shape, dtype=bool)
    for row, name in enumerate(zones.names):
        country, _, part = (zones.places[name].holidays or calendars.get(name, "")).partition("-")
        if country:
            dates = [to_datetime(int(noon)).date() for noon in noons[row]]
            public = country_holidays(country, subdiv=part or None, years={one.year for one in dates})
            off[row] = [one in public for one in dates]
    return off


def weekday(at: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the day of the week of instants [µs], Monday 0."""
    return (at // DAY + 3) % 7  # 1970 began on a Thursday


def month(at: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the month of instants [µs], January 0."""
    return at.astype("datetime64[us]").astype("datetime64[M]").astype(np.int64) % 12


def day(at: int) -> str:
    """Return the date of an instant [µs]."""
    return to_datetime(at).date().isoformat()
