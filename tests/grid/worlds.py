"""Networks and states that tests make up, and what a linear power flow says of them when it is solved anew."""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from wattahead.domain.grid import GridPool, Line, Network, Unit
from wattahead.grid.candidates import CONFIGURE, OPEN, Action, Candidates, configurations
from wattahead.grid.states import Floats, States
from wattahead.storage.objects import Bucket
from wattahead.storage.timeseries import states as root
from wattahead.storage.timeseries import store
from wattahead.workloads.grid_action.stored import to_stored

FIVE = Network(
    "five",
    ("A", "B", "C", "D", "E"),
    tuple(
        Line(f"{one}{other}", "ABCDE".index(one), "ABCDE".index(other), 0.01, reactance, limit)
        for one, other, reactance, limit in (
            ("A", "B", 0.06, 380.0),
            ("A", "C", 0.22, 200.0),
            ("A", "D", 0.17, 220.0),
            ("B", "C", 0.18, 210.0),
            ("B", "D", 0.17, 230.0),
            ("C", "D", 0.04, 300.0),
            ("C", "E", 0.20, 160.0),
            ("D", "E", 0.25, 150.0),
        )
    ),
    (Unit("nuclear", 0), Unit("hydro", 1)),
    (Unit("town", 2), Unit("port", 3), Unit("mill", 4)),
)
FIVE = replace(FIVE, configurations=configurations(FIVE, most=60))
VOLTAGE = 138.0  # kV


def random_network(rng: np.random.Generator) -> Network:
    """Return a connected network with a load at each substation, and some of its configurations."""
    count = int(rng.integers(4, 9))
    ends = [(number, int(rng.integers(0, number))) for number in range(1, count)]
    while len(ends) < count + int(rng.integers(1, 7)):
        one, other = rng.integers(0, count, 2).tolist()
        if one != other:
            ends.append((one, other))
    lines = tuple(
        Line(f"l{number}", one, other, 0.01, float(rng.uniform(0.05, 0.3)), 400.0)
        for number, (one, other) in enumerate(ends)
    )
    generators = tuple(Unit(f"g{number}", int(at)) for number, at in enumerate(rng.integers(0, count, 3)))
    loads = tuple(Unit(f"d{at}", at) for at in range(count))
    bare = Network("random", tuple(f"s{number}" for number in range(count)), lines, generators, loads)
    return replace(bare, configurations=configurations(bare, most=60))


def reference(network: Network, powers: Floats) -> States:
    """Return states in which everything stands on the first busbar; `powers` (S, G + D) are given and taken [MW]."""
    count, lines = len(powers), len(network.lines)
    generators, loads = len(network.generators), len(network.loads)
    blank = np.zeros((count, lines))
    states = States(
        generator_p=powers[:, :generators],
        generator_v=np.full((count, generators), VOLTAGE),
        load_p=powers[:, generators:],
        load_q=powers[:, generators:] * 0.3,
        line_p=blank,
        line_q=blank,
        line_v=blank + VOLTAGE,
        generator_bus=np.ones((count, generators), dtype=np.int8),
        load_bus=np.ones((count, loads), dtype=np.int8),
        origin_bus=np.ones((count, lines), dtype=np.int8),
        extremity_bus=np.ones((count, lines), dtype=np.int8),
    )
    return solved(network, states)


def balanced(network: Network, count: int, rng: np.random.Generator) -> Floats:
    """Return random powers (count, G + D) [MW] in which generation covers the loads."""
    generators = len(network.generators)
    powers = rng.uniform(5, 60, (count, generators + len(network.loads)))
    powers[:, :generators] *= (powers[:, generators:].sum(axis=1) / powers[:, :generators].sum(axis=1))[:, None]
    return powers


def acted(network: Network, states: States, action: Action) -> States:
    """Return states after an action, by moving one element after the other."""
    buses = {
        "origin": states.origin_bus.copy(),
        "extremity": states.extremity_bus.copy(),
        "generator": states.generator_bus.copy(),
        "load": states.load_bus.copy(),
    }
    if action.kind == OPEN:
        buses["origin"][:, action.line] = buses["extremity"][:, action.line] = 0
    if action.kind == CONFIGURE:
        for bit, element in enumerate(network.elements(action.substation)):
            column = buses[element.kind][:, element.number]
            column[column > 0] = 2 if action.second >> bit & 1 else 1
    return replace(
        states,
        origin_bus=buses["origin"],
        extremity_bus=buses["extremity"],
        generator_bus=buses["generator"],
        load_bus=buses["load"],
    )


