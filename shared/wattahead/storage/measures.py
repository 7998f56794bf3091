"""The table of measures: how good forecasts were, one row per measure and slice, whoever judged them.

Training, backtest, evaluation and monitoring all write it with `save_metrics`; the view `metrics` reads it.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import pyarrow as pa
import pyarrow.compute as pc

from wattahead.domain.errors import Refused
from wattahead.storage import keys
from wattahead.storage.objects import Bucket, sha256
from wattahead.storage.tables import INSTANT, NAME, encode_table, select
from wattahead.storage.timeseries import DIGITS, sorted_names

METRICS: Final[dict[str, pa.DataType]] = {
    "pool": NAME,
    "series_id": NAME,
    "model_version": NAME,  # empty where several models made the forecasts
    "run_kind": NAME,
    "run": NAME,
    "split": NAME,  # one of SPLITS
    "issue_from": INSTANT,  # first and last issue time that was judged
    "issue_to": INSTANT,
    "metric": NAME,
    "slice": NAME,  # `all`, `lead`, `hour`, `month`, …
    "slice_value": NAME,
    "unit": NAME,
    "value": pa.float64(),
    "low": pa.float64(),  # 95 % interval; null where there is none
    "high": pa.float64(),
    "n": pa.int64(),  # hours that speak for the value
    "origin": NAME,  # where the data comes from; `synthetic` for generated zones
}
SPLITS: Final = ("training", "validation", "backtest", "backfill", "live", "shadow")
_ORDER: Final = [name for name, kind in METRICS.items() if kind in (NAME, INSTANT)]


def metric_rows(about: Mapping[str, str | int], columns: Mapping[str, Sequence[Any]]) -> pa.Table:
    """Return rows of the table: `columns` of equal length, and what is the same in all of them. Times in µs."""
    rows = len(columns["value"])
    held = {**{name: [value] * rows for name, value in about.items()}, **columns}
    typed = {
        name: pa.array(held[name], pa.string()).cast(kind) if kind == NAME else _plain(held[name], kind)
        for name, kind in METRICS.items()
    }
    return pa.table(typed)


def save_metrics(bucket: Bucket, rows: pa.Table) -> str:
    """Write rows of the table as one object and return its key; the same rows again meet the same key.

    Raises `E_CONFIG` for a split that is not one of SPLITS, `E_FEAT_NO_ROWS` for no row.
    """
    if not rows.num_rows:
        raise Refused("E_FEAT_NO_ROWS", "there is no measure to save", fix="wait until something came true")
    unknown = sorted(set(rows["split"].unique().to_pylist()) - set(SPLITS))
    if unknown:
        raise Refused("E_CONFIG", f"{unknown[0]!r} is not a split", fix=f"use one of {', '.join(SPLITS)}")
    typed = select(rows, METRICS, where="metrics")
    body = encode_table(sorted_names(typed.take(_order(typed))))
    key = keys.metrics(pc.max(rows["issue_to"]).cast(pa.int64()).as_py(), sha256(body)[:DIGITS])
    bucket.create(key, body)
    return key


def _order(rows: pa.Table) -> pa.Array:
    words = {name: rows[name].cast(pa.string()) if METRICS[name] == NAME else rows[name] for name in _ORDER}
    return pc.sort_indices(pa.table(words), [(name, "ascending") for name in _ORDER])


def _plain(values: Sequence[Any], kind: pa.DataType) -> pa.Array:
    """Return numbers or instants; a number that is not known is null."""
    return pa.array(values, pa.int64()).cast(kind) if kind == INSTANT else pa.array(values, kind, from_pandas=True)
