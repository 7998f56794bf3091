"""Hindcasts: medians for past issue times from fits that had not seen them. What reads forecasts learns from them.

They are kept by the rule that the pool was trained by. What was tried once, with another trainer or other features, is
of another rule, and nobody learns from it while the catalog says otherwise.
"""

from collections.abc import Mapping
from functools import partial
from typing import Final

import pyarrow as pa

from wattahead.domain.catalog import Catalog, Signal
from wattahead.domain.hours import iso
from wattahead.storage import keys
from wattahead.storage.documents import canonical, encode
from wattahead.storage.objects import Bucket, sha256
from wattahead.storage.tables import INSTANT, NAME, encode_table, select
from wattahead.storage.timeseries import DIGITS, sorted_names, verified

SCHEMA: Final[dict[str, pa.DataType]] = {
    "zone": NAME,
    "issue_time": INSTANT,
    "valid_time": INSTANT,
    "p50": pa.float32(),  # [unit of the signal]
    "scale": pa.float32(),  # [unit of the signal] at the issue time
}
TRAININGS: Final = 3  # of a pool, the newest: a training leaves out the day between what it learns and what it tests


def rule_of(catalog: Catalog, pool: str) -> str:
    """Return the hash of what the catalog says of a pool, its signal and its features."""
    held = catalog.pools[pool]
    told = [
        encode(held).decode(),
        encode(catalog.signals[held.signal]).decode(),
        *catalog.feature_sets[held.feature_set],
    ]
    return sha256(canonical(told))[:DIGITS]


def save(bucket: Bucket, signal: Signal, pool: str, rule: str, until: int, bundle_id: str, rows: pa.Table) -> str:
    """Write the hindcasts of one training and return their key; the same rows again change nothing."""
    body = encode_table(sorted_names(select(rows, SCHEMA, where="hindcasts")))
    root = keys.hindcasts(signal.key, signal.subkey)
    key = keys.hindcast(root, pool, rule, until, bundle_id, sha256(body)[:DIGITS])
    bucket.create(key, body)
    return key


def load(bucket: Bucket, signal: Signal, rules: Mapping[str, str], until: int) -> pa.Table:
    """Return what the newest trainings of some pools of the signal say that knew nothing after `until` [µs].

    `rules` names the pools and the rule that each must have been trained by. Later trainings stand further down: of two
    rows for one zone and hour the last one counts.
    """
    asked = {(f"pool={pool}", f"rule={rule}") for pool, rule in rules.items()}
    found: dict[str, dict[str, list[str]]] = {}
    for key in bucket.keys(keys.hindcasts(signal.key, signal.subkey)):
        *_, pool, rule, trained, _ = key.split("/")
        if (pool, rule) in asked and trained <= f"until={iso(until).replace(':', '')}":
            found.setdefault(pool, {}).setdefault(trained, []).append(key)
    chosen = [(one, key) for held in found.values() for one in sorted(held)[-TRAININGS:] for key in held[one]]
    wanted = [key for _, key in sorted(chosen)]
    tables = bucket.read_all([(key, partial(_decoded, key)) for key in wanted])
    return pa.concat_tables([_empty(), *tables]).unify_dictionaries()


def _decoded(key: str, body: bytes) -> pa.Table:
    return select(verified(key, body, list(SCHEMA)), SCHEMA, where=key)


def _empty() -> pa.Table:
    return pa.table({name: pa.array([], kind) for name, kind in SCHEMA.items()})
