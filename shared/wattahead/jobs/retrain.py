"""Say which pools a training tick is for. The catalog decides; training itself runs in the container."""

from wattahead.domain.catalog import in_order
from wattahead.domain.errors import Refused
from wattahead.storage.catalogs import latest_catalog
from wattahead.storage.objects import Bucket


def due(bucket: Bucket, event: object) -> list[str]:
    """Return the pools that are trained `nightly` or `weekly`, those that others read first; `E_EVENT_SHAPE` for any other cadence."""
    cadence = event.get("cadence") if isinstance(event, dict) else event
    if cadence not in ("nightly", "weekly"):
        raise Refused("E_EVENT_SHAPE", f"there is no cadence {cadence!r}", fix='send {"cadence": "nightly"}')
    _, catalog = latest_catalog(bucket)
    return in_order(catalog, (name for name, pool in catalog.pools.items() if pool.retrain == cadence))
