"""Trainers of screens learn what the linear answer lacks, and their bundles say the same wherever they are loaded."""

from dataclasses import replace

import numpy as np
import pytest

from tests.training.grid.sets import bent_dataset
from training import plugins
from training.grid import trainers
from training.grid.evaluate import measures, say
from training.grid.lessons import Lesson, lesson_of, split
from training.grid.trainers import TRAINERS, Fitted, known, trainer
from wattahead.domain.bundle import MANIFEST_VERSION, Manifest, Output
from wattahead.domain.errors import Refused
from wattahead.models.loading import load
from wattahead.models.rows import Model
from wattahead.models.screen import LinearFlows

OUTPUTS = ("p10", "p50", "p90", "fail")


def lessons() -> tuple[Lesson, Lesson]:
    """States in which actions do more than the linear answer says."""
    whole = lesson_of(bent_dataset(60, 1), parameters={"rounds": 40, "leaves": 15})
    held = split(whole.episode, 0)
    return whole.take(~held), whole.take(held)


def model_of(fitted: Fitted) -> Model:
    output = Output("rho", OUTPUTS, 0.0, 1e9, night_zero=False)
    manifest = Manifest(
        MANIFEST_VERSION, "grid_action", "screen", fitted.kind, fitted.features, 0.0, output, (), fitted.facts
    )
    return load(manifest, fitted.files)


@pytest.fixture(scope="module")
def fitted() -> dict[str, tuple[Fitted, Lesson]]:
    learn, test = lessons()
    return {name: (trainer(name).fit(learn, lambda _: None), test) for name in TRAINERS}


@pytest.mark.parametrize("name", TRAINERS)
def test_a_trained_screen_errs_less_than_the_linear_answer(fitted: dict[str, tuple[Fitted, Lesson]], name: str) -> None:
    made, test = fitted[name]

    ours = measures(test, say(model_of(made), test, OUTPUTS))
    linear = measures(test, say(LinearFlows(OUTPUTS), test, OUTPUTS))

    assert ours["rmse"] < linear["rmse"] / 2
    assert ours["overload_auc"] > 0.95
    assert 0.5 < ours["coverage"] <= 1
    assert "coverage" not in linear


@pytest.mark.parametrize("name", TRAINERS)
def test_what_is_said_of_a_state_does_not_depend_on_its_neighbours(
    fitted: dict[str, tuple[Fitted, Lesson]], name: str
) -> None:
    made, test = fitted[name]
    model = model_of(made)
    together = model.predict(test.rows).reshape(len(OUTPUTS), len(test), -1)

    alone = model.predict(test.rows.take(np.array([2])))

    assert alone.tolist() == together[:, 2].tolist()


@pytest.mark.parametrize("name", TRAINERS)
def test_the_same_lesson_gives_the_same_bytes(name: str) -> None:
    learn, _ = lessons()

    one, other = (trainer(name).fit(learn, lambda _: None).files for _ in range(2))

    assert one == other


@pytest.mark.parametrize("name", TRAINERS)
def test_quantiles_ascend_and_failure_is_a_probability(fitted: dict[str, tuple[Fitted, Lesson]], name: str) -> None:
    made, test = fitted[name]

    values = model_of(made).predict(test.rows)

    assert (np.diff(values[:3], axis=0) >= 0).all()
    assert ((values[3] >= 0) & (values[3] <= 1)).all()


def test_an_action_that_was_never_seen_is_served_by_what_all_share(fitted: dict[str, tuple[Fitted, Lesson]]) -> None:
    made, test = fitted["ridge"]
    block = test.rows.block.copy()
    block[test.rows.names.index("action")] = 5_000

    values = model_of(made).predict(replace(test.rows, block=block))

    assert np.isfinite(values).all()


@pytest.mark.parametrize(
    ("name", "file", "change"),
    [
        ("ridge", "ridge.json", lambda body: body.replace(b'"spread"', b'"spraed"')),
        ("ridge", "distances.json", lambda body: body.replace(b"p90", b"p95")),
        ("lightgbm", "distances.json", lambda body: b"{}"),
        ("lightgbm", "median.txt", lambda body: body[: len(body) // 2]),
    ],
)
def test_a_file_that_says_something_else_is_refused(
    fitted: dict[str, tuple[Fitted, Lesson]], name: str, file: str, change: object
) -> None:
    made, _ = fitted[name]

    with pytest.raises(Refused, match="E_BUNDLE_FILES"):
        model_of(replace(made, files={**made.files, file: change(made.files[file])}))  # type: ignore[operator]


@pytest.mark.parametrize("name", TRAINERS)
def test_an_action_that_changes_nothing_leaves_the_loading_that_is(
    fitted: dict[str, tuple[Fitted, Lesson]], name: str
) -> None:
    made, test = fitted[name]

    said = model_of(made).predict(test.rows).reshape(len(OUTPUTS), len(test), -1)[:, :, 0]

    now = test.rows.column("rho_now").reshape(len(test), -1)[:, 0]
    assert said[:3] == pytest.approx(np.stack([now] * 3))
    assert not said[3].any()


@pytest.mark.parametrize("name", TRAINERS)
def test_what_is_cut_off_without_a_flow_is_not_taken_for_unchanged(
    fitted: dict[str, tuple[Fitted, Lesson]], name: str
) -> None:
    made, test = fitted[name]
    block = test.rows.block.copy()
    for feature, value in {"moved": 1, "stiffness": 0, "largest_change": 0, "isolates": 0}.items():
        block[test.rows.names.index(feature)] = value

    values = model_of(made).predict(replace(test.rows, block=block))

    assert (values[2] > values[0]).all()


def test_an_unknown_trainer_is_refused_with_those_that_are_known() -> None:
    assert known()[:2] == ["lightgbm", "ridge"]
    with pytest.raises(Refused, match=r"E_CONFIG.*lightgbm, ridge"):
        trainer("oracle")


def test_a_trainer_may_come_from_another_package(monkeypatch: pytest.MonkeyPatch) -> None:
    class Point:
        name = "mine"

        def load(self) -> object:
            return "my trainer"

    monkeypatch.setattr(plugins, "entry_points", lambda *, group: [Point()] if group == trainers.GROUP else [])

    assert str(trainer("mine")) == "my trainer"
    assert known()[-1] == "mine"
