"""The sun, against pvlib's SPA (0.0003 degrees) and its Haurwitz model."""

import numpy as np
import pandas as pd
import pvlib
import pytest

from wattahead.domain.hours import DAY, HOUR, MINUTE, instant
from wattahead.domain.sun import clear_sky, direction, elevation

# 0.01 degrees is what the almanac's formulas promise from 1950 to 2050; parallax, which they leave out, adds 0.0024.
ATOL = 0.013
PLACES = [
    (36.5, -119.5), (51.5, 10.0), (-42.0, 146.5), (0.0, 179.9), (78.2, 15.6), (-89.0, 0.0),
    (31.0, -99.0), (40.0, -79.0), (40.4, -3.7), (52.1, 5.3), (35.6, -5.4), (-33.9, 18.4),
]  # fmt: skip
# A degree of elevation is at most 1098 W/m2 * pi / 180 of clear sky.
LIGHT_ATOL = 1098 * np.radians(ATOL)


@pytest.mark.parametrize(("latitude", "longitude"), PLACES)
def test_the_sun_stands_where_pvlib_says(latitude: float, longitude: float) -> None:
    at = np.arange(instant("1990-01-01T00:00Z"), instant("2040-01-01T00:00Z"), 37 * DAY + 5 * HOUR)
    theirs = pvlib.solarposition.get_solarposition(pd.to_datetime(at, unit="us", utc=True), latitude, longitude)

    np.testing.assert_allclose(elevation(at, np.array(latitude), np.array(longitude)), theirs["elevation"], atol=ATOL)


@pytest.mark.parametrize(("latitude", "longitude"), PLACES)
def test_a_year_of_sun_and_clear_sky_is_what_pvlib_says_at_every_minute_of_the_hour(
    latitude: float, longitude: float
) -> None:
    at = np.arange(instant("2021-01-01T00:00Z"), instant("2022-01-01T00:00Z"), HOUR + MINUTE)
    theirs = pvlib.solarposition.get_solarposition(pd.to_datetime(at, unit="us", utc=True), latitude, longitude)

    up, _ = direction(at, np.array(latitude), np.array(longitude))

    np.testing.assert_allclose(elevation(at, np.array(latitude), np.array(longitude)), theirs["elevation"], atol=ATOL)
    light = pvlib.clearsky.haurwitz(theirs["zenith"])["ghi"]
    np.testing.assert_allclose(clear_sky(up), light, atol=LIGHT_ATOL)


@pytest.mark.parametrize(("latitude", "longitude"), PLACES)
def test_west_is_where_pvlib_says(latitude: float, longitude: float) -> None:
    at = np.arange(instant("2021-01-01T00:00Z"), instant("2022-01-01T00:00Z"), 7 * HOUR)
    theirs = pvlib.solarposition.get_solarposition(pd.to_datetime(at, unit="us", utc=True), latitude, longitude)

    west = direction(at, np.array(latitude), np.array(longitude))[1]

    expected = -np.cos(np.radians(theirs["elevation"])) * np.sin(np.radians(theirs["azimuth"]))
    np.testing.assert_allclose(west, expected, atol=np.radians(ATOL))


def test_places_broadcast_against_times() -> None:
    at, places = np.arange(0, DAY, HOUR), np.array(PLACES)

    together = elevation(at[None], places[:, :1], places[:, 1:])

    for row, (latitude, longitude) in zip(together, PLACES, strict=True):
        np.testing.assert_array_equal(row, elevation(at, np.array(latitude), np.array(longitude)))


def test_a_clear_sky_is_haurwitz_as_pvlib_has_it() -> None:
    zenith = np.linspace(0, 180, 361)

    theirs = pvlib.clearsky.haurwitz(pd.Series(zenith))["ghi"].to_numpy()

    np.testing.assert_allclose(
        clear_sky(np.cos(np.radians(zenith))), theirs, atol=1e-9
    )  # the same formula: rounding only
