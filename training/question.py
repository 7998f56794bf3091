"""What the command line of training asks for: which pools, with which trainer, on what is known until when."""

import argparse
import os
import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Final

from training.parsing import Parser, known_by, opened
from training.trainers import known
from training.validation import STRATEGIES
from wattahead.domain.catalog import Catalog, in_order
from wattahead.domain.errors import Refused
from wattahead.domain.hours import floor_hour
from wattahead.storage.catalogs import latest_catalog
from wattahead.storage.objects import Bucket

EXIT_CODES: Final = """\
exit codes:
  0    every pool was trained, promoted or not
  1    a pool failed, or the storage did; the ledger says which and why
  64   the question was wrong: an option, a pool, a zone, the bucket; nothing was trained
  143  stopped by SIGTERM: the pool in training keeps its registry as it was, and the ledger says so
  137  from outside, for a process killed for memory or for not ending in time: it can write nothing
"""


@dataclass(frozen=True)
class Question:
    """What is trained on what. `until` in µs since 1970, UTC."""

    bucket: Bucket
    catalog: Catalog
    pools: tuple[str, ...]
    until: int
    seed: int
    trainer: str = ""  # one for all pools, already in `catalog`; empty: each pool's own
    validate: str = ""  # the strategy; empty: train
    notes: tuple[str, ...] = ()  # what comes along without having been asked for
    report: bool = False  # whether a page about each training is made


def question(arguments: list[str] | None) -> Question:
    """Return what the command line asks for; raise `Refused` where it cannot be answered."""
    asked = parser().parse_args(arguments)
    bucket, now = opened(asked.bucket), time.time_ns() // 1000
    _, catalog = latest_catalog(bucket)
    until = known_by(asked.until, now) if asked.until else floor_hour(now)
    zones = _listed(asked.zone_keys)
    pools = chosen(catalog, asked.pools, asked.zone_keys, asked.forecast_keys, asked.forecast_subkeys)
    trainer = find_trainer(asked.trainer_interface) if asked.trainer_interface else ""
    notes = (*_company(catalog, pools, zones), *_other_trainers(catalog, pools, trainer))
    catalog = taught_by(catalog, trainer)
    return Question(bucket, catalog, tuple(pools), until, asked.seed, trainer, asked.validate, notes, report=True)


# --- which pools ---------------------------------------------------------------------------------------------------


def chosen(catalog: Catalog, pools: str = "", zones: str = "", keys: str = "", subkeys: str = "") -> list[str]:
    """Return the pools that hold a series of each comma-separated list; an empty list leaves the choice open.

    What is not in the catalog is answered with what is. A pool is chosen whole: its zones share one model, and a
    champion that was trained on some of them would serve the others no longer.
    """
    names = _all_known("pool", _listed(pools), catalog.pools) or sorted(catalog.pools)
    signals = {name: catalog.signals[pool.signal] for name, pool in catalog.pools.items()}
    wanted_zones = set(
        _all_known("zone", _listed(zones), {zone for one in catalog.pools.values() for zone in one.zones})
    )
    wanted_keys = set(_all_known("key", _listed(keys), {one.key for one in signals.values()}))
    wanted_subkeys = set(_all_known("subkey", _listed(subkeys), {one.subkey for one in signals.values()}))

    def fits(name: str) -> bool:
        return (
            (not wanted_zones or not wanted_zones.isdisjoint(catalog.pools[name].zones))
            and (not wanted_keys or signals[name].key in wanted_keys)
            and (not wanted_subkeys or signals[name].subkey in wanted_subkeys)
        )

    found = [name for name in names if fits(name)]
    if not found:
        asked = "; ".join(filter(None, (zones, keys, subkeys)))
        told = ", ".join(f"{name} ({signals[name].key}/{signals[name].subkey})" for name in names)
        raise Refused("E_CONFIG", f"no pool holds a series of {asked}", fix=f"ask for less at once; there are {told}")
    return in_order(catalog, found)


