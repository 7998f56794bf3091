"""Sets that tests make up without the simulator: each action of each state solved anew by the linear power flow."""

from dataclasses import replace
from functools import cache

import numpy as np

from tests.grid.worlds import FIVE, acted, balanced, islands, reference, solved
from training.grid.simulation.dataset import Dataset
from wattahead.domain.grid import Network
from wattahead.domain.hours import HOUR
from wattahead.grid.candidates import Candidates
from wattahead.grid.states import States, joined

EPISODE = 5  # states
BEGIN = 1_500_000_000_000_000


@cache
def made_up_dataset(states: int, seed: int) -> Dataset:
    """Return states of the network of five, some under stress and after an action or two, in episodes of five."""
    rng = np.random.default_rng(seed)
    candidates = Candidates(FIVE)
    found = joined([_state(candidates, rng) for _ in range(states)])
    shape = (states, len(candidates.actions), len(FIVE.lines))
    rho, failed = np.full(shape, np.nan, dtype=np.float32), np.zeros(shape[:2], dtype=bool)
    for number in range(states):
        one = found.take(slice(number, number + 1))
        for place, action in enumerate(candidates.actions):
            after = acted(FIVE, one, action)
            failed[number, place] = islands(FIVE, after) > 1
            if not failed[number, place]:
                rho[number, place] = solved(FIVE, after).rho(FIVE)[0]
    order = np.arange(states)
    episode, step = (order // EPISODE).astype(np.int32), (order % EPISODE).astype(np.int32)
    return Dataset(FIVE, found, episode, step, BEGIN + order * HOUR, rho, failed)


def bent_dataset(states: int, seed: int) -> Dataset:
    """Return a set in which an action loads lines more than the linear answer says, the more it changes."""
    plain = made_up_dataset(states, seed)
    return replace(plain, rho=plain.rho * (1 + 0.5 * np.abs(plain.rho - plain.rho[:, :1])))


def _state(candidates: Candidates, rng: np.random.Generator) -> States:
    network: Network = candidates.network
    one = reference(network, balanced(network, 1, rng) * rng.uniform(0.6, 1.8))
    for _ in range(int(rng.integers(0, 3))):
        tried = acted(network, one, candidates.actions[int(rng.integers(0, len(candidates.actions)))])
        if islands(network, tried) == 1:
            one = solved(network, tried)
    return one
