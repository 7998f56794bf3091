"""What binds at a size: figures of the deployment as it stands, each beside what it may be at most."""

from dataclasses import dataclass
from typing import Final

from infra.cost import steps
from infra.cost.machine import machine, most_at_once
from infra.cost.measured import ASSUMED, deployed, measured
from infra.cost.steps import Shape
from wattahead.jobs.compact import MOST_READS

ACCOUNT: Final = 1_000  # concurrent calls of an account and region; a new account may have 10
NEW_ACCOUNT: Final = 10
MOST_SERIES: Final = 10_000_000
PUT_RATE: Final = 3_500  # a second and partitioned prefix


@dataclass(frozen=True)
class Limit:
    """One figure and its bound."""

    name: str
    unit: str
    value: float
    most: float

    @property
    def share(self) -> float:
        """How much of the bound is used; above 1 it does not work."""
        return self.value / self.most


def limits(shape: Shape) -> list[Limit]:
    """Return every figure that grows with the number of series and has a bound."""
    known, out = measured(), deployed()
    training = steps.training(shape)
    plan_mb = known["plan_mb_base"] + known["plan_mb"] * shape.series
    return [
        Limit("whole hour", "s", steps.hour_seconds(shape), 3600),
        Limit("features, one call", "s", steps.features(shape).seconds(shape), out.timeouts["features"]),
        Limit("features, memory", "MB", steps.features_mb(shape), out.memory_mb),
        Limit("plan, one call", "s", steps.plan(shape).seconds(shape), out.timeouts["plan"]),
        Limit("plan, memory", "MB", plan_mb, out.memory_mb),
        Limit("ingest, one call", "s", steps.ingest(shape).seconds(shape), out.timeouts["ingest"]),
        Limit("ingest, memory, one mapping", "MB", steps.ingest_mb(shape), out.memory_mb),
        Limit("compact, one call", "s", steps.compact(shape).seconds(shape), out.timeouts["compact"]),
        Limit("compact, objects it reads", "", steps.compact(shape).gets, MOST_READS),
        Limit("batches at once, done in 5 minutes", "", at_once(shape), most_at_once(machine("hour"))),
        Limit("the same on a new account", "", at_once(shape), NEW_ACCOUNT),
        Limit("training window asked for", "million rows", training.asked / 1e6, steps.most_rows() / 1e6),
        Limit("training, one night", "h", steps.night_seconds(shape) / 3600, _machine_hours()),
        Limit("PUT to S3", "1/s", puts_a_second(shape), PUT_RATE),
    ]


def binds_at(name: str) -> int:
    """Return the least number of series at which a bound is broken, 0 if ten million still keep it."""

    def breaks(series: int) -> bool:
        return next(limit for limit in limits(Shape(series)) if limit.name == name).share > 1

    low, high = 0, MOST_SERIES
    if not breaks(high):
        return 0
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if breaks(middle) else (middle, high)
    return high


def at_once(shape: Shape) -> float:
    """Return how many batches must run at once so that all are done within the deadline."""
    return shape.batches * steps.batch_seconds(shape) / ASSUMED.deadline


def puts_a_second(shape: Shape) -> float:
    """Return the PUT of an hour's batches, spread over the time they take."""
    puts = measured()["features_puts"] + measured()["score_puts"]
    return puts * shape.workers / steps.batch_seconds(shape)


def _machine_hours() -> float:
    return float(machine("training")["TimeoutSeconds"]) / 3600
