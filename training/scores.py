"""Forecasts of past hours beside what came true and what others said, from wherever the forecasts lie."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from training import planned, tabled
from training.made import Made
from wattahead.domain.catalog import Catalog
from wattahead.domain.errors import Refused
from wattahead.domain.hours import DAY, HOUR
from wattahead.evaluation.scored import Scored
from wattahead.features.panel import Panel, panel
from wattahead.storage import timeseries
from wattahead.storage.catalogs import latest_catalog
from wattahead.storage.objects import Bucket

Floats = NDArray[np.float64]
Tell = Callable[[int, int], None]  # how many parts of how many are read


@dataclass(frozen=True)
class Asked:
    """Which forecasts are judged: a kind, its run, and issue times from `first` to `last` [µs], both included."""

    kind: str  # live, backfill, backtest or shadow
    run: str
    first: int
    last: int
    external: str = ""  # a provider whose forecasts are put beside ours

    def __post_init__(self) -> None:
        if (self.kind == "live") == bool(self.run):
            fix = "name a run for a backfill or backtest, and none for live"
            raise Refused("E_EVENT_SHAPE", f"kind {self.kind} with run {self.run!r}", fix=fix)

    @property
    def named(self) -> str:
        """The run in words."""
        return f"{self.kind} {self.run}".strip()


def collect(bucket: Bucket, asked: Asked, *, now: int, tell: Tell = lambda _, __: None) -> list[Scored]:
    """Return every series of the hours asked for, sorted by name; truth as known at `now` [µs].

    Hours with plans are read as they were planned, with both baselines on the very inputs of each batch; the rows of
    a backtest, which has none, are given to `of_rows`. Raises `E_FEAT_MISSING` when there is no forecast.
    """
    made = planned.read(bucket, asked.kind, asked.run, asked.first, asked.last, tell)
    if made:
        return beside(bucket, made, asked.external, now=now)
    table = tabled.read(bucket, asked.kind, asked.run, asked.first, asked.last, tell)
    if table.num_rows:
        return of_rows(bucket, table, latest_catalog(bucket)[1], asked.external, now=now)
    raise Refused(
        "E_FEAT_MISSING",
        f"no forecasts of {asked.named} between the times asked for",
        fix="run them first, or widen the range",
    )


def of_rows(bucket: Bucket, table: pa.Table, catalog: Catalog, external: str = "", *, now: int) -> list[Scored]:
    """Return every series of a table with the columns of forecast rows, whoever made it; sorted by name.

    Columns `seasonal_naive` and `climatology` are taken for the medians of the baselines. Without the first it is
    the same hour of the newest day that was known at the issue time; without the second there is none.
    """
    return beside(bucket, tabled.made(bucket, table, catalog, now=now), external, now=now)


def beside(bucket: Bucket, made: Sequence[Made], external: str, *, now: int) -> list[Scored]:
    """Put what came true, as known at `now` [µs], and the forecasts of provider `external` beside ours."""
    found = []
    for alike in _by_signal(made).values():
        first, last = (int(choose([choose(one.issue_times) for one in alike])) for choose in (min, max))
        end = last + max(one.steps * one.signal.step for one in alike) + DAY
        truth = _truth(bucket, alike[0], first, end)
        said = _said(bucket, external, alike[0], first, end) if external else {}
        found += [_scored(one, truth.get(one.series.zone), said.get(one.series.zone), external, now) for one in alike]
    return sorted(found, key=lambda one: one.series)


def _by_signal(made: Sequence[Made]) -> dict[tuple[str, str], list[Made]]:
    alike: dict[tuple[str, str], list[Made]] = {}
    for one in made:
        alike.setdefault((one.series.key, one.series.subkey), []).append(one)
    return alike


def _scored(one: Made, truth: Panel | None, said: Panel | None, external: str, now: int) -> Scored:
    known = np.full((len(one.issue_times), one.steps), np.nan)
    if truth:
        cells = (one.issue_times[:, None] - truth.start) // truth.step + np.arange(one.steps)
        known = truth.settled(now)[0][cells]
    references = dict(one.baselines)
    if external:
        references[external] = np.full(known.shape, np.nan)
    if said:
        references[external] = said.known(one.issue_times, before=0, after=one.steps)[0]
    return Scored(
        one.series,
        one.signal,
        one.zone,
        one.pool,
        one.issue_times,
        one.quantiles,
        references,
        known,
        one.scale,
        one.level,
        one.version,
    )


def _truth(bucket: Bucket, one: Made, start: int, end: int) -> Mapping[str, Panel]:
    table = timeseries.load(bucket, timeseries.actuals(one.series.key, one.series.subkey), start, end)
    return _by_zone(table, "value", start, end, one.signal.step)


def _said(bucket: Bucket, provider: str, one: Made, start: int, end: int) -> Mapping[str, Panel]:
    """Return what a provider said of this signal, by zone."""
    variable = f"{one.series.key}_{one.series.subkey}"
    table = timeseries.load(bucket, timeseries.external(provider), start - 3 * DAY, end, variables=(variable,))
    return _by_zone(table, variable, start, end, one.signal.step)


def _by_zone(table: pa.Table, column: str, start: int, end: int, step: int) -> dict[str, Panel]:
    zones = table.unify_dictionaries()["zone"].combine_chunks()
    if not len(zones):
        return {}
    codes = zones.indices.to_numpy(zero_copy_only=False)
    valid, available = (table[name].cast(pa.int64()).to_numpy() for name in ("valid_time", "available_at"))
    value, start = table[column].to_numpy().astype(np.float64), start - start % HOUR
    order = np.argsort(codes, kind="stable")
    cuts = np.searchsorted(codes[order], np.arange(1, len(zones.dictionary)))
    found = {}
    for zone, here in zip(zones.dictionary.to_pylist(), np.split(order, cuts), strict=True):
        if np.isfinite(value[here]).any():
            who = np.zeros(len(here), dtype=np.int64)
            found[zone] = panel(
                who, valid[here], available[here], value[here], series=1, start=start, end=end, step=step
            )
    return found
