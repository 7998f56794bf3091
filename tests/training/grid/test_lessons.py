"""What is learnt from, what is held back, and what a lesson is."""

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.training.grid.sets import made_up_dataset
from training.grid.lessons import Lesson, folds, lesson_of, split
from training.grid.trainers.bands import FOLDS, held_back
from wattahead.domain.errors import Refused
from wattahead.models.rows import Rows
from wattahead.models.screen import linear

EPISODES = st.lists(st.integers(0, 30), min_size=8, max_size=200).map(lambda held: np.array(sorted(held), np.int32))


@given(EPISODES, st.integers(0, 100))
def test_no_episode_stands_on_both_sides_of_a_split(episodes: np.ndarray, seed: int) -> None:
    if len(np.unique(episodes)) < 4:
        with pytest.raises(Refused, match="E_TRAIN_ROWS"):
            split(episodes, seed)
        return

    held = split(episodes, seed)

    assert not set(episodes[held].tolist()) & set(episodes[~held].tolist())
    assert held.any()
    assert not held.all()
    assert split(episodes, seed).tolist() == held.tolist()


@given(EPISODES, st.integers(2, 5), st.integers(0, 100))
def test_every_episode_lies_in_one_fold(episodes: np.ndarray, count: int, seed: int) -> None:
    found = folds(episodes, count, seed)

    assert all(len(set(found[episodes == one].tolist())) == 1 for one in np.unique(episodes))
    assert set(found.tolist()) == set(range(min(count, len(np.unique(episodes)))))


def test_what_is_said_of_a_held_back_episode_comes_from_a_fit_that_has_not_seen_it() -> None:
    lesson = lesson_of(made_up_dataset(60, 0))
    seen: list[set[int]] = []

    def fit(known: Lesson) -> Callable[[Rows], np.ndarray]:
        seen.append(set(known.episode.tolist()))
        number = len(seen) - 1.0
        return lambda rows: np.full(rows.block.shape[1], number)

    said = held_back(lesson, fit).reshape(len(lesson), -1)

    assert len(seen) == FOLDS
    for state, episode in enumerate(lesson.episode.tolist()):
        assert episode not in seen[int(said[state, 0])]


def test_a_lesson_holds_each_state_and_action_in_the_order_of_the_set() -> None:
    dataset = made_up_dataset(12, 0)

    lesson = lesson_of(dataset)

    assert lesson.rows.steps == len(dataset.actions)
    assert lesson.rows.column("action").reshape(12, -1)[5].tolist() == list(range(len(dataset.actions)))
    assert lesson.rho_max == pytest.approx(dataset.rho_max, nan_ok=True)
    assert np.isinf(lesson.truth[lesson.failed]).all()


def test_the_factor_times_the_linear_answer_is_the_true_loading() -> None:
    lesson = lesson_of(made_up_dataset(12, 0))

    back = np.exp(lesson.factor) * linear(lesson.rows)

    assert back[lesson.survived] == pytest.approx(lesson.rho_max.reshape(-1)[lesson.survived], rel=1e-6)


def test_some_states_of_a_lesson_are_what_they_were_among_all() -> None:
    lesson = lesson_of(made_up_dataset(12, 0))

    few = lesson.take(np.arange(12) % 3 == 0)

    assert len(few) == 4
    assert (
        few.matrix.tolist()
        == lesson.matrix.reshape(12, -1, len(lesson.rows.names))[::3].reshape(-1, len(lesson.rows.names)).tolist()
    )
