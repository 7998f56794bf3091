"""A search is seeded, bounded, and kept trial by trial: whatever ends it, the same command goes on where it was."""

import re
import tomllib
from pathlib import Path

import pytest

from tests.journeys.stores import DictStore, bucket_of
from tests.journeys.world import UNTIL
from training import splits
from training.candidate import Material, material
from training.parsing import INTERRUPTED, USAGE
from training.question import taught_by
from training.trainers import TRAINERS
from training.trainers.protocol import Range
from training.tune import main
from training.tuned import compared, lines
from training.tuning import Question, Study, TimeIsOver, Trial, pinned, saved
from training.tuning_samplers import GRID, SAMPLERS, Search, Told, grid
from wattahead.domain.errors import Refused
from wattahead.domain.hours import DAY, iso
from wattahead.storage.catalogs import latest_catalog
from wattahead.storage.objects import open_bucket

SPACE = {"rounds": Range(10, 1000, log=True, whole=True), "share": Range(0.2, 1.0)}


def quiet(_said: object) -> None:
    pass


# --- which parameters come next --------------------------------------------------------------------------------------


class Loss:
    def __init__(self, loss: float) -> None:
        self.loss = loss


def valley(values: dict[str, float]) -> Loss:
    return Loss((values["rounds"] / 300 - 1) ** 2 + (values["share"] - 0.4) ** 2)


def chain(sampler: str, seed: int, count: int) -> list[Told]:
    over: list[Told] = []
    for _ in range(count):
        over.append(Search(SPACE, sampler, seed).next(over, valley)[1])
    return over


@pytest.mark.parametrize("sampler", SAMPLERS)
def test_the_same_seed_gives_the_same_trials_and_another_one_others(sampler: str) -> None:
    assert chain(sampler, 1, 6) == chain(sampler, 1, 6)
    assert chain(sampler, 1, 6) != chain(sampler, 2, 6)


def test_the_first_two_trials_are_as_far_apart_as_chance_puts_them() -> None:
    shares = [[told.values["share"] for told in chain("random", seed, 2)] for seed in range(30)]

    assert 0.15 < sum(abs(first - second) for first, second in shares) / 30 < 0.4  # a third of 0.8 on average


@pytest.mark.parametrize("sampler", SAMPLERS)
def test_every_trial_lies_within_the_space(sampler: str) -> None:
    for told in chain(sampler, 3, 9):
        assert all(SPACE[name].low <= value <= SPACE[name].high for name, value in told.values.items())
        assert told.values["rounds"] == int(told.values["rounds"])


def test_a_grid_visits_every_point_once() -> None:
    visited = {tuple(told.values.values()) for told in chain("grid", 1, GRID ** len(SPACE))}

    assert visited == {(rounds, share) for rounds in grid(SPACE)["rounds"] for share in grid(SPACE)["share"]}


def test_a_bayesian_search_comes_closer_than_it_began() -> None:
    losses = [told.loss for told in chain("bayesian", 1, 40)]

    assert sum(losses[30:]) < sum(losses[:10])


# --- a study in a bucket ---------------------------------------------------------------------------------------------


