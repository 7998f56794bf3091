"""How long the calls of an hour take, what they ask of S3, and how much memory they hold."""

import math
from dataclasses import dataclass
from typing import Final

from infra.cost.machine import machine, most_at_once
from infra.cost.measured import ASSUMED, deployed, measured
from wattahead.storage.objects import PARALLEL

BATCH: Final = 1_000  # series, at most
SIGNAL_OBJECTS: Final = 8  # of 60 days once they are copied, on average; decision 0013, and a test of every hour
TURNS: Final = 4  # reads that wait for each other: copies, then parts, of the signal and of its weather
LOOK_BACK: Final = 60  # days of history that a features call asks for
LISTED: Final = 85  # days that compaction looks at, on average: 70, and from there to the first of the month
PAGE: Final = 1_000  # keys that a LIST answers at a time
WINDOW_DAYS: Final = 1_200  # `training_window` where a pool says nothing
ISSUES_A_DAY: Final = 4  # `issue_hours` where a pool says nothing
RUNS_A_DAY: Final = 4  # of the weather model
LIVE_DAYS: Final = 365  # of operation; what was imported before it lies in month objects
STEPS: Final = 24  # hours of a forecast


@dataclass(frozen=True)
class Shape:
    """So many hourly series, cut into pools of equal size. Each pool has signal, weather and mapping of its own."""

    series: int
    per_pool: int = BATCH
    compacted: bool = True  # without compaction live history is an object an hour
    s3_seconds: float = ASSUMED.s3_seconds

    @property
    def pools(self) -> int:
        """Pools, each a model and a training task."""
        return math.ceil(self.series / self.per_pool)

    @property
    def in_pool(self) -> int:
        """Series of a full pool, and of the signal that its calls read."""
        return min(self.series, self.per_pool)

    @property
    def in_batch(self) -> int:
        """Series of a full batch."""
        return min(self.in_pool, BATCH)

    @property
    def batches(self) -> int:
        """Batches of an hour. The last pool may be smaller than the others."""
        whole, rest = divmod(self.series, self.per_pool)
        return whole * math.ceil(self.per_pool / BATCH) + math.ceil(rest / BATCH)

    @property
    def workers(self) -> int:
        """Functions of one kind that start cold in an hour: as many as the machine lets run at once."""
        return min(self.batches, most_at_once(machine("hour")))


@dataclass(frozen=True)
class Call:
    """One call of a function: CPU, requests, and bytes that come over the network."""

    cpu: float  # [s]
    gets: float
    writes: float  # PUT and LIST, which cost the same
    read: float = 0.0  # [bytes]
    together: float = 0.0  # GET among them that go `PARALLEL` at a time
    turns: float = 0.0  # in at least so many turns

    @property
    def waits(self) -> float:
        """How often it waits for an answer; what goes together is waited for together."""
        return self.gets + self.writes - self.together + max(math.ceil(self.together / PARALLEL), self.turns)

    def seconds(self, shape: Shape) -> float:
        """Return how long it takes, and is billed [s]."""
        return self.cpu + self.waits * shape.s3_seconds + self.read / ASSUMED.s3_bytes


def plan_bytes(shape: Shape) -> float:
    """Return the size of `plan.json`, which every worker reads whole."""
    return measured()["plan_bytes"] * shape.series


def history_objects(shape: Shape) -> float:
    """Return the objects of history that a features call reads."""
    known = measured()
    return SIGNAL_OBJECTS + known["features_weather_gets"] if shape.compacted else known["features_gets"] - 1


