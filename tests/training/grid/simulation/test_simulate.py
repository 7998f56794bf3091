"""The cache: what was simulated is read, what is half there is finished, what was changed is not believed."""

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tests.training.grid.simulation.scenes import ASKED, NEEDS_SIMULATOR
from training.grid.simulation.dataset import load
from training.grid.simulation.simulate import Simulated, simulate
from wattahead.domain.errors import Damaged, Refused
from wattahead.storage.objects import Bucket, open_bucket

pytestmark = NEEDS_SIMULATOR
STATES = 14


def quiet(_states: int) -> None:
    """Tell nobody."""


def done(bucket: Bucket, states: int = STATES, processes: int = 1) -> Simulated:
    return simulate(bucket, ASKED, states, processes=processes, progress=quiet)


def held(folder: Path) -> dict[str, bytes]:
    return {str(one.relative_to(folder)): one.read_bytes() for one in folder.rglob("*") if one.is_file()}


@pytest.fixture(scope="module")
def first(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give a folder with a finished set; nobody writes to it."""
    folder = tmp_path_factory.mktemp("first")
    assert not done(open_bucket(str(folder))).cached
    return folder


@pytest.fixture
def copy(first: Path, tmp_path: Path) -> Path:
    """Give a copy to spoil."""
    for name, body in held(first).items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(body)
    return tmp_path


def manifest_in(folder: Path) -> Path:
    return next(folder.rglob("manifest-*.json"))


def test_the_second_call_reads(first: Path) -> None:
    bucket = open_bucket(str(first))
    before = held(first)
    told = done(bucket)

    assert told.cached
    assert bucket.traffic["puts"] == 0
    assert held(first) == before


def test_what_is_read_is_as_large_as_asked_and_split_by_episode(first: Path) -> None:
    bucket = open_bucket(str(first))
    told = done(bucket)
    found = load(bucket, told.digest, STATES)

    assert len(found) == len(found.states) == STATES
    assert found.rho.shape == (STATES, len(found.actions), len(found.network.lines))
    assert found.network.name == told.network
    assert set(found.network.configurations) <= set(range(len(found.network.substations)))
    assert (np.diff(found.episode) >= 0).all()
    assert (found.step[np.flatnonzero(np.diff(found.episode)) + 1] == 0).all()
    assert np.isnan(found.rho_max).tolist() == found.failed.tolist()


def test_two_processes_write_the_bytes_of_one(first: Path, tmp_path: Path) -> None:
    done(open_bucket(str(tmp_path)), processes=2)
    one, two = held(first), held(tmp_path)

    assert {name: two[name] for name in one} == one  # the second process may be an episode ahead


def test_a_run_that_was_stopped_goes_on_and_ends_with_the_same_bytes(first: Path, tmp_path: Path) -> None:
    bucket = open_bucket(str(tmp_path))

    def impatient(states: int) -> None:
        if states > STATES // 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        simulate(bucket, ASKED, STATES, progress=impatient)
    left = held(tmp_path)
    assert 0 < len(left) < len(held(first))
    assert not any("manifest" in name for name in left)

    again = open_bucket(str(tmp_path))
    assert not done(again).cached
    assert again.traffic["puts"] == len(held(first)) - len(left)  # the episodes that were there are not made again
    assert held(tmp_path) == held(first)


def test_a_set_without_its_manifest_is_no_set(copy: Path, first: Path) -> None:
    manifest_in(copy).unlink()
    bucket = open_bucket(str(copy))
    name = next(copy.rglob("episode-*")).parent.name

    with pytest.raises(Refused, match="E_FEAT_MISSING"):
        load(bucket, name, STATES)
    assert not done(bucket).cached
    assert held(copy) == held(first)


def test_a_set_with_an_episode_missing_is_never_used_and_what_is_missing_is_made_again(copy: Path, first: Path) -> None:
    gone = next(copy.rglob("episode-00001-*"))
    gone.unlink()
    bucket = open_bucket(str(copy))

    with pytest.raises(Refused, match="E_FEAT_MISSING.*no whole set"):
        load(bucket, gone.parent.name, STATES)
    assert not done(bucket).cached
    assert held(copy) == held(first)


@pytest.mark.parametrize("name", ["episode-00001-*", "manifest-*"])
def test_a_changed_byte_is_refused_by_name_and_mended_as_the_error_says(copy: Path, first: Path, name: str) -> None:
    spoiled = next(copy.rglob(name))
    body = bytearray(spoiled.read_bytes())
    body[len(body) // 2] ^= 1
    spoiled.write_bytes(body)
    bucket = replace(open_bucket(str(copy)), pause=lambda _: None)

    for ask in (lambda: load(bucket, spoiled.parent.name, STATES), lambda: done(bucket)):
        with pytest.raises(Damaged, match=f"{spoiled.name}.* is not what was written.*delete it, and simulate again"):
            ask()
    spoiled.unlink()
    assert not done(bucket).cached
    assert held(copy) == held(first)


def test_an_episode_of_an_unfinished_set_that_was_changed_is_refused(copy: Path) -> None:
    manifest_in(copy).unlink()
    spoiled = next(copy.rglob("episode-00001-*"))
    spoiled.write_bytes(spoiled.read_bytes()[:-1])

    with pytest.raises(Damaged, match="episode-00001.* is not what was written"):
        done(replace(open_bucket(str(copy)), pause=lambda _: None))


def test_another_question_is_another_set_beside_the_first(copy: Path, first: Path) -> None:
    other = simulate(open_bucket(str(copy)), replace(ASKED, seed=1), 4, progress=quiet)

    assert not other.cached
    assert held(first).items() <= held(copy).items()
    assert other.folder != done(open_bucket(str(copy))).folder


def test_a_larger_set_goes_on_where_the_smaller_one_ended(copy: Path, first: Path) -> None:
    bucket = open_bucket(str(copy))
    larger = done(bucket, STATES + 4)
    small, large = load(bucket, larger.digest, STATES), load(bucket, larger.digest, STATES + 4)

    assert bucket.traffic["puts"] == len(held(copy)) - len(held(first))
    assert np.array_equal(large.take(slice(STATES)).rho, small.rho, equal_nan=True)


def test_a_cached_set_is_read_without_the_simulator_and_without_what_forecasts_need(first: Path) -> None:
    sampling = ASKED.sampling
    program = (
        "import sys; from training.grid.commands import main\n"
        "from training.grid.simulation import simulate, question, sampling\n"
        f"asked = question.Question({ASKED.environment!r}, sampling=sampling.{sampling!r})\n"
        "from wattahead.storage.objects import open_bucket\n"
        f"done = simulate.simulate(open_bucket({str(first)!r}), asked, {STATES}, progress=lambda _: None)\n"
        "assert done.cached\n"
        "heavy = {'grid2op', 'lightsim2grid', 'pandas', 'scipy', 'lightgbm', 'pyarrow', 'pydantic', 'training.train'}\n"
        "assert not heavy & set(sys.modules), heavy & set(sys.modules)\n"
    )
    subprocess.run([sys.executable, "-c", program], check=True)


def test_the_command_says_what_it_did_and_the_second_time_that_it_read(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    from training.grid.commands import main

    asked = ["simulate", "--env", ASKED.environment, "--states", "5", "--most-actions", "20", "--bucket", str(tmp_path)]
    assert main(asked) == 0
    before = capfd.readouterr().err
    assert main(asked) == 0
    after = capfd.readouterr().err

    assert "simulated: datasets/workload=grid_action/" in before
    assert "read from the cache: datasets/workload=grid_action/" in after
    assert "states with an overload" in after


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (["--env", "nowhere"], "ships no environment 'nowhere'"),
        (["--states", "99999999"], "99999999 states cannot be simulated"),
        (["--most-actions", "3"], "allow 9 or more"),
    ],
)
def test_a_question_that_cannot_be_answered_is_told_and_ends_with_64(
    wrong: list[str], said: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    from training.grid.commands import main

    assert main(["simulate", "--env", ASKED.environment, "--bucket", str(tmp_path), *wrong]) == 64
    assert said in " ".join(capfd.readouterr().err.split())
