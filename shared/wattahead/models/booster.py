"""LightGBM quantile boosters of one pool: text models, one thread, calibrated."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from wattahead.domain.bundle import Manifest
from wattahead.domain.errors import Refused
from wattahead.models.calibration import Calibration, from_json
from wattahead.models.native import NativeBooster
from wattahead.models.rows import Floats, Rows, needed


@dataclass(frozen=True)
class Boosters:
    """One booster per quantile over the same ordered features, the zone's number last."""

    manifest: Manifest
    zones: Mapping[str, int]  # zone -> its number in training; an unknown zone is NaN
    boosters: tuple[NativeBooster, ...]
    calibration: Calibration

    def usable(self, rows: Rows) -> NDArray[np.bool_]:
        """A series with a scale and not too many features missing."""
        asked = needed(self.manifest.features)
        missing = np.isnan(rows.columns(asked)).sum(axis=0, dtype=np.int32).reshape(-1, rows.steps)
        share = missing.sum(axis=1) / (len(asked) * rows.steps)
        return (share <= self.manifest.max_missing) & np.isfinite(rows.scale)

    def predict(self, rows: Rows) -> Floats:
        """All rows in one call per quantile, then calibrated."""
        matrix = with_zone(rows, self.manifest.features, self.zones)
        raw = np.stack([booster.predict(matrix) for booster in self.boosters])
        return self.calibration.apply(raw, rows.zones, rows.column("hour")) * rows.row_scale


def with_zone(rows: Rows, features: tuple[str, ...], zones: Mapping[str, int]) -> NDArray[np.float32]:
    """Return the matrix a booster sees, shape (S x H, F + 1): features in order, then the zone's number."""
    columns = rows.columns(features)
    matrix = np.empty((columns.shape[1], len(columns) + 1), dtype=np.float32)
    matrix[:, :-1] = columns.T
    matrix[:, -1] = np.repeat(np.array([zones.get(zone, np.nan) for zone in rows.zones], dtype=np.float32), rows.steps)
    return matrix


def whole(text: str, name: str) -> str:
    """Refuse a model that ends early: LightGBM reads on behind its end, which sometimes passes a proof by luck."""
    if text.count("\nend of trees\n") == text.count("\nend of parameters\n") == 1:
        return text
    raise Refused("E_BUNDLE_FILES", f"the model of {name} is cut off", fix="train and publish it again")


def load_boosters(manifest: Manifest, files: Mapping[str, bytes]) -> Boosters:
    """Return the boosters in `files`. Call it with verified bytes only: a damaged model aborts the process."""
    quantiles = manifest.output.quantiles
    try:
        boosters = tuple(NativeBooster(whole(files[f"{name}.txt"].decode(), name)) for name in quantiles)
    except (KeyError, UnicodeDecodeError) as error:
        raise Refused(
            "E_BUNDLE_FILES",
            f"bundle of pool {manifest.pool} does not load ({error})",
            fix="train and publish it again",
        ) from error
    if any(booster.features[:-1] != manifest.features for booster in boosters):
        raise Refused(
            "E_BUNDLE_FEATURES",
            f"boosters of pool {manifest.pool} were trained on other features than the manifest lists",
            fix="train and publish it again",
        )
    zones = {zone: number for number, zone in enumerate(manifest.training["zones"])}
    return Boosters(manifest, zones, boosters, from_json(quantiles, files["calibration.json"]))
