"""A linear model of one pool: coefficients for each hour of the day and block of leads, batch-invariant in numpy."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from wattahead.models.rows import Floats, Rows, envelope_of

FURTHEST: Final = (
    6.0  # standard deviations; a value further out is a fault or a first, and lines do not end by themselves
)
HOURS: Final = 24
POOLED: Final = ""  # the coefficients for a zone without its own


@dataclass(frozen=True)
class Linear:
    """Coefficients by zone and group of rows; F features, G groups."""

    features: tuple[str, ...]
    center: Floats  # (F)
    width: Floats  # (F)
    envelope: (
        str  # a feature that the whole line is multiplied by, such as the highest of the same hour; empty for none
    )
    lead_hours: int
    coefficients: Mapping[str, Floats]  # zone -> (G, F + 1), the constant last

    def predict(self, rows: Rows) -> Floats:
        """Return the median of every row in units of the scale, shape (S x H)."""
        tables, which = by_zone(self.coefficients, rows.zones)
        flat = np.ascontiguousarray(tables.reshape(-1, tables.shape[2]).T)  # (F + 1, zones x G)
        place = np.repeat(which * tables.shape[1], rows.steps) + group(rows, self.lead_hours)
        total = flat[-1].take(place)
        # In order, whatever the batch: a BLAS product has other last bits. One feature at a time stays in the cache.
        for number, column in enumerate(rows.columns(self.features)):
            away = standard(column[None], self.center[number : number + 1], self.width[number : number + 1])[0]
            total += away * flat[number].take(place)
        return total * envelope_of(rows, self.envelope)


def by_zone(tables: Mapping[str, Floats], zones: Sequence[str]) -> tuple[Floats, NDArray[np.int64]]:
    """Return the different tables that zones use, stacked, the pooled one first, and which of them each zone uses."""
    own = {zone: number for number, zone in enumerate(dict.fromkeys(zone for zone in zones if zone in tables), start=1)}
    stacked = np.stack([tables[POOLED], *(tables[zone] for zone in own)])
    return stacked, np.array([own.get(zone, 0) for zone in zones], dtype=np.int64)


def standard(columns: NDArray[np.float32], center: Floats, width: Floats) -> Floats:
    """Return features as distances from their centres, shape (F, R); one that is missing stands at its centre."""
    away = columns.astype(np.float64)
    away -= center[:, None]
    away /= width[:, None]
    away[~np.isfinite(away)] = 0.0
    return np.clip(away, -FURTHEST, FURTHEST, out=away)


def group(rows: Rows, lead_hours: int) -> NDArray[np.int64]:
    """Return the group of every row, (S x H): UTC hours of the valid time, each cut into blocks of `lead_hours`."""
    blocks = block_count(lead_hours)
    return rows.column("hour").astype(np.int64) % HOURS * blocks + lead_block(rows, lead_hours)


def lead_block(rows: Rows, lead_hours: int) -> NDArray[np.int64]:
    """Return the block of leads of every row; leads past the first day belong to its last block."""
    return np.clip(rows.column("lead").astype(np.int64) // lead_hours, 0, block_count(lead_hours) - 1)


def block_count(lead_hours: int) -> int:
    """Return how many blocks of leads a day has; raise `ValueError` for leads that no bundle can mean."""
    if not (isinstance(lead_hours, int) and 1 <= lead_hours <= HOURS):
        raise ValueError(f"blocks of {lead_hours!r} leads")
    return -(-HOURS // lead_hours)


def to_json(linear: Linear) -> bytes:
    """Return the model as a bundle file."""
    plain = {
        "features": linear.features,
        "center": _digits(linear.center),
        "width": _digits(linear.width),
        "envelope": linear.envelope,
        "lead_hours": linear.lead_hours,
        "coefficients": {zone: _digits(held) for zone, held in linear.coefficients.items()},
    }
    return json.dumps(plain, sort_keys=True).encode()


def from_json(body: bytes) -> Linear:
    """Return the model that a bundle file holds."""
    held: dict[str, Any] = json.loads(body)
    center, width = (np.array(held[name], dtype=np.float64) for name in ("center", "width"))
    features, envelope = tuple(held["features"]), held["envelope"]
    tables = tables_of(held["coefficients"], (HOURS * block_count(held["lead_hours"]), len(features) + 1))
    if not all(isinstance(name, str) for name in (*features, envelope)):
        raise ValueError("features are not names")
    if not center.shape == width.shape == (len(features),) or not (np.isfinite(center + width) & (width > 0)).all():
        raise ValueError(f"centres and widths are not {len(features)} numbers each, widths above 0")
    return Linear(features, center, width, envelope, held["lead_hours"], tables)


def tables_of(plain: Mapping[str, Any], shape: tuple[int, ...]) -> dict[str, Floats]:
    """Return tables by zone as a bundle file holds them; raise `ValueError` if one is not finite numbers of `shape`."""
    tables = {zone: np.array(table, dtype=np.float64) for zone, table in plain.items()}
    if POOLED not in tables:
        raise ValueError("no table for zones without their own")
    if any(table.shape != shape or not np.isfinite(table).all() for table in tables.values()):
        raise ValueError(f"tables are not finite numbers of shape {shape}")
    return tables


def _digits(values: Floats) -> list[Any]:
    """Return nested lists with eight significant digits, which is far below what a coefficient is known to."""
    return np.vectorize(lambda value: float(f"{value:.8g}"), otypes=[float])(values).tolist()
