"""Splits, the gate and the trainer: what is learnt from, what is compared, and who may serve."""

from dataclasses import replace

import numpy as np
import pytest

from tests.journeys.stores import DictStore, bucket_of
from tests.journeys.world import UNTIL
from training import gate, splits
from training.question import chosen
from training.samples import Samples, complete, first_issue, load_samples, source_of
from training.trainers import trainer
from training.trainers.ensemble import Parameters
from training.trainers.parameters import chosen as parameters
from wattahead.domain.errors import Refused
from wattahead.domain.hours import DAY, HOUR
from wattahead.domain.quality import Quality
from wattahead.jobs.prove import prove
from wattahead.models.baseline import NAIVE_FEATURES, SeasonalNaive
from wattahead.models.rows import Floats, Rows
from wattahead.storage.bundles import fetch
from wattahead.storage.catalogs import latest_catalog
from wattahead.storage.registry import latest

QUANTILES = ("p10", "p50", "p90")


@pytest.fixture(scope="module")
def samples(trained_world: DictStore) -> Samples:
    bucket = bucket_of(trained_world)
    _, catalog = latest_catalog(bucket)
    source = source_of(catalog, "wind", (*NAIVE_FEATURES, "month", "hour", "weather_wind_speed_10m"))
    return load_samples(bucket, source, first_issue(UNTIL, "P60D"), UNTIL)


def test_no_sample_reaches_past_the_time_that_training_may_know(samples: Samples) -> None:
    assert int(samples.issue_times.max()) + DAY <= UNTIL