def history_pages(days: int, *, compacted: bool) -> int:
    """Return the further pages of listing so many days of one signal: parts stay, and so do superseded copies."""
    copies = measured()["compact_keys"] * days if compacted else 0.0
    return int(24 * days // PAGE + copies // PAGE)


def features(shape: Shape) -> Call:
    """Build the features of one batch: the whole signal is read, and panels are made for the batch alone."""
    known, objects = measured(), history_objects(shape)
    cpu = (
        known["features_base_s"]
        + known["features_object_s"] * objects
        + known["features_stored_s"] * shape.in_pool
        + known["features_batch_s"] * shape.in_batch
        + known["plan_read_s"] * shape.series
    )
    writes = known["features_lists"] + known["features_puts"] + history_pages(LOOK_BACK, compacted=shape.compacted)
    read = plan_bytes(shape) + known["features_read_bytes"] * shape.in_pool
    return Call(cpu, objects + 1, writes, read, objects, TURNS)


def features_mb(shape: Shape) -> float:
    """Return the peak memory of a features call [MB], the plan with it."""
    known = measured()
    own = known["features_mb_stored"] * shape.in_pool + known["features_mb_batch"] * shape.in_batch
    return known["features_mb_base"] + own + known["plan_read_mb"] * shape.series


def score(shape: Shape) -> Call:
    """Score one batch, models loaded and plan decoded."""
    known = measured()
    cpu = known["score_base_s"] + known["score_series_s"] * shape.in_batch
    read = plan_bytes(shape) + known["features_bytes"] * shape.in_batch
    return Call(cpu, known["score_requests"] - known["score_puts"], known["score_puts"], read)


def score_cold(shape: Shape) -> Call:
    """What the first batch of a process adds: models and plan."""
    known = measured()
    cpu = known["start_score_s"] + known["score_load_s"] + known["plan_read_s"] * shape.series
    return Call(cpu, known["score_load_requests"], 0)


def plan(shape: Shape) -> Call:
    """Plan one hour: a LIST and a GET for each pool's registry, and the three plans before this one."""
    known = measured()
    of_pools, own = known["plan_pool_requests"] / 2 * shape.pools, known["plan_requests"]
    cpu = known["plan_base_s"] + known["plan_series_s"] * shape.series
    gets = 4  # three plans and the catalog
    return Call(cpu, of_pools + gets, of_pools + own - gets, 4 * plan_bytes(shape))


def ingest(shape: Shape) -> Call:
    """Ingest one hour, one mapping after the other. The inbox is listed whole, and after a year it holds a year."""
    known = measured()
    cpu = known["ingest_base_s"] * shape.pools + known["ingest_series_s"] * shape.series
    writes = (known["ingest_lists"] + known["ingest_puts"]) * shape.pools + inbox_pages(shape)
    return Call(cpu, known["ingest_gets"] * shape.pools, writes)


def inbox_pages(shape: Shape) -> int:
    """Return the further pages of listing the inbox after a year: a file an hour and mapping."""
    return shape.pools * 24 * LIVE_DAYS // PAGE


def compact(shape: Shape) -> Call:
    """Compact what an hour brought, one signal and its weather after the other."""
    known = measured()
    if not shape.compacted:
        return Call(0.0, 0.0, 0.0)
    cpu = known["compact_base_s"] * shape.pools + known["compact_series_s"] * shape.series
    gets, lists, puts = (known[f"compact_{name}"] - 1 for name in ("gets", "lists", "puts"))  # each pool's own
    writes = (lists + history_pages(LISTED, compacted=True) + puts) * shape.pools
    return Call(cpu, gets * shape.pools + 1, writes + 2)  # the catalog and the ledger's entry


def ingest_mb(shape: Shape) -> float:
    """Return the peak memory of ingest [MB]: mappings take turns."""
    return measured()["ingest_mb_base"] + measured()["ingest_mb"] * shape.in_pool


def finish(shape: Shape) -> Call:
    """Compare the plan with what is there."""
    known = measured()
    pages = shape.batches // 1_000
    return Call(known["finish_series_s"] * shape.series, 1, known["finish_requests"] - 1 + pages, plan_bytes(shape))


def start(name: str) -> Call:
    """What a cold start adds before the handler is called. Fetching the image is not in it."""
    return Call(measured()[f"start_{name}_s"], 0, 0)


def batch_seconds(shape: Shape) -> float:
    """Return how long a batch takes from its first state to its last [s], in a warm function."""
    return features(shape).seconds(shape) + score(shape).seconds(shape)


def hour_seconds(shape: Shape) -> float:
    """Return how long the hour takes with as many batches at once as the machine lets run [s]."""
    rounds = math.ceil(shape.batches / shape.workers)
    alone = sum(call(shape).seconds(shape) for call in (ingest, plan, finish))
    cold = sum(start(name).cpu for name in ("ingest", "plan", "features", "finish"))
    return alone + cold + score_cold(shape).seconds(shape) + rounds * batch_seconds(shape)


@dataclass(frozen=True)
class Training:
    """One training of one pool."""

    rows: float  # what it learns from
    asked: float  # what the training window would give
    seconds: float
    gets: float


def training(shape: Shape) -> Training:
    """Train a pool on as much of the window as fits into the task's memory."""
    known, task = measured(), deployed()
    asked = float(shape.in_pool * WINDOW_DAYS * ISSUES_A_DAY * STEPS)
    rows = min(asked, most_rows())
    days = rows / (shape.in_pool * ISSUES_A_DAY * STEPS)
    live = min(days, LIVE_DAYS)
    a_day = 1 + 1 / 30 if shape.compacted else 24 + RUNS_A_DAY  # weather has copies of days, a signal of months too
    gets = live * a_day + (days - live) / 15  # closed months that were imported: two objects each
    cpu = known["train_row_s"] * rows
    seconds = ASSUMED.fargate_start + cpu / task.task_vcpu + gets / PARALLEL * shape.s3_seconds
    return Training(rows, asked, seconds, gets)


def most_rows() -> float:
    """Return the rows that fit into a training task's memory."""
    known = measured()
    return (deployed().task_gb * 1024 * ASSUMED.memory_share - known["train_mb_base"]) / known["train_mb_row"]


def night_seconds(shape: Shape) -> float:
    """Return how long a night of training takes [s]."""
    return math.ceil(shape.pools / most_at_once(machine("training"))) * training(shape).seconds
