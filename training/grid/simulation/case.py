"""One state in the solver's memory, and the busbars that are asked about: solved one by one, or many at a time.

A question is a topology: the busbar of every element, in the simulator's order. An answer is p [MW], q [MVAr], v [kV]
and current [kA] at the origin of every line, or a failure.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from wattahead.domain.errors import Refused
from wattahead.domain.grid import Network

Bits = NDArray[np.bool_]
Floats = NDArray[np.float64]
Places = NDArray[np.intp]
Topology = NDArray[np.int32]

AWAY: Final = -1  # the busbar of an element that is connected to none
MOST_ITERATIONS, TOLERANCE = 10, 1e-8  # as the simulator's own steps


@dataclass(frozen=True)
class Layout:
    """Where elements stand in a topology of `size`, and at which substation; kinds are named as in `Element`."""

    places: dict[str, Places]
    substations: dict[str, Places]
    size: int

    @property
    def units(self) -> Places:
        """The places of generators and loads."""
        return np.concatenate([self.places["generator"], self.places["load"]])


def layout(network: Network, kind: Any) -> Layout:  # noqa: ANN401 - the simulator has no types
    """Return the layout of an environment's class; refuse a network that it does not describe."""
    named = {"origin": "line_or", "extremity": "line_ex", "generator": "gen", "load": "load"}
    places = {ours: np.asarray(getattr(kind, f"{one}_pos_topo_vect"), dtype=np.intp) for ours, one in named.items()}
    at = {ours: np.asarray(getattr(kind, f"{one}_to_subid"), dtype=np.intp) for ours, one in named.items()}
    counts = (len(network.lines), len(network.lines), len(network.generators), len(network.loads))
    if counts != tuple(map(len, places.values())):
        raise Refused("E_CONFIG", f"the environment is not network {network.name}", fix="name the one it came from")
    return Layout(places, at, int(kind.dim_topo))


class Case:
    """One state in the solver's memory, whose busbars are changed from question to question."""

    def __init__(self, model: Any, layout: Layout, topology: Topology) -> None:  # noqa: ANN401
        self.model, self.layout, self.topology = model, layout, topology
        self.flat = np.ones(model.total_bus(), dtype=np.complex128)
        self._units = layout.units
        model.update_topo(np.ones(len(topology), dtype=bool), topology)

    def run(self, topology: Topology) -> bool:
        """Solve with these busbars; return whether the grid lives. Begins with a DC solution, as the simulator does."""
        if (topology[self._units] == AWAY).any():
            return False
        self.model.update_topo(topology != self.topology, topology)
        self.topology = topology
        try:
            if self._solve() and self._all_served():
                return True
        except RuntimeError:  # how the solver says that a grid cannot even be set up
            pass
        self.model.reactivate_result_computation()
        self.model.tell_solver_need_reset()  # what a failure leaves behind must not reach the next question
        return False

    def flows(self, to: Floats) -> None:
        """Write the answer, (4, L); lines that are open may be NaN."""
        of_lines, of_transformers = self.model.get_line_res1_full(), self.model.get_trafo_res1_full()
        count = len(of_lines[0])
        for row, line, transformer in zip(to, of_lines, of_transformers, strict=False):  # they tell angles too
            row[:count], row[count:] = line, transformer

    def production(self) -> Floats:
        """Return what each generator gives [MW]."""
        return self.model.get_gen_res_full()[0]

    def one_by_one(self, asked: Sequence[Topology]) -> tuple[Floats, Bits]:
        """Return the answers to N questions, (4, N, L), and which of them fail, (N)."""
        raw = np.zeros((4, len(asked), len(self.layout.places["origin"])))
        failed = np.ones(len(asked), dtype=bool)
        for number, topology in enumerate(asked):
            if self.run(topology):
                failed[number] = False
                self.flows(raw[:, number])
        return raw, failed

    def _solve(self) -> bool:
        self.model.deactivate_result_computation()
        begin = self.model.dc_pf(self.flat.copy(), MOST_ITERATIONS, TOLERANCE)
        self.model.reactivate_result_computation()
        return len(begin) > 0 and len(self.model.ac_pf(begin, MOST_ITERATIONS, TOLERANCE)) > 0

    def _all_served(self) -> bool:
        volts = (self.model.get_loads_res_full()[2], self.model.get_gen_res_full()[2])
        return all(bool((one > 0).all()) for one in volts)  # NaN is not above 0
