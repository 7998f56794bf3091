"""Adding a zone or a signal is data only: lines in a catalog, nothing else."""

from pathlib import Path

import pyarrow as pa

from tests.journeys.stores import bucket_of
from tests.journeys.world import EVENT, NOW, prepared, rows, table, whole_hour
from wattahead.domain.plan import HourEvent
from wattahead.jobs.promote import register_baselines
from wattahead.jobs.score import Scorer
from wattahead.storage.catalogs import publish_catalog, read_catalog

SIGNAL = """
[signals.{name}]
key = "{key}"
subkey = "{subkey}"
unit = "{unit}"
sign = "none"

[pools.{name}]
signal = "{name}"
zones = "all"
feature_set = "wind"
weather = "synthetic"
"""
MORE = (
    ("gas", "production", "gas", "MW"),
    ("hydro", "production", "hydro", "MW"),
    ("carbon", "carbon_intensity", "direct", "g/kWh"),
)


def test_more_signals_and_a_third_zone_come_from_the_catalog_alone(tmp_path: Path) -> None:
    store = prepared(tmp_path, zones=3)
    text = (tmp_path / "catalog.toml").read_text(encoding="utf-8")
    text += "".join(SIGNAL.format(name=name, key=key, subkey=subkey, unit=unit) for name, key, subkey, unit in MORE)
    (tmp_path / "catalog.toml").write_text(text, encoding="utf-8")
    catalog = read_catalog(tmp_path / "catalog.toml")

    publish_catalog(bucket_of(store), catalog)
    register_baselines(bucket_of(store), catalog)
    whole_hour(bucket_of(store))

    assert len(rows(store.objects)) == 6
    carbon = table(store.objects, "carbon-0000")
    assert carbon["zone"].cast(pa.string()).unique().to_pylist() == ["SY-0001", "SY-0002", "SY-0003"]
    assert carbon["unit"].cast(pa.string()).unique().to_pylist() == ["g/kWh"]
    assert carbon["p50"].null_count == 0


def test_a_zone_without_any_data_gets_flagged_rows_and_the_others_their_forecasts(tmp_path: Path) -> None:
    store = prepared(tmp_path)
    text = (tmp_path / "catalog.toml").read_text(encoding="utf-8")
    (tmp_path / "catalog.toml").write_text(
        text.replace("[zones]", "[zones]\nZZ-NEW = { latitude = 1.0, longitude = 2.0 }"), encoding="utf-8"
    )
    publish_catalog(bucket_of(store), read_catalog(tmp_path / "catalog.toml"))

    whole_hour(bucket_of(store))
    assert (
        Scorer(bucket_of(store)).score(HourEvent(EVENT.issue_time, batch="wind-0000"), now=NOW).outcome == "duplicate"
    )

    found = table(store.objects, "wind-0000")
    levels = dict(zip(found["zone"].cast(pa.string()).to_pylist(), found["fallback_level"].to_pylist(), strict=True))
    assert levels == {"SY-0001": 2, "SY-0002": 2, "ZZ-NEW": 4}
