"""What a training leaves for people: its measures, what it found in its data, and a page that stands alone."""

import io
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from obstore.exceptions import PermissionDeniedError
from rich.console import Console

from tests.journeys.stores import DictStore, bucket_of
from tests.journeys.world import UNTIL
from tests.training.lessons import SMALL, lesson, samples
from tests.training.pages import Page
from training import __main__ as program
from training import findings
from training.candidate import material
from training.findings import Finding
from training.question import Question, taught_by
from training.record import OF_BANDS
from training.report.gains import gains
from training.samples import first_issue, inputs_of
from training.splits import OUT_OF_TIME_DAYS
from training.stopping import Stop
from training.train import Trained, train
from training.trainers import trainer
from wattahead.domain.errors import Refused
from wattahead.domain.hours import DAY, iso
from wattahead.features.source import empty_inputs
from wattahead.models.rows import Rows
from wattahead.queries.connection import connect
from wattahead.storage.bundles import fetch
from wattahead.storage.catalogs import latest_catalog
from wattahead.storage.ledger import entries
from wattahead.storage.objects import Store
from wattahead.storage.tables import read_parquet


def quiet(_: str) -> None:
    """Say nothing."""


def trained(store: Store, pool: str = "wind", **named: Any) -> Trained:
    """Train a pool by lines and a few trees."""
    bucket = bucket_of(store)
    _, catalog = latest_catalog(bucket)
    few = {"rounds": 10, "leaves": 4, "folds": 2, "spread_rounds": 4}
    catalog = replace(catalog, pools={**catalog.pools, pool: replace(catalog.pools[pool], parameters=few)})
    told: dict[str, Any] = {"progress": quiet, "report": True} | named
    return train(bucket, catalog, pool, until=UNTIL, seed=1, **told)


@pytest.fixture(scope="module")
def left(trained_world: DictStore) -> tuple[DictStore, Trained]:
    """Give a world in which wind was trained a second time, against a better champion."""
    store = DictStore(dict(trained_world.objects))
    return store, trained(store)


@pytest.fixture(scope="module")
def sunny(untrained_world: DictStore) -> tuple[DictStore, Trained]:
    """Give a world in which solar was trained, of which there is more to find in a few weeks."""
    store = DictStore(dict(untrained_world.objects))
    return store, trained(store, "solar")


def test_every_measure_of_candidate_champion_and_baselines_is_in_the_table(left: tuple[DictStore, Trained]) -> None:
    store, done = left
    table = read_parquet(store.objects[done.left.measures], where="measures")

    whole = [row for row in table.to_pylist() if row["slice"] == "all" and row["split"] == "validation"]
    assert {row["series_id"] for row in whole} == {"SY-0001/production/wind", "SY-0002/production/wind"}
    assert {(row["pool"], row["run"], row["run_kind"], row["model_version"], row["origin"]) for row in whole} == {
        ("wind", "", "", done.candidate.bundle_id[:12], "synthetic")
    }
    others = ("champion", "seasonal_naive", "climatology")
    assert {row["metric"] for row in whole} >= {"mae", "coverage", "rcrps", *(f"mae_{one}" for one in others)}
    for row in whole:  # the manifest says the same, computed by the gate
        if row["metric"] in ("mae", "mae_seasonal_naive"):
            model = row["metric"].removeprefix("mae_") if "_" in row["metric"] else "candidate"
            assert row["value"] == pytest.approx(done.table[row["series_id"].split("/")[0]][model]["mae"], rel=1e-5)


def test_held_back_weeks_of_the_days_that_were_learnt_from_have_point_measures_only(
    left: tuple[DictStore, Trained],
) -> None:
    store, done = left
    table = read_parquet(store.objects[done.left.measures], where="measures")

    found = {split: table.filter(pa.compute.equal(table["split"].cast(pa.string()), split)) for split in SPLITS}
    metrics = {split: set(rows["metric"].cast(pa.string()).to_pylist()) for split, rows in found.items()}
    assert metrics["training"] >= {"mae", "rmse", "mbe"}
    assert not [name for name in metrics["training"] if name.startswith(tuple(OF_BANDS.replace(".*", "").split("|")))]
    last, first = found["training"]["issue_to"].to_pylist(), found["validation"]["issue_from"].to_pylist()
    assert max(last) < min(first)


SPLITS = ("training", "validation")


