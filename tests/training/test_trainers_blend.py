"""Trainers of blends: what they recover, what they may not know, and what they do with pools of any shape."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.training.lessons import FEATURES, fitted, lesson, loaded, samples, windy
from training import splits
from training.samples import Samples
from training.trainers import linear
from training.trainers.blend import Blending, learn_weights
from training.trainers.protocol import Fitted, Lesson
from wattahead.domain.errors import Refused
from wattahead.domain.hours import DAY
from wattahead.domain.quality import Quality
from wattahead.models.linear import POOLED, from_json
from wattahead.models.rows import Floats

NAMES = ("linear", "lightgbm", "ensemble")
WEEK = 7 * DAY


# Weights


def weights_of(*members: Floats, truth: Floats | None = None, even: float = 0.3) -> Floats:
    held = samples(windy, days=42)
    told = held if truth is None else replace(held, truth=truth * held.rows.row_scale)
    return learn_weights(told, np.stack(members), Blending(even=even)).tables["FR"][0]


@given(st.integers(0, 10_000), st.floats(0, 10))
def test_weights_are_never_below_zero_and_their_sum_is_one(seed: int, even: float) -> None:
    draw, truth = np.random.default_rng(seed), samples(windy, days=42).scaled_truth

    found = weights_of(*(truth + draw.normal(draw.normal(), 1, len(truth)) for _ in range(3)), even=even)

    assert (found >= 0).all()
    assert found.sum() == pytest.approx(1.0, abs=1e-9)


def test_the_right_member_gets_almost_all_and_members_that_are_one_get_the_same() -> None:
    truth, draw = samples(windy, days=42).scaled_truth, np.random.default_rng(1)
    wrong = truth + draw.normal(0, 0.2, len(truth))
    lone = weights_of(truth, wrong, even=0.001)

    assert lone[0] > 0.98
    assert weights_of(wrong, wrong, wrong) == pytest.approx(np.full(3, 1 / 3), abs=1e-6)
    assert weights_of(truth, truth) == pytest.approx([0.5, 0.5])  # every one is right
    assert weights_of(wrong).tolist() == [1.0]


def test_the_more_weights_are_drawn_to_being_equal_the_nearer_they_are() -> None:
    truth, draw = samples(windy, days=42).scaled_truth, np.random.default_rng(1)
    better, worse = (truth + draw.normal(0, size, len(truth)) for size in (0.05, 0.2))

    first = [weights_of(better, worse, even=even)[0] for even in (0.0, 0.3, 3.0, 1000.0)]

    assert first == sorted(first, reverse=True)
    assert first[-1] == pytest.approx(0.5, abs=0.01)


def test_truths_and_members_that_are_unknown_do_not_count() -> None:
    held, draw = samples(windy, days=42), np.random.default_rng(1)
    members = held.scaled_truth + draw.normal(0, 0.1, (2, len(held.truth)))
    unknown = draw.random(len(held.truth)) < 0.3
    silent = replace(held, truth=np.where(unknown, np.nan, held.truth))
    blind = np.where(unknown, np.nan, members[0]), members[1]

    one = learn_weights(silent, members, Blending())
    other = learn_weights(held, np.stack(blind), Blending())

    assert all(np.array_equal(one.tables[zone], other.tables[zone]) for zone in ("", "DE", "FR"))


# What is held back


def test_a_fold_learns_nothing_within_a_day_of_what_it_holds_back() -> None:
    held = samples(windy, days=70)

    for learn, away in splits.folds(held, 4):
        apart = np.abs(held.issue_times[learn][:, None] - held.issue_times[away][None]).min()
        assert apart > DAY
        assert learn.any()


@pytest.mark.parametrize("name", ["linear", "lightgbm"])
def test_what_is_said_of_a_held_back_week_does_not_depend_on_what_came_true_in_it(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(linear, "STRONGER", (1,))  # which form is taken, as the weights, is chosen on all weeks
    held = samples(windy, noise=0.1)
    week = held.issue_times // WEEK == held.issue_times[20] // WEEK
    poisoned = replace(held, truth=np.where(np.repeat(week, 24), 1e3, held.truth))

    before, after = (fitted(name, lesson(each)).held_out for each in (held, poisoned))

    assert before is not None
    assert after is not None
    assert np.array_equal(before[week], after[week])
    assert not np.array_equal(before[~week], after[~week])
    assert 0 < week.sum() < len(held)


@pytest.mark.parametrize("name", NAMES)
def test_samples_that_were_not_complete_are_told_nothing_of(name: str) -> None:
    held = samples(windy, noise=0.05)
    draw = np.random.default_rng(3)
    flags = np.where(draw.random(len(held)) < 0.2, Quality.WEATHER_MISSING, 0).astype(np.int32)

    found = fitted(name, lesson(replace(held, flags=flags))).held_out

    assert found is not None
    assert found.shape == (len(held), 24)
    assert np.array_equal(np.isnan(found), np.repeat((flags != 0)[:, None], 24, axis=1))


# Files


@pytest.mark.parametrize("name", NAMES)
def test_equal_lessons_give_equal_bytes_and_another_seed_other_trees(name: str) -> None:
    def told(seed: int) -> Lesson:
        return lesson(samples(windy, noise=0.05, holes=0.02), seed=seed)

    one, again, other = (fitted(name, told(seed)) for seed in (1, 1, 2))

    assert one.files == again.files
    assert one.facts == again.facts
    assert one.files != other.files


@pytest.mark.parametrize("name", NAMES)
def test_a_bundle_is_better_than_a_guess_and_covers_what_it_says(name: str) -> None:
    made = fitted(name, lesson(samples(windy, days=84, noise=0.05, holes=0.02), rounds=40))
    other = samples(windy, days=40, noise=0.05, seed=5)

    low, median, high = loaded(made).predict(other.rows)

    guess = np.abs(other.scaled_truth - np.median(other.scaled_truth)).mean()
    assert np.abs(other.truth - median).mean() / np.abs(other.truth).mean() < 0.75 * guess / other.scaled_truth.mean()
    assert np.mean((low <= other.truth) & (other.truth <= high)) == pytest.approx(0.8, abs=0.06)


def test_bands_are_wider_the_more_of_what_is_to_come_is_like_nothing_before() -> None:
    held, other = samples(windy, noise=0.05), samples(windy, days=5, seed=5)

    def width(unlike: float) -> float:
        low, _, high = loaded(fitted("linear", lesson(held, unlike=unlike))).predict(other.rows)
        return float(np.mean((high - low) / other.rows.row_scale))

    assert width(0.0) < width(0.1) < width(0.2)


def test_bands_are_wide_where_the_median_is_large_if_errors_are() -> None:
    held = samples(windy, days=200, seed=3)
    truth = held.scaled_truth * np.random.default_rng(4).lognormal(0, 0.3, len(held.truth))
    steep = replace(held, truth=truth * held.rows.row_scale)

    low, median, high = loaded(fitted("linear", lesson(steep, spread_rounds=60))).predict(held.rows)

    level, wide = median / held.rows.row_scale, (high - low) / held.rows.row_scale
    few, many = np.quantile(level, [0.1, 0.9])
    assert wide[level > many].mean() > 2 * wide[level < few].mean()


def test_an_ensemble_tells_its_members_their_errors_and_their_weights() -> None:
    made = fitted("ensemble", lesson(samples(windy, noise=0.05)))

    assert set(made.facts["members"]) == {"linear", "trees", "zones"}
    assert set(made.facts["weights"]) == {"", "DE", "FR"}
    assert made.facts["members"]["linear"] < made.facts["members"]["trees"]  # the truth is a line
    assert sorted(made.files) == ["blend.json", "linear.json", "spread.txt", "trees.txt", "zones.txt"]


def test_a_mix_has_a_member_that_knows_nothing_else_and_is_as_good_as_lines_that_know_all() -> None:
    held = samples(lambda rows, _: 0.2 + 0.7 * rows.column("wind").astype(np.float64), noise=0.02)
    told = replace(held, rows=replace(held.rows, names=("hour", "lead", "mix", "same_time_1")))

    made = fitted("ensemble", lesson(told, features=told.rows.names))

    assert set(made.facts["members"]) == {"linear", "trees", "zones", "mix"}
    assert from_json(made.files["mix.json"]).features == ("mix",)
    errors = made.facts["members"]
    assert errors["mix"] < 1.1 * errors["linear"] < errors["trees"]
    assert np.isfinite(loaded(made).predict(told.rows)).all()


# Pools of any shape


def usable_everywhere(made: Fitted, asked: Samples) -> bool:
    model = loaded(made)
    values = model.predict(asked.rows)
    return bool(model.usable(asked.rows).all() and np.isfinite(values).all() and (np.diff(values, axis=0) >= 0).all())


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("minutes", [60, 15])
def test_a_pool_of_one_zone_is_learnt_at_any_resolution_and_serves_others_too(name: str, minutes: int) -> None:
    made = fitted(name, lesson(samples(windy, zones=["FR"], noise=0.05, minutes=minutes)))

    assert "zones.txt" not in made.files
    assert usable_everywhere(made, samples(windy, zones=["FR", "SE"], minutes=minutes, days=2))


def test_a_pool_of_many_zones_shares_its_coefficients_and_has_no_trees_of_a_zone() -> None:
    zones = [f"Z{number:02d}" for number in range(60)]

    made = fitted("ensemble", lesson(samples(windy, zones=zones, days=21, noise=0.05), rounds=3))

    assert set(from_json(made.files["linear.json"]).coefficients) == {POOLED}
    assert "zones.txt" not in made.files
    assert usable_everywhere(made, samples(windy, zones=zones, days=1))


@pytest.mark.parametrize("name", NAMES)
def test_a_zone_without_any_truth_or_with_truth_in_one_week_or_of_a_few_leads_stops_no_other(name: str) -> None:
    held = samples(windy, zones=("DE", "FR", "NO", "SE"), noise=0.05)
    zones, lead = held.zones, held.rows.column("lead")
    early = np.repeat(held.issue_times < held.issue_times[0] + 6 * DAY, 24)
    silent = (zones == "NO") | ((zones == "SE") & (lead >= 5)) | ((zones == "FR") & ~early)

    made = fitted(name, lesson(replace(held, truth=np.where(silent, np.nan, held.truth))))

    assert usable_everywhere(made, samples(windy, zones=("DE", "FR", "NO", "SE", "XX"), days=2))


@pytest.mark.parametrize("name", NAMES)
def test_a_feature_that_is_never_known_and_one_that_never_changes_harm_nothing(name: str) -> None:
    held = samples(windy, noise=0.05)
    held.rows.block[3] = np.nan
    constant = replace(
        held.rows, names=(*FEATURES, "same"), block=np.vstack([held.rows.block, np.full((1, 2016), 3.0, np.float32)])
    )

    made = fitted(name, lesson(replace(held, rows=constant), features=(*FEATURES, "same")))

    assert np.isfinite(loaded(made).predict(constant)).all()


@pytest.mark.parametrize("name", NAMES)
def test_a_few_days_of_one_week_leave_nothing_to_hold_back_and_that_is_refused(name: str) -> None:
    with pytest.raises(Refused, match="E_TRAIN_ROWS: no week can be held back"):
        fitted(name, lesson(samples(windy, days=3)))


def test_more_folds_than_weeks_leave_some_empty() -> None:
    assert fitted("linear", lesson(samples(windy, days=21), folds=9)).held_out is not None
