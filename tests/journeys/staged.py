"""What tests of a world in two stages do again and again: score batches by name, look at features and flags."""

from dataclasses import replace

import pyarrow as pa

from tests.journeys.stores import DictStore
from tests.journeys.world import EVENT, ISSUE, NOW, rows
from wattahead.domain.hours import MINUTE
from wattahead.domain.quality import names
from wattahead.jobs.build_features import build_features
from wattahead.jobs.score import Scorer
from wattahead.storage.objects import Bucket
from wattahead.storage.tables import encode_table, read_parquet

EARLY = ISSUE + 5 * MINUTE
UPSTREAM = ("solar-0000", "wind-0000")


def features(staged: DictStore, batch: str = "carbon-0000") -> pa.Table:
    """Return the feature object of a batch."""
    (key,) = [key for key in rows(staged.objects, "features/") if f"/{batch}-" in key]
    return read_parquet(staged.objects[key], where=key)


def flags(held: pa.Table) -> set[str]:
    """Return the flags of rows, as words."""
    return {name for value in held["quality_flags"].to_pylist() for name in names(value)}


def score(bucket: Bucket, *batches: str, now: int = NOW) -> None:
    """Build and score batches one by one."""
    for batch in batches:
        one = replace(EVENT, batch=batch)
        assert build_features(bucket, one, now=now).outcome == "ok"
        Scorer(bucket).score(one, now=now)


def moved(body: bytes, key: str, by: float = 1.5) -> bytes:
    """Return forecast rows with other medians."""
    held = read_parquet(body, where=key)
    return encode_table(held.set_column(held.column_names.index("p50"), "p50", pa.array(held["p50"].to_numpy() * by)))
