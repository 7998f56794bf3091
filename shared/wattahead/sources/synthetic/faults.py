"""Named faults for drills: what breaks in real data and the generator leaves whole.

Each takes and returns a production table. Rows are picked by their place in the table, never at random, so a drill can
be run again. Where a fault has a zone, it is the first one of the table.
"""

from collections.abc import Callable, Mapping
from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

Rows = npt.NDArray[np.int64]

_COLUMN: Final = "solar"
_GAP: Final = 6  # [h]
_STUCK: Final = 24  # [h]


def missing_hours(production: pa.Table) -> pa.Table:
    """Return the table without six hours in the middle of the first zone."""
    gone = _middle(_rows(production), _GAP)
    return production.take(np.setdiff1d(np.arange(production.num_rows), gone))


def stuck_sensor(production: pa.Table) -> pa.Table:
    """Return the table with 24 h of solar power in the first zone frozen at their largest value."""
    stuck = _middle(_rows(production), _STUCK)
    values = _values(production)
    values[stuck] = values[stuck].max()
    return _with(production, values)


def capacity_outage(production: pa.Table) -> pa.Table:
    """Return the table with 40 % of the first zone's solar power lost from the middle of its rows on."""
    rows = _rows(production)
    values = _values(production)
    values[rows[rows.size // 2 :]] *= 0.6
    return _with(production, values)


def wrong_unit(production: pa.Table) -> pa.Table:
    """Return the table with all solar power of the first zone in kW where MW is meant."""
    values = _values(production)
    values[_rows(production)] *= 1000
    return _with(production, values)


def missing_values(production: pa.Table) -> pa.Table:
    """Return the table with six hours of solar power in the first zone that are NaN."""
    values = _values(production)
    values[_middle(_rows(production), _GAP)] = np.nan
    return _with(production, values)


def negative_power(production: pa.Table) -> pa.Table:
    """Return the table with 5 MW of own use taken off the first zone's solar power: nights are negative."""
    values = _values(production)
    values[_rows(production)] -= 5
    return _with(production, values)


def repeated_row(production: pa.Table) -> pa.Table:
    """Return the table with the middle row of the first zone standing twice, both alike."""
    return _repeated(production, production)


def contradicting_row(production: pa.Table) -> pa.Table:
    """Return the table with the middle row of the first zone standing twice, the second 10 % and 1 MW higher."""
    return _repeated(production, _with(production, _values(production) * 1.1 + 1))


def shifted_hours(production: pa.Table) -> pa.Table:
    """Return the table with the first zone's hours named by their end: an hour too late."""
    here = _mask(production)
    later = pc.add(production["ts"], pa.scalar(3_600_000_000, pa.duration("us")))
    moved = pc.if_else(pa.array(here), later, production["ts"])
    return production.set_column(production.schema.get_field_index("ts"), production.schema.field("ts"), moved)


def stale_tail(production: pa.Table) -> pa.Table:
    """Return the table without the last 24 h of the first zone: its source has stopped."""
    gone = _rows(production)[-_STUCK:]
    return production.take(np.setdiff1d(np.arange(production.num_rows), gone))


FAULTS: Final[Mapping[str, Callable[[pa.Table], pa.Table]]] = {
    fault.__name__: fault
    for fault in (
        missing_hours, stuck_sensor, capacity_outage, wrong_unit, missing_values, negative_power, repeated_row,
        contradicting_row, shifted_hours, stale_tail,
    )
}  # fmt: skip


def _mask(production: pa.Table) -> npt.NDArray[np.bool_]:
    mask: npt.NDArray[np.bool_] = pc.equal(production["zone"], production["zone"][0]).to_numpy()
    return mask


def _rows(production: pa.Table) -> Rows:
    """Return where the first zone's rows are."""
    return np.flatnonzero(_mask(production))


def _middle(rows: Rows, hours: int) -> Rows:
    start = max(0, (rows.size - hours) // 2)
    return rows[start : start + hours]


def _values(production: pa.Table) -> npt.NDArray[np.float64]:
    return np.array(production[_COLUMN].to_numpy(), dtype=np.float64)


def _with(production: pa.Table, values: npt.NDArray[np.float64]) -> pa.Table:
    return production.set_column(production.schema.get_field_index(_COLUMN), _COLUMN, pa.array(values))


def _repeated(production: pa.Table, second: pa.Table) -> pa.Table:
    """Return the table with a row of `second` put after its like."""
    rows = _rows(production)
    at = int(rows[rows.size // 2])
    return pa.concat_tables([production[: at + 1], second[at : at + 1], production[at + 1 :]]).combine_chunks()
