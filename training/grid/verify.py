"""Verify the actions of an hour: each of its rows solved exactly, and written beside the rows of the screening."""

from contextlib import suppress
from dataclasses import replace
from functools import partial
from typing import Final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from training.grid.simulation.solver import Solver
from wattahead.domain.errors import Refused, WattaheadError
from wattahead.domain.hours import HOUR
from wattahead.domain.plan import LIVE_WINDOW, Batch, HourEvent, Plan, PlannedGrids
from wattahead.grid.candidates import Action, Candidates
from wattahead.jobs.hour import Answer, Attempt, closed, features_key, read_plan, refuse_closed, run_id, worst
from wattahead.storage import keys
from wattahead.storage.ledger import Outcome
from wattahead.storage.objects import Bucket
from wattahead.storage.tables import decode_table, encode_table, read_parquet
from wattahead.workloads.grid_action import feature_schema, own
from wattahead.workloads.grid_action.planning import NAME
from wattahead.workloads.grid_action.sample import Sample, nothing, read_sample, valid_times

JOB = "verify"
MOST_BACK: Final = LIVE_WINDOW // HOUR  # hours before those are closed

Solvers = dict[str, Solver]  # by the name of their network


def verify_back(bucket: Bucket, event: HourEvent, hours: int, *, now: int) -> list[Answer]:
    """Verify an hour and so many before it, newest first: what was missed, or scored late, is done by the next run.

    With `hours`, an hour that was never planned has no answer: nothing was screened. A fault in one hour keeps no other
    from being verified; the first one is raised behind them. Refused: fewer hours than 0, more than stay open.
    """
    if not 0 <= hours <= MOST_BACK:
        raise Refused("E_CONFIG", f"{hours} hours are no look back", fix=f"look back 0 to {MOST_BACK} hours")
    answers: list[Answer] = []
    faults: list[WattaheadError] = []
    solvers: Solvers = {}
    for back in range(hours + 1):
        try:
            answers.append(verify(bucket, replace(event, issue_time=event.issue_time - back * HOUR), solvers, now=now))
        except WattaheadError as error:
            faults += [] if hours and error.code == "E_PLAN_MISSING" else [error]
    if faults:
        raise faults[0]
    return answers


def verify(bucket: Bucket, event: HourEvent, solvers: Solvers | None = None, *, now: int) -> Answer:
    """Solve every row of an hour's grid actions exactly, and write the rows again under a key of their own.

    A batch that is not scored yet is left for later (`waiting`). A batch that was verified already stays as it is. A
    batch that fails keeps no other from being verified. `solvers`: those that are open already, by network.
    """
    if closed(event, now):
        return refuse_closed(bucket, JOB, event, now)
    plan, digest = read_plan(bucket, event)
    batches = [one for one in plan.batches if _can_be(plan, one) and event.batch in ("", one.name)]
    solvers = {} if solvers is None else solvers
    there = _verified(bucket, plan, batches)
    outcomes: dict[str, Outcome] = {one.name: "duplicate" for one in batches if one.name in there}
    rows = 0
    faults: list[WattaheadError] = []
    for batch in batches:
        if batch.name not in there:
            try:
                outcomes[batch.name], count = _batch(bucket, event, now, plan, digest, batch, solvers)
                rows += count
            except WattaheadError as error:
                faults.append(error)
    if faults:
        raise faults[0]
    return Answer(JOB, event, worst(outcomes.values()), outcomes, rows)


def _can_be(plan: Plan, batch: Batch) -> bool:
    """Return whether there is anything to solve a batch with: a network may say that there is nothing."""
    planned = plan.pools[batch.pool]
    return planned.workload == NAME and bool(own(planned).network.environment)


def _verified(bucket: Bucket, plan: Plan, batches: list[Batch]) -> set[str]:
    """Return the batches that are verified already: one LIST, and none where there is nothing to verify."""
    names = {keys.verified(plan, NAME, batch.name): batch.name for batch in batches}
    folders = {key.rpartition("/")[0] for key in names}
    return {names[key] for folder in folders for key in bucket.keys(folder) if key in names}


