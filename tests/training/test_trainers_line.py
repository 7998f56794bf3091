"""Lines: the least absolute error, ridges that draw to what is shared, and going on where trees stop."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.optimize import linprog

from tests.training.lessons import FEATURES, fitted, lesson, loaded, samples, windy
from training.samples import Samples
from training.trainers import linear
from training.trainers.linear import Learner, Line, Seen, shrunk
from wattahead.domain.hours import DAY
from wattahead.models.linear import from_json
from wattahead.models.rows import Floats, Rows

NAMES = ("linear", "lightgbm", "ensemble")
WEEK = 7 * DAY


def problem(seed: int, *, rows: int = 60) -> tuple[Floats, Floats]:
    draw = np.random.default_rng(seed)
    design = np.column_stack([draw.normal(0, 1, (rows, 3)), np.ones(rows)])
    return design, design @ [1.0, -2.0, 0.5, 0.3] + draw.laplace(0, 1, rows)


def loss(design: Floats, target: Floats, found: Floats) -> float:
    return float(np.abs(target - design @ found).sum())


def seen(design: Floats, target: Floats) -> Seen:
    return Seen(design, target, np.ones(len(target)), np.zeros(len(target), dtype=np.int64))


@settings(max_examples=40)
@given(st.integers(0, 10_000))
def test_without_a_ridge_the_line_has_almost_the_least_absolute_error_there_is(seed: int) -> None:
    design, target = problem(seed)
    rows, count = design.shape
    cost = np.concatenate([np.zeros(count), np.ones(2 * rows)])
    equal = np.hstack([design, np.eye(rows), -np.eye(rows)])
    best = linprog(cost, A_eq=equal, b_eq=target, bounds=[(None, None)] * count + [(0, None)] * 2 * rows).fun

    found = shrunk(seen(design, target), np.zeros(4), 0.0)
    squares = np.linalg.lstsq(design, target, rcond=None)[0].astype(np.float64)

    assert best * (1 - 1e-9) <= loss(design, target, found) <= best * 1.05  # five passes of reweighting, and 60 rows
    assert loss(design, target, found) <= loss(design, target, squares) * (1 + 1e-9)


def test_a_strong_ridge_leaves_the_prior_and_a_weak_one_leaves_the_data() -> None:
    design, target = problem(1, rows=4000)
    prior = np.array([5.0, 5.0, 5.0, 5.0])

    strong, medium, weak = (shrunk(seen(design, target), prior, strength) for strength in (1e12, 1e4, 1e-3))

    np.testing.assert_allclose(strong, prior, atol=1e-6)
    np.testing.assert_allclose(weak, [1.0, -2.0, 0.5, 0.3], atol=0.1)
    away = [float(np.linalg.norm(one - prior)) for one in (strong, medium, weak)]
    assert away == sorted(away)


def test_without_rows_the_prior_stays() -> None:
    prior = np.arange(4.0)

    assert shrunk(seen(np.zeros((0, 4)), np.zeros(0)), prior, 1.0) is prior


def test_rows_of_no_weight_say_nothing() -> None:
    design, target = problem(3, rows=200)
    first = np.arange(200) < 100
    wrong = Seen(design, np.where(first, target, 99.0), first.astype(np.float64), np.zeros(200, dtype=np.int64))

    half = shrunk(seen(design[:100], target[:100]), np.zeros(4), 0.0)

    np.testing.assert_allclose(shrunk(wrong, np.zeros(4), 0.0), half, rtol=1e-9)


@pytest.mark.parametrize("trainer", ["linear", "lightgbm"])
def test_what_happened_lately_counts_more(trainer: str) -> None:
    held = samples(windy, days=200, noise=0.01)
    early = np.repeat(held.issue_times < np.median(held.issue_times), held.rows.steps)
    halved = replace(held, truth=np.where(early, held.truth / 2, held.truth))

    def error(memory_days: float) -> float:
        model = loaded(fitted(trainer, lesson(halved, rounds=60, memory_days=memory_days)))
        off = model.predict(held.rows)[1] / held.rows.row_scale - held.scaled_truth
        return float(np.nanmean(np.abs(off[~early])))

    assert error(30) < error(1e6)


def test_a_line_recovers_what_differs_by_zone_and_hour() -> None:
    held = samples(windy, days=60, noise=0.01)

    member = Learner(FEATURES, Line(strength=0.01, hour_strength=0.01)).fit(held).member

    other = samples(windy, days=20, seed=2)
    np.testing.assert_allclose(member.predict(other.rows), other.scaled_truth, atol=0.03)


def test_a_line_goes_on_where_trees_stop() -> None:
    def grew(rows: Rows, _: NDArray[np.str_]) -> Floats:
        return 0.6 * rows.column("wind").astype(np.float64)

    told = lesson(samples(grew, days=60, noise=0.01), rounds=60)
    block = told.samples.rows.block.copy()
    block[2] = 1.6  # no wind was above 1
    asked = replace(told.samples.rows, block=block, scale=np.ones(len(told.samples)))

    lines, trees = (float(np.median(loaded(fitted(name, told)).predict(asked)[1])) for name in ("linear", "lightgbm"))

    assert lines == pytest.approx(0.96, abs=0.06)
    assert trees < 0.66


def test_the_form_of_the_line_with_the_least_error_is_taken() -> None:
    def enveloped(rows: Rows, _: NDArray[np.str_]) -> Floats:
        return rows.column("same_time_1").astype(np.float64) * (0.2 + 0.7 * rows.column("wind"))

    features = ("hour", "lead", "wind", linear.ENVELOPE)

    def chosen(held: Samples) -> str:
        named = replace(held, rows=replace(held.rows, names=features))
        return from_json(fitted("linear", lesson(named, features=features)).files["linear.json"]).envelope

    assert chosen(samples(enveloped, days=60)) == linear.ENVELOPE
    assert chosen(samples(windy, days=60)) == ""
