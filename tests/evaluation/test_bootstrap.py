import numpy as np
import pytest

from wattahead.evaluation.bootstrap import drawn, intervals


def mean(values: np.ndarray, seed: int = 1) -> tuple[float, float]:
    draws = drawn(len(values), seed=seed)
    low, high = intervals(values[:, None], np.ones((len(values), 1)), draws, np.asarray)
    return float(low[0]), float(high[0])


def test_every_draw_has_as_many_days_as_there_are() -> None:
    assert (drawn(17).sum(axis=1) == 17).all()


def test_the_same_seed_gives_the_same_interval_and_another_one_hardly_another() -> None:
    days = np.random.default_rng(3).normal(10, 2, 200)

    assert mean(days) == mean(days)
    assert mean(days) == pytest.approx(mean(days, seed=2), abs=0.1)


def test_the_interval_of_a_mean_is_the_one_that_theory_gives() -> None:
    days = np.random.default_rng(5).normal(10, 2, 400)
    half = 1.96 * days.std() / 20

    assert mean(days) == pytest.approx((days.mean() - half, days.mean() + half), abs=0.03)


def test_the_interval_holds_the_truth_about_as_often_as_it_says() -> None:
    random = np.random.default_rng(7)
    ends = [mean(random.normal(0, 1, 50)) for _ in range(200)]

    assert 0.88 <= np.mean([low <= 0 <= high for low, high in ends]) <= 0.99


def test_hours_of_one_day_do_not_count_as_many() -> None:
    random = np.random.default_rng(11)
    errors = np.repeat(random.normal(10, 2, 60), 24)  # one error a day, 24 times
    daily = errors.reshape(60, 24).sum(axis=1)[:, None]

    low, high = intervals(daily, np.full((60, 1), 24.0), drawn(60), np.asarray)
    naive_low, naive_high = mean(errors)

    assert float(high[0] - low[0]) > 3 * (naive_high - naive_low)


def test_fewer_than_five_days_give_no_interval() -> None:
    assert np.isnan(mean(np.arange(4.0))).all()
    assert np.isfinite(mean(np.arange(5.0))).all()


def test_a_slice_that_some_draws_do_not_hold_has_an_interval_all_the_same() -> None:
    top = np.zeros((200, 1))
    top[:6, 0] = np.arange(6.0)
    bottom = np.zeros((200, 1))
    bottom[:6] = 1

    low, high = intervals(top, bottom, drawn(200), np.asarray)

    assert 0 <= float(low[0]) < 2.5 < float(high[0]) <= 5
