"""A second opinion on every feature: slow, plain pandas, from rows with available_at, one value at a time.

Nothing here is shared with `wattahead.features`. `answer` is asked for one feature of one series at one issue time and
step; it sees rows through two filters only, `available_at <= issue_time` and `valid_time < issue_time`.
"""

import math
import re
from dataclasses import dataclass, field
from datetime import date
from functools import cache, cached_property

import holidays
import pandas as pd
import pvlib

NAN = float("nan")
HOURS = pd.Timedelta(hours=1)
DAYS = pd.Timedelta(days=1)
NOBODY = pd.DataFrame(
    {
        "series": pd.Series(dtype=object),
        "valid_time": pd.Series(dtype="datetime64[us, UTC]"),
        "available_at": pd.Series(dtype="datetime64[us, UTC]"),
        "value": pd.Series(dtype=float),
    }
)


@dataclass(frozen=True)
class World:
    """Rows as sources gave them, in any order, and what is asked of them. Times are UTC time stamps."""

    target: pd.DataFrame  # series, valid_time, available_at, value
    weather: pd.DataFrame  # series, point, valid_time, available_at, and a column per variable
    places: dict[str, tuple[float, float]]
    capacity: dict[str, float]
    calendars: dict[str, tuple[str, str]]  # time zone and holidays; no entry: mean solar time and none
    features: tuple[str, ...]
    step: pd.Timedelta
    steps: int
    scaling_window: pd.Timedelta = 28 * DAYS
    publication_delay: pd.Timedelta = 0 * HOURS
    memory: pd.Timedelta = 28 * DAYS  # how far back values are looked for
    external: pd.DataFrame = field(default_factory=lambda: NOBODY)  # an operator's forecasts, columns as `target`


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
            "input_missing": self.overdue,
            "weather_missing": any(
                not self.weather(variable, self.issue_time + step * world.step)
                for variable in world.weather.columns[4:]
                for step in range(world.steps)
            ),
        }
        return {name for name, held in found.items() if held}

    @cached_property
    def _said(self) -> dict[pd.Timestamp, list[tuple[pd.Timestamp, float]]]:
        rows = self.world.external
        rows = rows[(rows.series == self.series) & rows.value.notna()].sort_values("available_at")
        found: dict[pd.Timestamp, list[tuple[pd.Timestamp, float]]] = {}
        for at, known_at, value in zip(rows.valid_time, rows.available_at, rows.value, strict=True):
            found.setdefault(at, []).append((known_at, value))
        return found

    def said(self, at: pd.Timestamp, known_by: pd.Timestamp | None = None) -> float:
        """Return what the operator had last said of an interval by then, in units of the scale."""
        by = known_by or self.issue_time
        held = [value for known_at, value in self._said.get(at, []) if known_at <= by]
        return held[-1] / self.scale if held else NAN

    def error(self, at: pd.Timestamp) -> float:
        """Return what came true minus what the operator had said."""
        return self.value(at) - self.said(at)

    @cached_property
    def overdue(self) -> bool:
        """Whether the operator has not said what it had said by this time on seven of the last 28 days."""

        def owes(at: pd.Timestamp) -> bool:
            days = [back * DAYS for back in range(29)]
            there = [
                any(known_at <= self.issue_time - back for known_at, _ in self._said.get(at - back, []))
                for back in days
            ]
            return not there[0] and sum(there[1:]) >= 7

        return any(owes(self.issue_time + step * self.world.step) for step in range(self.world.steps))

    @cached_property
    def _known_weather(self) -> dict[str, dict[pd.Timestamp, dict[int, float]]]:
        rows = self.world.weather
        rows = rows[(rows.series == self.series) & (rows.available_at <= self.issue_time)]
        found: dict[str, dict[pd.Timestamp, dict[int, float]]] = {}
        for variable in self.world.weather.columns[4:]:
            newest = (
                rows[rows[variable].notna()]
                .sort_values("available_at")
                .drop_duplicates(["valid_time", "point"], keep="last")
            )
            held = found.setdefault(variable, {})
            for at, point, value in zip(newest.valid_time, newest.point, newest[variable], strict=True):
                held.setdefault(at, {})[point] = value
        return found

    @cached_property
    def outputs(self) -> dict[tuple[str, int], float]:
        """What was told of outputs before: the same for every step."""
        return {}

    def weather(self, variable: str, at: pd.Timestamp) -> list[float]:
        """Return what the points of the zone are forecast for an interval, as known at the issue time."""
        made = re.fullmatch(rf"({'|'.join(DERIVED)})_(\w+)", variable)
        if not made:
            return list(self.stored(variable, at).values())
        form, of = DERIVED[made[1]], made[2]
        return [form(self, of, at, point) for point in self.stored(of, at)]

    def stored(self, variable: str, at: pd.Timestamp) -> dict[int, float]:
        """Return the forecast of each point that has one; none outside the hours that are kept."""
        first, last = self.issue_time - DAYS, self.issue_time + self.world.steps * self.world.step + 6 * HOURS
        return self._known_weather[variable].get(at, {}) if first <= at < last else {}

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


