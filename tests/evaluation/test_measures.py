from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from tests.evaluation.scenes import SOLAR, hours, scene
from wattahead.evaluation import metrics
from wattahead.evaluation.measures import Measured, measured, ratios
from wattahead.evaluation.scored import Floats, Scored


def ramp_hits(one: Scored) -> float:
    """Return the share of the truth's largest changes that the median has too, by at least the smallest of them."""
    came, said = np.diff(one.truth), np.diff(one.median)
    large = np.abs(came) >= np.nanpercentile(np.abs(came), 90)
    hit = (np.abs(said[large]) >= np.abs(came[large]).min()) & (np.sign(said[large]) == np.sign(came[large]))
    return float(hit.mean())


PLAIN: dict[str, Callable[[Scored], float]] = {
    "mae": lambda one: metrics.mae(one.truth, one.median),
    "rmse": lambda one: float(np.sqrt(np.nanmean((one.median - one.truth) ** 2))),
    "mbe": lambda one: float(np.nanmean(one.median - one.truth)),
    "nmae_mean": lambda one: metrics.mae(one.truth, one.median) / float(np.nanmean(one.truth)),
    "nmae_scale": lambda one: metrics.mae(one.truth, one.median) / 200.0,
    "pinball_p10": lambda one: metrics.pinball(one.truth, one.quantiles["p10"], 0.1),
    "pinball": lambda one: metrics.mean_pinball(one.truth, block(one), one.levels),
    "crps": lambda one: metrics.crps(one.truth, block(one), one.levels),
    "rcrps": lambda one: metrics.rcrps(one.truth, block(one), one.levels),
    "coverage": lambda one: metrics.coverage(one.truth, *one.band),
    "width": lambda _: 2 * 12.8,
    "ramp_mae": lambda one: float(np.nanmean(np.abs(np.diff(one.median) - np.diff(one.truth)))),
    "ramp_hits": ramp_hits,
    "mae_climatology": lambda one: metrics.mae(one.truth, one.references["climatology"]),
    "skill_climatology": lambda one: metrics.skill(
        metrics.mae(one.truth, one.median), metrics.mae(one.truth, one.references["climatology"])
    ),
}


def block(one: Scored) -> Floats:
    return np.stack(list(one.quantiles.values()))


def gappy() -> Scored:
    one = scene()
    one.truth[np.random.default_rng(1).random(one.truth.shape) < 0.2] = np.nan
    return one


@pytest.fixture(scope="module")
def found() -> Measured:
    return measured(gappy())


@pytest.mark.parametrize("name", PLAIN)
def test_a_measure_of_everything_is_what_its_plain_function_gives(name: str, found: Measured) -> None:
    assert found.of(name).value == pytest.approx(PLAIN[name](gappy()), rel=1e-8)


def test_a_percentage_is_measured_only_far_from_zero() -> None:
    one = scene()
    far = replace(one, truth=np.maximum(one.truth, 30.0))

    assert measured(far).of("mape").value == pytest.approx(100 * np.mean(np.abs(far.median / far.truth - 1)))
    assert not measured(replace(one, truth=np.where(hours(one) == 3, 0.0, one.truth))).by("mape", "all")


@pytest.mark.parametrize("name", ["mae", "crps", "coverage", "skill_climatology", "rmse"])
def test_a_measure_of_a_slice_is_the_measure_of_its_hours_alone(name: str, found: Measured) -> None:
    one = gappy()
    alone = replace(one, truth=np.where(hours(one) == 7, one.truth, np.nan))

    assert found.of(name, "hour", "7").value == pytest.approx(PLAIN[name](alone), rel=1e-8)


def test_slices_share_out_the_hours(found: Measured) -> None:
    known = int(np.isfinite(gappy().truth).sum())

    for name in ("all", "lead", "hour", "month", "season", "situation"):
        assert sum(one.n for one in found.by("mae", name).values()) == known


