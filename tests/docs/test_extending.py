"""What the page on extending shows is run as it stands: a new signal, a new trainer, each under 20 lines."""

import re
import tomllib
from dataclasses import replace
from importlib import resources
from pathlib import Path

import numpy as np
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from tests.journeys.stores import DictStore, bucket_of
from tests.journeys.world import EVENT, ISSUE, NOW, table, whole_hour
from training.question import taught_by
from training.train import train
from training.trainers import TRAINERS
from wattahead.cli.synthetic import catalog as catalog_text
from wattahead.domain.hours import DAY, HOUR
from wattahead.jobs.ingest import ingest
from wattahead.jobs.promote import register_baselines
from wattahead.models.loading import load
from wattahead.sources.mapping_files import find_mapping
from wattahead.sources.synthetic import generate, write
from wattahead.storage.bundles import fetch
from wattahead.storage.catalogs import latest_catalog, publish_catalog, read_catalog

PAGE = (Path(__file__).parents[2] / "infra" / "EXTENDING.md").read_text(encoding="utf-8")
UNTIL = ISSUE - 2 * DAY


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", PAGE, flags=re.DOTALL)


MAPPING_LINE, CATALOG_PART, ENTRY_POINT = blocks("toml")
(TRAINER,) = blocks("python")


def lines(text: str) -> int:
    return sum(bool(line.strip()) for line in text.splitlines())


def quiet(_said: str) -> None:
    pass


def test_both_examples_have_under_20_lines() -> None:
    assert lines(MAPPING_LINE) + lines(CATALOG_PART) < 20
    assert lines(TRAINER) < 20


def merged(catalog: str, part: str) -> str:
    """Return the catalog with the part; what stands in a table that both have goes into the catalog's."""
    sections = re.split(r"^(?=\[)", part, flags=re.MULTILINE)
    for section in filter(str.strip, sections):
        head, _, body = section.partition("\n")
        name = head.partition("#")[0].strip()
        catalog = catalog.replace(f"{name}\n", f"{name}\n{body}") if name in catalog else f"{catalog}\n{section}"
    return catalog


def test_the_new_signal_is_ingested_trained_and_forecast(tmp_path: Path) -> None:
    made = generate(1, ISSUE - 80 * DAY, ISSUE + HOUR, seed=3)
    write(made, tmp_path)
    production = pq.read_table(tmp_path / "production.parquet")
    pq.write_table(
        production.append_column("heat", pc.divide(production["demand"], 8)), tmp_path / "production.parquet"
    )
    shipped = resources.files("wattahead.sources").joinpath("mappings/synthetic.toml").read_text(encoding="utf-8")
    mapping = tmp_path / "mapping.toml"
    mapping.write_text(shipped.replace("[tables.columns]\n", f"[tables.columns]\n{MAPPING_LINE}", 1), encoding="utf-8")
    (tmp_path / "catalog.toml").write_text(merged(catalog_text(made), CATALOG_PART), encoding="utf-8")
    catalog = read_catalog(tmp_path / "catalog.toml")
    bucket = bucket_of(store := DictStore())
    publish_catalog(bucket, catalog)
    register_baselines(bucket, catalog)

    report = ingest(bucket, find_mapping(str(mapping)), tmp_path, now=ISSUE + HOUR)
    done = train(bucket, taught_by(catalog, "seasonal_naive"), "heat", until=UNTIL, seed=1, progress=quiet)
    whole_hour(bucket, EVENT, now=NOW)

    assert not report.refused
    assert done.entry.reason.startswith("served by seasonal_naive, as its trainer says")
    rows = table(store.objects, "heat-0000")
    assert set(rows["series_id"].to_pylist()) == {"SY-0001/consumption/heat"}
    assert np.isfinite(rows["p50"].to_numpy()).all()
    assert 8 * rows["p50"].to_numpy() == pytest.approx(table(store.objects, "demand-0000")["p50"].to_numpy(), rel=1e-5)


def test_the_new_trainer_learns_is_proved_and_blends_both_members(
    untrained_world: DictStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    point = tomllib.loads(ENTRY_POINT)["project"]["entry-points"]["wattahead.trainers"]
    assert list(point) == ["two_days"]
    (tmp_path / "two_days_of_the_page.py").write_text(TRAINER, encoding="utf-8")
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setitem(TRAINERS, "two_days", "two_days_of_the_page")
    bucket = bucket_of(DictStore(dict(untrained_world.objects)))
    catalog = taught_by(latest_catalog(bucket)[1], "two_days")
    pool = replace(catalog.pools["demand"], parameters={})

    done = train(
        bucket,
        replace(catalog, pools={**catalog.pools, "demand": pool}),
        "demand",
        until=UNTIL,
        seed=1,
        progress=quiet,
    )

    manifest, files = fetch(bucket, "demand", done.candidate.bundle_id)
    assert set(manifest.training["members"]) == {"two_days", "linear"}
    assert manifest.training["trainer"] == "two_days"
    weights = np.array(manifest.training["weights"][""])
    assert weights.sum(axis=1) == pytest.approx(1, abs=1e-3)
    assert load(manifest, files) is not None
    assert done.candidate.proved_on is not None
