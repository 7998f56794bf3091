"""What the model takes as given: constants measured on one machine, and assumptions that nobody measured here."""

import json
import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[2]
FILE: Final = Path(__file__).parent / "measured.json"

HOURS: Final = 730  # of a month
NIGHTS: Final = HOURS / 24


@dataclass(frozen=True)
class Assumed:
    """Figures that were not measured here."""

    s3_seconds: float = 0.03  # from a request to its answer, one after the other; AWS's guide says 0.1 to 0.2
    s3_bytes: float = 75e6  # a second, of one function; from memory
    platform_log: float = 350.0  # bytes of START, END and REPORT of a Lambda call; from memory
    fargate_start: float = 60.0  # seconds billed before the container runs
    memory_share: float = 0.8  # of a task's or function's memory that may be planned with
    insights: int = 20  # metrics of Container Insights while a task runs; from memory
    deadline: float = 300.0  # seconds within which an hour should be done


ASSUMED: Final = Assumed()

# What the handlers and the finish job count in every hour without faults.
METRICS: Final = (
    "ingest ok",
    "plan ok",
    "features ok",
    "score ok",
    "score rows",
    "score series",
    "score no_forecast_series",
    "finish ok",
    "finish missing_batches",
    "finish decision_age_days",
    "finish forecast_age_minutes",
)


@cache
def measured() -> dict[str, float]:
    """Return the measured constants; seconds are CPU seconds, sizes bytes or MB as their names say."""
    held = json.loads(FILE.read_text(encoding="utf-8"))
    return {name: float(one["value"]) for name, one in held["constants"].items()}


def write(found: dict[str, tuple[float, str]], machine: str) -> None:
    """Replace the measured constants."""
    constants = {name: {"value": float(f"{value:.4g}"), "how": how} for name, (value, how) in found.items()}
    held = {"command": "python -m infra.cost --measure", "machine": machine, "constants": constants}
    FILE.write_text(json.dumps(held, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


@dataclass(frozen=True)
class Deployed:
    """What the templates say."""

    memory_mb: int  # of a function
    timeouts: dict[str, int]  # seconds, by function
    kept_days: dict[str, int]  # by the lifecycle rule's prefix
    alarms: int  # metrics that alarms watch
    dashboards: int
    task_vcpu: float
    task_gb: float


@cache
def deployed() -> Deployed:
    """Read the templates. They are not parsed as YAML: what is looked for stands on lines of its own."""
    root, training, watching = (
        (ROOT / name).read_text(encoding="utf-8")
        for name in ("template.yaml", "infra/training.yaml", "infra/watching.yaml")
    )
    kept = {prefix: int(days) for prefix, days in re.findall(r"Prefix: (\S+)/, ExpirationInDays: (\d+)", root)}
    handlers = re.findall(r"functions\.(\w+)\.app\.handler\]\n\s+Timeout: (\d+)", root)
    return Deployed(
        int(_one(r"MemorySize: (\d+)", root)),
        {name: int(seconds) for name, seconds in handlers},
        kept,
        len(re.findall(r"\bMetricName: ", watching)),
        watching.count("AWS::CloudWatch::Dashboard"),
        int(_one(r'Cpu: "(\d+)"', training)) / 1024,
        int(_one(r'Memory: "(\d+)"', training)) / 1024,
    )


def _one(pattern: str, text: str) -> str:
    (found,) = re.findall(pattern, text)
    return str(found)
