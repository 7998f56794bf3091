"""How often bands of 80 % cover, and how wide they are beside raw quantile boosters': `python -m tests.perf.bands`.

Day-ahead at 00 UTC on zones_production, trained once on what was known at `--from`. The raw interval is that of plain
boosters of the quantiles on the same samples, widened about their median by one factor until it covers as often.
"""

import argparse
import sys
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from training.samples import Samples, first_issue, load_samples, source_of
from training.trainers import trainer
from training.trainers.protocol import Fitted, Lesson
from wattahead.cli.catalog import find_catalog
from wattahead.domain import sun
from wattahead.domain.bundle import MANIFEST_VERSION, Manifest
from wattahead.domain.catalog import Catalog
from wattahead.domain.graph import forecasts_of
from wattahead.domain.hours import DAY, instant
from wattahead.features.grammar import check, columns
from wattahead.features.source import Source
from wattahead.jobs.ingest import ingest
from wattahead.jobs.upstream import issued
from wattahead.models.booster import load_boosters, with_zone
from wattahead.models.loading import load
from wattahead.models.rows import Floats
from wattahead.sources.mapping_files import find_mapping
from wattahead.storage.objects import Bucket, open_bucket
from wattahead.workloads.forecast.planning import output_of

SET: Final = "zones_production"
SEED: Final = 1
LATE: Final = 20_000 * DAY  # [µs] a clock behind all of the data
DAYLIGHT: Final = 5.0  # [degrees] of the sun: below it solar bands say nothing
LEAST: Final = 1e-9  # [unit] a half of an interval that has no width
QUANTILES: Final = ("p10", "p50", "p90")


@dataclass(frozen=True)
class Period:
    """What is trained on, and what is judged [µs]."""

    first: int
    end: int


@dataclass(frozen=True)
class Judged:
    """A pool's rows of the period: quantiles (3, R) of ours and of the raw boosters, and what came true (R) [unit]."""

    source: Source
    ours: Floats
    raw: Floats
    truth: Floats
    zones: NDArray[np.str_]


def judged(bucket: Bucket, catalog: Catalog, names: list[str], period: Period) -> Iterator[tuple[str, Judged]]:
    """Train pool after pool, those that others read first, and give the rows that count of each in `names`."""
    told: dict[str, pa.Table] = {}
    for name in _in_order(catalog, names):
        pool = catalog.pools[name]
        features = columns(dict.fromkeys([*catalog.feature_sets[pool.feature_set], "hour", "lead"]))
        source = source_of(catalog, name, features)
        read = {signal: issued(told[signal], source.names, source.signal.step) for signal in forecasts_of(features)}
        learn = load_samples(
            bucket, source, first_issue(period.first, pool.training_window), period.first, forecasts=read
        )
        midnight = replace(source, pool=replace(pool, issue_hours=(0,)))
        test = load_samples(bucket, midnight, period.first + DAY, period.end, forecasts=read)
        fitted = trainer(pool.trainer).fit(Lesson(learn, pool, features, SEED), lambda _: None)
        ours = _bounded(source, load(_manifest(source, fitted), fitted.files).predict(test.rows))
        told[pool.signal] = _medians(source, learn, fitted, test, ours[1])
        if name in names:
            counts = np.isfinite(test.truth) & _by_day(source, test)
            raw = _raw(source, Lesson(learn, replace(pool, parameters={}), features, SEED), test)
            yield name, Judged(source, ours[:, counts], raw[:, counts], test.truth[counts], test.zones[counts])


def _in_order(catalog: Catalog, names: list[str]) -> list[str]:
    """Return the pools and those whose forecasts they read, each behind what it reads."""
    forecaster = {pool.signal: name for name, pool in catalog.pools.items()}
    found: dict[str, None] = {}
    for name in names:
        reads = forecasts_of(catalog.feature_sets[catalog.pools[name].feature_set])
        found |= dict.fromkeys([*_in_order(catalog, [forecaster[signal] for signal in reads]), name])
    return list(found)


def _manifest(source: Source, fitted: Fitted) -> Manifest:
    output = output_of(source.signal, source.pool)
    facts = dict(fitted.facts)
    return Manifest(
        MANIFEST_VERSION, "forecast", "bands", fitted.kind, fitted.features, 1.0, output, (), facts, {}, None
    )


def _bounded(source: Source, values: Floats) -> Floats:
    """Return quantiles that are not below the signal's lower bound, as scoring leaves them."""
    return values if source.signal.lower is None else np.maximum(values, source.signal.lower)