@cache
def sun(place: tuple[float, float], day: pd.Timestamp) -> tuple[list[float], list[float]]:
    """Return elevation and clear sky of every half minute of a day: all pvlib costs is the call."""
    within = pd.date_range(day, day + DAYS, freq="30s", inclusive="left")
    found = pvlib.solarposition.get_solarposition(within, *place)
    return found["elevation"].tolist(), pvlib.clearsky.haurwitz(found["zenith"])["ghi"].tolist()


def sunny(moment: Moment, at: pd.Timestamp, which: int) -> float:
    half_minutes = (at - at.normalize()) // pd.Timedelta(seconds=30)
    return sun(moment.world.places[moment.series], at.normalize())[which][half_minutes]


def elevation(moment: Moment, at: pd.Timestamp, minutes: int = 0) -> float:
    return sunny(moment, at + moment.world.step / 2 + pd.Timedelta(minutes=minutes), 0)


def clear_sky(moment: Moment, at: pd.Timestamp, minutes: int = 0) -> float:
    return sunny(moment, at + moment.world.step / 2 + pd.Timedelta(minutes=minutes), 1)


def clear_sky_mean(moment: Moment, at: pd.Timestamp) -> float:
    return sky_over(moment.world.places[moment.series], at, moment.world.step)


@cache
def sky_over(place: tuple[float, float], at: pd.Timestamp, length: pd.Timedelta) -> float:
    """Return the mean clear sky from `at`, of every half minute."""
    day = at.normalize()
    first, last = (at - day) // pd.Timedelta(seconds=30), (at + length - day) // pd.Timedelta(seconds=30)
    held = (sun(place, day)[1] + sun(place, day + DAYS)[1][:1])[first : last + 1]
    return (math.fsum(held) - (held[0] + held[-1]) / 2) / (len(held) - 1)


def cubed(moment: Moment, variable: str, at: pd.Timestamp, point: int) -> float:
    return moment.stored(variable, at)[point] ** 3


def clear_index(moment: Moment, variable: str, at: pd.Timestamp, point: int) -> float:
    """Radiation over clear sky, both drawn as lines from the middle of their step to the middle of the one beside."""
    middle = at.floor("3h") + 1.5 * HOURS
    away = (at + moment.world.step / 2 - middle) / (3 * HOURS)
    beside = at + (3 * HOURS if away >= 0 else -3 * HOURS)
    held, other = moment.stored(variable, at)[point], moment.stored(variable, beside).get(point)
    share = 0.0 if other is None else abs(away)
    light = (1 - share) * held + share * (other or 0.0)
    sky = (1 - share) * clear_step(moment, at) + share * clear_step(moment, beside)
    return min(max(light / max(sky, 20.0), 0.0), 1.2)


