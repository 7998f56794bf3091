"""Measure the constants of the model on this machine, one thread: `python -m infra.cost --measure`.

Every figure is CPU time of the process, bytes of objects, or requests that `Bucket.traffic` counted. Steps whose memory
matters run in a process of their own. Straight lines are drawn through two measured sizes.
"""

import json
import shutil
import statistics
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from infra.cost import worlds
from infra.cost.worlds import compact_at
from tests.perf.meter import cpu_seconds, fresh_process, one_thread
from tests.perf.workload import NOW, World, make_world
from wattahead.jobs.score import Scorer

Found = dict[str, tuple[float, str]]  # constant -> (value, how it was measured)

TURNS: Final = 5
APPS: Final = ("ingest", "plan", "features", "score", "finish", "compact")
TRAINED: Final = (4, 10)  # series
TRAINED_DAYS: Final = 150


def measure(progress: Callable[[str], None]) -> Found:
    """Return every constant of `measured.json`."""
    found: Found = {}
    with tempfile.TemporaryDirectory() as made:
        for step in (_imports, _score, _features, _compact, _plan, _ingest, _logs, _train):
            progress(step.__doc__ or "")
            folder = Path(made, step.__name__)
            found |= step(folder)
            shutil.rmtree(folder, ignore_errors=True)
    return found


def _imports(_: Path) -> Found:
    """CPU seconds to start each function."""
    how = "CPU of a fresh Python that imports the handler, least of 3"
    return {f"start_{app}_s": (min(_once("imports", app)["cpu"] for _ in range(3)), how) for app in APPS}


def _score(folder: Path) -> Found:
    """Scoring a batch: tests/perf workload, 96 features, 3 boosters of 300 trees."""
    small, large = _scored(folder, 100), _scored(folder, 1_000)
    slope = (large["warm"] - small["warm"]) / 900
    line = "line through 100 and 1,000 series of the workload of tests/perf, models loaded, least of 5"
    return {
        "score_base_s": (small["warm"] - 100 * slope, line),
        "score_series_s": (slope, line),
        "score_load_s": (
            max(large["cold"] - large["warm"], 0.0),
            "first batch of a scorer minus a warm one, 1,000 series",
        ),
        "score_requests": (large["gets"] + large["puts"], "requests of a warm batch"),
        "score_puts": (large["puts"], "PUT among them"),
        "score_load_requests": (large["cold_gets"] - large["gets"], "more GET of a cold batch"),
        "rows_bytes": (large["forecasts/"] / 1_000, "bytes of the row object of 1,000 series, a series"),
        "bundle_bytes": (
            large["models/"],
            "bytes of the models of a pool of 1,000 series, which each night writes anew",
        ),
        "score_ledger_bytes": (large["ledger/"] / 1_000, "bytes of its ledger entry, a series"),
    }


def _features(folder: Path) -> Found:
    """Building features of a batch: the shipped wind features, 60 days of history."""
    made = {
        "a": _built(folder, 100),
        "b": _built(folder, 1_000),
        "c": _built(folder, 1_000, batch=100),
        "d": _built(folder, 4_000),
        "e": _built(folder, 100, hourly=True),
        "f": _built(folder, 100, hourly=True, compacted=True),
    }
    cpu = {name: one["cpu"] for name, one in made.items()}
    objects = made["e"]["gets"] - made["a"]["gets"]
    each = (cpu["e"] - cpu["a"]) / objects
    stored = (cpu["d"] - cpu["b"]) / 3_000
    inside = (cpu["b"] - cpu["c"]) / 900
    base = cpu["a"] - each * (made["a"]["gets"] - 1) - 100 * (stored + inside)
    how = "fit to 5 runs: series stored, in the batch: 100/100, 1,000/1,000, 1,000/100, 4,000/1,000, "
    how += "and 100/100 with an object an hour"
    found = {
        "features_base_s": (max(base, 0.0), how),
        "features_object_s": (each, how),
        "features_stored_s": (stored, how),
        "features_batch_s": (inside, how),
        "features_gets": (made["e"]["gets"], "GET of a call: 60 days of an object an hour, 4 weather runs a day"),
        "features_weather_gets": (made["f"]["gets"] - 1 - made["f"]["signal_gets"], "GET of weather, days copied"),
        "features_compacted_s": (cpu["f"], "a whole call on 100 series of history that compaction has copied"),
        "features_lists": (made["e"]["lists"], "LIST of a call"),
        "features_puts": (made["e"]["puts"], "PUT of a call"),
    }
    return found | _features_memory(made) | _features_bytes(made["b"], made["e"])


