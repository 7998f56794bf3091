"""The catalog in the bucket: an append-only log, published from a TOML file."""

import json
import tomllib
from pathlib import Path
from typing import Any, Final

from wattahead.domain.catalog import Catalog
from wattahead.domain.errors import LostRace, Refused
from wattahead.storage import keys
from wattahead.storage.documents import build, encode
from wattahead.storage.log import Log
from wattahead.storage.objects import Bucket

FORECASTS: Final = ("zones", "signals", "feature_sets", "pools")  # what a catalog of grids alone leaves out


def read_catalog(path: Path) -> Catalog:
    """Return the catalog in a TOML file; `zones = "all"` in a pool stands for every zone of the file.

    A network may be the name of a JSON file beside it, as `python -m training grid describe` writes one.
    """
    try:
        plain: dict[str, Any] = tomllib.loads(path.read_text(encoding="utf-8"))
        if isinstance(networks := plain.get("networks"), dict):
            plain["networks"] = {name: _network(path, held) for name, held in networks.items()}
    except (OSError, ValueError) as error:  # not TOML, not JSON, or not UTF-8
        raise Refused("E_CONFIG", f"{path.name}: {error}", fix="mend the file") from error
    if "grid_pools" in plain:
        plain = {**{name: {} for name in FORECASTS}, **plain}
    pools, zones = plain.get("pools"), plain.get("zones")
    for pool in pools.values() if isinstance(pools, dict) else ():
        if isinstance(pool, dict) and pool.get("zones") == "all" and isinstance(zones, dict):
            pool["zones"] = sorted(zones)
    return build(Catalog, plain, where=path.name)


def _network(path: Path, held: object) -> object:
    return json.loads((path.parent / held).read_text(encoding="utf-8")) if isinstance(held, str) else held


def publish_catalog(bucket: Bucket, catalog: Catalog) -> int:
    """Append `catalog` unless it is the newest entry already; return its sequence."""
    log = _log(bucket)
    for _ in range(5):
        numbers = log.sequences()
        newest = numbers[-1] if numbers else 0
        if newest and encode(log.entry(newest)) == encode(catalog):
            return newest
        try:
            return log.append(catalog, after=newest)
        except LostRace:
            continue
    raise LostRace("E_RACE", "the catalog is being published by many at once", fix="publish it again")


def latest_catalog(bucket: Bucket) -> tuple[int, Catalog]:
    """Return sequence and content of the newest catalog."""
    numbers = _log(bucket).sequences()
    if not numbers:
        raise Refused(
            "E_CATALOG_EMPTY",
            f"bucket {bucket.url} has no catalog",
            fix="publish one: wattahead catalog FILE.toml",
        )
    return numbers[-1], _log(bucket).entry(numbers[-1])


def _log(bucket: Bucket) -> Log[Catalog]:
    return Log(bucket, keys.CATALOG, Catalog)
