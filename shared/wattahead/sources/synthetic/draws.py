"""Random numbers that can be asked for by day, and processes made of them.

A day's numbers are a pure function of (seed, stream, place, day): the counter of Philox is the day, so any range of
days is one call, a longer range only appends, and another place never shifts the numbers of this one.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]

_LANES: Final = 4  # numbers that one step of Philox's counter yields
_EARLIEST: Final = 100_000  # days before 1970 that still have a counter of their own


@dataclass(frozen=True)
class Draws:
    """The random numbers of one purpose (`streams`), of one zone or, with place 0, of the whole globe."""

    seed: int
    stream: int
    place: int = 0

    def normals(self, *, first_day: int, days: int, per_day: int) -> Array:
        """Return standard normal numbers, shape (days, per_day), for the days from `first_day` (days since 1970).

        Box and Muller (1958), because it takes a fixed count of raw numbers; rejection methods would lose the place.
        """
        steps = -(-per_day // _LANES)
        key = np.array([self.seed % 2**64, self.stream << 32 | self.place], dtype=np.uint64)
        source = np.random.Philox(key=key, counter=(first_day + _EARLIEST) * steps)
        raw = source.random_raw(days * steps * _LANES).reshape(days, steps * _LANES)
        uniform = ((raw >> np.uint64(11)).astype(np.float64) + 0.5) * 2.0**-53
        radius = np.sqrt(-2 * np.log(uniform[:, 0::2]))
        angle = 2 * np.pi * uniform[:, 1::2]
        both = np.concatenate([radius * np.cos(angle), radius * np.sin(angle)], axis=1)
        return both[:, :per_day]


def autoregressive(shocks: Array, *, memory: float, doublings: int) -> Array:
    """Return an AR(1) process of unit variance along axis 0, without the first `2**doublings - 1` steps.

    The geometric weights are cut off after `2**doublings` steps, so that a value depends on a fixed window of shocks
    and not on where the series was started. Each pass doubles the window: y + memory**n * y shifted by n.
    """
    total = shocks
    for doubling in range(doublings):
        shift = 2**doubling
        total = total[shift:] + memory**shift * total[:-shift]
    length = 2**doublings
    variance = (1 - memory ** (2 * length)) / (1 - memory**2)
    return total / float(np.sqrt(variance))


def normal_share(z: Array) -> Array:
    """Return the share of a standard normal below `z`, within 1.4e-4 (Bowling et al. 2009, JIEM 2(1))."""
    return 1 / (1 + np.exp(-z * (0.07056 * z * z + 1.5976)))
