"""What a model is told of each action in each state: the linear answer, how it comes about, and what it stresses."""

from collections.abc import Iterator
from typing import Final

import numpy as np
from numpy.typing import NDArray

from wattahead.domain.grid import Network
from wattahead.grid.candidates import CONFIGURE, NOTHING, OPEN, Action, Candidates
from wattahead.grid.flows import BASE, Change, changes
from wattahead.grid.states import Floats, States, limits, loading

NAMES: Final = (
    "action",  # its place among the candidates
    "kind",  # 0 nothing, 1 a line opened, 2 a configuration
    "place",  # the line or the substation; -1 for nothing
    "moved",  # ends of lines that move
    "isolates",  # 1 where it cuts something off
    "coupler",  # [MW] that the busbars exchange, or the line carries, before they are parted
    "angle",  # [rad] that opens between them
    "stiffness",  # [MW/rad] what goes around
    "rho_1",  # the highest loadings afterwards, by the linear answer, highest first
    "rho_2",
    "rho_3",
    "line_1",  # the lines that have them
    "line_2",
    "worst_now",  # the present loading of the first of them
    "worst_p",  # [MW], [MVAr] and [kV] of that line: its power afterwards, its present reactive power and voltage
    "worst_q",
    "worst_v",
    "rho_now",  # the highest loading now
    "overloads",  # lines above their limit afterwards
    "largest_change",  # [MW] of any line
    "loss",  # [MW] of all lines afterwards, I^2 R
    "reactive_loss",  # [MVAr] of all lines afterwards, I^2 X, and how much more that is than now
    "reactive_more",
    "load",  # [MW] of all loads
    "reactive_load",  # [MVAr] of all loads
)
LINEAR: Final = "rho_1"
ISOLATES: Final = "isolates"
CATEGORIES: Final = ("action", "kind", "place", "line_1", "line_2")
KINDS: Final = {NOTHING: 0, OPEN: 1, CONFIGURE: 2}
AT_ONCE: Final = 4_000_000  # flows in one array: 32 MB


def columns(candidates: Candidates, states: States, *, actions: slice = slice(None)) -> NDArray[np.float32]:
    """Return the columns `NAMES` of every candidate in every state, shape (F, S, A); `actions` chooses some."""
    asked = candidates.actions[actions]
    first = range(len(candidates.actions))[actions].start
    block = np.empty((len(NAMES), len(states), len(asked)), dtype=np.float32)
    for group in _alike(states):
        for part in _parts(group, max(1, AT_ONCE // (len(asked) * len(candidates.network.lines)))):
            some = states.take(part)
            for change in changes(candidates.network, asked, some):
                told = _told(candidates.network, some, change, asked[change.actions], first)
                for number, name in enumerate(NAMES):
                    block[number, part, change.actions] = told[name]
    return block


def _alike(states: States) -> Iterator[NDArray[np.intp]]:
    """Yield which states share a topology."""
    buses = np.concatenate([states.origin_bus, states.extremity_bus], axis=1)
    _, which = np.unique(buses, axis=0, return_inverse=True)
    for number in range(which.max(initial=-1) + 1):
        yield np.flatnonzero(which.reshape(-1) == number)


def _parts(group: NDArray[np.intp], size: int) -> Iterator[NDArray[np.intp]]:
    for start in range(0, len(group), size):
        yield group[start : start + size]


def _told(
    network: Network, states: States, change: Change, actions: tuple[Action, ...], first: int
) -> dict[str, Floats | NDArray[np.intp]]:
    """Return each column for some states and actions of one kind and place: (S, B), or what broadcasts to it."""
    resistance, reactance = (
        np.array([getattr(line, name) for line in network.lines]) / BASE for name in ("resistance", "reactance")
    )
    on = (states.origin_bus > 0) & (states.extremity_bus > 0)
    q = np.where(on, states.line_q, 0.0)
    rho = loading(change.flows, _carried(q, change.flows), states.line_v[:, None, :], limits(network))
    worst = np.argpartition(-rho, (0, 1, 2), axis=2)[:, :, :3]
    highest = np.take_along_axis(rho, worst, axis=2)
    now = states.rho(network)
    line = worst[:, :, 0]
    squared = change.flows**2
    reactive = squared @ reactance
    return {
        "action": first + np.arange(change.actions.start, change.actions.stop)[None],
        "kind": np.array([[KINDS[actions[0].kind]]]),
        "place": np.array([[max(action.line, action.substation) for action in actions]]),
        "moved": change.moved[None],
        "isolates": change.isolates,
        "coupler": change.coupler,
        "angle": change.angle,
        "stiffness": change.stiffness[None],
        "rho_1": highest[:, :, 0],
        "rho_2": highest[:, :, 1],
        "rho_3": highest[:, :, 2],
        "line_1": line,
        "line_2": worst[:, :, 1],
        "worst_now": np.take_along_axis(now, line, axis=1),
        "worst_p": np.take_along_axis(change.flows, line[:, :, None], axis=2)[:, :, 0],
        "worst_q": np.take_along_axis(q, line, axis=1),
        "worst_v": np.take_along_axis(states.line_v, line, axis=1),
        "rho_now": now.max(axis=1)[:, None],
        "overloads": (rho > 1).sum(axis=2),
        "largest_change": np.abs(change.flows - np.where(on, states.line_p, 0.0)[:, None, :]).max(axis=2),
        "loss": squared @ resistance,
        "reactive_loss": reactive,
        "reactive_more": reactive - ((states.line_p * on) ** 2 @ reactance)[:, None],
        "load": states.load_p.sum(axis=1)[:, None],
        "reactive_load": states.load_q.sum(axis=1)[:, None],
    }


def _carried(q: Floats, flows: Floats) -> Floats:
    """Return the reactive power of every line after an action, as it is now: a line that is opened carries none."""
    return np.where(flows == 0.0, 0.0, q[:, None, :])