def _features_memory(made: dict[str, dict[str, float]]) -> Found:
    memory = (made["d"]["peak"] - made["b"]["peak"]) / 3_000
    both = (made["b"]["peak"] - made["a"]["peak"]) / 900
    return {
        "features_mb_stored": (memory, "peak memory, 1,000 and 4,000 series stored, batch of 1,000"),
        "features_mb_batch": (
            both - memory,
            "peak memory, batches of 100 and 1,000 series, without what stored rows take",
        ),
        "features_mb_base": (made["b"]["peak"] - 1_000 * both, "the same, without any series"),
    }


def _features_bytes(daily: dict[str, float], hourly: dict[str, float]) -> Found:
    return {
        "features_bytes": (daily["features/"] / 1_000, "bytes of the feature object of 1,000 series, a series"),
        "features_ledger_bytes": (daily["ledger/"] / 1_000, "bytes of its ledger entry, a series"),
        "features_read_bytes": (daily["read"] / 1_000, "bytes a call reads, a series stored, an object a day"),
        "actuals_bytes": (
            hourly["actuals/"] / 100 / hourly["hours"],
            "bytes of actuals, a series and hour, an object an hour of 100 series",
        ),
        "weather_bytes": (
            daily["weather/"] / 1_000 / daily["runs"],
            "bytes of a weather run of 54 h and 5 variables, a series",
        ),
    }


def _compact(folder: Path) -> Found:
    """Compacting: 60 days of live history, then two days hour by hour."""
    small, large = _compacted(folder / "100", 100), _compacted(folder / "1000", 1_000)
    slope = (large["cpu"] - small["cpu"]) / 900
    how = "mean of 48 hours in turn, one signal and its weather, 60 days before them, line through 100 and 1,000 series"
    found = {"compact_base_s": (small["cpu"] - 100 * slope, how), "compact_series_s": (slope, how)}
    counted = {f"compact_{name}": (large[name], f"{name.upper()} an hour, {how}") for name in ("gets", "puts", "lists")}
    copied = {
        f"{root}_copy_bytes": (
            large[root] / 1_000,
            "bytes of copies, a series and hour: of single days in 48 hours, of days together in 60 days",
        )
        for root in ("actuals", "weather")
    }
    keys = {"compact_keys": (large["keys"], "copies that a day leaves behind, of one signal")}
    return found | counted | copied | keys


def _plan(folder: Path) -> Found:
    """Planning and finishing an hour."""
    sizes = {series: _planned(folder / str(series), series) for series in (10, 1_000, 10_000, 100_000)}
    near, far = sizes[10_000], sizes[100_000]

    def line(name: str) -> float:
        return (far[name] - near[name]) / 90_000

    how = "line through 10,000 and 100,000 series, pools of 1,000, three earlier hours planned"
    found: Found = {
        "plan_base_s": (sizes[10]["cpu"], "10 series"),
        "plan_series_s": (line("cpu"), how),
        "plan_pool_requests": (round(line("requests") * 1_000), how),
        "plan_requests": (sizes[10]["requests"] - 2, "10 series, without those of its pool"),
        "plan_bytes": (line("plan.json"), how),
        "plan_read_s": (line("worker_cpu"), f"reading the plan, a series; {how}"),
        "plan_mb": (line("mb"), f"memory that planning adds, a series; {how}"),
        "plan_read_mb": (line("worker_mb"), f"memory that reading the plan adds, a series; {how}"),
        "plan_mb_base": (sizes[10]["peak"], "peak memory, 10 series"),
        "finish_series_s": (line("finish_cpu"), how),
        "finish_requests": (sizes[10]["finish"], "10 series"),
    }
    bytes_of = {f"plan_bytes_{series}": (one["plan.json"], "plan.json") for series, one in sizes.items()}
    return found | bytes_of