def test_a_value_lies_within_its_interval(found: Measured) -> None:
    for name in PLAIN:
        one = found.of(name)
        assert one.low <= one.value <= one.high, name


def test_a_forecast_that_is_the_reference_has_no_skill_and_a_sure_one() -> None:
    one = scene()
    same = measured(replace(one, references={"seasonal_naive": one.median})).of("skill_seasonal_naive")

    assert (same.value, same.low, same.high) == (0.0, 0.0, 0.0)


def test_skill_is_over_the_hours_that_both_forecasts_know() -> None:
    one = scene()
    partly = np.where(hours(one) < 12, one.references["climatology"], np.nan)
    early = replace(one, truth=np.where(hours(one) < 12, one.truth, np.nan))

    skill = measured(replace(one, references={"operator": partly})).of("skill_operator")

    assert skill.n == 60 * 12
    assert skill.value == pytest.approx(measured(early).of("skill_climatology").value)


def test_coverage_of_solar_is_told_by_day_and_by_night() -> None:
    one = scene(SOLAR)

    assert set(measured(one).by("coverage", "light")) == {"day", "night"}


def test_nothing_is_measured_where_nothing_came_true() -> None:
    one = scene()
    none = measured(replace(one, truth=np.full_like(one.truth, np.nan)))

    assert none.value == []
    assert np.isnan(none.of("mae").value)


def test_a_reference_that_never_spoke_leaves_no_row() -> None:
    one = scene()
    silent = measured(replace(one, references={"operator": np.full_like(one.truth, np.nan)}))

    assert not silent.by("mae_operator", "all")
    assert "mae_operator" in ratios(replace(one, references={"operator": np.full_like(one.truth, np.nan)}))


def test_no_warning_and_no_infinity_leaves_a_series_that_never_changes() -> None:
    one = scene()
    flat = measured(
        replace(one, truth=np.zeros_like(one.truth), references={"seasonal_naive": np.zeros_like(one.truth)})
    )

    assert np.isfinite(flat.value).all()
    assert not flat.by("skill_seasonal_naive", "all")


def test_days_are_those_of_the_zone_and_not_of_utc() -> None:
    west = scene(longitude=-120.0)

    assert (np.diff(west.days[0]) != 0).nonzero()[0].tolist() == [7]  # midnight is at 08 UTC there


def hardly_moving(median: Floats | None = None) -> Scored:
    """Return a plant that rests for nine steps of ten, and rises twice; told as it came unless a median is given."""
    truth = np.zeros((10, 24))
    truth[3, 12:] = 80.0
    truth[7, 5:] = 50.0
    said = truth if median is None else median
    return replace(scene(days=10), truth=truth, quantiles={"p10": said, "p50": said, "p90": said})


def test_a_ramp_is_hit_in_time_and_missed_late_or_half_as_large() -> None:
    truth = hardly_moving().truth
    hits = [measured(hardly_moving(said)).of("ramp_hits") for said in (truth, np.roll(truth, 1), truth * 0.6)]

    assert [(one.value, one.n) for one in hits] == [(1.0, 2), (0.0, 2), (0.0, 2)]


def test_a_ramp_is_hit_that_is_told_as_large_as_the_smallest_one_but_smaller_than_it_came() -> None:
    assert measured(hardly_moving(hardly_moving().truth * 0.7)).of("ramp_hits").value == 0.5


def test_a_ramp_that_never_came_is_a_false_alarm() -> None:
    said = hardly_moving().truth
    said[1, 3:] = 60.0

    assert measured(hardly_moving(said)).of("ramp_false_alarms").value == pytest.approx(1 / 3)


def test_a_fallback_counts_in_the_hours_whose_truth_is_known_as_any_other_measure() -> None:
    one = scene(days=10)
    one.level[:5] = 2
    one.truth[5:, 6:] = np.nan

    found = measured(one).of("fallback")

    assert found.n == measured(one).of("mae").n == 5 * 24 + 5 * 6
    assert found.value == pytest.approx(5 * 24 / found.n)