def _company(catalog: Catalog, pools: Iterable[str], zones: Iterable[str]) -> Iterator[str]:
    """Say which zones are trained although they were not asked for, and which asked ones are not trained."""
    asked, left = set(zones), set(zones)
    for name in pools if asked else ():
        others = sorted(set(catalog.pools[name].zones) - asked)
        left -= set(catalog.pools[name].zones)
        if others:
            yield f"{name}: {', '.join(others)} trained too, since the pool's zones share one model"
    for zone in sorted(left):
        yield f"{zone}: in none of the pools that are trained"


def _listed(text: str) -> list[str]:
    return [name.strip() for name in text.split(",") if name.strip()]


def _all_known(what: str, names: list[str], known_names: Iterable[str]) -> list[str]:
    there = sorted(known_names)
    for name in names:
        if name not in there:
            raise Refused("E_CONFIG", f"there is no {what} {name!r}", fix=f"use {', '.join(there)}")
    return list(dict.fromkeys(names))


# --- by whom -------------------------------------------------------------------------------------------------------


def find_trainer(name: str) -> str:
    """Return the trainer that `name` means, whatever its case: `LightGBM` is `lightgbm`, `MyTrainer` `my_trainer`."""
    for one in known():
        if _folded(one) == _folded(name):
            return one
    raise Refused("E_CONFIG", f"there is no trainer {name!r}", fix=f"use one of {', '.join(known())}")


def _folded(name: str) -> str:
    return name.strip().casefold().replace("_", "").replace("-", "")


def taught_by(catalog: Catalog, trainer: str) -> Catalog:
    """Return the catalog with this trainer in every pool; parameters that were meant for another one are left out."""
    if not trainer:
        return catalog

    def parameters(name: str) -> Mapping[str, float]:
        pool = catalog.pools[name]
        return pool.parameters if pool.trainer == trainer else {}

    pools = {name: replace(pool, trainer=trainer, parameters=parameters(name)) for name, pool in catalog.pools.items()}
    return replace(catalog, pools=pools)


def _other_trainers(catalog: Catalog, pools: Iterable[str], trainer: str) -> Iterator[str]:
    for name in pools if trainer else ():
        if (own := catalog.pools[name].trainer) != trainer:
            yield f"{name}: trained by {trainer} with its own defaults this once; the catalog says {own}"


# --- the command line ----------------------------------------------------------------------------------------------


def parser() -> argparse.ArgumentParser:
    """Return the command line of the container."""
    made = Parser(
        prog="python -m training",
        description="Train pools and let the registry decide.",
        epilog=EXIT_CODES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    made.add_argument(
        "--bucket",
        default=os.environ.get("WATTAHEAD_BUCKET", "bucket"),
        help="s3://bucket or a folder (default: $WATTAHEAD_BUCKET, or ./bucket)",
    )
    made.add_argument("--pools", default="", help="comma-separated; all pools of the catalog by default")
    choices = {
        "zone": "only pools that hold one of these zones, comma-separated; such a pool is trained whole",
        "forecast_key": "only pools of these keys, such as production",
        "forecast_subkey": "only pools of these subkeys, such as solar",
    }
    for name, told in choices.items():
        full = f"{name}_keys" if name == "zone" else f"{name}s"
        short = f"--{name.removeprefix('forecast_')}s"
        made.add_argument(f"--{full}", f"--{full.replace('_', '-')}", short, default="", metavar="A,B", help=told)
    made.add_argument(
        *("--trainer_interface", "--trainer-interface", "--trainer"),
        default="",
        metavar="NAME",
        help=f"this trainer, not the one in the catalog: {', '.join(known())}",
    )
    made.add_argument(
        "--until", default="", help="use only what was known before this time, e.g. 2021-01-01T00:00Z (default: now)"
    )
    made.add_argument("--seed", type=int, default=1)
    made.add_argument(
        "--validate",
        default="",
        choices=("", *STRATEGIES),
        metavar="NAME",
        help=f"train nothing; print and save how good the trainer is: {', '.join(STRATEGIES)}",
    )
    return made
