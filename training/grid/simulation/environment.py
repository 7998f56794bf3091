"""Environments that the simulator ships: what is fixed of their grid, and the hours that they have recorded."""

import io
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from dataclasses import replace
from typing import Any, Final

import numpy as np

from training.grid.simulation.chronics import Chronic
from wattahead.domain.errors import Refused
from wattahead.domain.grid import Line, Network, Unit
from wattahead.grid.candidates import Candidates, configurations

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # of packages that the simulator would use elsewhere
    import grid2op
    from grid2op.Parameters import Parameters
    from lightsim2grid import LightSimBackend
    from lightsim2grid.lightEnv import ElementType, TopoAction
    from lightsim2grid.lightsim2grid_cpp import ScenarioSweepCPP

__all__ = ["Chronics", "ElementType", "ScenarioSweepCPP", "TopoAction", "network", "opened", "silenced"]

NEVER: Final = 9999
CANDIDATES_SEED: Final = 0  # sets of other seeds and shifts must ask the same actions


@contextmanager
def silenced() -> Iterator[None]:
    """Keep the simulator's warnings and prints from the terminal."""
    with warnings.catch_warnings(), redirect_stdout(io.StringIO()):
        warnings.simplefilter("ignore")
        yield


def opened(name: str) -> Any:  # noqa: ANN401 - the simulator has no types
    """Return an environment in which nothing trips, and any number of lines and substations may change at once.

    Only environments inside the simulator's package are opened: nothing is ever downloaded.
    """
    shipped = sorted(grid2op.list_available_test_env())
    if name not in shipped:
        fact = f"the simulator ships no environment {name!r}"
        raise Refused("E_CONFIG", fact, fix=f"use one of {', '.join(shipped)}")
    free = Parameters()
    free.NO_OVERFLOW_DISCONNECTION = True
    free.NB_TIMESTEP_OVERFLOW_ALLOWED = free.MAX_SUB_CHANGED = free.MAX_LINE_STATUS_CHANGED = NEVER
    free.NB_TIMESTEP_COOLDOWN_LINE = free.NB_TIMESTEP_COOLDOWN_SUB = 0
    with silenced():
        environment = grid2op.make(name, test=True, backend=LightSimBackend(), param=free)
        environment.seed(0)
        environment.set_id(0)
        environment.reset()
    return environment


def network(name: str, environment: Any, most_actions: int) -> Network:  # noqa: ANN401
    """Return what is fixed of an environment's grid, with at most this many candidate actions.

    Nothing and opening each line always are among them; where configurations do not all fit, a draw of them does.
    Storage units and shunts are left as they are and have no place in a network: both stay on the first busbar.
    """
    kind = type(environment)
    bare = Network(
        name.lower(),
        tuple(map(str, kind.name_sub)),
        _lines(environment),
        _units(kind.name_gen, kind.gen_to_subid),
        _units(kind.name_load, kind.load_to_subid),
        environment=name,
        most_actions=most_actions,
    )
    room = most_actions - 1 - len(bare.lines)
    if room < 0:
        fact = f"{most_actions} actions are too few for nothing and {len(bare.lines)} lines"
        raise Refused("E_CONFIG", fact, fix=f"allow {1 + len(bare.lines)} or more")
    return _arranged(bare, room)


def _arranged(bare: Network, room: int) -> Network:
    """Return the network with at most `room` configurations: everything on one busbar comes on top of those drawn."""
    most = room
    while True:
        made = replace(bare, configurations=configurations(bare, most=most, seed=CANDIDATES_SEED))
        over = len(Candidates(made).actions) - 1 - len(bare.lines) - room
        if over <= 0:
            return made
        most = max(most - over, 0)


def _units(names: Any, substations: Any) -> tuple[Unit, ...]:  # noqa: ANN401
    return tuple(Unit(str(name), int(at)) for name, at in zip(names, substations, strict=True))


def _lines(environment: Any) -> tuple[Line, ...]:  # noqa: ANN401
    """Return powerlines, then transformers: the order of both the solver and the simulator, which is checked."""
    kind, model = type(environment), environment.backend._grid  # noqa: SLF001 - the solver behind the simulator
    held = [*((one, 1.0) for one in model.get_lines()), *((one, one.ratio) for one in model.get_trafos())]
    ends = [(one.sub1_id, one.sub2_id) for one, _ in held]
    if ends != list(zip(kind.line_or_to_subid.tolist(), kind.line_ex_to_subid.tolist(), strict=True)):
        raise Refused("E_CONFIG", "the solver orders its lines in its own way", fix="use the versions of the lock")
    limits = environment.get_thermal_limit()
    return tuple(
        Line(str(name), int(one.sub1_id), int(one.sub2_id), float(one.r_pu), float(one.x_pu * ratio), float(limit))
        for name, (one, ratio), limit in zip(kind.name_line, held, limits, strict=True)
    )


class Chronics:
    """The recorded courses of an environment, each read when it is first asked for."""

    def __init__(self, environment: Any) -> None:  # noqa: ANN401
        self._environment = environment
        self._held: dict[int, Chronic] = {}

    def __len__(self) -> int:
        return len(self._environment.chronics_handler.subpaths)

    def __getitem__(self, number: int) -> Chronic:
        if number not in self._held:
            self._held[number] = _chronic(self._environment, number)
        return self._held[number]


def _chronic(environment: Any, number: int) -> Chronic:  # noqa: ANN401
    with silenced():
        environment.set_id(number)
        seen = environment.reset()
    data = environment.chronics_handler.real_data.data
    if getattr(data, "load_p", None) is None:
        fact = "the chronics of the environment are no tables"
        raise Refused("E_CONFIG", fact, fix="use an environment whose chronics are files of loads and generators")
    load_p, load_q, generator_p = (
        np.array(table, dtype=np.float64) for table in (data.load_p, data.load_q, data.prod_p)
    )
    held = getattr(data, "prod_v", None)  # without it, voltages stay as the grid's own file has them
    generator_v = np.tile(seen.gen_v, (len(load_p), 1)) if held is None else held
    since = np.datetime64(data.start_datetime, "us").astype(np.int64)
    step = int(data.time_interval.total_seconds() * 1_000_000)
    return Chronic(int(since) + step, step, generator_p, np.array(generator_v, dtype=np.float64), load_p, load_q)
