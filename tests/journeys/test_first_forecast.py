"""The whole journey on a folder: ingest, plan, features, train, score, query; by the commands and the real handlers."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
REAL = Path(os.environ.get("WATTAHEAD_DATA", "/nowhere"), "zones_production")

CATALOG = """
[zones]
US-TEX-ERCO = { latitude = 31.0, longitude = -99.0 }

[signals.wind]
key = "production"
subkey = "wind"
unit = "MW"
sign = "generation_positive"
scaling_window = "P60D"

[feature_sets]
wind = ["lead", "hour", "same_time_1", "newest", "newest_mean_24h", "weather_wind_speed_10m"]

[pools.wind]
signal = "wind"
zones = ["US-TEX-ERCO"]
feature_set = "wind"
weather = "gfs"
training_window = "P200D"
parameters = { rounds = 60, folds = 2 }
"""


def wattahead(bucket: Path, *words: str, ends: int = 0) -> str:
    """Run one command as a person would, and return what it printed."""
    done = subprocess.run(
        [sys.executable, "-m", "wattahead.cli.main", *words],
        capture_output=True,
        text=True,
        check=False,
        cwd=ROOT,
        env={**os.environ, "WATTAHEAD_BUCKET": str(bucket)},
    )
    assert done.returncode == ends, f"{words}: {done.returncode}\n{done.stdout}\n{done.stderr}"
    return done.stdout + done.stderr


def selected(bucket: Path, sql: str, *words: str) -> list[dict[str, object]]:
    found: list[dict[str, object]] = json.loads(wattahead(bucket, "query", sql, "--format", "json", *words))
    return found


@pytest.mark.skipif(not REAL.is_dir(), reason="WATTAHEAD_DATA does not name a folder with zones_production")
def test_one_real_zone_from_parquet_to_a_forecast_that_beats_seasonal_naive(tmp_path: Path) -> None:
    bucket = tmp_path / "bucket"
    (tmp_path / "catalog.toml").write_text(CATALOG, encoding="utf-8")

    wattahead(bucket, "catalog", str(tmp_path / "catalog.toml"))
    wattahead(bucket, "ingest", "--mapping", "zones_production", str(REAL))
    assert "better than seasonal_naive" in " ".join(wattahead(bucket, "train", "--until", "2021-01-01T00:00Z").split())
    hours = (
        "backfill",
        "--from",
        "2021-01-02T00:00Z",
        "--to",
        "2021-01-20T00:00Z",
        "--every",
        "PT24H",
        "--run",
        "january",
    )
    assert "19 ok; 456 rows" in wattahead(bucket, *hours)
    assert "19 duplicate; 0 rows" in wattahead(bucket, *hours)

    (found,) = selected(
        bucket,
        "select count(*) as n, count(distinct issue_time) as issued, max(fallback_level) as worst, "
        "avg(abs(error)) as mae, avg(inside_band::int) as covers from actuals_joined",
        "--run",
        "january",
    )
    assert (found["n"], found["issued"], found["worst"]) == (456, 19, 0)
    assert 0.6 < float(str(found["covers"])) < 0.95
    (line,) = [line for line in wattahead(bucket, "evaluate", "--run", "january").splitlines() if "ERCO" in line]
    judged, mae, naive = (float(word) for word in line.replace(",", "").split()[2:5])
    assert judged == 456
    assert mae == pytest.approx(float(str(found["mae"])), abs=1)
    assert mae < 0.7 * naive


def test_two_generated_zones_from_nothing_to_live_forecasts(tmp_path: Path) -> None:
    bucket, data = tmp_path / "bucket", tmp_path / "data"

    assert "2 synthetic zones" in wattahead(bucket, "synthetic", str(data), "--days", "70")
    text = (data / "catalog.toml").read_text(encoding="utf-8").replace("rounds = 150", "rounds = 20")
    (data / "catalog.toml").write_text(text, encoding="utf-8")
    assert "3 pools, 6 series" in wattahead(bucket, "catalog", str(data / "catalog.toml"))
    wattahead(bucket, "ingest", "--mapping", "synthetic", str(data))
    wattahead(bucket, "train", "--pools", "demand")
    assert "1 degraded; 144 rows" in wattahead(bucket, "hour")  # wind and solar are served by seasonal naive

    found = selected(
        bucket, "select subkey, model_name, count(*) n, count(p50) known from latest group by all order by 1"
    )
    assert [(row["subkey"], row["model_name"], row["n"], row["known"]) for row in found] == [
        ("demand", "blend", 48, 48),
        ("solar", "seasonal_naive", 48, 48),
        ("wind", "seasonal_naive", 48, 48),
    ]
    shown = wattahead(bucket, "show", "SY-0001/production/wind", "--out", str(tmp_path / "wind.png"))
    assert "SY-0001/production/wind" in shown
    assert (tmp_path / "wind.png").read_bytes().startswith(b"\x89PNG")
    assert "score" in wattahead(bucket, "runs")
