"""What is held back has not been learnt from, nor anything near it; a zone left out is served all the same."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tests.journeys.stores import DictStore, bucket_of
from tests.journeys.world import UNTIL
from training.__main__ import main
from training.candidate import Material, material
from training.validation import STRATEGIES, by_day, measures, pairs, validated
from wattahead.domain.errors import Refused
from wattahead.domain.hours import DAY, iso
from wattahead.storage.catalogs import latest_catalog


def quiet(_said: str) -> None:
    pass


def taught(told: Material, trainer: str, parameters: Mapping[str, float] | None = None) -> Material:
    pool = replace(told.source.pool, trainer=trainer, parameters=parameters or {})
    return replace(told, source=replace(told.source, pool=pool))


@pytest.fixture(scope="module")
def told(untrained_world: DictStore) -> Material:
    bucket = bucket_of(untrained_world)
    return material(bucket, latest_catalog(bucket)[1], "wind", until=UNTIL)


@pytest.mark.parametrize("strategy", ["out_of_time", "k_fold"])
def test_what_is_learnt_from_is_a_day_away_from_what_is_held_back(told: Material, strategy: str) -> None:
    times = told.samples.issue_times
    for pair in pairs(told.samples, strategy, UNTIL):
        away = np.abs(times[pair.learn][:, None] - times[pair.test][None, :])
        assert away.min() >= DAY


def test_a_zone_that_is_left_out_is_in_no_sample_that_is_learnt_from(told: Material) -> None:
    zones = np.array(told.samples.rows.zones)
    found = pairs(told.samples, "leave_one_zone_out", UNTIL)

    assert [set(zones[pair.test]) for pair in found] == [{"SY-0001"}, {"SY-0002"}]
    assert [set(zones[pair.learn]) & set(zones[pair.test]) for pair in found] == [set(), set()]


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_no_sample_is_held_back_twice(told: Material, strategy: str) -> None:
    assert np.sum([pair.test for pair in pairs(told.samples, strategy, UNTIL)], axis=0).max() == 1


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_the_same_model_in_every_part_gives_its_own_measures(told: Material, strategy: str) -> None:
    found = validated(taught(told, "seasonal_naive"), strategy, told.samples, until=UNTIL, seed=1, progress=quiet)
    table = measures(found, told.source.pool)

    assert set(table) == {"SY-0001", "SY-0002", ""}
    for one in table.values():
        assert one["pinball"] == one["seasonal_naive_pinball"] > 0
        assert one["mae"] == one["seasonal_naive_mae"]
        assert 0 < one["coverage"] < 1
    days = by_day(found, told.source.pool)
    total, hours = np.sum(list(days.values()), axis=0)
    assert hours == table[""]["hours"]
    assert total / hours == pytest.approx(table[""]["pinball"])


@pytest.mark.parametrize("trainer", ["linear", "lightgbm", "xgboost"])
def test_a_model_serves_a_zone_it_has_never_seen(told: Material, trainer: str) -> None:
    few = {"folds": 2, "spread_rounds": 5} | ({} if trainer == "linear" else {"rounds": 10})
    found = validated(
        taught(told, trainer, few), "leave_one_zone_out", told.samples, until=UNTIL, seed=1, progress=quiet
    )

    assert np.isfinite(found.values["candidate"]).all()
    assert set(found.samples.rows.zones) == {"SY-0001", "SY-0002"}


def test_an_unknown_strategy_or_a_pool_of_one_zone_is_refused_with_what_there_is(told: Material) -> None:
    one = told.samples.take(np.array(told.samples.rows.zones) == "SY-0001")

    with pytest.raises(Refused, match="use one of out_of_time, k_fold, leave_one_zone_out"):
        pairs(told.samples, "bootstrap", UNTIL)
    with pytest.raises(Refused, match="samples of SY-0001 only"):
        pairs(one, "leave_one_zone_out", UNTIL)
    with pytest.raises(Refused, match="E_TRAIN_ROWS"):
        pairs(one.take(one.issue_times > UNTIL - 30 * DAY), "out_of_time", UNTIL)


def test_the_command_prints_a_table_and_saves_measures_and_nothing_else(
    untrained_world: DictStore, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from wattahead.storage.objects import open_bucket

    bucket = open_bucket(str(tmp_path))
    for key, body in untrained_world.objects.items():
        bucket.create(key, body)
    before = set(everything(tmp_path))

    asked = ("--pools", "wind", "--until", iso(UNTIL), "--trainer", "seasonal_naive", "--validate", "k_fold")
    code = main(["--bucket", str(tmp_path), *asked])

    said = capsys.readouterr().err
    assert code == 0
    assert "wind: seasonal_naive, k_fold; MAE in MW" in said
    assert "SY-0002 synthetic" in said
    (new,) = set(everything(tmp_path)) - before
    assert new.startswith("metrics/")
    assert new in said


def everything(folder: Path) -> list[str]:
    return [str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()]
