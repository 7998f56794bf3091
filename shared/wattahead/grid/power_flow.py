"""The exact power flow, where a simulator is installed: this package needs none, and asks whoever offers one."""

from collections.abc import Callable
from importlib.metadata import entry_points
from typing import Final

import numpy as np
from numpy.typing import NDArray

from wattahead.domain.grid import Network
from wattahead.grid.states import States

# States of a network to the same states with solved flows, and which of them (S) have no solution.
Settle = Callable[[Network, States], tuple[States, NDArray[np.bool_]]]

GROUP: Final = "wattahead.power_flow"  # entry points: name = "package.module:function"
SIMULATORS: Final = frozenset({"grid2op", "lightsim2grid"})


def power_flow() -> Settle | None:
    """Return a power flow that is offered and whose simulator is installed; nothing where there is none."""
    for point in entry_points(group=GROUP):
        try:
            found: Settle = point.load()
        except ModuleNotFoundError as error:
            if (error.name or "").split(".")[0] not in SIMULATORS | {"training"}:
                raise
            continue  # the extra is not installed, or this is an image without the training
        return found
    return None
