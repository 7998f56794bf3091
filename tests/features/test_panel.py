"""The gate in time: which revision is seen, when, and what contradictions cost."""

import numpy as np
import numpy.typing as npt
from hypothesis import given
from hypothesis import strategies as st

from wattahead.domain.hours import HOUR
from wattahead.features.panel import Panel, panel

Floats = npt.NDArray[np.float64]
Row = tuple[int, int, int, float]  # series, valid hour, hour it became known, value


def _panel(rows: list[Row], *, series: int = 1, cells: int = 4) -> Panel:
    who, valid, known_at, value = (
        (np.array(column) for column in zip(*rows, strict=True)) if rows else np.empty((4, 0), dtype=np.int64)
    )
    return panel(
        who,
        valid * HOUR,
        known_at * HOUR,
        value.astype(float),
        series=series,
        start=0,
        end=cells * HOUR,
        step=HOUR,
        names=[f"S{n}" for n in range(series)],
    )


def _known(held: Panel, at: int, *, before: int = 4) -> list[list[float]]:
    return np.nan_to_num(held.known(np.array([at * HOUR]), before=before)[:, 0], nan=-1).tolist()


def test_the_newest_revision_known_at_the_issue_time_wins() -> None:
    held = _panel([(0, 0, 1, 5), (0, 0, 9, 7), (0, 0, 3, 6)])

    assert [_known(held, at, before=4)[0][4 - at] for at in (1, 2, 3, 4)] == [5, 5, 6, 6]


def test_a_cell_at_or_behind_the_issue_time_is_no_history() -> None:
    held = _panel([(0, 0, 0, 5), (0, 1, 0, 6), (0, 2, 0, 7)])

    assert _known(held, 1, before=2) == [[-1, 5]]


def test_cells_behind_the_issue_time_are_seen_when_asked_for() -> None:
    held = _panel([(0, 0, 0, 5), (0, 1, 0, 6), (0, 2, 9, 7)])

    known = held.known(np.array([HOUR]), before=1, after=2)

    np.testing.assert_array_equal(known, [[[5, 6, np.nan]]])


def test_cells_that_the_panel_does_not_reach_are_unknown() -> None:
    assert _known(_panel([(0, 0, 0, 5)], cells=1), 3) == [[-1, 5, -1, -1]]


def test_a_coarse_cell_is_held_over_the_fine_cells_in_it() -> None:
    coarse = _panel([(0, 0, 0, 5), (0, 0, 2, 6), (0, 1, 1, 7)], cells=2)

    fine = coarse.held(HOUR // 4)

    for at in range(3):
        issued = np.array([at * HOUR])
        expected = np.repeat(coarse.known(issued, before=2, after=2), 4, axis=2)
        np.testing.assert_array_equal(fine.known(issued, before=8, after=8), expected)


def test_rows_of_other_series_other_times_and_null_values_are_left_out() -> None:
    rows = [(-1, 0, 0, 1.0), (0, 9, 0, 2.0), (0, -1, 0, 3.0), (0, 1, 0, float("nan")), (0, 2, 0, float("inf"))]

    assert _known(_panel(rows), 4) == [[-1, -1, -1, -1]]


def test_a_null_revision_does_not_hide_the_value_before_it() -> None:
    assert _known(_panel([(0, 3, 4, 5), (0, 3, 4, float("nan"))]), 4) == [[-1, -1, -1, 5]]


def test_a_row_that_stands_twice_counts_once() -> None:
    held = _panel([(0, 0, 1, 5), (0, 0, 1, 5)])

    assert held.conflicts == {}
    assert held.values.shape == (1, 4, 1)


def test_no_rows_at_all_are_a_panel_that_knows_nothing() -> None:
    assert _known(_panel([], series=2), 4) == [[-1] * 4] * 2


def test_two_values_for_one_stamp_empty_their_own_series_and_name_it() -> None:
    held = _panel([(0, 0, 1, 5), (0, 1, 2, 5), (0, 1, 2, 6), (1, 1, 2, 8)], series=2)

    assert _known(held, 4) == [[-1] * 4, [-1, 8, -1, -1]]
    assert str(held.conflicts[0]) == (
        "E_TIME_CONFLICT: S0 has two values for 1970-01-01T01:00Z with one available_at. "
        "Fix: ingest a correction with a later available_at."
    )


def test_a_contradiction_known_later_changes_nothing_before() -> None:
    held = _panel([(0, 0, 1, 5), (0, 0, 3, 6), (0, 0, 3, 7)])

    assert [_known(held, at)[0].count(5) for at in (1, 2, 3)] == [1, 1, 0]


def test_a_later_correction_heals_a_contradiction() -> None:
    held = _panel([(0, 0, 1, 5), (0, 0, 1, 6), (0, 1, 2, 8), (0, 0, 3, 7)])

    assert _known(held, 2) == [[-1, -1, -1, -1]]
    assert _known(held, 3, before=3) == [[7, 8, -1]]
    assert held.conflicts == {}


def test_what_came_true_is_the_last_revision_known_by_then() -> None:
    held = _panel([(0, 0, 1, 5), (0, 0, 9, 7), (0, 1, 2, 6), (0, 2, 3, 1), (0, 2, 3, 2)])

    np.testing.assert_array_equal(held.settled(8 * HOUR), [[5, 6, np.nan, np.nan]])
    np.testing.assert_array_equal(held.settled(9 * HOUR), [[7, 6, np.nan, np.nan]])


@given(
    st.lists(
        st.tuples(st.integers(-1, 2), st.integers(-1, 4), st.integers(0, 9), st.sampled_from([0.0, 1.0, 2.5])),
        max_size=40,
    ),
    st.integers(0, 9),
)
def test_known_is_what_a_loop_over_rows_finds(rows: list[Row], at: int) -> None:
    known = _panel(rows, series=3).known(np.array([at * HOUR]), before=9, after=9)[:, 0]

    np.testing.assert_array_equal(
        known, [_loop([row[1:] for row in rows if row[0] == series], at) for series in range(3)]
    )


def _loop(rows: list[tuple[int, int, float]], at: int) -> Floats:
    """Return cells from 9 before to 9 behind hour `at`, of which 0 to 3 are in the panel."""
    found = np.full(18, np.nan)
    for cell in range(max(at - 9, 0), min(at + 9, 4)):
        stamps = [known_at for valid, known_at, _ in rows if valid == cell and known_at <= at]
        values = {value for valid, known_at, value in rows if valid == cell and stamps and known_at == max(stamps)}
        if len(values) > 1:
            return np.full(18, np.nan)
        found[cell - at + 9] = values.pop() if values else np.nan
    return found