def test_the_view_of_measures_reads_them(left: tuple[DictStore, Trained], tmp_path: Path) -> None:
    store, done = left
    place = tmp_path / done.left.measures
    place.parent.mkdir(parents=True)
    place.write_bytes(store.objects[done.left.measures])

    said = "select split, count(distinct series_id) from metrics where metric = 'mae' and slice = 'all' group by split"

    assert sorted(connect(str(tmp_path)).sql(said).fetchall()) == [("training", 2), ("validation", 2)]


def test_the_page_stands_alone_and_tells_how_the_model_is_made_and_how_good_it_was(
    left: tuple[DictStore, Trained],
) -> None:
    store, done = left
    html = store.objects[done.left.page].decode()
    found = Page.of(html)
    labels = [one.attributes["aria-label"] for one in found.all("svg")]
    cells = {one.text for one in [*found.all("th"), *found.all("td")]}

    assert found.faults == []
    assert f"Training of wind until {iso(UNTIL)}" in html
    assert done.entry.reason in html
    for words in ("Fan chart of", "by hours ahead", "by hour of the day", "Reliability of", "Feature gain: "):
        assert any(words in label for label in labels), words
    assert cells >= {"linear", "trees", "zones", "weight, SY-0001", "MAE of champion", "folds", "2"}


def test_the_page_tells_what_was_found_in_the_data(sunny: tuple[DictStore, Trained]) -> None:
    store, done = sunny
    cells = {one.text for one in Page.of(store.objects[done.left.page].decode()).all("td")}

    assert {one.what for one in done.findings} == {"hour_label", "radiation_delay"}
    assert {one.sentence for one in done.findings} <= cells


def test_the_same_training_leaves_the_same_measures_and_no_champion_is_compared_with_itself(
    untrained_world: DictStore,
) -> None:
    store = DictStore(dict(untrained_world.objects))

    first, second = trained(store, report=False), trained(store, report=False)

    assert first.promoted
    assert first.candidate == second.candidate
    assert first.left == second.left
    assert first.left.page == ""
    assert [key for key in store.objects if key.startswith(("metrics/", "reports/"))] == [first.left.measures]


class Denying(DictStore):
    """A bucket that lets nobody write measures or reports, as one whose rights are of an older version."""

    def create(self, key: str, body: bytes) -> None:
        if key.startswith(("metrics/", "reports/")):
            raise PermissionDeniedError(key)
        super().create(key, body)


def test_a_bucket_that_takes_no_measures_does_not_keep_a_pool_from_training(untrained_world: DictStore) -> None:
    said: list[str] = []

    done = trained(Denying(dict(untrained_world.objects)), progress=said.append)

    assert done.promoted
    assert (done.left.measures, done.left.page) == ("", "")
    assert [line for line in said if line.startswith("left without measures or report: E_S3_DENIED")]


def test_the_ledger_names_the_page_and_people_are_told_where_it_is_and_what_to_mend(
    untrained_world: DictStore,
) -> None:
    bucket, shown = bucket_of(DictStore(dict(untrained_world.objects))), io.StringIO()
    catalog = taught_by(latest_catalog(bucket)[1], "climatology")
    asked = Question(bucket, catalog, ("wind",), UNTIL, seed=1, report=True)

    done = program.train_one(asked, "wind", Console(file=io.StringIO()), Stop())
    late = Finding("SY-0001", "hour_label", 60.0, "min", 0.9, "labels look late", 'hour_label = "ending"')
    right = Finding("SY-0002", "hour_label", 0.0, "min", 0.9, "labels look right")
    program.report(Console(file=shown), "wind", replace(done, findings=(late, right)), asked)

    (entry,) = entries(bucket)
    assert bucket.read(entry.report, bytes).startswith(b"<!doctype html>")
    assert entry.report == done.left.page
    assert f"report: {bucket.url}/{entry.report}\n" in shown.getvalue()
    assert 'labels look late. To mend it: hour_label = "ending"\n' in shown.getvalue()
    assert "labels look right" not in shown.getvalue()


# --- findings ---------------------------------------------------------------------------------------------------------


