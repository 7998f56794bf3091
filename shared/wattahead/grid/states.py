"""States of a network as arrays: what every unit injects, where every element is connected, what every line carries."""

from dataclasses import dataclass, fields, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from wattahead.domain.grid import OUT, Network

Floats = NDArray[np.float64]
Buses = NDArray[np.int8]


UNKNOWN: Final = -1  # the busbar of an element of which nothing was said
LARGEST, HIGHEST = 1e5, 2e3  # [MW] or [MVAr], [kV]: more is another unit, or a fault


@dataclass(frozen=True)
class States:
    """S states of a network with L lines, G generators and D loads. Busbars are 1 or 2, and 0 for disconnected."""

    generator_p: Floats  # (S, G) [MW] what it gives
    generator_v: Floats  # (S, G) [kV] what it holds
    load_p: Floats  # (S, D) [MW] what it takes
    load_q: Floats  # (S, D) [MVAr]
    line_p: Floats  # (S, L) [MW] into the line at its origin
    line_q: Floats  # (S, L) [MVAr] into the line at its origin
    line_v: Floats  # (S, L) [kV] at its origin
    generator_bus: Buses  # (S, G)
    load_bus: Buses  # (S, D)
    origin_bus: Buses  # (S, L)
    extremity_bus: Buses  # (S, L)

    def __len__(self) -> int:
        return len(self.line_p)

    def take(self, chosen: NDArray[np.integer] | NDArray[np.bool_] | slice) -> "States":
        """Return some of the states."""
        return replace(self, **{field.name: getattr(self, field.name)[chosen] for field in fields(self)})

    def put(self, where: NDArray[np.integer], others: "States") -> "States":
        """Return the states with those at `where` replaced by as many others."""
        arrays = {field.name: getattr(self, field.name).copy() for field in fields(self)}
        for name, array in arrays.items():
            array[where] = getattr(others, name)
        return replace(self, **arrays)

    @property
    def complete(self) -> NDArray[np.bool_]:
        """Which states can be worked with, (S).

        Every busbar is known, and every unit, and every line that is connected, has numbers that can be.
        """
        buses = (self.generator_bus, self.load_bus, self.origin_bus, self.extremity_bus)
        on = (self.origin_bus != OUT) & (self.extremity_bus != OUT)
        loads = self.load_bus
        powers = ((self.generator_p, self.generator_bus), (self.load_p, loads), (self.load_q, loads))
        found = [
            *((one != UNKNOWN).all(axis=1) for one in buses),
            *(((bus == OUT) | (np.abs(one) <= LARGEST)).all(axis=1) for one, bus in powers),  # NaN is not below it
            *((~on | (np.abs(one) <= LARGEST)).all(axis=1) for one in (self.line_p, self.line_q)),
            (~on | ((self.line_v > 0) & (self.line_v <= HIGHEST))).all(axis=1),
            ((self.generator_bus == OUT) | ((self.generator_v > 0) & (self.generator_v <= HIGHEST))).all(axis=1),
            on.any(axis=1),
        ]
        return np.all(found, axis=0)

    def rho(self, network: Network) -> Floats:
        """Return the loading of every line, (S, L): its current at the origin over its limit."""
        return loading(self.line_p, self.line_q, self.line_v, limits(network))


def joined(parts: list[States]) -> States:
    """Return the states of several, one after the other."""
    return States(
        **{field.name: np.concatenate([getattr(one, field.name) for one in parts]) for field in fields(States)}
    )


def loading(p: Floats, q: Floats, v: Floats, limit: Floats) -> Floats:
    """Return currents over their limits: |S| / (sqrt(3) V), powers in MW and MVAr, voltages in kV, limits in A."""
    current = np.hypot(p, q) * 1000 / (np.sqrt(3) * np.where(v > 0, v, np.inf))
    return current / limit


def limits(network: Network) -> Floats:
    """Return the limits of the lines, (L) [A]."""
    return np.array([line.limit for line in network.lines])
