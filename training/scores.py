"""Forecasts of past hours beside what came true, both baselines on the same inputs, and somebody else's forecast."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from wattahead.domain import sun
from wattahead.domain.bundle import Rung
from wattahead.domain.catalog import Signal, Zone
from wattahead.domain.errors import Refused
from wattahead.domain.hours import DAY, HOUR
from wattahead.domain.plan import Batch, Plan, PlannedPool
from wattahead.domain.series import Series
from wattahead.features.panel import Panel, panel
from wattahead.jobs.hour import features_key
from wattahead.jobs.score import Scorer
from wattahead.models.rows import Rows
from wattahead.storage import keys, timeseries
from wattahead.storage.documents import decode
from wattahead.storage.objects import Bucket
from wattahead.storage.tables import decode_table, read_parquet
from wattahead.workloads.forecast import feature_schema, valid_times

Floats = NDArray[np.float64]

BASELINES = ("seasonal_naive", "climatology")


@dataclass(frozen=True)
class Scored:
    """One series over many issue times: T issue times, H steps, arrays of shape (T, H)."""

    series: Series
    signal: Signal
    zone: Zone
    issue_times: NDArray[np.int64]  # (T)
    valid_times: NDArray[np.int64]
    quantiles: dict[str, Floats]
    baselines: dict[str, Floats]  # their medians
    external: Floats | None
    truth: Floats
    level: NDArray[np.int8]

    @property
    def daylight(self) -> NDArray[np.bool_]:
        """Hours whose middle has the sun above 5 degrees."""
        middle = self.valid_times + self.signal.step // 2
        return sun.elevation(middle, np.array(self.zone.latitude), np.array(self.zone.longitude)) > 5  # noqa: PLR2004 - the usual bound for solar


@dataclass(frozen=True)
class _Hour:
    """What one batch of one hour held."""

    issue_time: int
    planned: PlannedPool
    batch: Batch
    rows: pa.Table
    baselines: dict[str, Floats]


def collect(
    bucket: Bucket, run: str, first: int, last: int, external: str, *, now: int, tell: Callable[[int, int], None]
) -> list[Scored]:
    """Return every series of the live hours, or of a backfill run, with issue times in [first, last] [µs]."""
    scorer = Scorer(bucket)
    found: dict[str, list[tuple[_Hour, int]]] = {}
    plans = list(_plans(bucket, run, first, last))
    for number, key in enumerate(plans):
        for hour in _hours(scorer, key):
            for place, name in enumerate(hour.batch.series):
                found.setdefault(name, []).append((hour, place))
        tell(number + 1, len(plans))
    if not found:
        raise Refused(
            "E_FEAT_MISSING",
            f"no forecasts of {run or 'the live hours'} between the times asked for",
            fix="run them first, or widen the range",
        )
    truths: dict[tuple[str, str], tuple[list[str], Panel]] = {}
    return [_scored(bucket, name, parts, external, truths, now) for name, parts in sorted(found.items())]


def _plans(bucket: Bucket, run: str, first: int, last: int) -> Iterator[str]:
    root = f"plans/run_kind=backfill/run={run}" if run else "plans/run_kind=live"
    for key in (key for key in bucket.keys(root) if key.endswith("/plan.json")):  # work lists lie beside them
        parts = dict(part.split("=", 1) for part in key.split("/") if "=" in part)
        at = int(np.datetime64(f"{parts['issue_date']}T{parts['issue_hour']}", "us").astype(np.int64))
        if first <= at <= last:
            yield key


def _hours(scorer: Scorer, key: str) -> Iterator[_Hour]:
    plan = scorer.bucket.read(key, lambda body: decode(Plan, body, where=key))
    for batch in plan.batches:
        planned = plan.pools[batch.pool]
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
        yield _Hour(plan.issue_time, planned, batch, rows, _baselines(scorer, planned, batch, table))


def _baselines(scorer: Scorer, planned: PlannedPool, batch: Batch, table: pa.Table) -> dict[str, Floats]:
    """Return the medians of the plan's baselines on the batch's own feature object, shape (S, H)."""
    steps = len(valid_times(planned, 0))
    block = np.stack([table[name].to_numpy() for name in planned.features])
    rows = Rows(
        tuple(name.split("/", 1)[0] for name in batch.series),
        steps,
        planned.features,
        block,
        table["scale"].to_numpy()[::steps],
    )
    rungs: dict[str, Rung] = {rung.role: rung for rung in planned.ladder}
    found = {}
    for role in BASELINES:
        values = np.full((len(batch.series), steps), np.nan)
        if role in rungs:
            model = scorer.model(rungs[role], planned)
            able = np.flatnonzero(model.usable(rows))
            if len(able):
                values[able] = model.predict(rows.take(able))[planned.pool.quantiles.index("p50")].reshape(-1, steps)
        found[role] = values
    return found


def _scored(
    bucket: Bucket,
    name: str,
    parts: list[tuple[_Hour, int]],
    external: str,
    truths: dict[tuple[str, str], tuple[list[str], Panel]],
    now: int,
) -> Scored:
    planned, series = parts[0][0].planned, Series.parse(name)
    times = np.array([hour.issue_time for hour, _ in parts])
    steps, step = len(valid_times(planned, 0)), planned.signal.step
    stacked = {quantile: _stack(parts, quantile, steps) for quantile in planned.pool.quantiles}
    signal = (series.key, series.subkey)
    if signal not in truths:
        truths[signal] = _truth(bucket, series, times, planned)
    zones, actual = truths[signal]
    cells = (times[:, None] - actual.start) // step + np.arange(steps)
    truth = (
        actual.settled(now)[zones.index(series.zone)][cells] if series.zone in zones else np.full(cells.shape, np.nan)
    )
    return Scored(
        series,
        planned.signal,
        planned.zones[series.zone],
        times,
        times[:, None] + np.arange(steps) * step,
        stacked,
        {role: np.stack([hour.baselines[role][place] for hour, place in parts]) for role in BASELINES},
        _external(bucket, external, series, times, steps, step) if external else None,
        truth,
        np.array([hour.rows["fallback_level"].to_numpy()[place * steps] for hour, place in parts], dtype=np.int8),
    )


def _stack(parts: list[tuple[_Hour, int]], column: str, steps: int) -> Floats:
    return np.stack(
        [hour.rows[column].to_numpy().astype(np.float64)[place * steps : (place + 1) * steps] for hour, place in parts]
    )


def _truth(bucket: Bucket, series: Series, times: NDArray[np.int64], planned: PlannedPool) -> tuple[list[str], Panel]:
    start, end = int(times.min()), int(times.max()) + 8 * DAY
    table = timeseries.load(bucket, timeseries.actuals(series.key, series.subkey), start, end)
    return _by_zone(table, "value", start, end, planned.signal.step)


def _external(
    bucket: Bucket, provider: str, series: Series, times: NDArray[np.int64], steps: int, step: int
) -> Floats | None:
    """Return what the provider had said of this series by each issue time, or None if it never did."""
    variable = f"{series.key}_{series.subkey}"
    start, end = int(times.min()), int(times.max()) + 2 * DAY
    table = timeseries.load(bucket, timeseries.external(provider), start - 3 * DAY, end, variables=(variable,))
    zones, held = _by_zone(table, variable, start, end, step)
    if series.zone not in zones:
        return None
    known = held.known(times, before=0, after=steps)[zones.index(series.zone)]
    return known if np.isfinite(known).any() else None


def _by_zone(table: pa.Table, column: str, start: int, end: int, step: int) -> tuple[list[str], Panel]:
    names = table["zone"].cast(pa.string()).to_pylist()
    zones = sorted(set(names))
    where = {zone: number for number, zone in enumerate(zones)}
    who = np.array([where[name] for name in names], dtype=np.int64)
    valid, available = (table[name].cast(pa.int64()).to_numpy() for name in ("valid_time", "available_at"))
    value = table[column].to_numpy().astype(np.float64)
    return zones, panel(who, valid, available, value, series=len(zones), start=start - start % HOUR, end=end, step=step)