@pytest.fixture(autouse=True)
def _known(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(TRAINERS, "scaling", "tests.training.scaling")


@pytest.fixture(scope="module")
def told(untrained_world: DictStore) -> Material:
    bucket = bucket_of(untrained_world)
    return material(bucket, taught_by(latest_catalog(bucket)[1], "scaling"), "wind", until=UNTIL)


def study(told: Material, store: DictStore, sampler: str = "bayesian", strategy: str = "out_of_time") -> Study:
    return Study(bucket_of(store), told, Question("wind", "scaling", sampler, strategy, 1, UNTIL), "test")


@pytest.mark.parametrize("sampler", SAMPLERS)
def test_a_search_that_is_killed_in_any_trial_goes_on_to_the_same_trials(told: Material, sampler: str) -> None:
    whole = study(told, DictStore(), sampler)
    whole.go_on(4, quiet, quiet)
    store = DictStore()

    for number in range(5):

        def killed(said: str, number: int = number) -> None:
            if said == f"trial {number}: scaling":
                raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            study(told, store, sampler).go_on(4, killed, quiet)
        assert len(saved(bucket_of(store), "wind", "test")) == number
        study(told, store, sampler).go_on(number, quiet, quiet)
    assert saved(bucket_of(store), "wind", "test") == whole.trials


def test_a_search_that_is_over_runs_no_trial_again(told: Material) -> None:
    store = DictStore()
    study(told, store).go_on(2, quiet, quiet)
    before, ran = dict(store.objects), list[Trial]()

    again = study(told, store)
    again.go_on(2, quiet, ran.append)

    assert ran == []
    assert store.objects == before
    assert [trial.number for trial in again.trials] == [0, 1, 2]


def test_a_grid_ends_when_it_has_no_point_left(told: Material) -> None:
    one = study(told, DictStore(), "grid")

    one.go_on(50, quiet, quiet)

    assert len(one.trials) == 1 + GRID**2
    assert one.best().loss < one.trials[0].loss


@pytest.mark.parametrize("strategy", ["out_of_time", "k_fold"])
def test_no_trial_looks_at_the_days_on_which_a_candidate_is_judged(told: Material, strategy: str) -> None:
    one = study(told, DictStore(), strategy=strategy)

    one.go_on(1, quiet, quiet)

    assert all(max(trial.days) < (UNTIL - splits.OUT_OF_TIME_DAYS * DAY) // DAY for trial in one.trials)
    assert one.trials[0].parameters == {}


def test_a_name_that_stands_for_another_question_is_refused(told: Material) -> None:
    bucket = bucket_of(DictStore())
    asked = Question("wind", "scaling", "random", "k_fold", 1, UNTIL, "aa")
    pinned(bucket, asked, "test")

    with pytest.raises(Refused, match="study test of wind was begun with another digest"):
        pinned(bucket, Question("wind", "scaling", "random", "k_fold", 1, UNTIL, "bb"), "test")


# --- how sure it is --------------------------------------------------------------------------------------------------


def test_a_gain_on_every_day_is_told_with_its_interval_and_one_by_luck_as_noise() -> None:
    own = {day: (10.0 + day % 3, 24) for day in range(20)}
    better = {day: (total * 0.9, hours) for day, (total, hours) in own.items()}
    mixed = {day: (total * (0.5 if day % 2 else 1.49), hours) for day, (total, hours) in own.items()}

    assert compared(own, better) == "+10.0 % less loss (95 % interval +10.0 to +10.0 %)"
    assert compared(own, mixed).endswith(": no more than noise")
    assert compared(own, {1: (5.0, 24)}).endswith(": no more than noise")  # a day says nothing of others


def test_with_no_trial_over_it_is_said_what_has_been_tried(told: Material) -> None:
    one = study(told, DictStore())
    assert list(lines(one, quiet)) == ["nothing has been tried yet, not even the catalog's own parameters"]

    one.go_on(0, quiet, quiet)

    own, none = lines(one, quiet)
    assert own.startswith(f"the catalog's own parameters: loss {one.trials[0].loss:.5f} ")
    assert none == "no other trial is over yet"


@pytest.mark.parametrize("step", [0, 1, 2, 3])
def test_a_comparison_that_the_time_does_not_allow_is_left_out_and_the_rest_is_told(told: Material, step: int) -> None:
    one = study(told, DictStore())
    one.go_on(3, quiet, quiet)
    heard = list[str]()
    whole = list(lines(one, heard.append))

    def over(said: str) -> None:
        heard.append(said)
        if len(heard) > step:
            raise TimeIsOver

    assert len(heard) == 4  # two trainings, and two words of each
    heard.clear()
    found = list(lines(one, over))

    assert len(heard) == step + 1
    assert [found[:-2], found[-1]] == [whole[:-2], whole[-1]]
    assert whole[-2].startswith("on the ")
    assert found[-2].startswith("the time is over: not compared on the later days")


# --- the command -----------------------------------------------------------------------------------------------------


def test_the_command_ends_with_a_line_that_the_catalog_takes(
    untrained_world: DictStore, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bucket = open_bucket(str(tmp_path))
    for key, body in untrained_world.objects.items():
        bucket.create(key, body)
    asked = ["wind", "--bucket", str(tmp_path), "--trainer", "scaling", "--trials", "6"]

    code = main([*asked, "--until", iso(UNTIL)])
    said = capsys.readouterr().err
    again = main(asked)  # the study knows until when its data goes

    assert (code, again) == (0, 0)
    line = tomllib.loads(said[said.index("[pools.wind]") :])["pools"]["wind"]["parameters"]
    assert set(line) == {"factor", "shift"}
    assert re.search(r"the best of 6 trials, number \d: loss 0\.\d+, \+\d", said)
    assert "later days that no trial has seen: +" in said
    unbroken = capsys.readouterr().err
    assert unbroken[unbroken.index("the catalog's own") :] == said[said.index("the catalog's own") :]
    assert "trial 1:" not in unbroken


def test_a_command_without_time_left_or_stopped_says_how_to_go_on(
    untrained_world: DictStore, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    bucket = open_bucket(str(tmp_path))
    for key, body in untrained_world.objects.items():
        bucket.create(key, body)
    asked = ["wind", "--bucket", str(tmp_path), "--trainer", "scaling", "--trials", "2", "--until", iso(UNTIL)]

    assert main([*asked, "--timeout", "PT0H"]) == 0
    said = capsys.readouterr().err
    assert "the time is over after 0 trials; more: the same command" in said
    assert "nothing has been tried yet, not even the catalog's own parameters" in said

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("tests.training.scaling.learnt", interrupt)
    assert main(asked) == INTERRUPTED
    assert "the same command goes on where it was" in capsys.readouterr().err
    assert main(["wind", "--bucket", str(tmp_path), "--trainer", "seasonal_naive"]) == 64
    assert "trainer seasonal_naive has nothing to search" in capsys.readouterr().err


@pytest.mark.parametrize("trials", ["-3", "0", "some"])
def test_a_number_of_trials_that_is_none_is_refused(trials: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["wind", "--trials", trials])

    assert ended.value.code == USAGE
    assert f"argument --trials: {trials} is no number of trials" in capsys.readouterr().err


def test_a_search_whose_trials_are_over_but_not_its_time_ends_without_the_comparison(
    untrained_world: DictStore, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bucket = open_bucket(str(tmp_path))
    for key, body in untrained_world.objects.items():
        bucket.create(key, body)
    asked = ["wind", "--bucket", str(tmp_path), "--trainer", "scaling", "--trials", "3"]
    assert main([*asked, "--until", iso(UNTIL)]) == 0
    assert "later days that no trial has seen: +" in capsys.readouterr().err

    assert main([*asked, "--timeout", "PT0H"]) == 0

    said = capsys.readouterr().err
    assert "the time is over: not compared on the later days" in said
    assert "[pools.wind]" in said


def test_a_search_until_a_time_to_come_is_refused(
    untrained_world: DictStore, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bucket = open_bucket(str(tmp_path))
    for key, body in untrained_world.objects.items():
        bucket.create(key, body)

    assert main(["wind", "--bucket", str(tmp_path), "--until", "2199-01-01T00:00Z"]) == USAGE
    assert "--until 2199-01-01T00:00Z is ahead of the clock" in capsys.readouterr().err
    assert not bucket.keys("tuning")