def solved(network: Network, states: States) -> States:
    """Return the states with flows by the linear power flow, each solved by itself."""
    flows = [_flows(network, states.take(slice(number, number + 1))) for number in range(len(states))]
    line_p = np.array(flows).reshape(len(states), len(network.lines))
    return replace(states, line_p=line_p, line_q=line_p * 0.2)


def islands(network: Network, state: States) -> int:
    """Return into how many parts a grid is cut that hold a unit."""
    parent: dict[tuple[int, int], tuple[int, int]] = {}

    def root_of(node: tuple[int, int]) -> tuple[int, int]:
        parent.setdefault(node, node)
        while parent[node] != node:
            node = parent[node]
        return node

    for number, line in enumerate(network.lines):
        one, other = int(state.origin_bus[0, number]), int(state.extremity_bus[0, number])
        if one and other:
            parent[root_of((line.origin, one))] = root_of((line.extremity, other))
    return len(
        {
            root_of((unit.substation, bus))
            for units, buses in ((network.generators, state.generator_bus), (network.loads, state.load_bus))
            for unit, bus in zip(units, buses[0].tolist(), strict=True)
        }
    )


def _flows(network: Network, state: States) -> NDArray[np.float64]:
    count, lines = len(network.substations), len(network.lines)
    matrix, injected = np.zeros((2 * count, 2 * count)), np.zeros(2 * count)
    along = np.zeros((lines, 2 * count))  # flow of each line by angle of each node
    for number, line in enumerate(network.lines):
        one, other = int(state.origin_bus[0, number]), int(state.extremity_bus[0, number])
        if one and other:
            along[number, line.origin * 2 + one - 1] = 100 / line.reactance
            along[number, line.extremity * 2 + other - 1] = -100 / line.reactance
            direction = along[number] * line.reactance / 100
            matrix += np.outer(direction, direction) * 100 / line.reactance
    for units, buses, powers in (
        (network.generators, state.generator_bus, state.generator_p),
        (network.loads, state.load_bus, -state.load_p),
    ):
        for number, unit in enumerate(units):
            injected[unit.substation * 2 + int(buses[0, number]) - 1] += powers[0, number]
    return along @ np.linalg.lstsq(matrix, injected, rcond=None)[0]


def some_days(
    bucket: Bucket,
    network: Network,
    grids: tuple[str, ...],
    times: NDArray[np.int64],
    *,
    seed: int = 0,
    known_at: int | None = None,
) -> States:
    """Store the states of grids at some times [µs], known at once or at `known_at`; return those of the first grid."""
    rng = np.random.default_rng(seed)
    hour = times // 3_600_000_000 % 24
    found = []
    for grid in grids:
        powers = (
            balanced(network, len(times), rng) * 0.3 + balanced(network, 1, rng) * (1 + 0.4 * np.sin(hour / 4))[:, None]
        )
        states = reference(network, powers)
        found.append(states)
        available_at = times if known_at is None else np.full(len(times), known_at)
        rows = to_stored(network, [grid] * len(times), times, available_at, states)
        store(bucket, root(network.name), rows, closed_before=0)
    return found[0]


def pool(network: Network, grids: tuple[str, ...], **changed: object) -> GridPool:
    """Return a pool of grids of a network."""
    return GridPool(network.name, grids, **changed)  # type: ignore[arg-type]


def random_state(rng: np.random.Generator) -> tuple[Candidates, States]:
    """Return a random network and a state of it after up to three actions that left it in one piece."""
    network = random_network(rng)
    candidates = Candidates(network)
    state = reference(network, balanced(network, 1, rng))
    for _ in range(int(rng.integers(0, 4))):
        tried = acted(network, state, candidates.actions[int(rng.integers(0, len(candidates.actions)))])
        if islands(network, tried) == 1:
            state = solved(network, tried)
    return candidates, state