def test_the_manifest_holds_how_late_labels_and_light_are_in_every_zone(sunny: tuple[DictStore, Trained]) -> None:
    store, done = sunny

    manifest, _ = fetch(bucket_of(store), "solar", done.candidate.bundle_id)

    values = manifest.training["findings"]["values"]
    assert values == findings.facts(done.findings)["values"]
    assert all(set(of_zones) == {"SY-0001", "SY-0002"} for of_zones in values.values())
    assert all(abs(late) < 30 for late in values["hour_label [min]"].values())
    assert len(json.dumps(manifest.evaluation)) < 2000


def test_nothing_that_came_true_on_the_days_models_are_compared_on_is_searched(untrained_world: DictStore) -> None:
    bucket = bucket_of(untrained_world)
    _, catalog = latest_catalog(bucket)
    told = material(bucket, catalog, "solar", until=UNTIL)
    source = told.source

    inputs, _ = inputs_of(bucket, source, first_issue(UNTIL, source.pool.training_window), UNTIL)

    before = UNTIL - OUT_OF_TIME_DAYS * DAY
    assert told.findings == findings.findings(inputs, source.names, source.signal, before)
    assert told.findings != findings.findings(inputs, source.names, source.signal, UNTIL)


def test_what_should_be_mended_is_told_with_the_line_that_mends_it() -> None:
    found = [
        Finding("A", "hour_label", 59.94, "min", 0.9, "hours of A look labelled by their end", 'hour_label = "ending"'),
        Finding("B", "hour_label", 3.0, "min", 0.9, "labels of B are right to the hour"),
        Finding("A", "radiation_delay", 8.0, "min", 0.9, "right to the hour", variable="dswrf"),
    ]

    assert findings.facts(found) == {
        "values": {"hour_label [min]": {"A": 59.9, "B": 3.0}, "radiation_delay dswrf [min]": {"A": 8.0}},
        "to_mend": [
            {
                "zone": "A",
                "what": "hour_label",
                "sentence": "hours of A look labelled by their end",
                "fix": 'hour_label = "ending"',
            }
        ],
    }


def test_a_search_that_is_refused_is_told_of_and_a_fault_in_it_is_raised(
    untrained_world: DictStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, catalog = latest_catalog(bucket_of(untrained_world))
    source = material(bucket_of(untrained_world), catalog, "wind", until=UNTIL).source
    inputs, signal = empty_inputs(source, UNTIL), source.signal

    def refuses(*_: object) -> Finding:
        raise Refused("E_CONFIG", "the zone lies nowhere", fix="give it a place")

    monkeypatch.setattr(findings, "capacity_growth", refuses)
    (told,) = findings.searched(inputs, source.names, signal, UNTIL)
    assert told.sentence == "nothing was looked for: E_CONFIG: the zone lies nowhere. Fix: give it a place."

    monkeypatch.setattr(findings, "capacity_growth", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        findings.searched(inputs, source.names, signal, UNTIL)


# --- gains ------------------------------------------------------------------------------------------------------------


def by_wind(rows: Rows, _: np.ndarray) -> np.ndarray:
    return rows.column("wind").astype(np.float64)


FEW = {
    "linear": {"folds": 3, "spread_rounds": 6},
    "lightgbm": SMALL,
    "xgboost": SMALL,
    "ensemble": SMALL,
    "quantiles": {"rounds": 12, "leaves": 4},
}


@pytest.mark.parametrize("name", FEW)
def test_the_feature_that_makes_the_truth_gains_most(name: str) -> None:
    held = samples(by_wind)
    taught = lesson(held)
    taught = replace(taught, pool=replace(taught.pool, parameters=FEW[name]))

    found = gains(trainer(name).fit(taught, quiet).files, held.rows)

    assert sum(found.values()) == pytest.approx(1)
    assert min(found.values()) >= 0
    assert max(found, key=lambda feature: found[feature]) == "wind"
    assert found["wind"] > 0.7


@pytest.mark.parametrize("name", ["climatology", "seasonal_naive"])
def test_a_baseline_has_no_gains_and_a_page_all_the_same(name: str, untrained_world: DictStore) -> None:
    store = DictStore(dict(untrained_world.objects))
    bucket = bucket_of(store)

    catalog = taught_by(latest_catalog(bucket)[1], name)
    done = train(bucket, catalog, "wind", until=UNTIL, seed=1, progress=quiet, report=True)

    html = store.objects[done.left.page].decode()
    assert Page.of(html).faults == []
    assert f"One model of kind {name}" in html
    assert "What the model looks at" not in html
