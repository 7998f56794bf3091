"""Worlds to ask for features: rows with gaps, revisions and delays, and the inputs the library makes of them."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd

from tests.features.reference import DAYS, HOURS, World
from wattahead.domain.hours import DAY, HOUR, instant
from wattahead.features.cube import Inputs, Recipe
from wattahead.features.panel import Panel, panel

FEATURES = (
    "same_time_1", "same_time_2", "same_time_7", "same_time_mean_7d", "same_time_max_5d", "same_time_min_28d",
    "lag_24h", "lag_25h", "lag_168h", "newest", "newest_mean_3h", "newest_mean_24h", "newest_age_h",
    "max_3d_lag_1d", "mean_3d_lag_1d", "mean_7d_lag_0d", "max_2d_lag_30d",
    "lead", "hour", "month", "hour_sin", "hour_cos", "year_sin", "year_cos",
    "solar_hour", "weekday", "sun_elevation", "sun_elevation_minus_60m", "sun_elevation_plus_90m",
    "clear_sky", "clear_sky_minus_120m", "clear_sky_plus_180m", "clear_sky_mean",
    "local_hour", "local_weekday", "day_type", "holiday", "near_holiday", "same_type_1", "same_type_3",
    "weather_wind_10m", "weather_wind_10m_plus_1h", "weather_wind_10m_plus_6h", "weather_wind_10m_minus_1h",
    "weather_wind_10m_minus_24h", "weather_wind_10m_around_2h", "weather_wind_10m_highest", "weather_light_lowest",
    "weather_light_horizon_mean", "weather_light",
    "weather_cubed_wind_10m", "weather_cubed_wind_10m_highest", "weather_clear_index_light",
    "weather_clear_index_light_minus_24h", "weather_clear_index_light_plus_6h", "weather_by_sun_light",
    "weather_wind_10m_output_24h", "weather_light_at_output_6h", "weather_by_sun_light_at_output_24h",
    "external_operator", "external_operator_plus_1h", "external_operator_plus_6h", "external_operator_minus_1h",
    "external_operator_minus_24h", "external_operator_minus_672h", "external_operator_horizon_mean",
    "external_operator_error_1", "external_operator_error_5", "external_operator_error_mean_7d",
    "external_operator_error_3h", "external_operator_error_24h",
)  # fmt: skip
PLACES = {"AA": (36.5, -119.5), "BB": (51.0, 9.75), "CC": (-41.0, 146.5), "DD": (60.0, 25.0)}
CALENDARS = {  # DD has none
    "AA": ("America/Los_Angeles", "US-CA"), "BB": ("Europe/Berlin", ""), "CC": ("Australia/Hobart", "AU-TAS"),
}  # fmt: skip
START = pd.Timestamp("2021-01-20T00:00Z")
LENGTH = 45


def world(seed: int, *, step: pd.Timedelta = HOURS, steps: int = 24, days: int = LENGTH) -> World:
    """Return four zones: AA healthy, BB full of holes, CC all zero, DD of known capacity and silent for days."""
    draw = np.random.default_rng(seed)
    until = START + days * DAYS
    target = pd.concat([_zone(draw, name, pd.date_range(START, until, freq=step, inclusive="left")) for name in PLACES])
    silent = (target.series == "DD") & (target.valid_time >= until - 4 * DAYS)
    target.loc[target.series == "CC", "value"] = 0.0
    return World(
        target=target[~silent].sample(frac=1, random_state=seed),
        weather=_weather(draw, step, until).sample(frac=1, random_state=seed),
        places=PLACES, capacity={"DD": 750.0}, calendars=CALENDARS, features=FEATURES, step=step, steps=steps,
        publication_delay=pd.Timedelta(minutes=90), memory=33 * DAYS, external=_external(draw, step, until),
    )  # fmt: skip


def _zone(draw: np.random.Generator, name: str, times: pd.DatetimeIndex) -> pd.DataFrame:
    delay = pd.Timedelta(minutes=90) + times.freq
    first = pd.DataFrame(
        {"series": name, "valid_time": times, "available_at": times + delay, "value": draw.gamma(2, 100, len(times))}
    )
    first.loc[draw.random(len(times)) < 0.02, "value"] = np.nan
    holes = first[draw.random(len(times)) > (0.10 if name == "BB" else 0.01)]
    corrected = first.sample(frac=0.1, random_state=1).assign(value=lambda rows: rows.value * 1.25)
    corrected["available_at"] += pd.to_timedelta(draw.integers(1, 80, len(corrected)), unit="h")
    again = corrected.sample(frac=0.3, random_state=2).assign(value=lambda rows: rows.value - 7)
    again["available_at"] += 5 * HOURS
    return pd.concat([holes, corrected, again])


def _weather(draw: np.random.Generator, step: pd.Timedelta, until: pd.Timestamp) -> pd.DataFrame:
    """Return runs of 54 h every 12 h, some of them lost; zones have one to four points."""
    rows = []
    for number, name in enumerate(PLACES):
        for init in pd.date_range(until - 4 * DAYS, until, freq="12h"):
            if name == "BB" and draw.random() < 0.5:
                continue
            valid = pd.date_range(init, init + 54 * HOURS, freq=step, inclusive="left")
            for point in range(number + 1):
                rows.append(pd.DataFrame({
                    "series": name, "point": point, "valid_time": valid, "available_at": init + 4 * HOURS,
                    "wind_10m": draw.weibull(2, len(valid)) * 8,
                    "light": np.maximum(draw.normal(200, 300, len(valid)), 0),
                }))  # fmt: skip
    found = pd.concat(rows)
    for variable in ("wind_10m", "light"):
        found.loc[draw.random(len(found)) < 0.03, variable] = np.nan
    return found


def _external(draw: np.random.Generator, step: pd.Timedelta, until: pd.Timestamp) -> pd.DataFrame:
    """Return an operator's forecasts of a day at 09 UTC of the day before, with corrections.

    AA has them all, BB has none of the last days, CC and DD never had any, and of AA's first days some hours are lost.
    """
    rows = []
    for name, last in (("AA", until + DAYS), ("BB", until - 2 * DAYS)):
        for day in pd.date_range(START + DAYS, last, freq="D", inclusive="left"):
            valid = pd.date_range(day, day + DAYS, freq=step, inclusive="left")
            said = pd.DataFrame({"series": name, "valid_time": valid, "available_at": day - 15 * HOURS})
            first = said.assign(value=draw.gamma(2, 100, len(valid)))
            corrected = first.sample(frac=0.1, random_state=1).assign(value=lambda held: held.value + 3)
            corrected["available_at"] += pd.to_timedelta(draw.integers(1, 40, len(corrected)), unit="h")
            rows += [first[(draw.random(len(first)) < 0.97) | (day > until - 4 * DAYS)], corrected]
    return pd.concat(rows)


def micros(times: pd.Series) -> npt.NDArray[np.int64]:
    """Return time stamps as instants [µs]."""
    return times.dt.as_unit("us").astype("int64").to_numpy()


def recipe(asked: World) -> Recipe:
    """Return what the library is to make of a world."""
    step, window, delay = (
        each // pd.Timedelta(microseconds=1) for each in (asked.step, asked.scaling_window, asked.publication_delay)
    )
    return Recipe(asked.features, step, asked.steps, window, delay)


def inputs(asked: World, issue_times: Sequence[int], series: Sequence[str] | None = None) -> Inputs:
    """Return panels over the rows of a world, wide enough for `issue_times`, of all its series or of some."""
    names, made = list(series or asked.places), recipe(asked)
    first, last = min(issue_times), max(issue_times)
    points = int(asked.weather.point.max()) + 1
    ahead = last + asked.steps * made.step + DAY // 4
    rows = asked.target
    target = panel(
        _number(rows, names),
        micros(rows.valid_time),
        micros(rows.available_at),
        rows.value.to_numpy(),
        series=len(names),
        start=first - made.history,
        end=last,
        step=made.step,
        names=names,
    )
    external = panel(
        _number(asked.external, names),
        micros(asked.external.valid_time),
        micros(asked.external.available_at),
        asked.external.value.to_numpy(),
        series=len(names),
        start=first - 28 * DAY,
        end=ahead,
        step=made.step,
    )
    return Inputs(
        target,
        {
            variable: _points(asked.weather, variable, names, points, first - DAY, ahead, made.step)
            for variable in asked.weather.columns[4:]
        },
        np.array([asked.places[name][0] for name in names]),
        np.array([asked.places[name][1] for name in names]),
        np.array([asked.capacity.get(name, np.nan) for name in names]),
        timezones=tuple(asked.calendars.get(name, ("", ""))[0] for name in names),
        holidays=tuple(asked.calendars.get(name, ("", ""))[1] for name in names),
        external={"operator": external},
    )


def _points(rows: pd.DataFrame, variable: str, names: list[str], points: int, start: int, end: int, step: int) -> Panel:
    zone = _number(rows, names)
    who = np.where(zone >= 0, zone * points + rows.point.to_numpy(), -1)
    return panel(
        who,
        micros(rows.valid_time),
        micros(rows.available_at),
        rows[variable].to_numpy(),
        series=len(names) * points,
        start=start,
        end=end,
        step=step,
    )


def _number(rows: pd.DataFrame, names: list[str]) -> npt.NDArray[np.int64]:
    return rows.series.map({name: number for number, name in enumerate(names)}).fillna(-1).astype("int64").to_numpy()


LAST = instant(str(START + LENGTH * DAYS))
ISSUE_TIMES = (LAST - 45 * HOUR, LAST - 19 * HOUR, LAST - 10 * HOUR, LAST - HOUR, LAST)
