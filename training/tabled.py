"""Forecasts as rows of a table: a backtest's, one object per pool and month, or anybody's with the same columns."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from training.gate import Judged
from training.made import Made
from wattahead.domain.catalog import Catalog, Pool, Signal
from wattahead.domain.errors import Refused
from wattahead.domain.hours import MINUTE
from wattahead.domain.series import Series
from wattahead.evaluation.scored import Scored
from wattahead.features.cube import build
from wattahead.features.grammar import columns
from wattahead.features.source import Source
from wattahead.jobs.inputs import load_inputs
from wattahead.storage import keys
from wattahead.storage.objects import Bucket
from wattahead.storage.tables import INSTANT, read_parquet

Floats = NDArray[np.float64]

BASELINES = ("seasonal_naive", "climatology")  # columns with their medians, where a table has them
NEEDED = ("series_id", "issue_time", "lead_time_minutes", "fallback_level", "model_version")
ORDER = ("issue_time", "lead_time_minutes")
_QUANTILE = re.compile(r"p[0-9]{2}", re.ASCII)


def read(bucket: Bucket, kind: str, run: str, first: int, last: int, tell: Callable[[int, int], None]) -> pa.Table:
    """Return the rows of a run with issue times in [first, last] [µs], with the pool that their key names."""
    found = [key for key in bucket.keys(keys.table("forecast", kind, run)) if key.endswith(".parquet")]
    held = []
    for number, key in enumerate(found):
        rows = bucket.read(key, partial(read_parquet, where=key))
        at = rows["issue_time"].cast(pa.int64())
        rows = rows.filter(pc.and_(pc.greater_equal(at, first), pc.less_equal(at, last)))
        pool = next((part[len("pool=") :] for part in key.split("/") if part.startswith("pool=")), "")
        held.append(rows.append_column("pool", pa.array([pool] * rows.num_rows, pa.string())))
        tell(number + 1, len(found))
    nothing = pa.table({"issue_time": pa.array([], INSTANT)})
    return pa.concat_tables(held, promote_options="default").unify_dictionaries() if held else nothing


def made(bucket: Bucket, table: pa.Table, catalog: Catalog, *, now: int) -> list[Made]:
    """Return the forecasts in a table, by series, with the baseline and the scale that were known at each issue."""
    missing = [name for name in (*NEEDED, "p50") if name not in table.column_names]
    if missing:
        raise Refused(
            "E_FEAT_COLUMN_MISSING", f"the rows lack {missing[0]}", fix="give them the columns of forecast rows"
        )
    found: dict[str, list[Made]] = {}
    for name, pool, rows in _split(table):
        one = _one(Series.parse(name), pool, rows, catalog)
        found.setdefault(one.pool, []).append(one)
    return [one for pool, alike in found.items() for one in _known_then(bucket, catalog, pool, alike, now)]


def of_judged(
    found: Judged,
    model: str,
    *,
    pool: str,
    signal: Signal,
    catalog: Catalog,
    version: str = "",
    quantiles: Sequence[str] = (),
) -> list[Scored]:
    """Return what one model of the promotion gate came to, with the others beside it: a training's own evaluation.

    `quantiles` are those of the pool unless the values hold others.
    """
    samples, quantiles = found.samples, quantiles or catalog.pools[pool].quantiles
    steps, zones, median = samples.rows.steps, np.array(samples.rows.zones), quantiles.index("p50")
    block = {name: values.reshape(len(quantiles), -1, steps) for name, values in found.values.items()}
    made_of = []
    for zone in np.unique(zones).tolist():
        here = np.flatnonzero(zones == zone)
        here = here[np.argsort(samples.issue_times[here], kind="stable")]
        made_of.append(
            Scored(
                Series(zone, signal.key, signal.subkey),
                signal,
                catalog.zones[zone],
                pool,
                samples.issue_times[here],
                {name: block[model][number, here] for number, name in enumerate(quantiles)},
                {name: values[median, here] for name, values in block.items() if name != model},
                samples.truth.reshape(-1, steps)[here],
                samples.rows.scale[here],
                np.zeros(len(here), dtype=np.int8),
                version,
            )
        )
    return made_of


def _split(table: pa.Table) -> list[tuple[str, str, pa.Table]]:
    """Return the rows of every series in every pool, sorted by name; the pool is empty where nothing tells it."""
    names = table["series_id"].cast(pa.string())
    pools = table["pool"].cast(pa.string()) if "pool" in table.column_names else pa.scalar("")
    who = pc.binary_join_element_wise(names, pools, "|")
    ordered = table.append_column("who", who).sort_by([(name, "ascending") for name in ("who", *ORDER)])
    runs = pc.run_end_encode(ordered["who"].combine_chunks())
    ends = runs.run_ends.to_pylist()
    return [
        (*name.split("|"), ordered.slice(start, end - start))
        for name, start, end in zip(runs.values.to_pylist(), [0, *ends], ends, strict=False)
    ]


def _one(series: Series, stated: str, rows: pa.Table, catalog: Catalog) -> Made:
    name, pool = (stated, catalog.pools[stated]) if stated in catalog.pools else _pool_of(series, catalog)
    signal = catalog.signals[pool.signal]
    times, moment = np.unique(_numbers(rows, "issue_time"), return_inverse=True)
    step = (_numbers(rows, "lead_time_minutes") * MINUTE // signal.step).astype(np.int64)
    shape = (len(times), int(step.max()) + 1)

    def block(column: str) -> Floats:
        values = np.full(shape, np.nan)
        values[moment, step] = rows[column].cast(pa.float64()).to_numpy()
        return values

    level = np.zeros(len(times), dtype=np.int8)
    level[moment] = _numbers(rows, "fallback_level")
    versions = rows["model_version"].unique().to_pylist()
    return Made(
        series,
        signal,
        catalog.zones[series.zone],
        name,
        times,
        _told({column: block(column) for column in sorted(filter(_QUANTILE.fullmatch, rows.column_names))}),
        {column: block(column) for column in BASELINES if column in rows.column_names},
        np.full(len(times), np.nan),
        level,
        str(versions[0]) if len(versions) == 1 else "",
    )


def _told(quantiles: Mapping[str, Floats]) -> dict[str, Floats]:
    """Return the quantiles that the series has: where pools differ in theirs, a table has the columns of all."""
    return {name: values for name, values in quantiles.items() if name == "p50" or np.isfinite(values).any()}


def _pool_of(series: Series, catalog: Catalog) -> tuple[str, Pool]:
    for name, pool in sorted(catalog.pools.items()):
        signal = catalog.signals[pool.signal]
        if (signal.key, signal.subkey) == (series.key, series.subkey) and series.zone in pool.zones:
            return name, pool
    raise Refused("E_CONFIG", f"no pool of the catalog has {series}", fix="publish the catalog that it was made with")


def _known_then(bucket: Bucket, catalog: Catalog, pool: str, alike: Sequence[Made], now: int) -> list[Made]:
    """Fill in the scale and, where the table has none, seasonal naive: as scoring would, from what was known."""
    held = catalog.pools[pool]
    zones: Mapping[str, object] = {one.series.zone: one.zone for one in alike}
    source = Source(
        held, alike[0].signal, {zone: catalog.zones[zone] for zone in sorted(zones)}, columns(["same_time_1"])
    )
    times = np.unique(np.concatenate([one.issue_times for one in alike]))
    inputs = load_inputs(bucket, source, int(times[0]), int(times[-1]), truth_until=min(now, int(times[-1])))
    cube = build(source.recipe, inputs, times)
    filled = []
    for one in alike:
        who, when = source.names.index(one.series.zone), np.searchsorted(times, one.issue_times)
        scale = cube.scale[who, when]
        naive = cube.values[0, who, when, : one.steps] * scale[:, None]
        filled.append(replace(one, scale=scale, baselines={"seasonal_naive": naive, **one.baselines}))
    return filled


def _numbers(rows: pa.Table, column: str) -> NDArray[np.int64]:
    return np.asarray(rows[column].cast(pa.int64()).to_numpy())
