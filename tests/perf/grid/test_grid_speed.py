"""What answers about a grid cost, at a size that fits the suite; `speed` and `screening` beside it measure all."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

from tests.perf.grid import world
from tests.training.grid.simulation.scenes import NEEDS_SIMULATOR
from wattahead.storage.objects import open_bucket

if TYPE_CHECKING:
    from tests.perf.grid.speed import Row

pytestmark = [pytest.mark.perf, *NEEDS_SIMULATOR]

FOURTEEN = "rte_case14_realistic"
SMALL = {"rounds": 30.0, "leaves": 15.0}


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> world.Learnt:
    bucket = open_bucket(str(tmp_path_factory.mktemp("bucket")))
    return world.learnt(bucket, FOURTEEN, states=80, most_actions=200, parameters=SMALL)


@pytest.fixture(scope="module")
def rows(made: world.Learnt) -> Iterator[dict[str, Row]]:
    from tests.perf.grid.speed import Scene, measured
    from training.grid.simulation.solver import Solver

    scene = Scene.of(Solver(FOURTEEN, 200), 6)
    yield {row.way: row for row in measured(scene, made.model, drawn=10, turns=2)}
    world.closed(scene.solver)


def test_the_linear_answer_costs_a_small_part_of_a_simulated_one_and_is_not_far_off(rows: dict[str, Row]) -> None:
    assert rows["linear answer"].each < rows["obs.simulate"].each / 20
    assert rows["linear answer"].error < 0.3
    assert rows["linear answer"].lines < 0.2


def test_the_batch_solvers_say_what_is_simulated_at_a_small_part_of_the_cost(rows: dict[str, Row]) -> None:
    for way in ("our solver, batch", "ContingencyAnalysis", "ScenarioSweep", "TimeSerie"):
        assert rows[way].error < 1e-5
        assert rows[way].lines < 1e-5
        assert rows[way].each < rows["obs.simulate"].each / 5


def test_on_fourteen_substations_a_screen_is_said_not_to_pay_against_the_batch(rows: dict[str, Row]) -> None:
    from tests.perf.grid.speed import conclusion, lines

    assert "does not pay" in conclusion(14, list(rows.values()))
    assert len(lines(list(rows.values()))) == 1 + len(rows)


def test_ten_verified_of_those_screened_come_close_to_the_best_of_all(made: world.Learnt) -> None:
    from tests.perf.grid.screening import BATCH, LINEAR, NOTHING, SCREEN, SIMULATE, same_candidates

    found = {one.way: one for one in same_candidates(made, FOURTEEN, 200, turns=1)}

    assert found[BATCH].regret == found[SIMULATE].regret == 0
    assert found[SCREEN].regret < found[NOTHING].regret / 5
    assert found[LINEAR].regret < found[NOTHING].regret / 5
    assert found[SCREEN].seconds < found[SIMULATE].seconds / 5
