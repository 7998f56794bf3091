"""`wattahead catalog`: publish a catalog file, or print the newest catalog of a bucket."""

import argparse
import sys
from dataclasses import replace
from difflib import get_close_matches
from importlib import resources
from pathlib import Path

from wattahead.domain.catalog import Catalog
from wattahead.domain.errors import Refused
from wattahead.features.grammar import check
from wattahead.jobs.promote import register_baselines
from wattahead.storage.catalogs import latest_catalog, publish_catalog, read_catalog
from wattahead.storage.documents import encode
from wattahead.storage.objects import open_bucket
from wattahead.workloads import WORKLOADS, workload


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what `catalog` takes."""
    parser.add_argument(
        "file",
        nargs="?",
        default="",
        help=f"a TOML file, or a shipped one: {', '.join(shipped())}; without it the newest is printed",
    )
    parser.add_argument("--publication-delay", default="", metavar="PT1H", help="replaces the delay of every signal")


def run(arguments: argparse.Namespace) -> int:
    """Publish or print."""
    bucket = open_bucket(arguments.bucket)
    if not arguments.file:
        sequence, catalog = latest_catalog(bucket)
        sys.stdout.write(f"catalog {sequence}\n{encode(catalog).decode()}\n")
        return 0
    catalog = check(find_catalog(arguments.file))
    if arguments.publication_delay:
        delayed = {
            name: replace(signal, publication_delay=arguments.publication_delay)
            for name, signal in catalog.signals.items()
        }
        catalog = replace(catalog, signals=delayed)
    sequence = publish_catalog(bucket, catalog)
    begun = register_baselines(bucket, catalog)
    pools = [(kind, name) for kind in map(workload, WORKLOADS) for name in kind.pools(catalog)]
    series = sum(len(kind.series(catalog, name)) for kind, name in pools)
    sys.stdout.write(f"catalog {sequence}: {len(pools)} pools, {series} series\n")
    if begun:
        sys.stdout.write(f"served by a baseline until trained: {', '.join(begun)}\n")
    return 0


def find_catalog(name: str) -> Catalog:
    """Return a shipped catalog by its name, or the one in the file at path `name`."""
    if name in shipped():
        with resources.as_file(resources.files("wattahead.sources").joinpath("catalogs", f"{name}.toml")) as path:
            return read_catalog(path)
    if not Path(name).exists():
        near = get_close_matches(name, shipped(), n=1, cutoff=0.5)
        guess = f"use {near[0]}, " if near else ""
        fix = f"{guess}one of {', '.join(shipped())}, or the path of a TOML file"
        raise Refused("E_CONFIG", f"there is no catalog {name!r}", fix=fix)
    return read_catalog(Path(name))


def shipped() -> list[str]:
    """Return the names of the catalogs that come with the package."""
    folder = resources.files("wattahead.sources").joinpath("catalogs")
    return sorted(entry.name.removesuffix(".toml") for entry in folder.iterdir() if entry.name.endswith(".toml"))