def clear_step(moment: Moment, at: pd.Timestamp) -> float:
    """Return the clear sky in the middles of the six half hours of a step of three, in the mean."""
    sky = sun(moment.world.places[moment.series], at.normalize())[1]
    return mean([sky[at.hour // 3 * 360 + 30 + 60 * half] for half in range(6)])


def by_sun(moment: Moment, variable: str, at: pd.Timestamp, point: int) -> float:
    return clear_index(moment, variable, at, point) * clear_sky_mean(moment, at)


def nth_error(moment: Moment, at: pd.Timestamp, n: int) -> float:
    held = known([moment.error(at - back * DAYS) for back in range(1, 29)])
    return held[n - 1] if n <= len(held) else NAN


def newest_error(moment: Moment, _: pd.Timestamp, hours: int) -> float:
    begin = moment.issue_time - hours * HOURS
    cells = pd.date_range(begin, moment.issue_time, freq=moment.world.step, inclusive="left")
    return mean([moment.error(one) for one in cells])


DERIVED = {"cubed": cubed, "clear_index": clear_index, "by_sun": by_sun}


def output(moment: Moment, variable: str, hours: int) -> float:
    """Return what came per unit of weather over the last hours, from those of which both are known."""
    if (variable, hours) not in moment.outputs:
        begin = moment.issue_time - hours * HOURS
        cells = pd.date_range(begin, moment.issue_time, freq=moment.world.step, inclusive="left")
        pairs = [(moment.value(at), mean(moment.weather(variable, at))) for at in cells]
        both = [(came, given) for came, given in pairs if not math.isnan(came + given)]
        given = math.fsum(given for _, given in both)
        moment.outputs[variable, hours] = math.fsum(came for came, _ in both) / given if given > 0 else NAN
    return moment.outputs[variable, hours]


def wall(moment: Moment, at: pd.Timestamp) -> pd.Timestamp:
    zone, _ = moment.world.calendars.get(moment.series, ("", ""))
    return at.tz_convert(zone) if zone else local(moment, at)


@cache
def days_off(code: str, year: int) -> set[date]:
    country, _, part = code.partition("-")
    return set(holidays.country_holidays(country, subdiv=part or None, years=year)) if code else set()


def off(moment: Moment, day: pd.Timestamp) -> bool:
    return day.date() in days_off(moment.world.calendars.get(moment.series, ("", ""))[1], day.year)


def kind(moment: Moment, at: pd.Timestamp) -> int:
    day = wall(moment, at)
    return 2 if off(moment, day) else max(day.weekday() - 4, 0)


def near(moment: Moment, at: pd.Timestamp) -> int:
    before, day, after = (wall(moment, at + shift * DAYS) for shift in (-1, 0, 1))
    if off(moment, day) or not (off(moment, before) or off(moment, after)):
        return 0
    rest = [off(moment, one) or one.weekday() > 4 for one in (before, day, after)]
    return 3 if rest == [True, False, True] else 2 if off(moment, before) else 1


def same_type(moment: Moment, at: pd.Timestamp, n: int) -> float:
    days = [back for back in range(1, 29) if kind(moment, at - back * DAYS) == kind(moment, at)]
    held = known([moment.value(at - back * DAYS) for back in days])
    return held[n - 1] if n <= len(held) else NAN


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
    r"sun_elevation": elevation,
    r"sun_elevation_minus_(\d+)m": lambda moment, at, minutes: elevation(moment, at, -minutes),
    r"sun_elevation_plus_(\d+)m": elevation,
    r"clear_sky": clear_sky,
    r"clear_sky_minus_(\d+)m": lambda moment, at, minutes: clear_sky(moment, at, -minutes),
    r"clear_sky_plus_(\d+)m": clear_sky,
    r"clear_sky_mean": clear_sky_mean,
    # calendar; no clock is changed within the days that are asked for
    r"local_hour": lambda moment, at: of_day(wall(moment, at)) * 24,
    r"local_weekday": lambda moment, at: wall(moment, at).weekday(),
    r"day_type": kind,
    r"holiday": lambda moment, at: off(moment, wall(moment, at)),
    r"near_holiday": near,
    r"same_type_(\d)": same_type,
    # weather
    r"weather_(\w+)_plus_(\d)h": lambda moment, at, name, hours: mean(moment.weather(name, at + hours * HOURS)),
    r"weather_(\w+)_minus_(\d+)h": lambda moment, at, name, hours: mean(moment.weather(name, at - hours * HOURS)),
    r"weather_(\w+)_around_(\d)h": lambda moment, at, name, hours: mean(
        [mean(moment.weather(name, at + offset * HOURS)) for offset in range(-hours, hours + 1)]
    ),
    r"weather_(\w+)_at_output_(\d+)h": lambda moment, at, name, hours: (
        mean(moment.weather(name, at)) * output(moment, name, hours)
    ),
    r"weather_(\w+)_output_(\d+)h": lambda moment, _, name, hours: output(moment, name, hours),
    r"weather_(\w+)_highest": lambda moment, at, name: max(moment.weather(name, at), default=NAN),
    r"weather_(\w+)_lowest": lambda moment, at, name: min(moment.weather(name, at), default=NAN),
    r"weather_(\w+)_horizon_mean": lambda moment, _, name: mean(
        [mean(moment.weather(name, moment.issue_time + step * moment.world.step)) for step in range(moment.world.steps)]
    ),
    # somebody else's forecast
    r"external_operator_plus_(\d+)h": lambda moment, at, hours: moment.said(at + hours * HOURS),
    r"external_operator_minus_(\d+)h": lambda moment, at, hours: moment.said(at - hours * HOURS),
    r"external_operator_horizon_mean": lambda moment, _: mean(
        [moment.said(moment.issue_time + step * moment.world.step) for step in range(moment.world.steps)]
    ),
    r"external_operator_error_mean_(\d+)d": lambda moment, at, days: mean(
        [moment.error(at - back * DAYS) for back in range(1, days + 1)]
    ),
    r"external_operator_error_(\d+)h": newest_error,
    r"external_operator_error_(\d+)": nth_error,
    r"external_operator": lambda moment, at: moment.said(at),
    r"weather_(\w+)": lambda moment, at, name: mean(moment.weather(name, at)),
}
