"""Columns of zones as Arrow tables."""

from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

Columns = Mapping[str, npt.NDArray[np.float64] | npt.NDArray[np.int64]]

_TIME: Final = pa.timestamp("us", tz="UTC")
_ZONE: Final = pa.dictionary(pa.int32(), pa.string())
_VALUES: Final = ("solar", "wind", "hydro", "nuclear", "coal", "gas", "exports", "demand", "carbon_intensity")
_WEATHER: Final = ("wind_speed_10m", "temperature_2m", "dswrf_avg", "cloud_cover")

PRODUCTION: Final = pa.schema([("zone", _ZONE), ("ts", _TIME), *((name, pa.float64()) for name in _VALUES)])
WEATHER: Final = pa.schema([
    ("zone", _ZONE), ("point", pa.int16()), ("init_time", _TIME), ("ts", _TIME),
    *((name, pa.float64()) for name in _WEATHER),
])  # fmt: skip


def table(schema: pa.Schema, zones: Sequence[str], columns: Sequence[Columns]) -> pa.Table:
    """Return the columns of each zone below one another, sorted as given."""
    lengths = [next(iter(each.values())).size for each in columns]
    codes = np.repeat(np.arange(len(zones), dtype=np.int32), lengths)
    arrays = [pa.DictionaryArray.from_arrays(pa.array(codes), pa.array(zones, pa.string()))]
    for field in schema:
        if field.name != "zone":
            joined = np.concatenate([each[field.name] for each in columns])
            arrays.append(pa.array(joined).cast(field.type))
    return pa.Table.from_arrays(arrays, schema=schema)