def _batch(
    bucket: Bucket, event: HourEvent, now: int, plan: Plan, digest: str, batch: Batch, solvers: Solvers
) -> tuple[Outcome, int]:
    """Return how a batch ended, and how many rows were written now."""
    attempt, planned = Attempt(bucket, JOB, event, now, batch.name), own(plan.pools[batch.pool])
    key, number = keys.verified(plan, planned.workload, batch.name), run_id(digest, batch.name)
    try:
        rows, sample, why = _read(bucket, plan, planned, batch)
        found = attempt.timed("solve", lambda: solved(planned, sample, rows, _solver(planned, solvers)))
        put = attempt.timed("write", lambda: bucket.create(key, encode_table(found)))
    except WattaheadError as error:
        waits: Outcome = "waiting" if error.code == "E_FEAT_MISSING" else "failed"
        with suppress(WattaheadError):  # the storage that failed the batch may refuse its entry too
            attempt.record(waits, run_id=number, outcomes={waits: batch.series}, errors={"": str(error)})
        if waits == "failed":
            raise
        return waits, 0
    outcome: Outcome = "duplicate" if not put.created else "degraded" if why else "ok"
    attempt.record(outcome, run_id=number, rows=found.num_rows, outcomes={"verified": batch.series}, errors=why)
    return outcome, found.num_rows if put.created else 0


def solved(planned: PlannedGrids, sample: Sample, rows: pa.Table, solver: Solver) -> pa.Table:
    """Return rows with what the exact solution of each says: null where the grid does not survive.

    A row whose state is not known stays unverified.
    """
    candidates = Candidates(planned.network)
    by_name = {candidates.name(one): one for one in candidates.actions}
    state = _state_of(rows, sample.series, sample.valid_times)
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
    return _replaced(table, "rho_max_verified", pa.array(exact, from_pandas=True))


def _read(bucket: Bucket, plan: Plan, planned: PlannedGrids, batch: Batch) -> tuple[pa.Table, Sample, dict[str, str]]:
    """Return the rows of a batch, its states, and why these cannot be known: then no later attempt will know them."""
    key, features = keys.rows(plan, planned.workload, batch.name), features_key(plan, batch)
    rows = bucket.read(key, partial(read_parquet, where=key))
    network, times = planned.network, valid_times(planned, plan.issue_time)
    try:
        table = bucket.read(features, partial(decode_table, schema=feature_schema(planned), where=features))
        return rows, read_sample(table, network, batch.series, times), {}
    except Refused as error:
        if error.code == "E_S3_DENIED":
            raise
        return rows, nothing(network, batch.series, times), {"": str(error)}


def _solver(planned: PlannedGrids, solvers: Solvers) -> Solver:
    """Return the solver of a network, opened once. One whose installed environment is another network is refused."""
    network = planned.network
    if network.name not in solvers:
        solvers[network.name] = Solver(network.environment, network.most_actions)
    if solvers[network.name].network != network:  # also where an earlier hour had another of this name
        fact = f"{network.environment} as it is installed is another network than {network.name} in the plan"
        raise Refused("E_CONFIG", fact, fix="install the simulator that the network was described with")
    return solvers[network.name]


def _state_of(rows: pa.Table, series: tuple[str, ...], times: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return which state of the sample each row is about."""
    place = {name: number for number, name in enumerate(series)}
    grid = np.array([place[name] for name in rows["series_id"].to_pylist()], dtype=np.int64)
    hour = np.searchsorted(times, rows["valid_time"].cast(pa.int64()).to_numpy())
    return grid * len(times) + hour


def _replaced(table: pa.Table, name: str, column: pa.Array) -> pa.Table:
    return table.set_column(table.column_names.index(name), name, column)
