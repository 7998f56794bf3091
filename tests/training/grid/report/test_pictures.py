"""Pictures of simulated sets: their order, what they mark, and that what they say is what the data holds."""

import re
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import PathPatch, Rectangle
from matplotlib.path import Path

from tests.training.grid.sets import made_up_dataset
from training.grid.evaluate import CAP
from training.grid.report import pictures
from training.grid.report.pictures import (
    FAILS,
    SHADES,
    Drawing,
    Response,
    heat_map,
    highest,
    instructive,
    of_set,
    relief,
    response,
    shaded,
)
from training.grid.report.shades import BLANK, cells
from training.grid.simulation.dataset import Dataset
from wattahead.domain.errors import Refused
from wattahead.grid.candidates import Candidates

STATES = 40
some_state = st.integers(0, STATES - 1)


def made() -> Dataset:
    return made_up_dataset(STATES, 0)


def reduced(dataset: Dataset, kept: int = 3) -> Dataset:
    """Return a set of which only the highest loadings of each action were kept, as of a large network."""
    order = np.argsort(-dataset.rho, axis=2, kind="stable")[:, :, :kept]
    return replace(dataset, rho=np.take_along_axis(dataset.rho, order, axis=2), lines=order.astype(np.int16))


def drawn_by(one: Drawing) -> Axes:
    axes = Figure().add_subplot()
    one.draw(axes)
    return axes


def area(path: Path) -> float:
    corners = np.asarray(path.vertices).reshape(-1, 5, 2)
    return float(np.abs(np.prod(corners[:, 2] - corners[:, 0], axis=1)).sum())


@given(some_state)
def test_actions_stand_by_the_highest_loading_after_them_and_those_that_fail_last(state: int) -> None:
    found = response(made(), state)

    after = np.nan_to_num(made().rho_max[state, found.actions].astype(float), nan=np.inf)
    assert np.array_equal(found.highest, after)
    assert (np.sort(after) == after).all()
    assert sorted(found.actions.tolist()) == list(range(len(made().actions)))


@given(some_state)
def test_lines_stand_by_their_loading_now(state: int) -> None:
    now = made().states.rho(made().network)[state]

    lines = response(made(), state).lines

    assert (np.diff(now[lines]) <= 0).all()
    assert sorted(lines.tolist()) == list(range(len(made().network.lines)))


@given(some_state)
def test_each_cell_is_of_its_line_and_action_also_where_only_the_highest_were_kept(state: int) -> None:
    whole, few = response(made(), state), response(reduced(made()), state)

    assert np.array_equal(
        whole.loading, made().rho[state][np.ix_(whole.actions, whole.lines)].T.astype(float), equal_nan=True
    )
    known = np.isfinite(few.loading)
    lives = np.isfinite(few.highest)
    assert np.array_equal(few.loading[known], whole.loading[known])
    assert (known.sum(axis=0) == np.where(lives, 3, 0)).all()
    assert np.array_equal(few.loading[:, lives].max(axis=0, where=known[:, lives], initial=0), few.highest[lives])


@given(some_state)
def test_actions_that_fail_are_marked_in_every_row_and_no_other_is(state: int) -> None:
    for dataset in (made(), reduced(made())):
        found = response(dataset, state)

        marked = shaded(found) == FAILS

        assert (marked == dataset.failed[state, found.actions]).all()


@given(some_state)
def test_colours_turn_at_the_limit(state: int) -> None:
    found = response(made(), state)
    orange = np.array([shade.name == "truth" for shade in SHADES])

    lives = np.isfinite(found.highest)

    assert np.array_equal(orange[shaded(found)[1:, lives]], found.loading[:, lives] > 1.0)
    at_the_limit = Response(found.actions[:1], found.lines[:1], np.ones(1), np.ones((1, 1)))
    assert not orange[shaded(at_the_limit)].any()


@settings(deadline=None, max_examples=40)
@given(st.integers(1, 6), st.integers(1, 12), st.integers(0, 2**32))
def test_every_cell_is_painted_once_in_its_shade(rows: int, columns: int, seed: int) -> None:
    kinds = np.random.default_rng(seed).integers(BLANK, len(SHADES), (rows, columns))
    axes = Figure().add_subplot()
    tops = np.stack([np.arange(rows), np.arange(rows) + 1], axis=1)

    cells(axes, kinds, SHADES, np.arange(columns + 1), tops)

    painted = [(one.get_alpha(), area(one.get_path())) for one in axes.patches if isinstance(one, PathPatch)]
    there = [number for number in range(len(SHADES)) if (kinds == number).any()]
    assert painted == [(SHADES[number].strength, float((kinds == number).sum())) for number in there]


