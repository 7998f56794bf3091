"""Score many issue times at once with the parts that score one: the same bits in every column."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from training.backtest.once import NEEDED, ROW_WISE, Once
from training.backtest.upstream import read_run
from wattahead.domain.bundle import Rung
from wattahead.domain.hours import DAY
from wattahead.domain.plan import PlannedPool
from wattahead.features.cube import Cube, Inputs, build, overdue
from wattahead.features.grammar import providers
from wattahead.features.source import Source, empty_inputs
from wattahead.features.view import EXTERNAL_BEFORE, WEATHER_BEFORE
from wattahead.jobs.forecast_features import past_deadline
from wattahead.jobs.inputs import RUNS_BACK, load_inputs
from wattahead.jobs.score import Scorer
from wattahead.models.rows import Model, Rows
from wattahead.storage import timeseries
from wattahead.storage.objects import Bucket
from wattahead.workloads.forecast.rows import to_rows_of_many
from wattahead.workloads.forecast.sample import Sample
from wattahead.workloads.ladder import Climbed, climb

Instants = NDArray[np.int64]

CELLS_AT_ONCE: Final = 30_000_000  # of the cube, 120 MB: bounds the memory of one piece


@dataclass(frozen=True)
class Scored:
    """Rows of some issue times by series, issue time and valid time, and what the ledger should know of them."""

    rows: pa.Table
    moments: int  # issue times
    served: dict[str, set[str]]  # role, or `no_forecast` -> series
    errors: dict[str, str]  # series or role -> why it could not be used


def score(
    scorer: Scorer, planned: PlannedPool, issue_times: Instants, *, run: str, run_id: str, once: bool = True
) -> Iterator[Scored]:
    """Yield the rows of a pool at `issue_times` [µs, ascending, on the hour], piece by piece.

    Damaged history is raised, where a live hour would serve what the clock alone knows. `once` asks the model about
    equal rows once; the result is the same without it. Forecasts of other signals are those of run `run`.
    """
    source = Source.of(planned)

    def open_rung(rung: Rung) -> Model:
        model = scorer.model(rung, planned)
        asked_once = once and rung.kind in ROW_WISE and NEEDED in rung.features
        return Once(model, rung.features) if asked_once else model

    for times in _pieces(scorer.bucket, source, issue_times):
        others = read_run(scorer.bucket, run, planned, source, times)
        inputs = load_inputs(scorer.bucket, source, int(times[0]), int(times[-1]), forecasts=others)
        late = overdue(source.recipe, inputs, times)
        cube = past_deadline(build(source.recipe, inputs, times), late)
        sample = _sample(source, _sighted(source, cube, times), times)
        climbed = _climbed(sample.rows, len(times), planned, open_rung)
        issued = np.tile(times, len(source.names))
        rows, _ = to_rows_of_many(planned, sample, issued, climbed, run_id=run_id)
        yield Scored(rows, len(times), _served(sample.series, climbed), _torn(source, inputs) | climbed.errors)


def _pieces(bucket: Bucket, source: Source, times: Instants) -> Iterator[Instants]:
    """Cut issue times into pieces that fit into memory.

    An hour reads runs of the last days only. Where a run reaches so far that it would still be there for a
    later issue time of the piece, though not for that hour alone, pieces are single days.
    """
    recipe = source.recipe
    size = max(1, CELLS_AT_ONCE // (len(recipe.features) * len(source.zones) * recipe.steps))
    cuts = np.arange(size, len(times), size)
    if _outlives(bucket, source, times):
        cuts = np.union1d(cuts, np.flatnonzero(np.diff(times // DAY)) + 1)
    yield from np.split(times, cuts)


def _outlives(bucket: Bucket, source: Source, times: Instants) -> bool:
    """Return whether any run is about hours that are read when it is no longer."""
    roots = [(timeseries.external(name), EXTERNAL_BEFORE) for name in providers(source.features)]
    roots += [(timeseries.weather(source.pool.weather), WEATHER_BEFORE)] if source.pool.weather else []
    for root, before in roots:
        table = timeseries.load(bucket, root, int(times[0]) - before - RUNS_BACK, int(times[-1]), variables=())
        run, valid = (table[name].cast(pa.int64()).to_numpy() for name in ("nwp_init_time", "valid_time"))
        if (valid >= run // DAY * DAY + DAY + RUNS_BACK).any():
            return True
    return False


def _sample(source: Source, cube: Cube, times: Instants) -> Sample:
    """Return a sample that holds a series for every series and issue time of the cube."""
    signal, steps = source.signal, source.recipe.steps
    zones = tuple(np.repeat(source.names, len(times)).tolist())
    rows = Rows(zones, steps, cube.names, cube.values.reshape(len(cube.names), -1), cube.scale.reshape(-1))
    valid = np.tile(times[:, None] + np.arange(steps) * signal.step, (len(source.names), 1))
    series = tuple(f"{zone}/{signal.key}/{signal.subkey}" for zone in zones)
    return Sample(series, valid, rows, cube.age_minutes.reshape(-1), cube.flags.reshape(-1), {})


def _sighted(source: Source, cube: Cube, times: Instants) -> Cube:
    """Return the cube with what the clock alone knows where a feature is infinite, as an hour is sorted out."""
    infinite: NDArray[np.bool_] = np.asarray(np.isinf(cube.values).any(axis=(0, 3)))
    if not infinite.any():
        return cube
    found = replace(
        cube,
        values=cube.values.copy(),
        scale=cube.scale.copy(),
        age_minutes=cube.age_minutes.copy(),
        flags=cube.flags.copy(),
    )
    for moment in np.flatnonzero(infinite.any(axis=0)).tolist():
        at, who = int(times[moment]), np.flatnonzero(infinite[:, moment])
        blind = build(source.recipe, empty_inputs(source, at, calendars=False), [at])
        found.values[:, who, moment] = blind.values[:, who, 0]
        for ours, theirs in ((found.scale, blind.scale), (found.age_minutes, blind.age_minutes)):
            ours[who, moment] = theirs[who, 0]
        found.flags[who, moment] = blind.flags[who, 0]
    return found


def _climbed(rows: Rows, moments: int, planned: PlannedPool, open_rung: Callable[[Rung], Model]) -> Climbed:
    """Climb the ladder for all issue times together; a rung that fails there is tried by each issue time alone."""
    quantiles, ladder = len(planned.pool.quantiles), planned.ladder
    together = climb(rows, ladder, open_rung, quantiles=quantiles)
    if not together.errors or moments == 1:
        return together
    order = np.arange(len(rows.zones)).reshape(-1, moments)
    values = np.empty((quantiles, len(rows.zones), rows.steps))
    level, sparse = np.empty_like(together.level), np.empty_like(together.sparse)
    served: list[Rung | None] = [None] * len(rows.zones)
    errors: dict[str, str] = {}
    for who in order.T:
        alone = climb(rows.take(who), ladder, open_rung, quantiles=quantiles)
        values[:, who] = alone.values.reshape(quantiles, len(who), rows.steps)
        level[who], sparse[who] = alone.level, alone.sparse
        for place, rung in zip(who.tolist(), alone.served_by, strict=True):
            served[place] = rung
        errors |= alone.errors
    return Climbed(values.reshape(quantiles, -1), level, tuple(served), errors, sparse)


def _torn(source: Source, inputs: Inputs) -> dict[str, str]:
    """Return, by series, which value came twice and left the series without a past."""
    named = [f"{zone}/{source.signal.key}/{source.signal.subkey}" for zone in source.names]
    panels = [*inputs.external.values(), *(other.target for other in inputs.others.values()), inputs.target]
    return {named[place]: str(error) for held in panels for place, error in held.conflicts.items()}


def _served(series: tuple[str, ...], climbed: Climbed) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for name, rung in zip(series, climbed.served_by, strict=True):
        found.setdefault(rung.role if rung else "no_forecast", set()).add(name)
    return found
