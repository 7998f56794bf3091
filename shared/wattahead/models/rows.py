"""What a model is asked: the feature rows of some series, step after step."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final, Protocol

import numpy as np
from numpy.typing import NDArray

from wattahead.domain.errors import Refused

Floats = NDArray[np.float64]

EXTERNAL: Final = "external_"  # how features begin that are somebody else's forecasts


@dataclass(frozen=True)
class Rows:
    """Feature rows of S series with H steps each: S x H rows, the steps of a series beside each other."""

    zones: tuple[str, ...]  # (S)
    steps: int  # H
    names: tuple[str, ...]  # (F)
    block: NDArray[np.float32]  # (F, S x H)
    scale: Floats  # (S) [unit]; NaN where there is none

    def column(self, name: str) -> NDArray[np.float32]:
        """Return one feature, shape (S x H)."""
        return self.block[self._index([name])[0]]

    def columns(self, names: Sequence[str]) -> NDArray[np.float32]:
        """Return features in the order of `names`, shape (F, S x H)."""
        return self.block if tuple(names) == self.names else self.block[self._index(names)]

    def take(self, series: NDArray[np.integer]) -> "Rows":
        """Return the rows of some of the series."""
        block = self.block.reshape(len(self.names), len(self.zones), self.steps)[:, series].reshape(len(self.names), -1)
        return Rows(tuple(self.zones[index] for index in series), self.steps, self.names, block, self.scale[series])

    def beside(self, name: str, values: Floats) -> "Rows":
        """Return the rows with one more feature, given as (S x H)."""
        block = np.concatenate([self.block, values[None].astype(np.float32)])
        return replace(self, names=(*self.names, name), block=block)

    @property
    def row_scale(self) -> Floats:
        """The scale of every row, shape (S x H) [unit]."""
        return np.repeat(self.scale, self.steps)

    def _index(self, names: Sequence[str]) -> list[int]:
        where = {name: index for index, name in enumerate(self.names)}
        missing = [name for name in names if name not in where]
        if missing:
            raise Refused(
                "E_BUNDLE_FEATURES",
                f"the bundle asks for {', '.join(missing[:5])}, which the rows do not have",
                fix="plan the hour again with this bundle",
            )
        return [where[name] for name in names]


def envelope_of(rows: Rows, name: str) -> Floats:
    """Return what every row's prediction is multiplied by: the feature `name`, or 1 for none, shape (S x H).

    NaN where the feature is not known: then nothing is.
    """
    return rows.column(name).astype(np.float64) if name else np.ones(rows.block.shape[1])


class Model(Protocol):
    """A loaded bundle. Both answers depend on a series' own rows only, never on its neighbours in the batch."""

    def usable(self, rows: Rows) -> NDArray[np.bool_]:
        """Return for each series whether its rows are good enough to be predicted, shape (S)."""
        ...

    def predict(self, rows: Rows) -> Floats:
        """Return the quantiles of every row in the unit of the scale, shape (Q, S x H)."""
        ...


class Member(Protocol):
    """A point model."""

    def predict(self, rows: Rows) -> Floats:
        """Return the median of every row in units of the scale, shape (S x H)."""
        ...


def needed(features: tuple[str, ...]) -> tuple[str, ...]:
    """Return the features that count when some are missing: a model makes do without somebody else's forecast."""
    return tuple(name for name in features if not name.startswith(EXTERNAL)) or features