def test_the_default_state_is_an_overloaded_one_that_nothing_relieves_more_than_its_best_action() -> None:
    after = np.minimum(highest(made()), CAP)
    gained, over = after[:, 0] - after.min(axis=1), made().rho_max[:, 0] > 1

    chosen = instructive(made())

    assert over[chosen]
    assert gained[chosen] == gained[over].max()
    calm = made().take(~over)
    assert highest(calm)[instructive(calm), 0] <= 1


def test_the_caption_counts_what_the_data_holds_and_names_the_best() -> None:
    state = instructive(made())
    after = highest(made())[state]
    candidates = Candidates(made().network)

    caption = heat_map(made()).caption

    counted = re.search(r"(\d+) of (\d+) actions leave no line above its limit, (\d+) fail", caption)
    assert counted
    assert [int(one) for one in counted.groups()] == [(after <= 1).sum(), len(after), np.isinf(after).sum()]
    assert f"State {state} of five" in caption
    assert f"highest loading {after[0]:.2f}" in caption
    best = np.argsort(after, kind="stable")[:3]
    for place, action in enumerate(best.tolist()):
        assert f"({place + 1}) {candidates.words(candidates.actions[action])}, {after[action]:.2f}" in caption
    assert "Shown" not in caption


def test_of_a_large_network_the_first_are_shown_with_doing_nothing_and_it_says_so(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name, value in {"MOST_ACTIONS": 10, "FIRST_ACTIONS": 4, "MOST_LINES": 6, "FIRST_LINES": 5}.items():
        monkeypatch.setattr(pictures, name, value)
    dataset = reduced(made())

    for state in range(STATES):
        found = response(dataset, state)
        best = np.argsort(highest(dataset)[state], kind="stable")[:4].tolist()
        assert found.actions.tolist() == (best if 0 in best else [*best, 0])
        assert len(found.lines) == 5
    caption = heat_map(dataset).caption
    assert "the 4 best of 39 actions, and doing nothing" in caption
    assert "5 lines of 8" in caption
    assert "not among the 3 highest" in caption


def test_every_line_and_the_best_actions_are_named_in_the_picture() -> None:
    axes = drawn_by(heat_map(made()))

    rows = [label.get_text() for label in axes.get_yticklabels()]
    now = made().states.rho(made().network)[instructive(made())]
    assert rows == ["highest", *(made().network.lines[line].name for line in np.argsort(-now))]
    told = " ".join(one.get_text() for one in axes.texts)
    assert all(word in told for word in ("1", "2", "3", "nothing"))


def test_a_state_that_is_not_there_is_refused() -> None:
    for state in (-1, STATES):
        with pytest.raises(Refused, match=f"from 0 to {STATES - 1}"):
            heat_map(made(), state)


def test_a_set_in_which_nothing_is_survived_is_drawn_too() -> None:
    dark = replace(made(), rho=np.full_like(made().rho, np.nan), failed=np.ones_like(made().failed))

    caption = heat_map(dark).caption

    assert "doing nothing fails; 0 of 39 actions leave no line above its limit, 39 fail." in caption
    assert "Best" not in caption
    assert "median relief of all 0 states is unknown" in relief(dark).caption
    assert len(of_set(dark)) == 2


@given(st.sets(some_state, min_size=1), st.booleans())
@settings(deadline=None, max_examples=15)
def test_every_state_with_a_loading_counts_once_in_the_distribution_of_reliefs(
    chosen: set[int], nothing_fails: bool
) -> None:
    dataset = made().take(np.array(sorted(chosen)))
    failed, rho = dataset.failed.copy(), dataset.rho.copy()
    failed[0, 0], rho[0, 0] = nothing_fails, np.nan if nothing_fails else rho[0, 0]
    dataset = replace(dataset, failed=failed, rho=rho)

    drawing = relief(dataset)

    bars = [one for one in drawn_by(drawing).patches if isinstance(one, Rectangle)]
    assert sum(bar.get_height() for bar in bars) == len(chosen) - nothing_fails
    assert f"of all {len(chosen) - nothing_fails} states" in drawing.caption
    after = highest(dataset)[nothing_fails:]
    over = after[:, 0] > 1
    relieved = int((after[over].min(axis=1) <= 1).sum()) if over.any() else 0
    if over.any():
        assert f"{100 * relieved / over.sum():.0f} % of {over.sum():,} overloaded states" in drawing.caption
    else:
        assert "There are no overloaded states" in drawing.caption


def test_pictures_take_all_their_colours_from_the_page_and_are_told_in_words() -> None:
    for one in of_set(made()):
        assert not re.search(r"#[0-9a-f]{6}\b", one.svg)
        assert {"var(--ours)", "var(--truth)"} <= set(re.findall(r"var\(--\w+\)", one.svg))
        assert one.caption in one.alt
    assert [one.svg for one in of_set(made())] == [one.svg for one in of_set(made())]
