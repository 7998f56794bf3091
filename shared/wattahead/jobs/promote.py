"""Decide who serves: publish bundles, and append the decision to the pool's registry."""

import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from wattahead.domain.bundle import Manifest, RegistryEntry, Rung
from wattahead.domain.catalog import Catalog
from wattahead.domain.errors import LostRace, Refused
from wattahead.domain.hours import iso
from wattahead.jobs.prove import prove
from wattahead.models.loading import NATIVE
from wattahead.storage.bundles import publish, sealed
from wattahead.storage.objects import Bucket
from wattahead.storage.registry import latest, registry
from wattahead.workloads import WORKLOADS, workload

DECISIONS = 5  # tries before a registry that others keep writing to is given up


@dataclass(frozen=True)
class Verdict:
    """Whether a candidate becomes champion, and the sentence that says why."""

    promoted: bool
    reason: str


def publish_proved(bucket: Bucket, manifest: Manifest, files: Mapping[str, bytes], role: str) -> Rung:
    """Prove a bundle in a child process where it runs native code, write it, and return its rung."""
    manifest = sealed(manifest, files)
    proved_on = prove(manifest, files) if manifest.kind in NATIVE else None
    return Rung(role, publish(bucket, manifest, files), manifest.kind, manifest.features, proved_on)


def promote(
    bucket: Bucket,
    pool: str,
    candidate: Rung,
    baselines: tuple[Rung, ...],
    judge: Callable[[Rung | None], Verdict],
    *,
    effective_from: int,
) -> RegistryEntry:
    """Append the decision on a candidate. `judge` compares it with the champion it is given.

    A decision that lost a race is made again against the new champion.
    """
    for _ in range(DECISIONS):
        held = latest(bucket, pool)
        refuse_earlier(held, effective_from)
        champion = held.rung("champion") if held else None
        verdict = judge(champion)
        rungs = _rungs(held, candidate if verdict.promoted else None, baselines)
        sequence = held.sequence if held else 0
        entry = RegistryEntry(pool, sequence + 1, sequence, effective_from, verdict.reason, secrets.token_hex(8), rungs)
        try:
            registry(bucket, pool).append(entry, after=sequence)
        except LostRace:
            continue
        return entry
    raise LostRace(
        "E_RACE", f"the registry of {pool} was written by others {DECISIONS} times in a row", fix="train again"
    )


def refuse_earlier(held: RegistryEntry | None, effective_from: int) -> None:
    """Refuse a decision that takes effect before the last one: hours between them would see what came later."""
    if held and effective_from < held.effective_from:
        raise Refused(
            "E_TIME_FUTURE",
            f"the registry of {held.pool} holds a decision of {iso(held.effective_from)}, after {iso(effective_from)}",
            fix="train until a later time, or into a bucket of its own",
        )


def register_baselines(bucket: Bucket, catalog: Catalog, *, effective_from: int = 0) -> list[str]:
    """Give every pool without a registry its baseline, to serve from its first hour; return those pools."""
    begun = []
    for kind in map(workload, WORKLOADS):
        for name in kind.pools(catalog):
            if latest(bucket, name) is None:
                role, manifest, files = kind.baseline(catalog, name)
                rung, said = publish_proved(bucket, manifest, files, role), "a baseline to begin with"
                entry = RegistryEntry(name, 1, 0, effective_from, said, secrets.token_hex(8), (rung,))
                registry(bucket, name).append(entry, after=0)
                begun.append(name)
    return begun


def _rungs(held: RegistryEntry | None, promoted: Rung | None, baselines: tuple[Rung, ...]) -> tuple[Rung, ...]:
    """Return the new state: who is promoted pushes the champion to `previous`; baselines replace their own kind."""
    state = {rung.role: rung for rung in held.rungs} if held else {}
    if promoted:
        champion = state.get("champion")
        if champion and champion.bundle_id != promoted.bundle_id:
            state["previous"] = replace(champion, role="previous")
        state["champion"] = replace(promoted, role="champion")
    state |= {rung.role: rung for rung in baselines}
    return tuple(sorted(state.values(), key=lambda rung: rung.level))
