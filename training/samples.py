"""Training samples of a pool: features as they were known at many past issue times, beside what came true."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from wattahead.domain.catalog import Catalog
from wattahead.domain.errors import Refused
from wattahead.domain.graph import forecasts_of
from wattahead.domain.hours import DAY, HOUR, duration, iso
from wattahead.domain.quality import Quality
from wattahead.features.cube import Inputs, build
from wattahead.features.grammar import columns
from wattahead.features.others import Issued
from wattahead.features.source import Source
from wattahead.jobs.inputs import load_inputs
from wattahead.jobs.upstream import issued
from wattahead.models.rows import EXTERNAL, Rows
from wattahead.storage import hindcasts
from wattahead.storage.objects import Bucket

Floats = NDArray[np.float64]

ENOUGH: Final = 0.5  # share of a zone's samples that must have their other signals, for those without to be left out


@dataclass(frozen=True)
class Samples:
    """N samples, each a (series, issue time) with H steps. `rows` holds a sample where scoring holds a series."""

    rows: Rows
    issue_times: NDArray[np.int64]  # (N) [µs]
    truth: Floats  # (N x H) [unit]; NaN where it is not known
    flags: NDArray[np.int32]  # (N) Quality bits
    step: int = HOUR  # [µs] of the signal

    def __len__(self) -> int:
        return len(self.issue_times)

    def take(self, chosen: NDArray[np.bool_]) -> "Samples":
        """Return the chosen samples."""
        index = np.flatnonzero(chosen)
        truth = self.truth.reshape(len(self), self.rows.steps)[index].reshape(-1)
        return Samples(self.rows.take(index), self.issue_times[index], truth, self.flags[index], self.step)

    @property
    def horizon(self) -> int:
        """How far a sample reaches past its issue time [µs]."""
        return self.rows.steps * self.step

    @property
    def zones(self) -> NDArray[np.str_]:
        """Zone of every row, shape (N x H)."""
        return np.repeat(np.array(self.rows.zones), self.rows.steps)

    @property
    def scaled_truth(self) -> Floats:
        """What came true in units of the scale, shape (N x H)."""
        return self.truth / self.rows.row_scale

    def recency(self, half_life_days: float) -> Floats:
        """Return how much each row counts when what happened `half_life_days` ago counts half, shape (N x H)."""
        age = (self.issue_times.max(initial=0) - self.issue_times) / DAY
        return np.repeat(0.5 ** (age / half_life_days), self.rows.steps)

    @property
    def digest(self) -> str:
        """Hash of everything a model could learn from."""
        told = hashlib.sha256(f"{self.rows.steps} {self.step}".encode())
        for words in (self.rows.names, self.rows.zones):
            told.update(b"\n" + "\0".join(words).encode())
        for array in (self.rows.block, self.rows.scale, self.truth, self.issue_times, self.flags):
            told.update(np.ascontiguousarray(array).tobytes())
        return told.hexdigest()


def source_of(catalog: Catalog, pool: str, features: tuple[str, ...]) -> Source:
    """Return the pool as training reads it: the same features, zones and rules that scoring reads."""
    held = catalog.pools[pool]
    zones = {zone: catalog.zones[zone] for zone in sorted(held.zones)}
    read = (maker for signal in forecasts_of(features) for maker in catalog.forecasters(signal, held.zones))
    rules = {one: hindcasts.rule_of(catalog, one) for one in {pool, *read}}
    return Source(held, catalog.signals[held.signal], zones, columns(features), catalog.signals, rules)


def load_samples(
    bucket: Bucket, source: Source, first: int, until: int, *, forecasts: Mapping[str, Issued] | None = None
) -> Samples:
    """Return samples of all issue times from `first` whose horizon ends by `until` [µs].

    `forecasts` of other signals are hindcasts of trainings that knew nothing after `until`, unless they are given.
    Samples without a scale or without any truth are left out.
    """
    return samples_of(source, *inputs_of(bucket, source, first, until, forecasts=forecasts), until)


def inputs_of(
    bucket: Bucket, source: Source, first: int, until: int, *, forecasts: Mapping[str, Issued] | None = None
) -> tuple[Inputs, NDArray[np.int64]]:
    """Return what samples are made of, and their issue times [µs]: those from `first` whose horizon ends by `until`."""
    hours = np.arange(first, until - duration(source.pool.horizon) + 1, HOUR)
    times = hours[np.isin(hours // HOUR % 24, source.pool.issue_hours)]
    if not len(times):
        raise Refused(
            "E_TRAIN_ROWS",
            f"no issue time of {source.pool.signal} between {iso(first)} and {iso(until)}",
            fix="ingest more history",
        )
    read = known_forecasts(bucket, source, until) if forecasts is None else forecasts
    inputs = load_inputs(bucket, source, int(times[0]), int(times[-1]), truth_until=until, forecasts=read)
    return inputs, times


def samples_of(source: Source, inputs: Inputs, times: NDArray[np.int64], until: int) -> Samples:
    """Return the useful samples of some issue times [µs], with what had come true by `until` [µs]."""
    cube = build(source.recipe, inputs, times)
    series, moments, steps = cube.values.shape[1:]
    cells = (times[:, None] - inputs.target.start) // source.signal.step + np.arange(steps)
    truth = inputs.target.settled(until)[:, cells]
    zones = tuple(np.repeat(source.names, moments).tolist())
    rows = Rows(zones, steps, cube.names, cube.values.reshape(len(cube.names), -1), cube.scale.reshape(-1))
    samples = Samples(rows, np.tile(times, series), truth.reshape(-1), cube.flags.reshape(-1), source.signal.step)
    useful = np.isfinite(rows.scale) & np.isfinite(truth).any(axis=2).reshape(-1)
    return samples.take(useful)


def known_forecasts(bucket: Bucket, source: Source, until: int) -> dict[str, Issued]:
    """Return what would have been forecast of the signals that a source reads, by trainings before `until` [µs]."""
    read = {name: source.others[name] for name in forecasts_of(source.features) if name in source.others}
    held = {name: hindcasts.load(bucket, signal, source.rules, until) for name, signal in read.items()}
    return {name: issued(table, source.names, read[name].step) for name, table in held.items()}


def complete(samples: Samples) -> NDArray[np.bool_]:
    """Return which samples are fit to learn from: their weather was complete, and so were their other signals.

    Samples without other signals stay in a zone that has hardly any with them, as before the first training upstream,
    or where a kind of plant gave nothing for most of the time.
    """
    weather = (samples.flags & Quality.WEATHER_MISSING) == 0
    others = weather & ((samples.flags & (Quality.INPUT_MISSING | Quality.INPUT_STALE)) == 0)
    _, zone = np.unique(samples.rows.zones, return_inverse=True)
    enough = np.bincount(zone, others) >= ENOUGH * np.bincount(zone, weather)
    return np.where(enough[zone], others, weather)


def partly_unheard(samples: Samples) -> Samples:
    """Return the samples without somebody else's forecasts on every tenth day: a model must know how to do without."""
    told = [number for number, name in enumerate(samples.rows.names) if name.startswith(EXTERNAL)]
    if not told:
        return samples
    gone = np.repeat(samples.issue_times // DAY % 10 == 0, samples.rows.steps)
    block = samples.rows.block.copy()
    block[np.ix_(np.array(told), np.flatnonzero(gone))] = np.nan
    return replace(samples, rows=replace(samples.rows, block=block))


def first_issue(bucket_until: int, window: str) -> int:
    """Return the earliest issue time of a training window that ends at `bucket_until` [µs]."""
    start = bucket_until - duration(window)
    return start - start % DAY
