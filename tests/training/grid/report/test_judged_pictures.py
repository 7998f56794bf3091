"""Pictures of what models say: the measures they tell are those of the data, whatever is drawn."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.training.grid.report.test_pictures import drawn_by
from tests.training.grid.sets import made_up_dataset
from training.grid.evaluate import Said, action_means, measures
from training.grid.lessons import Lesson, lesson_of
from training.grid.report.judged_pictures import VERIFIED, accuracy, of_answers, regrets, typical, verifying


@pytest.fixture(scope="module")
def lesson() -> Lesson:
    return lesson_of(made_up_dataset(40, 0))


def perfect(lesson: Lesson) -> Said:
    known = np.nan_to_num(lesson.rho_max, nan=2.0)
    return Said(known, lesson.failed.astype(float), known, known)


def rough(lesson: Lesson, seed: int = 0) -> Said:
    near = perfect(lesson).rho_max * np.random.default_rng(seed).uniform(0.7, 1.4, lesson.failed.shape)
    return Said(near, np.zeros(lesson.failed.shape), near * 0.8, near * 1.2)


def test_who_knows_everything_regrets_nothing(lesson: Lesson) -> None:
    curves = regrets(lesson, {"all": perfect(lesson), "mean": action_means(lesson, lesson)})

    assert (curves["all"] == 0).all()
    assert len(curves["all"]) == VERIFIED
    assert curves["mean"][0] > 0


@settings(deadline=None, max_examples=20)
@given(st.integers(0, 2**32))
def test_who_verifies_more_regrets_no_more(seed: int) -> None:
    lesson = lesson_of(made_up_dataset(40, 0))

    curve = regrets(lesson, {"rough": rough(lesson, seed)})["rough"]

    assert (np.diff(curve) <= 1e-12).all()
    assert curve[4] == pytest.approx(measures(lesson, rough(lesson, seed))["regret_5"])


def test_the_picture_of_predictions_tells_how_many_how_far_off_and_how_often_within_the_band(lesson: Lesson) -> None:
    said = rough(lesson)
    found = measures(lesson, said)

    one = accuracy("test", lesson, "candidate", said)

    assert f"{int((~lesson.failed).sum()):,} actions in {len(lesson)} states" in one.caption
    assert f"RMSE {found['rmse']:.3f}" in one.caption
    assert f"covers {100 * found['coverage']:.0f} %" in one.caption
    assert "RMSE 0.000 up to 2; the band covers 100 %" in accuracy("test", lesson, "all", perfect(lesson)).caption
    assert "band" not in accuracy("test", lesson, "other", replace(said, low=None, high=None)).caption


def test_of_a_band_that_is_a_share_of_the_prediction_that_share_is_drawn() -> None:
    predicted = np.linspace(0.5, 1.9, 5000)
    edges = np.linspace(0.4, 2.0, 17)

    low, high = typical(predicted, (predicted * 0.9, predicted * 1.2), edges)

    known = np.isfinite(low)
    assert known.sum() >= 14
    assert low[known] / high[known] == pytest.approx(0.75)
    assert (low[known] >= 0.9 * edges[:-1][known]).all()
    assert (low[known] <= 0.9 * edges[1:][known]).all()


def test_regrets_are_drawn_and_told_of_every_model_also_where_there_are_none(lesson: Lesson) -> None:
    curves = regrets(lesson, {"candidate": perfect(lesson), "other": rough(lesson)})

    one = verifying("test", curves, len(lesson), (1e-4, 1.0))

    assert {line.get_label() for line in drawn_by(one).lines} == {"candidate", "other"}
    assert f"other {curves['other'][0]:.3f}, {curves['other'][4]:.3f}, {curves['other'][9]:.3f}" in one.caption
    assert "candidate 0.000, 0.000, 0.000" in one.caption


def test_each_set_has_its_picture_of_regret_and_the_first_that_of_predictions(lesson: Lesson) -> None:
    answers = {name: {"candidate": rough(lesson), "mean of the action": action_means(lesson, lesson)} for name in "ab"}

    made = of_answers({"a": lesson, "b": lesson}, answers)

    assert [one.alt.split(",")[0].split(" (")[0] for one in made] == [
        "Predicted and true highest loading on a",
        "Regret on a",
        "Regret on b",
    ]
