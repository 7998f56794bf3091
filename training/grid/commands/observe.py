"""Play a recorded course of an environment into the bucket, as states that were measured."""

import argparse

from rich.console import Console

from training.grid.commands import plain
from training.grid.commands.asking import add_bucket, at_least, now
from training.parsing import opened
from training.stopping import Stop
from wattahead.domain.catalog import Catalog, known
from wattahead.domain.errors import Refused
from wattahead.domain.grid import Network
from wattahead.domain.hours import DAY, duration, floor_hour, instant, iso
from wattahead.storage.catalogs import latest_catalog


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add which grid, which hours, and which recorded course."""
    parser.add_argument("--grid", default="", help="default: the catalog's only one")
    parser.add_argument("--from", dest="first", default="", metavar="TIME", help="default: two days before --to")
    parser.add_argument("--to", dest="last", default="", metavar="TIME", help="default: the hour that began last")
    parser.add_argument("--every", default="PT1H", metavar="PT1H", help="between two states")
    parser.add_argument("--course", type=at_least(0), default=0, metavar="N", help="which of the environment's courses")
    add_bucket(parser)


def run(asked: argparse.Namespace, console: Console, stop: Stop) -> int:
    """Store the states and say how many."""
    from training.grid.observe import observe  # noqa: PLC0415 - the simulator takes seconds

    bucket = opened(asked.bucket)
    _, catalog = latest_catalog(bucket)
    grid, network = _found(catalog, asked.grid)
    last = instant(asked.last) if asked.last else floor_hour(now())
    first = instant(asked.first) if asked.first else last - 2 * DAY
    if not first <= last <= now():
        told = f"from {iso(first)} to {iso(last)} nothing can have been measured by {iso(now())}"
        raise Refused("E_CONFIG", told, fix="name times that are over, the earlier one first")
    stop.check()
    states = observe(bucket, network, grid, first, last, every=duration(asked.every), course=asked.course)
    highest = states.rho(network).max(axis=1)
    over = f"{int((highest > 1).sum())} of them overloaded, highest loading {highest.max():.2f}"
    plain(console, f"{grid}: {len(states)} states from {iso(first)} to {iso(last)}, {over}")
    return 0


def _found(catalog: Catalog, name: str) -> tuple[str, Network]:
    grids = {grid: pool.network for pool in catalog.grid_pools.values() for grid in pool.grids}
    if not name and len(grids) != 1:
        fact, named = f"the catalog has {len(grids)} grids", ", ".join(sorted(grids)[:5]) or "publish one first"
        raise Refused("E_CONFIG", fact, fix=f"name one with --grid: {named}")
    chosen = name or next(iter(grids))
    known("grid", chosen, grids)
    return chosen, catalog.networks[grids[chosen]]
