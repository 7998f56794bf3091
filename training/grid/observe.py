"""Play a recorded course of a grid into the bucket, as states that were measured hour after hour."""

import numpy as np

from training.grid.simulation.episodes import planned
from training.grid.simulation.solver import Solver
from wattahead.domain.errors import Refused
from wattahead.domain.grid import Network
from wattahead.domain.hours import MINUTE
from wattahead.grid.states import States, joined
from wattahead.storage import timeseries
from wattahead.storage.objects import Bucket
from wattahead.workloads.grid_action.stored import to_stored

KNOWN_AFTER = 2 * MINUTE  # a state is known this long after it was


def observe(
    bucket: Bucket, network: Network, grid: str, first: int, last: int, *, every: int, course: int = 0
) -> States:
    """Store the states of `grid` from `first` to `last` [µs], one each `every` [µs], and return them.

    The course's own dates are set aside: its step 0 is `first`, with the course's hour of the day kept. Everything
    stands on the first busbar. Refused where the course is too short, or the network is not the environment's.
    """
    solver = Solver(network.environment, network.most_actions)
    if solver.network != network:
        fact = f"{network.environment} as it is installed is another network than {network.name} in the catalog"
        raise Refused("E_CONFIG", fact, fix="describe the network again, and publish the catalog with it")
    if course >= len(solver.chronics):
        fact = f"{network.environment} has {len(solver.chronics)} courses, and number {course} is asked for"
        raise Refused("E_CONFIG", fact, fix=f"ask for 0 to {len(solver.chronics) - 1}")
    held = solver.chronics[course]
    times = np.arange(first, last + 1, every)
    begin = (first - held.first) % (24 * 60 * MINUTE) // held.step  # so that nights are nights
    steps = begin + (times - first) // held.step
    if steps[-1] >= len(held):
        fact = f"course {course} of {network.environment} has {len(held)} steps, and {int(steps[-1]) + 1} are asked for"
        raise Refused("E_TIME_RANGE", fact, fix="ask for fewer hours")
    states, failed = solver.settled(joined([planned(network, held, int(step)) for step in steps.tolist()]))
    states, times = states.take(~failed), times[~failed]
    rows = to_stored(network, (grid,) * len(times), times, times + KNOWN_AFTER, states)
    timeseries.store(bucket, timeseries.states(network.name), rows, closed_before=0)
    return states
