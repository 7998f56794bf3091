"""Which actions get a row, in which order, and what may leave."""

import numpy as np
import pytest

from tests.grid.worlds import FIVE, balanced, pool, reference
from wattahead.domain.bundle import Rung
from wattahead.domain.plan import Batch, Plan, PlannedGrids
from wattahead.domain.quality import Quality
from wattahead.grid.candidates import Candidates
from wattahead.models.rows import Floats, Model, Rows
from wattahead.models.screen import LinearFlows
from wattahead.workloads.grid_action import screening
from wattahead.workloads.grid_action.sample import COLUMNS
from wattahead.workloads.grid_action.screening import guarded, order, screened
from wattahead.workloads.protocol import Task

OUTPUTS = ("p10", "p50", "p90", "fail")
CANDIDATES = Candidates(FIVE)
STATES = reference(FIVE, balanced(FIVE, 3, np.random.default_rng(0)))


class Told:
    """A model that says what it is told of every action, whatever the state."""

    def __init__(self, middle: dict[int, float], fail: dict[int, float]) -> None:
        self.middle, self.fail = middle, fail

    def usable(self, rows: Rows) -> np.ndarray:
        return np.ones(len(rows.zones), dtype=bool)

    def predict(self, rows: Rows) -> Floats:
        actions = rows.column("action").astype(int).tolist()
        middle = np.array([self.middle.get(one, 1.0) for one in actions])
        return np.stack([middle - 0.1, middle, middle + 0.1, [self.fail.get(one, 0.0) for one in actions]])


def task(model: Model) -> Task:
    held = PlannedGrids("screen", "grid_action", pool(FIVE, ("one",)), FIVE, tuple(COLUMNS), ())
    rung = Rung("champion", "f" * 64, "screen", ())
    batch = Batch("screen-0000", "screen", 0, ("one",))
    return Task(Plan(0, "live", "", 1, {"screen": held}, (batch,)), batch, (rung,), lambda _: model, "0" * 16)


def test_the_best_actions_come_first_and_doing_nothing_is_among_them_with_its_rank() -> None:
    model = Told({7: 0.2, 3: 0.3, 20: 0.4}, {})

    ranked, _ = screened(task(model), "one", CANDIDATES, STATES, OUTPUTS, top=4)

    assert ranked.actions[:, :3].tolist() == [[7, 3, 20]] * 3
    assert ranked.rank[:, :3].tolist() == [[1, 2, 3]] * 3
    assert (ranked.actions == 0).sum(axis=1).tolist() == [1, 1, 1]
    assert ranked.actions.shape == (3, 5)


def test_doing_nothing_keeps_a_row_when_it_is_the_worst_of_all() -> None:
    model = Told({0: 9.0}, {})

    ranked, _ = screened(task(model), "one", CANDIDATES, STATES, OUTPUTS, top=4)

    assert ranked.actions[:, -1].tolist() == [0, 0, 0]
    assert ranked.rank[:, -1].tolist() == [len(CANDIDATES.actions)] * 3


def test_an_action_that_likely_fails_stands_behind_all_others() -> None:
    model = Told({7: 0.2, 3: 0.3}, {7: 0.6})

    ranked, _ = screened(task(model), "one", CANDIDATES, STATES, OUTPUTS, top=4)

    assert ranked.actions[:, 0].tolist() == [3, 3, 3]
    assert 7 not in ranked.actions


def test_a_model_is_asked_about_the_most_promising_only_where_there_are_too_many(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    whole, _ = screened(task(LinearFlows(OUTPUTS)), "one", CANDIDATES, STATES, OUTPUTS, top=5)
    monkeypatch.setattr(screening, "ASKED", 9)
    asked: list[int] = []

    class Counting(LinearFlows):
        def predict(self, rows: Rows) -> Floats:
            asked.append(rows.steps)
            return super().predict(rows)

    few, _ = screened(task(Counting(OUTPUTS)), "one", CANDIDATES, STATES, OUTPUTS, top=5)

    assert asked == [9]
    assert (few.actions == 0).sum(axis=1).tolist() == [1, 1, 1]
    best = whole.actions != 0
    assert few.actions[few.actions != 0].tolist() == whole.actions[best].tolist()


def test_states_in_parts_are_answered_as_they_are_together(monkeypatch: pytest.MonkeyPatch) -> None:
    together, _ = screened(task(LinearFlows(OUTPUTS)), "one", CANDIDATES, STATES, OUTPUTS, top=5)
    monkeypatch.setattr(screening, "CELLS", 1)

    parts, climbed = screened(task(LinearFlows(OUTPUTS)), "one", CANDIDATES, STATES, OUTPUTS, top=5)

    assert parts.actions.tolist() == together.actions.tolist()
    assert parts.values == pytest.approx(together.values, rel=1e-5)
    assert len(climbed.level) == 3


def test_crossing_quantiles_and_impossible_numbers_are_put_right_and_flagged() -> None:
    values = np.array([[[0.5, -0.2, 0.3]], [[0.4, 0.1, 0.5]], [[0.6, 0.2, 0.6]], [[0.1, 1.3, 0.2]]])

    safe, flags = guarded(values)

    assert safe[:, 0].T.tolist() == [[0.4, 0.5, 0.6, 0.1], [0.0, 0.1, 0.2, 1.0], [0.3, 0.5, 0.6, 0.2]]
    assert flags.tolist() == [[Quality.REORDERED, Quality.CLIPPED, 0]]


def test_equal_loadings_stay_in_the_order_of_the_candidates() -> None:
    assert order(np.ones((1, 4)), np.array([[0.0, 0.9, 0.0, 0.0]])).tolist() == [[0, 2, 3, 1]]
