"""The models of a backtest: what training would have published as candidate at a date, found again or made."""

from functools import partial
from importlib.metadata import version

from training.candidate import Material, candidate, code_hashes, libraries, material
from training.trainers.protocol import Progress
from wattahead.domain.bundle import RegistryEntry
from wattahead.domain.catalog import Catalog
from wattahead.domain.errors import Refused
from wattahead.domain.hours import iso
from wattahead.storage import keys
from wattahead.storage.documents import canonical, decode, encode
from wattahead.storage.objects import Bucket, sha256

DIGITS = 32  # of the hash that names a training
REASON = "trained for backtests; no gate, no promotion"


def ladder(bucket: Bucket, catalog: Catalog, name: str, *, until: int, seed: int, progress: Progress) -> RegistryEntry:
    """Return the candidate and the baselines that training `until` [µs] gives, as an entry that no registry holds.

    The days before `until` that `train` compares models on are left out of learning here too: these are the models
    that a deployed system would have had. A training done before, by this run or another, is found by its key.
    """
    told = material(bucket, catalog, name, until=until)
    digest = identity(told, seed)[:DIGITS]
    key = keys.backtest_model(name, digest)
    read = partial(decode, RegistryEntry, where=key)
    try:
        found = bucket.read(key, read)
    except Refused as error:
        if error.code != "E_FEAT_MISSING":
            raise
    else:
        progress(f"the model of {iso(until)} was there")
        return found
    made = candidate(bucket, told, seed=seed, progress=progress)
    entry = RegistryEntry(name, 1, 0, until, REASON, digest, (made.rung, *made.baselines))
    return read(bucket.create(key, encode(entry)).body)  # whoever was first is right


def identity(told: Material, seed: int) -> str:
    """Return the hash of everything that the bytes of the bundles depend on."""
    source = told.source
    depends = {
        "pool": told.name,
        "rules": [encode(source.pool).decode(), encode(source.signal).decode()],
        "zones": {name: encode(zone).decode() for name, zone in source.zones.items()},
        "features": [told.features, source.features],
        "until": told.until,
        "seed": seed,
        "data": told.samples.digest,
        "is_read": told.is_read,  # a training for nobody else left no hindcasts
        "libraries": {**libraries(), "wattahead": version("wattahead")},
        "code": code_hashes(source.pool.trainer),
    }
    return sha256(canonical(depends))