def _ingest(folder: Path) -> Found:
    """Ingesting one more hour of one mapping."""
    small, large = _ingested(folder / "100", 100), _ingested(folder / "1000", 1_000)
    slope, memory = ((large[name] - small[name]) / 900 for name in ("cpu", "mb"))
    how = "an hour's file of one signal, 28 files of the last two days beside it, line through 100 and 1,000 series"
    return {
        "ingest_base_s": (small["cpu"] - 100 * slope, how),
        "ingest_series_s": (slope, how),
        "ingest_mb": (memory, f"memory, a series; {how}"),
        "ingest_mb_base": (small["peak"] - 100 * memory, how),
        "ingest_gets": (large["gets"], "GET of one mapping"),
        "ingest_lists": (large["lists"], "LIST of one mapping"),
        "ingest_puts": (large["puts"], "PUT of one mapping"),
        "inbox_bytes": (large["inbox"] / 1_000, "bytes of an hour's file of 1,000 series in the inbox, a series"),
    }


def _logs(folder: Path) -> Found:
    """Bytes that the handlers print."""
    make_world(folder, 100)
    printed = _once("handlers", str(folder))
    return {f"log_{app}_bytes": (printed[app], "what the handler printed for one event") for app in APPS}


def _train(folder: Path) -> Found:
    """Training a pool: the shipped wind features, LightGBM, 150 days."""
    few, many = (_once_trained(folder / str(series), series) for series in TRAINED)
    rows = [series * TRAINED_DAYS * 4 * 24 for series in TRAINED]
    memory = (many["peak"] - few["peak"]) / (rows[1] - rows[0])
    how = f"line through {TRAINED[0]} and {TRAINED[1]} series, {TRAINED_DAYS} days, 4 issue hours, 24 h"
    return {
        "train_row_s": (
            many["cpu"] / rows[1],
            f"CPU of training {TRAINED[1]} series on {TRAINED_DAYS} days, by its {rows[1]:,} rows",
        ),
        "train_mb_row": (memory, f"peak memory, a row of 24 h; {how}"),
        "train_mb_base": (few["peak"] - rows[0] * memory, how),
    }


def _scored(folder: Path, series: int) -> dict[str, float]:
    world = make_world(folder / str(series), series)
    with one_thread():
        cold = _cold(world)
        bucket, scorer = world.bucket, Scorer(world.bucket)
        scorer.score(world.events[0], now=NOW)
        scorer.bucket = bucket
        warm = []
        for _ in range(TURNS):
            world.forget()
            bucket.traffic.clear()
            warm.append(cpu_seconds(lambda: scorer.score(world.events[0], now=NOW)))
    sizes = _sizes(world.folder)
    cold |= {"warm": min(warm), "gets": float(bucket.traffic["gets"]), "puts": float(bucket.traffic["puts"])}
    return cold | {root: sizes[root] for root in ("forecasts/", "ledger/", "models/")}


def _cold(world: World) -> dict[str, float]:
    taken = []
    for _ in range(3):
        world.forget()
        bucket = world.bucket
        taken.append(cpu_seconds(lambda: Scorer(bucket).score(world.events[0], now=NOW)))  # noqa: B023 - called at once
    return {"cold": min(taken), "cold_gets": float(bucket.traffic["gets"])}


