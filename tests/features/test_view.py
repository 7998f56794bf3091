"""What a feature may look at."""

import numpy as np

from wattahead.domain.hours import DAY, HOUR
from wattahead.features.view import View


def _view(target: list[float], *, scale: float = 1.0, steps: int = 2) -> View:
    """Return one series whose last known hours are `target`, at the end of 1970-02-01."""
    history = np.full((1, 1, 28 * 24), np.nan)
    history[0, 0, len(history[0, 0]) - len(target) :] = target
    return View(np.array([32 * DAY]), steps, HOUR, history, np.array([[scale]]), {}, np.zeros(1), np.zeros(1))


def test_valid_times_begin_at_the_issue_time() -> None:
    assert _view([]).valid_times.tolist() == [[32 * DAY, 32 * DAY + HOUR]]


def test_history_is_in_units_of_the_scale() -> None:
    np.testing.assert_array_equal(_view([10, 30], scale=20).history[0, 0, -2:], [0.5, 1.5])


def test_the_same_time_of_day_is_counted_back_from_the_valid_time() -> None:
    view = _view([float(hour) for hour in range(48)])

    np.testing.assert_array_equal(view.same_time[:3, 0, 0], [[24, 25], [0, 1], [np.nan, np.nan]])


def test_known_days_count_only_days_that_are_known() -> None:
    view = _view([1.0] * 24 + [np.nan] + [1.0] * 23)

    assert view.known_days[:3, 0, 0].tolist() == [[0, 1], [1, 2], [1, 2]]


def test_the_newest_known_value_is_found_behind_a_gap() -> None:
    assert _view([1.0, np.nan, np.nan]).newest.tolist() == [[2]]


def test_a_series_without_values_has_no_newest_one() -> None:
    assert _view([]).newest.tolist() == [[28 * 24]]


def test_a_value_is_known_where_there_is_no_scale() -> None:
    assert _view([0.0], scale=float("nan")).newest.tolist() == [[0]]
