"""The goals of scoring at sizes that fit the suite; `make bench` measures all of them."""

from pathlib import Path

import pytest

from tests.perf.bench import BOUNDS, MOST_FILES, MOST_MEMORY, WARM, requests, times
from tests.perf.meter import fresh_process
from tests.perf.workload import World, make_world

pytestmark = pytest.mark.perf

SLACK = 1.25  # machines that run tests are busy with other things
TURNS = 4


@pytest.fixture(scope="module")
def hundred(tmp_path_factory: pytest.TempPathFactory) -> World:
    return make_world(tmp_path_factory.mktemp("hundred"), 100)


@pytest.fixture(scope="module")
def thousand(tmp_path_factory: pytest.TempPathFactory) -> World:
    return make_world(tmp_path_factory.mktemp("thousand"), 1_000)


def test_a_warm_batch_costs_two_get_and_two_put_and_a_cold_one_a_get_per_bundle_file(hundred: World) -> None:
    bundle_files = list(Path(hundred.folder, "models/bundles/solar", champion(hundred)).iterdir())

    warm, cold = requests(hundred)

    assert warm == WARM
    assert cold == {"GET": WARM["GET"] + len(bundle_files), "PUT": WARM["PUT"]}
    assert len(bundle_files) <= MOST_FILES


def test_scoring_a_thousand_series_costs_little_more_than_the_bare_predictions(thousand: World) -> None:
    total, bare = times(thousand, turns=TURNS)

    assert total / bare <= BOUNDS[1_000] * SLACK, f"{total:.3f} CPU s in all, {bare:.3f} of bare predictions"


def test_scoring_a_thousand_series_fits_a_small_worker(thousand: World) -> None:
    peak = float(fresh_process("-m", "tests.perf.workload", str(thousand.folder)))
    thousand.forget()

    assert peak < MOST_MEMORY


def champion(world: World) -> str:
    return world.plan.pools["solar"].ladder[0].bundle_id