def test_samples_are_of_the_issue_hours_that_the_catalog_names(samples: Samples) -> None:
    assert set((samples.issue_times // HOUR % 24).tolist()) == {2, 10, 18}


def test_what_is_learnt_from_ends_before_the_first_day_of_the_comparison(samples: Samples) -> None:
    split = splits.out_of_time(samples, UNTIL)

    assert int(split.learn.issue_times.max()) + DAY <= int(split.test.issue_times.min())
    # The last day's issues reach past what training may know.
    assert len(np.unique(split.test.issue_times // DAY)) == splits.OUT_OF_TIME_DAYS - 1


def test_too_little_history_is_refused_with_what_there_is_and_what_is_needed(samples: Samples) -> None:
    few = samples.take(samples.issue_times >= UNTIL - 25 * DAY)

    with pytest.raises(Refused, match="E_TRAIN_ROWS: .* days of samples before .*, need 30"):
        splits.out_of_time(few, UNTIL)


def test_early_stopping_looks_at_later_days_than_it_fits_on(samples: Samples) -> None:
    fit, stop = splits.early_stopping(samples)

    assert samples.issue_times[fit].max() + DAY <= samples.issue_times[stop].min()


def test_every_sample_is_held_back_in_exactly_one_fold(samples: Samples) -> None:
    held = np.sum([away for _, away in splits.folds(samples, 4)], axis=0)

    assert set(held.tolist()) == {1}


def test_no_fold_learns_from_an_issue_time_within_a_day_of_what_it_holds_back(samples: Samples) -> None:
    for learn, away in splits.folds(samples, 4):
        times = samples.issue_times
        assert np.abs(times[learn][:, None] - times[away][None]).min() > DAY
        assert learn.sum() > len(samples) / 3


def test_samples_without_weather_are_not_learnt_from(samples: Samples) -> None:
    blinded = replace(samples, flags=np.where(np.arange(len(samples)) < 5, Quality.WEATHER_MISSING, 0).astype(np.int32))

    assert np.array_equal(np.flatnonzero(~complete(blinded)), np.arange(5))


def test_a_zone_that_mostly_lacks_another_signal_learns_without_it_and_the_other_zones_with_it(
    samples: Samples,
) -> None:
    zones = np.array(samples.rows.zones)
    first, *_, last = np.unique(zones)
    mostly = np.flatnonzero(zones == first)[: int(0.6 * (zones == first).sum())]
    hardly = np.flatnonzero(zones == last)[:5]
    flags = np.zeros(len(samples), dtype=np.int32)
    flags[mostly] = flags[hardly] = Quality.INPUT_MISSING

    fit = complete(replace(samples, flags=flags))

    assert fit[zones == first].all()
    assert np.array_equal(np.flatnonzero(~fit), hardly)


class Guess:
    """A model that adds a constant to what came true."""

    def __init__(self, truth: Floats, off: float) -> None:
        self.truth, self.off = truth, off

    def usable(self, rows: Rows) -> np.ndarray:
        return np.ones(len(rows.zones), dtype=bool)

    def predict(self, rows: Rows) -> Floats:
        return np.stack([self.truth + self.off] * 3)


def test_a_candidate_must_beat_seasonal_naive_and_the_champion(samples: Samples) -> None:
    naive = SeasonalNaive(QUANTILES)
    able = samples.take(naive.usable(samples.rows) & np.isfinite(samples.truth.reshape(len(samples), -1)).all(axis=1))
    good, better = Guess(able.truth, 1.0), Guess(able.truth, 0.5)

    first = gate.verdict(gate.judged(able, {"candidate": good, "seasonal_naive": naive}), QUANTILES)
    again = gate.verdict(gate.judged(able, {"candidate": good, "seasonal_naive": naive, "champion": better}), QUANTILES)
    equal = gate.verdict(gate.judged(able, {"candidate": good, "seasonal_naive": naive, "champion": good}), QUANTILES)

    assert first.promoted
    assert not again.promoted
    assert not equal.promoted
    assert "not better than champion" in again.reason


def test_a_candidate_that_predicts_nothing_is_never_promoted(samples: Samples) -> None:
    nothing = Guess(np.full(len(samples.truth), np.nan), 0.0)

    assert not gate.verdict(
        gate.judged(samples, {"candidate": nothing, "seasonal_naive": SeasonalNaive(QUANTILES)}), QUANTILES
    ).promoted


def test_an_unknown_trainer_parameter_or_pool_is_answered_with_the_known_ones(trained_world: DictStore) -> None:
    _, catalog = latest_catalog(bucket_of(trained_world))

    with pytest.raises(Refused, match="use one of .*ensemble, lightgbm"):
        trainer("xgboots")
    with pytest.raises(Refused, match="has no parameter 'round'. Fix: use folds, "):
        parameters(Parameters(), "ensemble", {"round": 3})
    with pytest.raises(Refused, match="use demand, solar, wind"):
        chosen(catalog, "wnd")


def test_the_manifest_tells_window_data_seed_rounds_and_the_metrics_of_every_zone(trained_world: DictStore) -> None:
    bucket = bucket_of(trained_world)
    entry = latest(bucket, "wind")
    assert entry is not None
    rung = entry.rung("champion")
    assert rung is not None

    manifest, files = fetch(bucket, "wind", rung.bundle_id)

    assert set(manifest.training) >= {
        "window",
        "until",
        "data_digest",
        "seed",
        "libraries",
        "members",
        "weights",
        "zones",
        "parameters",
    }
    assert set(manifest.evaluation["zones"]) == {"SY-0001", "SY-0002"}
    assert set(manifest.evaluation["zones"]["SY-0001"]) == {"candidate", "seasonal_naive", "climatology"}
    assert sorted(files) == ["blend.json", "linear.json", "spread.txt", "trees.txt", "zones.txt"]
    assert manifest.golden is not None
    assert rung.proved_on is not None
    assert {held.role for held in entry.rungs} == {"champion", "seasonal_naive", "climatology"}


def test_a_promoted_blend_reproduces_its_golden_rows_in_another_process_and_no_others(trained_world: DictStore) -> None:
    bucket = bucket_of(trained_world)
    entry = latest(bucket, "wind")
    rung = entry.rung("champion") if entry else None
    assert rung is not None
    manifest, files = fetch(bucket, "wind", rung.bundle_id)
    golden = manifest.golden
    assert golden is not None

    wrong = {name: tuple(value + 1e-3 for value in values) for name, values in golden.outputs.items()}

    assert manifest.kind == rung.kind == "blend"
    assert prove(manifest, files) == rung.proved_on
    with pytest.raises(Refused, match="E_BUNDLE_PROOF: .* away from its golden rows"):
        prove(replace(manifest, golden=replace(golden, outputs=wrong)), files)
