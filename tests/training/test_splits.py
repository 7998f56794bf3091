"""Nothing that came true in a judged interval is learnt from, however far a sample reaches."""

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from training import splits, validation
from training.samples import Samples
from wattahead.domain.hours import DAY, HOUR, MINUTE
from wattahead.models.rows import Rows

WEEK = 7 * DAY
FIRST, DAYS = 20_000 * DAY, 140
UNTIL = FIRST + DAYS * DAY
EVERY = 6 * HOUR  # an issue time

Chosen = NDArray[np.bool_]
Split = Callable[[Samples], list[tuple[Chosen, Chosen]]]


def long(steps: int, step: int = HOUR) -> Samples:
    """Return samples of one zone whose horizon ends by UNTIL."""
    times = np.arange(FIRST, UNTIL - steps * step + 1, EVERY)
    count = len(times)
    rows = Rows(("DE",) * count, steps, ("lead",), np.zeros((1, count * steps), np.float32), np.ones(count))
    return Samples(rows, times, np.zeros(count * steps), np.zeros(count, dtype=np.int32), step)


def out_of_time(held: Samples) -> list[tuple[Chosen, Chosen]]:
    split = splits.out_of_time(held, UNTIL)
    return [(np.isin(held.issue_times, split.learn.issue_times), np.isin(held.issue_times, split.test.issue_times))]


SPLITS: dict[str, Split] = {
    "out_of_time": out_of_time,
    "early_stopping": lambda held: [splits.early_stopping(held)],
    "two folds": lambda held: splits.folds(held, 2),
    "four folds": lambda held: splits.folds(held, 4),
    "validation out_of_time": lambda held: [(p.learn, p.test) for p in validation.pairs(held, "out_of_time", UNTIL)],
    "validation k_fold": lambda held: [(p.learn, p.test) for p in validation.pairs(held, "k_fold", UNTIL)],
}


def intervals(held: Samples, chosen: Chosen) -> set[int]:
    """Return the beginnings of all intervals that samples reach over [µs]."""
    reached = held.issue_times[chosen][:, None] + np.arange(held.rows.steps) * held.step
    return set(reached.reshape(-1).tolist())


@pytest.mark.parametrize("name", SPLITS)
@pytest.mark.parametrize(
    ("steps", "step"), [(24, HOUR), (48, HOUR), (96, 15 * MINUTE), (144, 30 * MINUTE)], ids=["1d", "2d", "1d/4", "3d"]
)
def test_no_interval_is_both_learnt_from_and_judged(name: str, steps: int, step: int) -> None:
    held = long(steps, step)

    for learn, judged in SPLITS[name](held):
        assert learn.any()
        assert judged.any()
        assert not intervals(held, learn) & intervals(held, judged)


@given(hours=st.integers(1, 7 * 24), count=st.integers(2, 5))
def test_folds_hold_every_sample_back_once_and_learn_no_interval_that_they_hold_back(hours: int, count: int) -> None:
    held = long(hours)
    found = splits.folds(held, count)

    assert set(np.sum([away for _, away in found], axis=0).tolist()) == {1}
    for learn, away in found:
        apart = np.abs(held.issue_times[learn][:, None] - held.issue_times[away][None])
        assert apart.min(initial=10 * WEEK) >= max(DAY, hours * HOUR)
        assert learn.sum() > len(held) / 20


@given(hours=st.integers(1, 24), count=st.integers(2, 5))
def test_up_to_a_day_whole_weeks_are_held_back_with_a_day_between(hours: int, count: int) -> None:
    held = long(hours)
    week = held.issue_times // WEEK

    for number, (learn, away) in enumerate(splits.folds(held, count)):
        near = [(held.issue_times + side) // WEEK % count == number for side in (-DAY, DAY)]
        assert np.array_equal(away, week % count == number)
        assert np.array_equal(learn, ~(away | near[0] | near[1]))
