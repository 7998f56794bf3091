"""Predict equal rows once: where features say nothing of the issue time, an hour comes again at every later one."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from wattahead.models.rows import Floats, Model, Rows

# Kinds whose answer for a row depends on that row alone. So does a blend's, but each of its boosters splits on the lead
# and on the newest values, and of 51,840 rows of a month of hours no two were equal.
ROW_WISE: Final = frozenset({"lightgbm"})
NEEDED: Final = "hour"  # what calibration reads beside a bundle's features
TRIED: Final = 8  # issue times that show whether rows repeat at all: sorting rows that do not is wasted


@dataclass(frozen=True)
class Once:
    """A row-wise model that is asked about equal rows once: equal bytes in row, scale and zone give equal bits."""

    model: Model
    features: tuple[str, ...]  # that the model reads

    def usable(self, rows: Rows) -> NDArray[np.bool_]:
        """As the model says; it looks at all steps of a series."""
        return self.model.usable(rows)

    def predict(self, rows: Rows) -> Floats:
        """Predict the distinct rows and give every row the values of its like."""
        if not _repeats(self._bytes(rows.take(np.arange(min(TRIED, len(rows.zones)))))):
            return self.model.predict(rows)
        _, first, which = np.unique(self._bytes(rows), return_index=True, return_inverse=True)
        zones = tuple(rows.zones[series] for series in (first // rows.steps).tolist())
        few = Rows(zones, 1, self.features, rows.columns(self.features)[:, first], rows.row_scale[first])
        return self.model.predict(few)[:, which]

    def _bytes(self, rows: Rows) -> NDArray[np.void]:
        """Return all that an answer depends on, one value of plain bytes per row."""
        features = rows.columns(self.features)
        names = {zone: number for number, zone in enumerate(dict.fromkeys(rows.zones))}
        held = np.empty((features.shape[1], len(features) + 3), dtype=np.float32)
        held[:, :-3] = features.T
        held[:, -3:-1] = rows.row_scale.view(np.float32).reshape(-1, 2)  # both halves of a float64
        held[:, -1] = np.repeat([names[zone] for zone in rows.zones], rows.steps)
        return held.view(np.dtype((np.void, held.itemsize * held.shape[1]))).reshape(-1)


def _repeats(rows: NDArray[np.void]) -> bool:
    return len(np.unique(rows)) < len(rows)
