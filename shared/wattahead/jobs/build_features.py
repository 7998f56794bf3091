"""Build the feature objects of an hour: exactly what its batches will be scored from."""

from collections.abc import Callable
from importlib import import_module
from typing import Final

from wattahead.domain.errors import Transient, WattaheadError
from wattahead.domain.plan import Batch, HourEvent, Plan
from wattahead.jobs.building import Building
from wattahead.jobs.hour import Answer, closed, read_plan, refuse_closed, worst
from wattahead.storage.ledger import Outcome
from wattahead.storage.objects import Bucket

# Workload -> the module whose `build_pool` writes the features of some batches of one pool.
BUILDERS: Final = {"forecast": "wattahead.jobs.forecast_features", "grid_action": "wattahead.jobs.grid_features"}


def build_features(bucket: Bucket, event: HourEvent, *, now: int) -> Answer:
    """Write the feature objects of a planned hour, or of one batch of it.

    A batch whose sources are not all there before the pool's input deadline is left for later (`waiting`). So is, for
    the event of a whole hour, a batch that reads rows which are not there: score what is ready and ask again.
    """
    if closed(event, now):
        return refuse_closed(bucket, "features", event, now)
    hour = Building(bucket, event, now, *read_plan(bucket, event))
    outcomes: dict[str, Outcome] = {}
    failures: list[WattaheadError] = []
    for name, batches in _by_pool(hour.plan, event).items():
        try:
            outcomes |= _builder(hour.plan.pools[name].workload)(hour, name, batches)
        except WattaheadError as error:
            # A fault of one pool: the others go on, and a retry meets only this one.
            failures.append(error)
    if failures:
        raise min(failures, key=lambda error: not isinstance(error, Transient))  # what may pass is retried
    return Answer("features", event, worst(outcomes.values()), outcomes)


def _builder(workload: str) -> Callable[[Building, str, list[Batch]], dict[str, Outcome]]:
    """Return what builds the features of a workload; only that is imported."""
    return import_module(BUILDERS[workload]).build_pool


def _by_pool(plan: Plan, event: HourEvent) -> dict[str, list[Batch]]:
    chosen = [plan.batch(event.batch)] if event.batch else list(plan.batches)
    return {name: [batch for batch in chosen if batch.pool == name] for name in {batch.pool: None for batch in chosen}}
