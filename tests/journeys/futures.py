"""Other futures: worlds that differ only in what became known after an issue time."""

from collections.abc import Callable

import numpy as np
import pyarrow as pa

from tests.journeys.stores import DictStore
from wattahead.storage.objects import sha256
from wattahead.storage.tables import encode_table, read_parquet


def renamed(key: str, body: bytes) -> str:
    """Return the key with the hash of another content: part files are named after what they hold."""
    folder, name = key.rsplit("/", 1)
    stem = name.removesuffix(".parquet")
    return f"{folder}/{stem[: -len(stem.rsplit('-', 1)[-1])]}{sha256(body)[:16]}.parquet"


def rewritten(store: DictStore, change: Callable[[bytes, str], bytes], part: str) -> DictStore:
    """Return a copy in which every object whose key holds `part` was changed before it was stored."""
    other = DictStore()
    for key, held in store.objects.items():
        body = change(held, key) if part in key else held
        other.objects[renamed(key, body) if body != held else key] = body
    return other


def changed(body: bytes, key: str, seed: int, issue_time: int) -> bytes:
    """Change, double or drop every row of an object that was not known at the issue time."""
    held = read_parquet(body, where=key)
    late = held["available_at"].cast(pa.int64()).to_numpy() > issue_time
    if not late.any():
        return body
    draw = np.random.default_rng(seed)
    columns = {}
    for name in held.column_names:
        column = held[name]
        if pa.types.is_floating(column.type):
            plain = column.to_numpy().copy()
            plain[late] = draw.normal(1e4, 1e4, late.sum())
            column = pa.array(plain.astype(column.type.to_pandas_dtype()))
        columns[name] = column
    mixed = pa.table(columns)
    kept = np.flatnonzero(~late | (draw.random(len(late)) < 0.7))
    return encode_table(mixed.take(kept))
