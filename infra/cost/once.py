"""One step in a process of its own, printed as JSON: `python -m infra.cost.once STEP FOLDER [EVENT]`.

`imports APP`: CPU seconds to start Python and import a handler, with what the image of `score` lacks out of sight.
`features`, `plan`, `worker`, `ingest`, `train`: CPU seconds, and how much memory the step added [MB].
`handlers`: bytes that each handler prints.
"""

import json
import os
import resource
import sys
import time
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Final

LATER: Final = 40 * 60 * 1_000_000  # [µs] behind the issue time: no batch waits for sources any more


def imports(app: str) -> dict[str, float]:
    """Return what the start of a function costs."""
    if app == "score":
        sys.modules |= dict.fromkeys(("sklearn", "polars", "duckdb"))  # type: ignore[arg-type]  # None: cannot be imported
    import_module(f"functions.{app}.app")
    return {"cpu": time.process_time()}


def features(folder: str, batch: str) -> dict[str, float]:
    """Build the features of one batch."""
    job = import_module("wattahead.jobs.build_features")
    objects, plans = import_module("wattahead.storage.objects"), import_module("wattahead.domain.plan")
    issue = import_module("tests.perf.workload").ISSUE
    bucket = objects.open_bucket(folder)
    event = plans.HourEvent(issue, batch=batch)
    found = _spent(lambda: job.build_features(bucket, event, now=issue + LATER))
    return found | {name: float(bucket.traffic[name]) for name in ("gets", "puts", "lists", "read", "written")}


def train(folder: str, series: str, days: str) -> dict[str, float]:
    """Train one pool of so many series on so many days."""
    worlds, job = import_module("infra.cost.worlds"), import_module("training.train")
    bucket = import_module("wattahead.storage.objects").open_bucket(folder)
    held = worlds.catalog(int(series), window=f"P{days}D")
    issue = import_module("tests.perf.workload").ISSUE
    until = issue // 86_400_000_000 * 86_400_000_000
    return _spent(lambda: job.train(bucket, held, "wind_0000", until=until, seed=1, progress=_quiet))


def plan(folder: str) -> dict[str, float]:
    """Plan one more hour, read the plan as every worker does, and finish."""
    job, done, hours = (import_module(f"wattahead.jobs.{name}") for name in ("plan", "finish", "hour"))
    objects, plans = import_module("wattahead.storage.objects"), import_module("wattahead.domain.plan")
    issue = import_module("tests.perf.workload").ISSUE
    bucket, event, now = objects.open_bucket(folder), plans.HourEvent(issue), issue + LATER
    found = _spent(lambda: job.plan(bucket, event, now=now)) | {
        name: float(bucket.traffic[name]) for name in ("gets", "puts", "lists")
    }
    reading = _spent(lambda: hours.read_plan(bucket, event))
    bucket.traffic.clear()
    ending = _spent(lambda: done.finish(bucket, event, now=now))
    requests = {f"finish_{name}": float(bucket.traffic[name]) for name in ("gets", "puts", "lists")}
    return found | requests | {"read_cpu": reading["cpu"], "finish_cpu": ending["cpu"]}


def worker(folder: str) -> dict[str, float]:
    """Read the plan, as a worker that does nothing else."""
    hours = import_module("wattahead.jobs.hour")
    objects, plans = import_module("wattahead.storage.objects"), import_module("wattahead.domain.plan")
    bucket, event = objects.open_bucket(folder), plans.HourEvent(import_module("tests.perf.workload").ISSUE)
    return _spent(lambda: hours.read_plan(bucket, event))


def ingest(folder: str) -> dict[str, float]:
    """Ingest the inbox once more, after a file was added."""
    job = import_module("wattahead.jobs.ingest_inbox")
    objects, plans = import_module("wattahead.storage.objects"), import_module("wattahead.domain.plan")
    issue = import_module("tests.perf.workload").ISSUE
    bucket = objects.open_bucket(folder)
    found = _spent(lambda: job.ingest_inbox(bucket, plans.HourEvent(issue), now=issue + LATER))
    return found | {name: float(bucket.traffic[name]) for name in ("gets", "puts", "lists")}


def handlers(folder: str) -> dict[str, float]:
    """Run one hour of one batch through the handlers; return the bytes that each of them prints."""
    os.environ |= {"WATTAHEAD_BUCKET": folder, "WATTAHEAD_CLOCK": "2026-03-01T05:40Z"}
    local = import_module("infra.local.hours")
    counted = {}
    for name in ("ingest", "plan", "features", "score", "finish", "compact"):
        handler = import_module(f"functions.{name}.app").handler
        event = {"issue_time": "2026-03-01T05:00Z"} | ({"batch": "solar-0000"} if name in {"features", "score"} else {})
        counted[name] = _printed(lambda: handler(event, local.Context(name)))  # noqa: B023 - called at once
    return counted


def _printed(work: Callable[[], object]) -> float:
    """Return the bytes that `work` writes to standard output."""
    sys.stdout.flush()
    keep, (out, into) = os.dup(1), os.pipe()
    os.dup2(into, 1)
    try:
        work()
        sys.stdout.flush()
    finally:
        os.dup2(keep, 1)
        os.close(into)
    return float(len(os.read(out, 1 << 16)))


def _spent(work: Callable[[], object]) -> dict[str, float]:
    before, start = _peak(), time.process_time()
    work()
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    return {
        "cpu": time.process_time() - start + children.ru_utime + children.ru_stime,
        "mb": _peak() - before,
        "peak": _peak(),
    }


def _peak() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def _quiet(_: str) -> None:
    return


if __name__ == "__main__":
    step, *rest = sys.argv[1:]
    steps: dict[str, Callable[..., dict[str, float]]] = {
        "imports": imports,
        "features": features,
        "plan": plan,
        "worker": worker,
        "ingest": ingest,
        "train": train,
        "handlers": handlers,
    }
    found = steps[step](*(str(Path(one)) for one in rest))
    sys.stdout.write(json.dumps(found) + "\n")
