"""A second opinion on every feature: slow, plain pandas, from rows with available_at, one value at a time.

Nothing here is shared with `wattahead.features`. `answer` is asked for one feature of one series at one issue time and
step; it sees rows through two filters only, `available_at <= issue_time` and `valid_time < issue_time`.
"""

import math
import re
from dataclasses import dataclass
from functools import cached_property

import pandas as pd
import pvlib

NAN = float("nan")
HOURS = pd.Timedelta(hours=1)
DAYS = pd.Timedelta(days=1)


@dataclass(frozen=True)
class World:
    """Rows as sources gave them, in any order, and what is asked of them. Times are UTC time stamps."""

    target: pd.DataFrame  # series, valid_time, available_at, value
    weather: pd.DataFrame  # series, point, valid_time, available_at, and a column per variable
    places: dict[str, tuple[float, float]]
    capacity: dict[str, float]
    features: tuple[str, ...]
    step: pd.Timedelta
    steps: int
    scaling_window: pd.Timedelta = 28 * DAYS
    publication_delay: pd.Timedelta = 0 * HOURS
    memory: pd.Timedelta = 28 * DAYS  # how far back values are looked for


@dataclass(frozen=True)
class Moment:
    """One series at one issue time."""

    world: World
    series: str
    issue_time: pd.Timestamp

    @cached_property
    def past(self) -> dict[pd.Timestamp, float]:
        """Newest known value of every interval that had begun."""
        rows = self.world.target
        rows = rows[rows.series == self.series]
        rows = rows[(rows.available_at <= self.issue_time) & rows.value.notna()]
        rows = rows[(rows.valid_time < self.issue_time) & (rows.valid_time >= self.issue_time - self.world.memory)]
        rows = rows.sort_values("available_at").drop_duplicates("valid_time", keep="last")
        return dict(zip(rows.valid_time, rows.value, strict=True))

    @cached_property
    def scale(self) -> float:
        """Capacity, or the highest value of the scaling window."""
        if self.series in self.world.capacity:
            return self.world.capacity[self.series]
        since = self.issue_time - self.world.scaling_window
        highest = max((value for at, value in self.past.items() if at >= since), default=NAN)
        return highest if highest > 0 else NAN

    @cached_property
    def age(self) -> pd.Timedelta:
        """From the end of the newest known interval to the issue time."""
        if not self.past:
            return self.world.memory
        return self.issue_time - (max(self.past) + self.world.step)

    @cached_property
    def flags(self) -> set[str]:
        """Names of the quality flags."""
        world = self.world
        allowed = world.step * math.ceil(world.publication_delay / world.step)
        end = self.issue_time - allowed
        last_day = pd.date_range(end - DAYS, end - world.step, freq=world.step)
        found = {
            "no_scale": math.isnan(self.scale),
            "target_stale": self.age > allowed,
            "target_gap": any(at not in self.past for at in last_day),
            "weather_missing": any(
                not self.weather(variable, self.issue_time + step * world.step)
                for variable in world.weather.columns[4:]
                for step in range(world.steps)
            ),
        }
        return {name for name, held in found.items() if held}

    @cached_property
    def _known_weather(self) -> dict[str, dict[pd.Timestamp, list[float]]]:
        rows = self.world.weather
        rows = rows[(rows.series == self.series) & (rows.available_at <= self.issue_time)]
        found: dict[str, dict[pd.Timestamp, list[float]]] = {}
        for variable in self.world.weather.columns[4:]:
            newest = (
                rows[rows[variable].notna()]
                .sort_values("available_at")
                .drop_duplicates(["valid_time", "point"], keep="last")
            )
            held = found.setdefault(variable, {})
            for at, value in zip(newest.valid_time, newest[variable], strict=True):
                held.setdefault(at, []).append(value)
        return found

    def weather(self, variable: str, at: pd.Timestamp) -> list[float]:
        """Return what the points of the zone are forecast for an interval, as known at the issue time."""
        return self._known_weather[variable].get(at, [])

    def value(self, at: pd.Timestamp) -> float:
        """Return a known value in units of the scale."""
        return self.past.get(at, NAN) / self.scale

    def values(self, begin: pd.Timestamp, end: pd.Timestamp) -> list[float]:
        """Return the known values of [begin, end) in units of the scale."""
        return known([self.value(at) for at in self.past if begin <= at < end])

    def answer(self, name: str, step: int) -> float:
        """Return one feature of one step."""
        for pattern, family in FAMILIES.items():
            match = re.fullmatch(pattern, name)
            if match:
                valid_time = self.issue_time + step * self.world.step
                given = [int(part) if part.isdecimal() else part for part in match.groups()]
                return float(family(self, valid_time, *given))  # type: ignore[operator]  # families differ in arguments
        raise KeyError(name)


