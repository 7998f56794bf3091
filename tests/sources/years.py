"""Two and a half generated years of three zones, made once, and what tests measure in them."""

from functools import cache

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow.compute as pc

from wattahead.domain.hours import HOUR, instant
from wattahead.domain.sun import clear_sky
from wattahead.sources.synthetic import Synthetic, generate
from wattahead.sources.synthetic.light import clear_tracked, sun, within_hour
from wattahead.sources.synthetic.statistics import daily_clear_ratio, daily_sums

Floats = npt.NDArray[np.float64]

START = instant("2019-01-01T00:00Z")
END = instant("2021-07-01T00:00Z")  # two and a half years, as long as the real data the bands come from
ZONES = ("SY-0001", "SY-0002", "SY-0003")  # sunny, stormy, cloudy


@cache
def two_years(seed: int = 0) -> Synthetic:
    return generate(3, START, END, seed=seed)


def produced(zone: str, name: str) -> Floats:
    table = two_years().production
    return np.asarray(table.filter(pc.equal(table["zone"], zone))[name].to_numpy())


@cache
def said_ahead(zone: str) -> pd.DataFrame:
    """Return the mean over points of each hour's forecast made the day before, by valid time."""
    table = two_years().weather
    rows = table.filter(pc.equal(table["zone"], zone)).to_pandas()
    lead = rows.ts - rows.init_time
    day_ahead = (lead >= pd.Timedelta(hours=24)) & (lead < pd.Timedelta(hours=48))
    ahead = rows[day_ahead & (rows.ts < pd.Timestamp(END, unit="us", tz="UTC"))]
    return ahead.groupby("ts")[["wind_speed_10m", "temperature_2m", "dswrf_avg", "cloud_cover"]].mean()


def all_hours() -> npt.NDArray[np.int64]:
    return np.arange(START, END, HOUR)


def clear_light(zone: str, *, tracked: bool) -> Floats:
    """Return hourly clear-sky irradiance in the middle of a zone."""
    latitude, longitude = (np.array([degrees]) for degrees in two_years().zones[zone])
    suns = [sun(instants, latitude, longitude) for instants in within_hour(all_hours())]
    light = [clear_tracked(each) if tracked else clear_sky(each.cos_zenith) for each in suns]
    return np.asarray(np.mean(light, axis=0)[:, 0])


@cache
def clear_ratio(zone: str) -> Floats:
    offset = round(two_years().zones[zone][1] / 15)
    energy = daily_sums(produced(zone, "solar"), offset_hours=offset)
    return daily_clear_ratio(energy, daily_sums(clear_light(zone, tracked=True), offset_hours=offset))


@cache
def forecast_ratio(zone: str) -> Floats:
    offset = round(two_years().zones[zone][1] / 15)
    light = daily_sums(said_ahead(zone)["dswrf_avg"].to_numpy(), offset_hours=offset)
    return light / daily_sums(clear_light(zone, tracked=False), offset_hours=offset)
