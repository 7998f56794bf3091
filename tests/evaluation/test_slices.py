import numpy as np
import pytest

from tests.evaluation.scenes import SOLAR, hours, scene
from wattahead.evaluation.slices import SLICES


@pytest.mark.parametrize("name", SLICES)
def test_every_slice_gives_every_hour_a_label(name: str) -> None:
    one = scene(SOLAR)

    assert SLICES[name](one).shape == one.truth.shape


def test_hours_and_leads_are_those_of_the_valid_time() -> None:
    one = scene()

    assert (SLICES["hour"](one) == hours(one)).all()
    assert (SLICES["lead"](one) == np.arange(24)).all()


def test_months_and_seasons_follow_the_calendar() -> None:
    one = scene(days=365)
    months = SLICES["month"](one).astype(str)
    seasons = SLICES["season"](one)

    for season, numbers in {"DJF": "12 01 02", "MAM": "03 04 05", "JJA": "06 07 08", "SON": "09 10 11"}.items():
        assert {month[5:] for month in np.unique(months[seasons == season])} == set(numbers.split())


def test_the_situation_cuts_forecasts_into_three_equal_parts_by_what_came_true() -> None:
    one = scene(days=90)
    found = SLICES["situation"](one)
    levels = {word: one.truth[found == word].mean() for word in ("calm", "breezy", "windy")}

    assert {word: int((found[:, 0] == word).sum()) for word in levels} == dict.fromkeys(levels, 30)
    assert levels["calm"] < levels["breezy"] < levels["windy"]
    assert (found == found[:, :1]).all()


def test_a_clear_winter_day_is_clearer_than_a_dull_summer_day_with_more_power() -> None:
    one = scene(SOLAR, days=365)
    clear = np.maximum(one.sun_height, 0) * np.where(np.arange(365) % 3 == 0, 1.0, 0.5)[:, None]
    one.truth[:] = clear * 1000
    found = SLICES["situation"](one)[:, 0]

    assert found[3] == "clear"
    assert found[181] != "clear"
    assert one.truth[181].sum() > one.truth[3].sum()


def test_forecasts_without_a_truth_are_in_no_situation() -> None:
    one = scene()
    one.truth[5] = np.nan

    assert (SLICES["situation"](one)[5] == "").all()
    assert (SLICES["situation"](one)[6] != "").all()


def test_day_and_night_are_told_apart_only_where_night_is_zero() -> None:
    assert set(np.unique(SLICES["light"](scene(SOLAR)))) == {"day", "night"}
    assert set(np.unique(SLICES["light"](scene()))) == {""}
    assert (SLICES["sunny_month"](scene()) == "").all()


def test_months_of_days_alone_hold_the_hours_with_the_sun_above_five_degrees() -> None:
    one = scene(SOLAR)
    found = SLICES["sunny_month"](one)

    assert ((found != "") == one.daylight).all()
    assert (found[one.daylight] == SLICES["month"](one).astype(str)[one.daylight]).all()