def known(values: list[float]) -> list[float]:
    return [value for value in values if not math.isnan(value)]


def mean(values: list[float]) -> float:
    held = known(values)
    return math.fsum(held) / len(held) if held else NAN


def same_times(moment: Moment, at: pd.Timestamp, days: int) -> list[float]:
    return [moment.value(at - back * DAYS) for back in range(1, days + 1)]


def nth_same_time(moment: Moment, at: pd.Timestamp, n: int) -> float:
    held = known(same_times(moment, at, 28))
    return held[n - 1] if n <= len(held) else NAN


def newest(moment: Moment, _: pd.Timestamp) -> float:
    return moment.value(max(moment.past)) if moment.past else NAN


def lagged(moment: Moment, days: int, behind: int) -> list[float]:
    end = moment.issue_time - behind * DAYS
    return moment.values(end - days * DAYS, end)


def local(moment: Moment, at: pd.Timestamp) -> pd.Timestamp:
    return at + moment.world.places[moment.series][1] / 360 * DAYS


def sun(moment: Moment, at: pd.Timestamp) -> pd.DataFrame:
    middle = pd.DatetimeIndex([at + moment.world.step / 2])
    return pvlib.solarposition.get_solarposition(middle, *moment.world.places[moment.series])


def clear_sky(moment: Moment, at: pd.Timestamp) -> float:
    return pvlib.clearsky.haurwitz(sun(moment, at)["zenith"])["ghi"].iloc[0]


def of_day(at: pd.Timestamp) -> float:
    return (at - at.normalize()) / DAYS


def of_year(at: pd.Timestamp) -> float:
    return (at - pd.Timestamp(0, tz="UTC")) / (365.2425 * DAYS)


FAMILIES = {
    # history
    r"same_time_(\d+)": nth_same_time,
    r"same_time_mean_(\d+)d": lambda moment, at, days: mean(same_times(moment, at, days)),
    r"same_time_max_(\d+)d": lambda moment, at, days: max(known(same_times(moment, at, days)), default=NAN),
    r"same_time_min_(\d+)d": lambda moment, at, days: min(known(same_times(moment, at, days)), default=NAN),
    r"lag_(\d+)h": lambda moment, at, hours: moment.value(at - hours * HOURS),
    r"newest": newest,
    r"newest_mean_(\d+)h": lambda moment, _, hours: mean(
        moment.values(moment.issue_time - hours * HOURS, moment.issue_time)
    ),
    r"newest_age_h": lambda moment, _: moment.age / HOURS,
    r"max_(\d+)d_lag_(\d+)d": lambda moment, _, days, behind: max(lagged(moment, days, behind), default=NAN),
    r"mean_(\d+)d_lag_(\d+)d": lambda moment, _, days, behind: mean(lagged(moment, days, behind)),
    # clock
    r"lead": lambda moment, at: (at - moment.issue_time) / HOURS,
    r"hour": lambda _, at: of_day(at) * 24,
    r"month": lambda _, at: at.month,
    r"hour_sin": lambda _, at: math.sin(2 * math.pi * of_day(at)),
    r"hour_cos": lambda _, at: math.cos(2 * math.pi * of_day(at)),
    r"year_sin": lambda _, at: math.sin(2 * math.pi * of_year(at)),
    r"year_cos": lambda _, at: math.cos(2 * math.pi * of_year(at)),
    r"solar_hour": lambda moment, at: of_day(local(moment, at)) * 24,
    r"weekday": lambda moment, at: local(moment, at).weekday(),
    r"sun_elevation": lambda moment, at: sun(moment, at)["elevation"].iloc[0],
    r"clear_sky": clear_sky,
    # weather
    r"weather_(\w+)_plus_(\d)h": lambda moment, at, name, hours: mean(moment.weather(name, at + hours * HOURS)),
    r"weather_(\w+)_minus_(\d+)h": lambda moment, at, name, hours: mean(moment.weather(name, at - hours * HOURS)),
    r"weather_(\w+)_around_(\d)h": lambda moment, at, name, hours: mean(
        [mean(moment.weather(name, at + offset * HOURS)) for offset in range(-hours, hours + 1)]
    ),
    r"weather_(\w+)_highest": lambda moment, at, name: max(moment.weather(name, at), default=NAN),
    r"weather_(\w+)_lowest": lambda moment, at, name: min(moment.weather(name, at), default=NAN),
    r"weather_(\w+)_horizon_mean": lambda moment, _, name: mean(
        [mean(moment.weather(name, moment.issue_time + step * moment.world.step)) for step in range(moment.world.steps)]
    ),
    r"weather_(\w+)": lambda moment, at, name: mean(moment.weather(name, at)),
}
