"""Verify the actions of an hour: each of its rows solved exactly, and written beside the rows of the screening."""

from dataclasses import dataclass
from functools import partial

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from training.grid.simulation.solver import Solver
from wattahead.domain.errors import Refused
from wattahead.domain.plan import Batch, HourEvent, Plan, PlannedGrids
from wattahead.grid.candidates import Action, Candidates
from wattahead.jobs.hour import Answer, Attempt, closed, features_key, read_plan, refuse_closed, run_id, worst
from wattahead.storage import keys
from wattahead.storage.ledger import Outcome
from wattahead.storage.objects import Bucket
from wattahead.storage.tables import decode_table, encode_table, read_parquet
from wattahead.workloads.grid_action import feature_schema, own
from wattahead.workloads.grid_action.planning import NAME
from wattahead.workloads.grid_action.sample import read_sample, valid_times

JOB = "verify"


@dataclass(frozen=True)
class Verified:
    """What the exact solution says of some rows."""

    table: pa.Table  # the rows, `verified` and `rho_max_verified` filled in
    error: NDArray[np.float64]  # of `rho_max`, for rows with a loading


def verify(bucket: Bucket, event: HourEvent, *, now: int) -> Answer:
    """Solve every row of an hour's grid actions exactly, and write the rows again under a key of their own.

    A batch that is not scored yet is left for later (`waiting`). A batch that was verified already stays as it is.
    """
    if closed(event, now):
        return refuse_closed(bucket, JOB, event, now)
    plan, digest = read_plan(bucket, event)
    outcomes: dict[str, Outcome] = {}
    solvers: dict[str, Solver] = {}
    for batch in plan.batches:
        if plan.pools[batch.pool].workload == NAME and event.batch in ("", batch.name):
            outcomes[batch.name] = _batch(bucket, event, now, plan, digest, batch, solvers)
    return Answer(JOB, event, worst(outcomes.values()), outcomes)


def _batch(
    bucket: Bucket, event: HourEvent, now: int, plan: Plan, digest: str, batch: Batch, solvers: dict[str, Solver]
) -> Outcome:
    attempt, planned = Attempt(bucket, JOB, event, now, batch.name), own(plan.pools[batch.pool])
    key, number = keys.verified(plan, planned.workload, batch.name), run_id(digest, batch.name)
    try:
        rows, features = _read(bucket, plan, planned, batch)
    except Refused as error:
        if error.code != "E_FEAT_MISSING":
            raise
        attempt.record("waiting", run_id=number, outcomes={"waiting": batch.series})
        return "waiting"
    found = attempt.timed("solve", lambda: solved(plan, planned, batch, rows, features, _solver(planned, solvers)))
    put = attempt.timed("write", lambda: bucket.create(key, encode_table(found.table)))
    outcome: Outcome = "ok" if put.created else "duplicate"
    attempt.record(outcome, run_id=number, rows=found.table.num_rows, outcomes={"verified": batch.series})
    return outcome


def solved(
    plan: Plan, planned: PlannedGrids, batch: Batch, rows: pa.Table, features: pa.Table, solver: Solver
) -> Verified:
    """Return the rows of a batch with what the exact solution of each says: null where the grid does not survive."""
    times = valid_times(planned, plan.issue_time)
    sample = read_sample(features, planned.network, batch.series, times)
    candidates = Candidates(planned.network)
    by_name = {candidates.name(one): one for one in candidates.actions}
    state = _state_of(rows, batch, times)
    actions: list[Action | None] = [by_name[name] if name else None for name in rows["action_id"].to_pylist()]
    done = np.zeros(rows.num_rows, dtype=bool)
    exact = np.full(rows.num_rows, np.nan)
    for number in np.unique(state).tolist():
        here = [row for row in np.flatnonzero(state == number).tolist() if actions[row] is not None]
        asked = [action for row in here if (action := actions[row])]
        if asked and sample.known[number]:
            answer = solver.solve(sample.states.take(slice(number, number + 1)), asked)
            exact[here] = np.where(answer.failed[0], np.nan, answer.rho[0].max(axis=1))
            done[here] = True
    table = _replaced(rows, "verified", pa.array(done))
    table = _replaced(table, "rho_max_verified", pa.array(exact, from_pandas=True))
    return Verified(table, rows["rho_max"].to_numpy() - exact)


def _read(bucket: Bucket, plan: Plan, planned: PlannedGrids, batch: Batch) -> tuple[pa.Table, pa.Table]:
    rows, features = keys.rows(plan, planned.workload, batch.name), features_key(plan, batch)
    return (
        bucket.read(rows, partial(read_parquet, where=rows)),
        bucket.read(features, partial(decode_table, schema=feature_schema(planned), where=features)),
    )


def _solver(planned: PlannedGrids, solvers: dict[str, Solver]) -> Solver:
    """Return the solver of a network, opened once. One whose installed environment is another network is refused."""
    network = planned.network
    if network.name not in solvers:
        solver = Solver(network.environment, network.most_actions)
        if solver.network != network:
            fact = f"{network.environment} as it is installed is another network than {network.name} in the plan"
            raise Refused("E_CONFIG", fact, fix="install the simulator that the network was described with")
        solvers[network.name] = solver
    return solvers[network.name]


def _state_of(rows: pa.Table, batch: Batch, times: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return which state of the sample each row is about."""
    place = {name: number for number, name in enumerate(batch.series)}
    grid = np.array([place[name] for name in rows["series_id"].to_pylist()], dtype=np.int64)
    hour = np.searchsorted(times, rows["valid_time"].cast(pa.int64()).to_numpy())
    return grid * len(times) + hour


def _replaced(table: pa.Table, name: str, column: pa.Array) -> pa.Table:
    return table.set_column(table.column_names.index(name), name, column)
