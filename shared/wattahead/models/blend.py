"""A blend of members with weights per zone and lead, and bands around it. One member alone is a blend too."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from wattahead.domain.bundle import Manifest
from wattahead.domain.errors import Refused
from wattahead.models import linear
from wattahead.models.bands import MEDIAN, Bands
from wattahead.models.linear import Linear, block_count, by_zone, lead_block, tables_of
from wattahead.models.rows import Floats, Member, Rows, needed
from wattahead.models.trees import Trees, load_trees

FILE: Final = "blend.json"
POOLED: Final = ""  # the weights for a zone without its own
ROUNDED: Final = 1e-4  # weights are written with six digits each


@dataclass(frozen=True)
class Weights:
    """How much each member counts: never less than nothing, by zone and block of leads."""

    lead_hours: int
    tables: Mapping[str, Floats]  # zone -> (blocks, M)

    def apply(self, members: Floats, rows: Rows) -> Floats:
        """Return the blended median, shape (S x H), of members' medians (M, S x H)."""
        tables, which = by_zone(self.tables, rows.zones)
        chosen = tables[np.repeat(which, rows.steps), lead_block(rows, self.lead_hours)].T  # (M, S x H)
        known = np.isfinite(members)
        if not known.all():
            chosen, members = _of_known(chosen, known), np.where(known, members, 0.0)
        total = np.zeros(chosen.shape[1])
        for share, values in zip(chosen, members, strict=True):  # in order: the same bits for any batch
            total += share * values
        return total


def _of_known(chosen: Floats, known: NDArray[np.bool_]) -> Floats:
    """Return weights (M, R) where some members say nothing, as of a zone they never saw: the others count for them."""
    left, others = np.zeros(chosen.shape[1]), np.zeros(chosen.shape[1])
    for share, there in zip(chosen, known, strict=True):
        left += np.where(there, share, 0.0)
        others += there
    with np.errstate(divide="ignore", invalid="ignore"):
        again = np.where(left > 0, chosen / left, 1 / others)  # NaN or infinite where no member says anything
    return np.where(known.all(axis=0), chosen, np.where(known, again, np.where(others > 0, 0.0, np.nan)))


@dataclass(frozen=True)
class Blend:
    """Members, their weights, and the bands around the blended median."""

    manifest: Manifest
    members: tuple[Member, ...]
    weights: Weights
    bands: Bands

    def usable(self, rows: Rows) -> NDArray[np.bool_]:
        """A series with a scale and not too many features missing."""
        return enough(rows, self.manifest.features, self.manifest.max_missing)

    def predict(self, rows: Rows) -> Floats:
        """Every member on all rows, blended, then spread."""
        median = self.weights.apply(np.stack([member.predict(rows) for member in self.members]), rows)
        return self.bands.apply(median, rows) * rows.row_scale


def enough(rows: Rows, features: tuple[str, ...], max_missing: float) -> NDArray[np.bool_]:
    """Return which series have a scale and not more than `max_missing` of their features missing, shape (S)."""
    asked = needed(features)
    missing = np.isnan(rows.columns(asked)).sum(axis=0, dtype=np.int32).reshape(-1, rows.steps)
    return (missing.sum(axis=1) / (len(asked) * rows.steps) <= max_missing) & np.isfinite(rows.scale)


def load_blend(manifest: Manifest, files: Mapping[str, bytes]) -> Blend:
    """Return the blend that the files hold. Call it with verified bytes only: a damaged booster aborts the process."""
    held: dict[str, Any] = json.loads(files[FILE])
    weights = Weights(
        held["lead_hours"], tables_of(held["weights"], (block_count(held["lead_hours"]), len(held["members"])))
    )
    if any((table < 0).any() or (np.abs(table.sum(axis=1) - 1) > ROUNDED).any() for table in weights.tables.values()):
        raise ValueError("weights are below 0, or their sum is not 1")
    distances = tables_of(held["distances"], (len(manifest.output.quantiles),))
    if any((np.diff(table) < 0).any() for table in distances.values()):
        raise ValueError("distances do not ascend with their quantiles")
    members = tuple(_member(about, files) for about in held["members"])
    spread = load_trees(held["spread"], files[held["spread"]["file"]])
    read = set().union(*map(_reads, members)) | (_reads(spread) - {MEDIAN})
    unknown = sorted(read - set(manifest.features))
    if unknown:
        why = f"a member reads {unknown[0]}, which its bundle does not list"
        raise Refused("E_BUNDLE_FEATURES", why, fix="train and publish it again")
    return Blend(manifest, members, weights, Bands(spread, distances))


def _reads(member: Linear | Trees) -> set[str]:
    return {*member.features, member.envelope} - {""} if isinstance(member, Linear) else set(member.features)


def _member(about: Mapping[str, Any], files: Mapping[str, bytes]) -> Linear | Trees:
    body = files[about["file"]]
    if about["form"] == "linear":
        return linear.from_json(body)
    if about["form"] == "trees":
        return load_trees(about, body)
    raise ValueError(f"there is no member of form {about['form']!r}")


def to_json(
    members: list[dict[str, Any]], weights: Weights, spread: dict[str, Any], distances: Mapping[str, Floats]
) -> bytes:
    """Return the blend as the bundle file `blend.json`; the members' own files stand beside it."""
    plain = {
        "members": members,
        "lead_hours": weights.lead_hours,
        "weights": {zone: np.round(table, 6).tolist() for zone, table in weights.tables.items()},
        "spread": spread,
        "distances": {zone: np.round(table, 6).tolist() for zone, table in distances.items()},
    }
    return json.dumps(plain, sort_keys=True).encode()
