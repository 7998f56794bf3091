"""The exact power flow that this package offers to whoever builds features where the simulator is installed."""

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from training.grid.simulation.solver import Solver
from wattahead.domain.errors import Refused
from wattahead.domain.grid import Network
from wattahead.grid.states import States


def settled(network: Network, states: States) -> tuple[States, NDArray[np.bool_]]:
    """Return states with the flows that their injections and busbars lead to, and which of them have no solution.

    Raises `E_CONFIG` where the installed environment is not this network: its solution would be of another grid.
    """
    solver = _solver(network.environment, network.most_actions)
    if solver.network != network:
        fact = f"{network.environment} as it is installed is another network than {network.name} in the plan"
        raise Refused("E_CONFIG", fact, fix="install the simulator that the network was described with")
    return solver.settled(states)


@lru_cache(maxsize=4)
def _solver(environment: str, most_actions: int) -> Solver:
    return Solver(environment, most_actions)