def _medians(source: Source, learn: Samples, fitted: Fitted, test: Samples, median: Floats) -> pa.Table:
    """Return what is forecast of both periods, for pools that read it: held-back medians, then real forecasts."""
    held = np.full(len(learn.truth), np.nan) if fitted.held_out is None else fitted.held_out.reshape(-1)
    parts = []
    for samples, values in ((learn, _bounded(source, held * learn.rows.row_scale)), (test, median)):
        times, valid = np.repeat(samples.issue_times, samples.rows.steps), _valid(source, samples)
        stamps = {
            key: pa.array(at, pa.timestamp("us", "UTC")) for key, at in (("issue_time", times), ("valid_time", valid))
        }
        parts.append(pa.table({"zone": pa.array(samples.zones.tolist()), **stamps, "p50": values}))
    table = pa.concat_tables(parts).combine_chunks()
    return table.set_column(0, "zone", table["zone"].combine_chunks().dictionary_encode())


def _valid(source: Source, samples: Samples) -> NDArray[np.int64]:
    """Return when the hour of every row begins [µs], shape (N x H)."""
    return (samples.issue_times[:, None] + np.arange(samples.rows.steps) * source.signal.step).reshape(-1)


def _by_day(source: Source, samples: Samples) -> NDArray[np.bool_]:
    """Return the rows that count: of solar, those whose middle sees the sun."""
    if not source.signal.night_zero:
        return np.ones(len(samples.truth), dtype=bool)
    places = [source.zones[str(zone)] for zone in samples.rows.zones]
    latitude, longitude = (
        np.repeat(side, samples.rows.steps) for side in zip(*((p.latitude, p.longitude) for p in places), strict=True)
    )
    return sun.elevation(_valid(source, samples) + source.signal.step // 2, latitude, longitude) > DAYLIGHT


def _raw(source: Source, lesson: Lesson, test: Samples) -> Floats:
    """Return the quantiles of plain boosters without the conformal step, in the unit of the signal, (3, R)."""
    fitted = trainer("quantiles").fit(lesson, lambda _: None)
    model = load_boosters(_manifest(source, fitted), fitted.files)
    matrix = with_zone(test.rows, fitted.features, model.zones)
    values = np.sort([booster.predict(matrix) for booster in model.boosters], axis=0)
    return _bounded(source, values * test.rows.row_scale)


def coverage(quantiles: Floats, truth: Floats) -> float:
    """Return the share of truths between the outer quantiles."""
    return float(np.mean((truth >= quantiles[0]) & (truth <= quantiles[-1])))


def widened(quantiles: Floats, truth: Floats, share: float) -> Floats:
    """Return an interval (3, R) whose sides stand one factor further from its median, so that it covers `share`."""
    low, middle, high = quantiles
    side = np.where(truth < middle, middle - low, high - middle)
    factor = np.quantile(np.abs(truth - middle) / np.maximum(side, LEAST), share)
    return np.stack([middle - factor * (middle - low), middle, middle + factor * (high - middle)])


def lines(found: Mapping[str, Judged]) -> list[str]:
    """Return the table: a line for each zone and pool, and the mean of their ratios."""
    table = [f"{'zone':<14}{'pool':<9}{'covers':>7}{'width':>8}{'raw covers':>12}{'raw widened':>13}{'ratio':>7}"]
    ratios = []
    for name, held in found.items():
        for zone in sorted(set(held.zones)):
            of_zone = held.zones == zone
            ours, raw, truth = held.ours[:, of_zone], held.raw[:, of_zone], held.truth[of_zone]
            share = coverage(ours, truth)
            wide = _bounded(held.source, widened(raw, truth, share))
            widths = [float(np.mean(one[-1] - one[0])) for one in (ours, wide)]
            ratios.append(widths[0] / widths[1])
            told = f"{share:>7.3f}{widths[0]:>8.5g}{coverage(raw, truth):>12.3f}{widths[1]:>13.5g}{ratios[-1]:>7.2f}"
            table.append(f"{zone:<14}{name:<9}{told}")
    return [*table, f"mean ratio of widths at equal coverage: {np.mean(ratios):.3f}"]


def main() -> int:
    """Ingest, train, and print the table."""
    parser = argparse.ArgumentParser(prog="python -m tests.perf.bands", description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="the folder of the zones_production set")
    parser.add_argument("--from", dest="first", default="2021-01-01T00:00Z", help="end of training")
    parser.add_argument("--to", dest="end", default="2021-07-01T00:00Z", help="end of what is judged")
    parser.add_argument("--pools", default="solar,wind,carbon,gas")
    asked = parser.parse_args()
    held = asked.data / SET if (asked.data / SET).is_dir() else asked.data
    catalog = check(find_catalog(SET))
    pools = {name: replace(pool, quantiles=QUANTILES) for name, pool in catalog.pools.items()}
    with tempfile.TemporaryDirectory() as folder:
        bucket = open_bucket(folder)
        ingest(bucket, find_mapping(SET), held, now=LATE)
        period = Period(instant(asked.first), instant(asked.end))
        found = dict(judged(bucket, replace(catalog, pools=pools), asked.pools.split(","), period))
    sys.stdout.write("\n".join([*lines(found), ""]))
    return 0


if __name__ == "__main__":
    sys.exit(main())
