"""Rows to put into any bucket."""

import json
from uuid import uuid4

import pyarrow as pa
import pytest

from wattahead.domain.hours import DAY, HOUR, instant
from wattahead.storage.objects import Bucket
from wattahead.storage.tables import INSTANT, NAME, encode_table

SERIES = ("US-CAL-CISO/production/solar", "US-CAL-CISO/production/wind")


class Rows:
    """Puts small odd rows into a bucket; the value of a forecast tells its issue hour."""

    def forecasts(
        self,
        bucket: Bucket,
        issued: str,
        *,
        batch: str = "solar-0000",
        root: str = "forecasts",
        key: str = "",
        extra: tuple[str, ...] = (),
    ) -> None:
        at = instant(issued)
        folder = f"{root}/issue_date={issued[:10]}/issue_hour={issued[11:13]}"
        bucket.create(key or f"{folder}/{batch}.parquet", encode_table(forecast_rows(at, extra)))

    def actuals(self, bucket: Bucket, folder: str, revisions: list[tuple[str, float, str]]) -> None:
        moments = [[instant(row[0]) for row in revisions], [instant(row[2]) for row in revisions]]
        table = pa.table({
            "zone": pa.array(["US-CAL-CISO"] * len(revisions)).cast(NAME), "valid_time": pa.array(moments[0], INSTANT),
            "value": [row[1] for row in revisions], "available_at": pa.array(moments[1], INSTANT),
            "availability": pa.array(["live"] * len(revisions)).cast(NAME),
        })  # fmt: skip
        bucket.create(f"{folder}/part-{uuid4().hex[:16]}.parquet", encode_table(table))

    def external(self, bucket: Bucket, folder: str, **variables: float) -> None:
        at = instant("2026-11-01T00:00Z")
        table = pa.table({
            "zone": pa.array(["US-CAL-CISO"]).cast(NAME), "point": pa.array([0], pa.int16()),
            "nwp_init_time": pa.array([at], INSTANT), "available_at": pa.array([at + HOUR], INSTANT),
            "valid_time": pa.array([at + DAY], INSTANT),
            **{name: pa.array([value], pa.float32()) for name, value in variables.items()},
        })  # fmt: skip
        bucket.create(f"{folder}/part-{uuid4().hex[:16]}.parquet", encode_table(table))

    def attempt(self, bucket: Bucket, issued: str, name: str, **changes: object) -> None:
        at = instant(issued)
        document = {
            "attempt_id": name, "run_id": "ab" * 8, "job": "score", "run_kind": "live", "run": "",
            "batch": "solar-0000", "issue_time": at, "started_at": at + 1, "finished_at": at + 1_500_001,
            "outcome": "ok", "rows": 4, "seconds": {"predict": 0.5}, "requests": {"gets": 2, "puts": 2, "lists": 0},
            "bytes": {"read": 10, "written": 20}, "outcomes": {"ok": list(SERIES)}, "errors": {},
        } | changes  # fmt: skip
        key = f"ledger/issue_date={issued[:10]}/issue_hour={issued[11:13]}/{'ab' * 8}/{name}.json"
        bucket.create(key, json.dumps(document).encode())


@pytest.fixture
def rows() -> Rows:
    """Give a writer of small odd rows."""
    return Rows()


def forecast_rows(at: int, extra: tuple[str, ...] = ()) -> pa.Table:
    """Return two valid hours of two series; the wind of the second hour could not be predicted."""
    hour = float(at // HOUR % 24)
    names = [series for series in SERIES for _ in (0, 1)]
    p50 = [hour, hour + 1, hour + 100, None]
    spread = {"p10": -0.5, "p50": 0.0, "p90": 0.5} | dict.fromkeys(extra, -0.7)
    words = {"series_id": names, "model_name": ["lightgbm"] * 4, "model_version": ["v1"] * 4, "run_id": ["ab" * 8] * 4,
             "zone": ["US-CAL-CISO"] * 4, "key": ["production"] * 4, "subkey": [name.split("/")[2] for name in names],
             "unit": ["MW"] * 4}  # fmt: skip
    columns = {name: pa.array(values).cast(NAME) for name, values in words.items()} | {
        "issue_time": pa.array([at] * 4, INSTANT), "valid_time": pa.array([at, at + HOUR] * 2, INSTANT),
        "lead_time_minutes": pa.array([0, 60] * 2, pa.int32()), "fallback_level": pa.array([0, 0, 0, 4], pa.int8()),
        "quality_flags": pa.array([0, 0, 0, 64], pa.int32()), "input_age_minutes": pa.array([60] * 4, pa.int32()),
    }  # fmt: skip
    quantiles = {name: [None if mid is None else mid + by for mid in p50] for name, by in spread.items()}
    order = ("series_id", "issue_time", "model_name", "model_version", "run_id", "fallback_level", "quality_flags",
             "input_age_minutes", "zone", "key", "subkey", "valid_time", "lead_time_minutes", "unit")  # fmt: skip
    typed = {name: pa.array(values, pa.float64()) for name, values in quantiles.items()}
    return pa.table({name: columns[name] for name in order} | typed)
