"""States of grids in the bucket: one row per element, as it was known at some moment."""

from collections.abc import Sequence

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from wattahead.domain.grid import Network
from wattahead.grid.elements import VARIABLES, count, to_elements
from wattahead.grid.states import States
from wattahead.storage.tables import INSTANT, repeated

Instants = NDArray[np.int64]


def to_stored(
    network: Network, grids: Sequence[str], valid_times: Instants, available_at: Instants, states: States
) -> pa.Table:
    """Return the rows of S states: of which grid each is (S), when it is, and when it became known (S) [µs]."""
    points, values = count(network), to_elements(states)
    times = {"nwp_init_time": valid_times, "available_at": available_at, "valid_time": valid_times}
    return pa.table(
        {
            "zone": repeated(grids, points),
            "point": pa.array(np.tile(np.arange(points), len(states)), pa.int16()),
            **{name: pa.array(np.repeat(one, points)).view(INSTANT) for name, one in times.items()},
            **{name: pa.array(values[name].reshape(-1), pa.float32(), from_pandas=True) for name in VARIABLES},
        }
    )
