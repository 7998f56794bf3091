"""The rows of the table `grid_actions`: the most promising actions of every grid and hour, beside doing nothing."""

from dataclasses import dataclass
from typing import Final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from wattahead.domain.bundle import NO_FORECAST_LEVEL, Rung
from wattahead.domain.hours import MINUTE
from wattahead.domain.plan import Plan, PlannedGrids
from wattahead.domain.quality import Quality
from wattahead.grid.candidates import Candidates
from wattahead.models.rows import Floats
from wattahead.storage.tables import INSTANT, repeated
from wattahead.workloads.grid_action.sample import UNKNOWN, Sample

NONE: Final = -1  # no action, no line


@dataclass(frozen=True)
class Ranked:
    """The chosen actions of N states, up to K each, doing nothing among them, best first; Q outputs."""

    actions: NDArray[np.int64]  # (N, K) places among the candidates; `NONE` where there is none
    rank: NDArray[np.int64]  # (N, K) 1 is the best of all that were asked about
    line: NDArray[np.int64]  # (N, K) the line that is loaded most, by the linear answer
    values: Floats  # (Q, N, K) quantiles of the highest loading, then the probability of failure
    flags: NDArray[np.int32]  # (N, K) what had to be done to the values
    level: NDArray[np.int8]  # (N) on the ladder
    served_by: tuple[Rung | None, ...]  # (N)

    @property
    def kept(self) -> NDArray[np.bool_]:
        """Which of the places become rows, (N, K): a state without any action has one row that says so."""
        kept = self.actions != NONE
        kept[~kept.any(axis=1), 0] = True
        return kept


def to_rows(
    plan: Plan, planned: PlannedGrids, sample: Sample, ranked: Ranked, *, run_id: str, extra: int
) -> tuple[pa.Table, NDArray[np.int32]]:
    """Return the rows of a batch, sorted by series, valid time and rank, and the flags of every series."""
    of_state = (
        sample.flags
        | np.where(ranked.level > 0, Quality.FALLBACK, 0)
        | np.where(ranked.level == NO_FORECAST_LEVEL, Quality.NO_FORECAST, 0)
        | extra
    )
    flags = np.where(ranked.kept, of_state[:, None] | ranked.flags, 0).astype(np.int32)
    made = _made(plan, sample, ranked, flags[ranked.kept], run_id)
    table = pa.table(made | _actions(planned, ranked) | _values(planned, ranked))
    return table, np.bitwise_or.reduce(flags.reshape(len(sample.series), -1), axis=1)


def _made(
    plan: Plan, sample: Sample, ranked: Ranked, flags: NDArray[np.int32], run_id: str
) -> dict[str, pa.Array | NDArray[np.generic]]:
    """Return the columns that say of which grid and hour a row is, and how it was made."""
    counts, steps = ranked.kept.sum(axis=1), len(sample.valid_times)
    series = [name for name in sample.series for _ in range(steps)]
    times = np.tile(sample.valid_times, len(sample.series))
    age = np.repeat(np.repeat(sample.age_minutes, steps), counts)
    rungs = ranked.served_by
    return {
        "series_id": repeated(series, counts),
        "issue_time": pa.array(np.full(len(flags), plan.issue_time)).view(INSTANT),
        "model_name": repeated([rung.kind if rung else "none" for rung in rungs], counts),
        "model_version": repeated([rung.bundle_id[:12] if rung else "" for rung in rungs], counts),
        "run_id": repeated([run_id], len(flags)),
        "fallback_level": np.repeat(ranked.level, counts),
        "quality_flags": flags,
        "input_age_minutes": pa.array(age, mask=age == UNKNOWN),
        "valid_time": pa.array(np.repeat(times, counts)).view(INSTANT),
        "lead_time_minutes": np.repeat((times - plan.issue_time) // MINUTE, counts).astype(np.int32),
    }


def _actions(planned: PlannedGrids, ranked: Ranked) -> dict[str, pa.Array | NDArray[np.generic]]:
    """Return the columns that name actions and lines."""
    candidates, kept = Candidates(planned.network), ranked.kept
    actions, rank = ranked.actions[kept], ranked.rank[kept].astype(np.int32)
    told = [None if number == NONE else candidates.actions[number] for number in actions.tolist()]
    lines = [None if number == NONE else planned.network.lines[number].name for number in ranked.line[kept].tolist()]
    return {
        "rank": pa.array(rank, mask=actions == NONE),
        "action_id": repeated([candidates.name(one) if one else None for one in told]),
        "action": repeated([candidates.words(one) if one else None for one in told]),
        "line": repeated(lines),
    }


def _values(planned: PlannedGrids, ranked: Ranked) -> dict[str, pa.Array | NDArray[np.generic]]:
    """Return the columns of loadings: nothing is verified yet. The linear answer has no band."""
    kept = ranked.kept
    values, learnt = (
        ranked.values[:, kept],
        [rung is not None and rung.role != "linear_flows" for rung in ranked.served_by],
    )
    band = np.where(np.repeat(learnt, kept.sum(axis=1)), values, np.nan)
    quantiles = dict(zip(planned.pool.quantiles, range(len(values)), strict=False))
    return {
        "rho_max": pa.array(values[quantiles["p50"]], from_pandas=True),
        **{name: pa.array(band[number], from_pandas=True) for name, number in quantiles.items() if name != "p50"},
        "fail_probability": pa.array(values[-1], from_pandas=True),
        "verified": pa.array(np.zeros(values.shape[1], dtype=bool)),
        "rho_max_verified": pa.nulls(values.shape[1], pa.float64()),
    }
