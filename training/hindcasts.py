"""What a pool would have forecast at past issue times, for pools that read its forecasts: never from its own sample."""

from collections.abc import Sequence

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from training.samples import Samples
from training.splits import OutOfTime
from training.trainers.protocol import Fitted
from wattahead.features.source import Source
from wattahead.models.rows import Model
from wattahead.storage import hindcasts
from wattahead.storage.objects import Bucket
from wattahead.storage.tables import INSTANT
from wattahead.workloads.forecast.guards import dark_hours, guard

Floats = NDArray[np.float64]


def save_hindcasts(
    bucket: Bucket,
    pool: str,
    source: Source,
    split: OutOfTime,
    fitted: Fitted,
    model: Model,
    *,
    until: int,
    bundle: str,
) -> str:
    """Write the medians of a training and return their key; an empty key when it has none.

    The samples it learnt from are answered by the fits that had not seen their week, the out-of-time ones by `model`,
    loaded from the bundle whose id is `bundle`. What passes is within the bounds that live rows keep.
    """
    parts = []
    if fitted.held_out is not None:
        parts.append(_rows(source, split.learn, fitted.held_out.reshape(-1) * split.learn.rows.row_scale))
    if len(split.test):
        parts.append(_rows(source, split.test, _medians(model, split.test, source.pool.quantiles)))
    rows = pa.concat_tables(parts) if parts else None
    if rows is None or not rows.num_rows:
        return ""
    return hindcasts.save(bucket, source.signal, pool, source.rules[pool], until, bundle, rows.unify_dictionaries())


def _medians(model: Model, samples: Samples, quantiles: Sequence[str]) -> Floats:
    """Return the median of every row [unit], shape (N x H); NaN where the model would not be asked."""
    found = np.full((len(samples), samples.rows.steps), np.nan)
    able = np.flatnonzero(model.usable(samples.rows))
    if len(able):
        values = model.predict(samples.rows.take(able))
        found[able] = values[list(quantiles).index("p50")].reshape(len(able), -1)
    return found.reshape(-1)


def _rows(source: Source, samples: Samples, median: Floats) -> pa.Table:
    """Return the known medians as rows by sample, then by valid time."""
    signal, zones, steps = source.signal, samples.rows.zones, samples.rows.steps
    valid = samples.issue_times[:, None] + np.arange(steps) * signal.step
    dark = np.zeros(valid.shape, dtype=bool)
    if signal.night_zero:
        dark = dark_hours(valid, signal.step, [source.zones[zone] for zone in zones])
    capacity = np.repeat([signal.capacity.get(zone, np.inf) for zone in zones], steps)
    safe = guard(median[None], samples.rows.row_scale, signal, dark.reshape(-1), capacity)[0][0]
    known = np.flatnonzero(np.isfinite(safe))
    codes = np.searchsorted(source.names, np.repeat(np.array(zones), steps)[known]).astype(np.int32)
    return pa.table(
        {
            "zone": pa.DictionaryArray.from_arrays(codes, pa.array(source.names)),
            "issue_time": pa.array(np.repeat(samples.issue_times, steps)[known]).view(INSTANT),
            "valid_time": pa.array(valid.reshape(-1)[known]).view(INSTANT),
            "p50": safe[known].astype(np.float32),
            "scale": samples.rows.row_scale[known].astype(np.float32),
        }
    )
