"""`python -m training`: the entry point of the container and of `wattahead train`. One pool after another."""

import argparse
import os
import sys
import time
from functools import partial

from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TaskID, TextColumn, TimeElapsedColumn

from training.train import Trained, train
from wattahead.domain.catalog import Catalog
from wattahead.domain.errors import Refused, WattaheadError
from wattahead.domain.hours import floor_hour, instant
from wattahead.domain.series import origin
from wattahead.storage.catalogs import latest_catalog
from wattahead.storage.objects import open_bucket

USAGE, FAILED = 64, 1


def main(arguments: list[str] | None = None) -> int:
    """Train the chosen pools; return 0 when all were trained, promoted or not."""
    asked = parser().parse_args(arguments)
    console = Console(stderr=True)
    try:
        bucket = open_bucket(asked.bucket)
        _, catalog = latest_catalog(bucket)
        until = instant(asked.until) if asked.until else floor_hour(time.time_ns() // 1000)
        pools = chosen(catalog, asked.pools)
    except WattaheadError as error:
        console.print(f"[red]{error}[/red]", highlight=False)
        return USAGE
    failed = 0
    for name in pools:
        try:
            with _progress(console) as progress:
                task = progress.add_task(name, total=None, said="")
                done = train(
                    bucket, catalog, name, until=until, seed=asked.seed, progress=partial(_say, progress, task)
                )
                progress.update(task, total=1, completed=1, said="promoted" if done.promoted else "kept as it was")
        except WattaheadError as error:  # one pool's bad data does not keep the others from training
            console.print(f"[red]{name}: {error}[/red]", highlight=False)
            failed += 1
            continue
        report(console, name, done, catalog)
    return FAILED if failed else 0


def parser() -> argparse.ArgumentParser:
    """Return the command line of the container."""
    made = argparse.ArgumentParser(prog="python -m training", description="Train pools and let the registry decide.")
    made.add_argument(
        "--bucket",
        default=os.environ.get("WATTAHEAD_BUCKET", "bucket"),
        help="s3://bucket or a folder (default: $WATTAHEAD_BUCKET, or ./bucket)",
    )
    made.add_argument("--pools", default="", help="comma-separated; all pools of the catalog by default")
    made.add_argument(
        "--until", default="", help="use only what was known before this time, e.g. 2021-01-01T00:00Z (default: now)"
    )
    made.add_argument("--seed", type=int, default=1)
    return made


def chosen(catalog: Catalog, pools: str) -> list[str]:
    """Return the pools that a comma-separated list names; an unknown one is answered with the known ones."""
    names = [name.strip() for name in pools.split(",") if name.strip()] or sorted(catalog.pools)
    unknown = [name for name in names if name not in catalog.pools]
    if unknown:
        raise Refused("E_CONFIG", f"there is no pool {unknown[0]!r}", fix=f"use {', '.join(sorted(catalog.pools))}")
    return names


def report(console: Console, name: str, done: Trained, catalog: Catalog) -> None:
    """Print the out-of-time table of one pool."""
    unit = catalog.signals[catalog.pools[name].signal].unit
    console.print(f"  {done.entry.reason}", highlight=False, soft_wrap=True)
    for zone, models in done.table.items():
        told = ", ".join(f"{model} {measures['mae']:.4g}" for model, measures in models.items() if "mae" in measures)
        covers = models["candidate"].get("coverage", float("nan"))
        line = f"  {zone}: MAE [{unit}] {told}; covers {covers:.2f} {origin(zone)}".rstrip()
        console.print(line, highlight=False, markup=False, soft_wrap=True)


def _say(progress: Progress, task: TaskID, said: str) -> None:
    progress.update(task, said=said)


def _progress(console: Console) -> Progress:
    return Progress(
        SpinnerColumn(),
        TextColumn("{task.description:<16}"),
        BarColumn(bar_width=20),
        TimeElapsedColumn(),
        TextColumn("{task.fields[said]}"),
        console=console,
    )


if __name__ == "__main__":
    sys.exit(main())
