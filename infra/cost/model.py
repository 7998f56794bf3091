"""What a month costs: calls, transitions, requests, bytes and tasks of a shape, times their list prices."""

from dataclasses import dataclass
from typing import Final

from infra.cost import machine, steps
from infra.cost.measured import ASSUMED, HOURS, METRICS, NIGHTS, deployed, measured
from infra.cost.prices import usd
from infra.cost.steps import RUNS_A_DAY, Call, Shape

GB: Final = 1e9
MAP_GETS: Final = 1  # the list of batches
MAP_PUTS: Final = 3  # what a distributed map writes of its results; from memory


@dataclass(frozen=True)
class Month:
    """What a month costs [USD], by service."""

    lambda_: float
    step_functions: float
    s3_requests: float
    s3_first_month: float  # storage at its end
    s3_first_year: float  # storage a month, after a year
    cloudwatch: float  # with X-Ray
    fargate: float

    @property
    def total(self) -> float:
        """Everything, after a year of operation."""
        return sum(
            (self.lambda_, self.step_functions, self.s3_requests, self.s3_first_year, self.cloudwatch, self.fargate)
        )


def month(shape: Shape) -> Month:
    """Return what a month of a shape costs."""
    return Month(
        lambda_usd(shape),
        usd("Step Functions standard", transitions(shape)),
        requests_usd(shape),
        usd("S3 storage", stored_gb(shape, HOURS / 24)),
        usd("S3 storage", stored_gb(shape, 365)),
        cloudwatch_usd(shape),
        fargate_usd(shape),
    )


def hour_calls(shape: Shape) -> list[tuple[int, Call]]:
    """Return every call of an hour and what cold starts add, with how often."""
    alone = [(1, call(shape)) for call in (steps.ingest, steps.plan, steps.finish)]
    alone += [(1, steps.start(name)) for name in ("ingest", "plan", "finish")]
    each = [(shape.batches, steps.features(shape)), (shape.batches, steps.score(shape))]
    cold = [(shape.workers, steps.start("features")), (shape.workers, steps.score_cold(shape))]
    beside = [(1, steps.compact(shape)), (1, steps.start("compact"))]
    return alone + each + cold + beside


def lambda_seconds(shape: Shape) -> float:
    """Return the billed seconds of all functions in an hour."""
    return sum(count * call.seconds(shape) for count, call in hour_calls(shape))


def lambda_usd(shape: Shape) -> float:
    """Return what the functions cost in a month."""
    gb_seconds = lambda_seconds(shape) * deployed().memory_mb / 1024
    calls = 4 + 2 * shape.batches  # ingest, plan, finish, compact
    return HOURS * (usd("Lambda x86", gb_seconds) + usd("Lambda call", calls))


def transitions(shape: Shape) -> float:
    """Return the state transitions of a month."""
    return HOURS * machine.hour().of(shape.batches) + NIGHTS * machine.night().of(shape.pools)


def requests_usd(shape: Shape) -> float:
    """Return what requests to S3 cost in a month, training's with them."""
    made = hour_calls(shape)
    gets = HOURS * (MAP_GETS + sum(count * call.gets for count, call in made))
    gets += NIGHTS * shape.pools * steps.training(shape).gets
    writes = HOURS * (MAP_PUTS + sum(count * call.writes for count, call in made))
    return usd("S3 GET", gets) + usd("S3 PUT or LIST", writes)


def stored_gb(shape: Shape, days: float) -> float:
    """Return what lies in the bucket after so many days of live operation [GB], as the lifecycle rules leave it."""
    return sum(stored(shape, days).values())


def stored(shape: Shape, days: float) -> dict[str, float]:
    """Return the same by kind."""
    known, kept = measured(), deployed().kept_days
    copies = known["actuals_copy_bytes"] + known["weather_copy_bytes"] if shape.compacted else 0.0
    an_hour = {
        "forecasts": known["rows_bytes"],
        "plans": known["plan_bytes"],
        "actuals": known["actuals_bytes"],
        "weather": known["weather_bytes"] * RUNS_A_DAY / 24,
        "copies": copies,
        "inbox": known["inbox_bytes"] + known["weather_bytes"] * RUNS_A_DAY / 24,  # weather as large as it is stored
        "features": known["features_bytes"],
        "ledger": known["score_ledger_bytes"] + known["features_ledger_bytes"],
    }
    found = {root: size * shape.series * 24 * min(days, kept.get(root, days)) / GB for root, size in an_hour.items()}
    return found | {"models": known["bundle_bytes"] * shape.pools * days / GB}


def cloudwatch_usd(shape: Shape) -> float:
    """Return what logs, metrics, alarms, dashboard and traces cost in a month.

    Every execution is counted as traced, which is the most that X-Ray takes.
    """
    logs = HOURS * log_bytes(shape) / GB
    training_share = min(steps.night_seconds(shape) / 86_400, 1.0)
    metrics = len(METRICS) + ASSUMED.insights * training_share
    traces = HOURS * (1 + shape.batches) + NIGHTS
    return (
        usd("CloudWatch logs", logs)
        + usd("CloudWatch metric", metrics)
        + usd("CloudWatch alarm", deployed().alarms)
        + usd("CloudWatch dashboard", deployed().dashboards)
        + usd("X-Ray", traces)
    )


def log_bytes(shape: Shape) -> float:
    """Return the bytes that the functions log in an hour."""
    known = measured()
    counts = {"ingest": 1, "plan": 1, "finish": 1, "compact": 1, "features": shape.batches, "score": shape.batches}
    return sum(count * (known[f"log_{name}_bytes"] + ASSUMED.platform_log) for name, count in counts.items())


def fargate_usd(shape: Shape) -> float:
    """Return what training every pool every night costs in a month."""
    task = deployed()
    hours = NIGHTS * shape.pools * steps.training(shape).seconds / 3600
    return usd("Fargate vCPU", hours * task.task_vcpu) + usd("Fargate memory", hours * task.task_gb)
