"""States as a row per element, as they lie in the bucket: the lines, then the generators, then the loads."""

from collections.abc import Mapping
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from wattahead.domain.grid import BUSBARS, OUT, Network
from wattahead.grid.states import UNKNOWN, Floats, States

# [MW] and [MVAr] into a line at its origin, from a generator, to a load; [kV] at the origin, or held by a generator;
# the busbar, of a line at both ends.
VARIABLES: Final = ("p", "q", "v", "bus", "extremity_bus")


def count(network: Network) -> int:
    """Return how many elements a network has."""
    return len(network.lines) + len(network.generators) + len(network.loads)


def to_elements(states: States) -> dict[str, Floats]:
    """Return the variables of every element, (S, P) each; NaN where an element has none."""
    unknown = [np.full(part.shape, np.nan) for part in (states.line_p, states.generator_p, states.load_p)]
    parts: dict[str, tuple[NDArray[Any], ...]] = {
        "p": (states.line_p, states.generator_p, states.load_p),
        "q": (states.line_q, unknown[1], states.load_q),
        "v": (states.line_v, states.generator_v, unknown[2]),
        "bus": (states.origin_bus, states.generator_bus, states.load_bus),
        "extremity_bus": (states.extremity_bus, unknown[1], unknown[2]),
    }
    return {name: np.concatenate(held, axis=1).astype(np.float64) for name, held in parts.items()}


def from_elements(network: Network, values: Mapping[str, Floats]) -> States:
    """Return the states (S) that the variables of the elements (S, P) tell. A busbar that there is not is `UNKNOWN`."""
    first, second = len(network.lines), len(network.lines) + len(network.generators)
    line, generator, load = slice(0, first), slice(first, second), slice(second, None)

    def bus(name: str, part: slice) -> NDArray[Any]:
        held = values[name][:, part]
        return np.where(np.isin(held, (OUT, *BUSBARS)), held, UNKNOWN).astype(np.int8)

    return States(
        generator_p=values["p"][:, generator],
        generator_v=values["v"][:, generator],
        load_p=values["p"][:, load],
        load_q=values["q"][:, load],
        line_p=values["p"][:, line],
        line_q=values["q"][:, line],
        line_v=values["v"][:, line],
        generator_bus=bus("bus", generator),
        load_bus=bus("bus", load),
        origin_bus=bus("bus", line),
        extremity_bus=bus("extremity_bus", line),
    )