def _built(
    folder: Path, series: int, *, batch: int = 1_000, hourly: bool = False, compacted: bool = False
) -> dict[str, float]:
    made = folder / f"{series}-{batch}-{hourly}-{compacted}"
    worlds.store_history(made, series, hourly=hourly)
    worlds.store_weather(made, series)
    signal_gets = worlds.compacted(made, series) if compacted else 0
    event = worlds.planned(made, series, batch=batch)
    runs = []
    for _ in range(3):
        for root in ("features", "ledger"):
            shutil.rmtree(made / root, ignore_errors=True)
        runs.append(_once("features", str(made), event.batch))
    facts = {"hours": float(worlds.DAYS * 24 + 5), "runs": float(len(list(made.glob("weather/*/*/*.parquet"))))}
    facts["signal_gets"] = float(signal_gets)
    least = {"cpu": min(run["cpu"] for run in runs), "peak": statistics.median(run["peak"] for run in runs)}
    return runs[0] | least | _sizes(made) | facts


def _planned(folder: Path, series: int) -> dict[str, float]:
    worlds.planned_hours(folder, series)
    found = _once("plan", str(folder))
    found["requests"] = found["gets"] + found["puts"] + found["lists"]
    found["finish"] = sum(found[f"finish_{name}"] for name in ("gets", "puts", "lists"))
    held = [size for key, size in worlds.files(worlds.opened(folder)) if key.endswith("issue_hour=05/plan.json")]
    worker = _once("worker", str(folder))
    return found | {"plan.json": float(held[0]), "worker_cpu": worker["cpu"], "worker_mb": worker["mb"]}


def _ingested(folder: Path, series: int) -> dict[str, float]:
    worlds.fill_inbox(folder, series, range(2, 30))
    _once("ingest", str(folder))
    worlds.fill_inbox(folder, series, [1])
    held = [size for key, size in worlds.files(worlds.opened(folder)) if key.startswith("inbox/")]
    return _once("ingest", str(folder)) | {"inbox": float(max(held))}


def _compacted(folder: Path, series: int) -> dict[str, float]:
    """Return what an hour of compaction takes, and the bytes of copies that an hour leaves behind."""
    worlds.live_until(folder, series, back=worlds.HOURS_LIVE)
    compact_at(worlds.opened(folder), worlds.HOURS_LIVE)
    before = dict(worlds.copies(folder))
    bucket = worlds.opened(folder)
    with one_thread():
        spent = 0.0
        for back in range(worlds.HOURS_LIVE - 1, -1, -1):
            worlds.one_more_hour(folder, series, back)
            spent += cpu_seconds(lambda: compact_at(bucket, back))  # noqa: B023 - called at once
    after = worlds.copies(folder)
    found = {name: bucket.traffic[name] / worlds.HOURS_LIVE for name in ("gets", "puts", "lists")}
    for root in ("actuals", "weather"):
        days = sum(size for copy, size in after.items() if root in copy.key and copy.days == 1 and copy not in before)
        spans = sum(size for copy, size in before.items() if root in copy.key and copy.days > 1)
        found[root] = days / worlds.HOURS_LIVE + spans / (24 * worlds.DAYS)
    fresh = [copy for copy in after if "actuals" in copy.key and copy not in before]
    return found | {"cpu": spent / worlds.HOURS_LIVE, "keys": len(fresh) * 24 / worlds.HOURS_LIVE}


def _once_trained(folder: Path, series: int) -> dict[str, float]:
    worlds.store_history(folder, series, hourly=False, days=TRAINED_DAYS + 70)
    worlds.store_weather(folder, series, days=TRAINED_DAYS + 5)
    return _once("train", str(folder), str(series), str(TRAINED_DAYS))


def _sizes(folder: Path) -> dict[str, float]:
    """Return the bytes below each root; of the ledger the largest entry, which is the batch's."""
    found: dict[str, float] = {}
    for key, size in worlds.files(worlds.opened(folder)):
        root = key.split("/", 1)[0] + "/"
        found[root] = max(found.get(root, 0.0), size) if root == "ledger/" else found.get(root, 0.0) + size
    return found


def _once(*arguments: str) -> dict[str, float]:
    told: Any = json.loads(fresh_process("-m", "infra.cost.once", *arguments))
    return {str(name): float(value) for name, value in told.items()}
