"""Say which pools a training tick is for. The catalog decides; training itself runs in the container."""

from collections.abc import Iterable
from itertools import groupby
from typing import Any

from wattahead.domain.catalog import Catalog, in_order, known
from wattahead.domain.errors import Refused
from wattahead.domain.graph import stages
from wattahead.storage.catalogs import latest_catalog
from wattahead.storage.objects import Bucket


def due(bucket: Bucket, event: Any) -> list[list[str]]:  # noqa: ANN401 - whatever was sent
    """Return the pools to train, by stage: each behind all pools of which it reads forecasts.

    An event names a `cadence`, `nightly` or `weekly`, or `pools`. `E_EVENT_SHAPE` for any other, `E_CONFIG` for a pool
    that the catalog does not know.
    """
    asked = event if isinstance(event, dict) else {}
    cadence, named = asked.get("cadence"), asked.get("pools")
    if named is None and cadence not in ("nightly", "weekly"):
        raise Refused("E_EVENT_SHAPE", f"there is no cadence {cadence!r}", fix='send {"cadence": "nightly"}')
    if named is not None and not (isinstance(named, list) and all(isinstance(name, str) for name in named)):
        raise Refused("E_EVENT_SHAPE", "pools is not a list of names", fix='send {"pools": ["solar"]}')
    _, catalog = latest_catalog(bucket)
    for name in named or ():
        known("pool", name, catalog.pools)
    wanted = [name for name, pool in catalog.pools.items() if pool.retrain == cadence] if named is None else named
    return _by_stage(catalog, wanted)


def _by_stage(catalog: Catalog, names: Iterable[str]) -> list[list[str]]:
    stage = stages({name: catalog.read_by(name) for name in catalog.pools})
    return [list(alike) for _, alike in groupby(in_order(catalog, set(names)), stage.__getitem__)]
