"""The goals of scoring at sizes that fit the suite; `make bench` measures all of them."""

from pathlib import Path

import pytest

from tests.perf import blended
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


@pytest.fixture(scope="module")
def mixed(tmp_path_factory: pytest.TempPathFactory) -> World:
    return make_world(tmp_path_factory.mktemp("mixed"), 1_000, blended.blended)


def test_a_batch_of_a_blend_costs_the_same_requests_and_its_bundle_has_no_more_files(mixed: World) -> None:
    files, size, _ = blended.loading(mixed)

    warm, cold = requests(mixed)

    assert warm == WARM
    assert cold == {"GET": WARM["GET"] + files, "PUT": WARM["PUT"]}
    assert files <= MOST_FILES
    assert size < blended.MOST_BYTES


def test_scoring_a_thousand_series_with_a_blend_costs_little_more_than_its_predictions_and_products(
    mixed: World,
) -> None:
    total, bare = blended.times(mixed, turns=TURNS)

    assert total / bare <= blended.BOUND * SLACK, f"{total:.3f} CPU s in all, {bare:.3f} of bare predictions"


def champion(world: World) -> str:
    return world.plan.pools["solar"].ladder[0].bundle_id
