"""Boosters of one pool in one file: each serves some zones and a block of leads, over the same ordered features."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from wattahead.domain.errors import Refused
from wattahead.models.booster import whole, with_zone
from wattahead.models.native import NativeBooster
from wattahead.models.rows import Floats, Rows, envelope_of

POOLED: Final = ""  # the boosters for a zone without its own


@dataclass(frozen=True)
class Tree:
    """One booster and the rows it serves."""

    booster: NativeBooster
    zone: str  # `POOLED` for those without their own
    first: float  # lead [h]
    last: float  # lead [h], not included; the last block has no end


@dataclass(frozen=True)
class Trees:
    """Every row is served by exactly one of the boosters; NaN where its zone has none, and there is none for all."""

    features: tuple[str, ...]
    zones: Mapping[str, int]  # zone -> its number in training; an unknown zone is NaN
    trees: tuple[Tree, ...]
    envelope: str = ""  # a feature that every value is multiplied by; or empty

    def predict(self, rows: Rows) -> Floats:
        """Return one value per row in units of the scale, shape (S x H)."""
        matrix = with_zone(rows, self.features, self.zones)
        raised, lead = envelope_of(rows, self.envelope), np.maximum(rows.column("lead"), 0)
        found = np.full(len(matrix), np.nan)
        named = {zone: number for number, zone in enumerate(dict.fromkeys(tree.zone for tree in self.trees))}
        own = np.array([named.get(zone, named.get(POOLED, -1)) for zone in rows.zones], dtype=np.int32)
        places = np.arange(len(matrix)).reshape(-1, rows.steps)
        for tree in self.trees:
            mine = places[own == named[tree.zone]].reshape(-1)
            served = mine[(lead[mine] >= tree.first) & (lead[mine] < tree.last)]
            found[served] = 0.0
            asked = served[np.abs(raised[served]) > 0]  # a night of solar power is zero whatever its trees say
            if len(asked):
                found[asked] = tree.booster.predict(matrix if len(asked) == len(matrix) else matrix[asked])
        return found * raised


def load_trees(about: Mapping[str, Any], body: bytes) -> Trees:
    """Return the boosters in `body`; `about` tells where each stands and what it serves.

    Call it with verified bytes only: a damaged model aborts the process.
    """
    features = tuple(about["features"])
    _check_leads(about["trees"])
    held = []
    for part, text in zip(about["trees"], _texts(about["trees"], body), strict=True):
        booster = NativeBooster(whole(text, part["zone"] or "all zones"))
        if booster.features[:-1] != features:
            raise Refused(
                "E_BUNDLE_FEATURES",
                "a booster was trained on other features than its bundle lists",
                fix="train and publish it again",
            )
        last = np.inf if part["last"] is None else part["last"]
        held.append(Tree(booster, part["zone"], part["first"], last))
    envelope = about.get("envelope", "")
    if envelope and envelope not in features:
        raise ValueError(f"the envelope {envelope!r} is not one of the features")
    return Trees(features, {zone: number for number, zone in enumerate(about["zones"])}, tuple(held), envelope)


def _texts(parts: Sequence[Mapping[str, Any]], body: bytes) -> list[str]:
    """Return the models in `body`; raise `ValueError` unless they stand in it one after the other, to its end.

    LightGBM may abort the process on a text that begins elsewhere.
    """
    starts, ends = ([part[side] for part in parts] for side in ("start", "end"))
    if [*starts, len(body)] != [0, *ends]:
        raise ValueError("models do not stand one after the other in their file")
    texts = [body[start:end].decode() for start, end in zip(starts, ends, strict=True)]
    if not all(text.startswith("tree\n") for text in texts):
        raise ValueError("a model does not begin where it should")
    return texts


def _check_leads(parts: Sequence[Mapping[str, Any]]) -> None:
    """Raise `ValueError` unless the boosters of every zone serve all leads from 0, each of them once."""
    zones: dict[str, list[tuple[float, float]]] = {}
    for part in parts:
        last = np.inf if part["last"] is None else float(part["last"])
        zones.setdefault(part["zone"], []).append((float(part["first"]), last))
    for zone, blocks in zones.items():
        firsts, lasts = zip(*sorted(blocks), strict=True)
        if (*firsts, np.inf) != (0.0, *lasts):
            raise ValueError(f"boosters of {zone or 'all zones'} do not serve every lead once")


def pack(
    features: Sequence[str],
    zones: Sequence[str],
    parts: Sequence[tuple[str, float, float | None, str]],
    envelope: str = "",
) -> tuple[dict[str, Any], bytes]:
    """Return the facts and the file of boosters, given as (zone, first lead, last lead, model text)."""
    body, told = b"", []
    for zone, first, last, text in parts:
        raw = text.encode()
        told.append({"zone": zone, "first": first, "last": last, "start": len(body), "end": len(body) + len(raw)})
        body += raw
    return {"features": list(features), "zones": list(zones), "trees": told, "envelope": envelope}, body


def block_of(lead: NDArray[np.float32], first: float, last: float | None) -> NDArray[np.bool_]:
    """Return which rows a block of leads holds."""
    return (lead >= first) & (lead < (np.inf if last is None else last))
