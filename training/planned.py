"""Forecasts that were made hour by hour from plans, with both baselines on the very inputs of each batch."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from training.made import Made
from wattahead.domain.bundle import Rung
from wattahead.domain.errors import Refused
from wattahead.domain.hours import HOUR, MINUTE, iso
from wattahead.domain.plan import Batch, Plan, PlannedPool
from wattahead.domain.series import Series
from wattahead.jobs.hour import features_key
from wattahead.jobs.score import Scorer
from wattahead.models.rows import Model, Rows
from wattahead.storage import keys
from wattahead.storage.documents import decode
from wattahead.storage.objects import Bucket
from wattahead.storage.tables import decode_table, read_parquet
from wattahead.workloads.forecast import NAME, own
from wattahead.workloads.forecast.sample import feature_schema, valid_times

Floats = NDArray[np.float64]

BASELINES = ("seasonal_naive", "climatology")


@dataclass(frozen=True)
class _Hour:
    """What one batch of one hour held."""

    issue_time: int
    planned: PlannedPool
    batch: Batch
    rows: pa.Table
    scale: Floats  # (S)
    baselines: dict[str, Floats]  # (S, H)


def read(bucket: Bucket, kind: str, run: str, first: int, last: int, tell: Callable[[int, int], None]) -> list[Made]:
    """Return every series of the planned hours of a run with issue times in [first, last] [µs].

    Raises `E_CONFIG` where a series got another horizon, step or quantiles meanwhile: no measure is about both.
    """
    scorer = Scorer(bucket)
    found: dict[str, list[tuple[_Hour, int]]] = {}
    plans = list(_plans(bucket, kind, run, first, last))
    for number, key in enumerate(plans):
        for hour in _hours(scorer, key):
            for place, name in enumerate(hour.batch.series):
                parts = found.setdefault(name, [])
                _must_be_alike(name, parts[-1][0] if parts else hour, hour)
                parts.append((hour, place))
        tell(number + 1, len(plans))
    return [_made(name, parts) for name, parts in sorted(found.items())]


def _plans(bucket: Bucket, kind: str, run: str, first: int, last: int) -> Iterator[str]:
    root = f"plans/run_kind={kind}" + (f"/run={run}" if run else "")
    for key in (key for key in bucket.keys(root) if key.endswith("/plan.json")):  # work lists lie beside them
        parts = dict(part.split("=", 1) for part in key.split("/") if "=" in part)
        at = int(np.datetime64(f"{parts['issue_date']}T{parts['issue_hour']}", "us").astype(np.int64))
        if first <= at <= last:
            yield key


def _hours(scorer: Scorer, key: str) -> Iterator[_Hour]:
    plan = scorer.bucket.read(key, lambda body: decode(Plan, body, where=key))
    for batch in plan.batches:
        if plan.pools[batch.pool].workload != NAME:
            continue
        planned = own(plan.pools[batch.pool])
        rows_key = keys.rows(plan, planned.workload, batch.name)
        try:
            rows = scorer.bucket.read(rows_key, partial(read_parquet, where=rows_key))
            table = scorer.bucket.read(
                features_key(plan, batch), partial(decode_table, schema=feature_schema(planned), where="features")
            )
        except Refused as error:
            if error.code != "E_FEAT_MISSING":
                raise
            continue  # a batch that was never scored has nothing to be judged by
        inputs = _inputs(planned, batch, table)
        yield _Hour(plan.issue_time, planned, batch, rows, inputs.scale, _baselines(scorer, planned, inputs))


def _inputs(planned: PlannedPool, batch: Batch, table: pa.Table) -> Rows:
    steps = len(valid_times(planned, 0))
    return Rows(
        tuple(name.split("/", 1)[0] for name in batch.series),
        steps,
        planned.features,
        np.stack([table[name].to_numpy() for name in planned.features]),
        table["scale"].to_numpy()[::steps],
    )


def _baselines(scorer: Scorer, planned: PlannedPool, rows: Rows) -> dict[str, Floats]:
    """Return the medians of the plan's baselines on the batch's own feature object, shape (S, H)."""
    rungs: dict[str, Rung] = {rung.role: rung for rung in planned.ladder}
    found = {}
    for role in BASELINES:
        values = np.full((len(rows.zones), rows.steps), np.nan)
        model = _fitting(scorer, rungs[role], planned) if role in rungs else None
        if model:
            able = np.flatnonzero(model.usable(rows))
            if len(able):
                median = model.predict(rows.take(able))[planned.pool.quantiles.index("p50")]
                values[able] = median.reshape(-1, rows.steps)
        found[role] = values
    return found


def _fitting(scorer: Scorer, rung: Rung, planned: PlannedPool) -> Model | None:
    """Return the model of a rung; None where the pool got other quantiles behind its training, so that none served."""
    try:
        return scorer.model(rung, planned)
    except Refused as error:
        if error.code != "E_BUNDLE_FEATURES":
            raise
        return None


def _must_be_alike(name: str, before: _Hour, now: _Hour) -> None:
    former, later = (_shape(hour.planned) for hour in (before, now))
    if former != later:
        fact = f"{name} has {former} until {iso(before.issue_time)}, and {later} from {iso(now.issue_time)}"
        ends, begins = iso(now.issue_time - HOUR), iso(now.issue_time)
        raise Refused("E_CONFIG", fact, fix=f"evaluate both by themselves: --to {ends}, and --from {begins}")


def _shape(planned: PlannedPool) -> str:
    step = planned.signal.step // MINUTE
    return f"{len(valid_times(planned, 0))} steps of {step} minutes with {', '.join(planned.pool.quantiles)}"


def _made(name: str, parts: list[tuple[_Hour, int]]) -> Made:
    parts = sorted(parts, key=lambda part: part[0].issue_time)
    planned, series = parts[0][0].planned, Series.parse(name)
    steps = len(valid_times(planned, 0))
    versions = {str(hour.rows["model_version"][place * steps].as_py()) for hour, place in parts}
    return Made(
        series,
        planned.signal,
        planned.zones[series.zone],
        planned.name,
        np.array([hour.issue_time for hour, _ in parts]),
        {quantile: _stack(parts, quantile, steps) for quantile in planned.pool.quantiles},
        {role: np.stack([hour.baselines[role][place] for hour, place in parts]) for role in BASELINES},
        np.array([hour.scale[place] for hour, place in parts]),
        np.array([hour.rows["fallback_level"].to_numpy()[place * steps] for hour, place in parts], dtype=np.int8),
        versions.pop() if len(versions) == 1 else "",
    )


def _stack(parts: list[tuple[_Hour, int]], column: str, steps: int) -> Floats:
    return np.stack(
        [hour.rows[column].to_numpy().astype(np.float64)[place * steps : (place + 1) * steps] for hour, place in parts]
    )
