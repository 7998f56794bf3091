"""What a model is told of each action in each state: the linear answer, how it comes about, and what it stresses."""

from collections.abc import Iterator
from dataclasses import dataclass, fields, replace
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
MOST: Final = 3  # loadings of an action that are told
KINDS: Final = {NOTHING: 0, OPEN: 1, CONFIGURE: 2}


def columns(candidates: Candidates, states: States, *, actions: slice = slice(None)) -> NDArray[np.float32]:
    """Return the columns `NAMES` of every candidate in every state, shape (F, S, A); `actions` chooses some."""
    asked = candidates.actions[actions]
    first = range(len(candidates.actions))[actions].start
    block = np.empty((len(NAMES), len(states), len(asked)), dtype=np.float32)
    for group in _alike(states):
        some = states.take(group)
        now = _Now.of(candidates.network, some)
        for change in changes(candidates.network, asked, some):
            told = _told(now.take(change.states), change, asked[change.actions], first)
            where = group[change.states]
            for number, name in enumerate(NAMES):
                block[number, where, change.actions] = told[name]
    return block


@dataclass(frozen=True)
class _Now:
    """What is known of S states before any action, (S, L) each where nothing else is said."""

    p: Floats  # [MW] 0 in a line that is out, as the next
    q: Floats  # [MVAr]
    v: Floats  # [kV]
    of_power: Floats  # [1/MVA] loading per apparent power
    rho: Floats  # loading
    reactive_loss: Floats  # (S) [MVAr]
    load: Floats  # (S) [MW]
    reactive_load: Floats  # (S) [MVAr]
    resistance: Floats  # (L) [1/MVA]
    reactance: Floats  # (L) [1/MVA]

    @classmethod
    def of(cls, network: Network, states: States) -> "_Now":
        """Return what is known of some states."""
        resistance, reactance = (
            np.array([getattr(line, name) for line in network.lines]) / BASE for name in ("resistance", "reactance")
        )
        on = (states.origin_bus > 0) & (states.extremity_bus > 0)
        p, q = np.where(on, states.line_p, 0.0), np.where(on, states.line_q, 0.0)
        one = np.ones_like(p)
        return cls(
            p,
            q,
            states.line_v,
            loading(one, np.zeros_like(p), states.line_v, limits(network)),
            states.rho(network),
            (p**2 * reactance).sum(axis=1),
            states.load_p.sum(axis=1),
            states.load_q.sum(axis=1),
            resistance,
            reactance,
        )

    def take(self, chosen: slice) -> "_Now":
        """Return some of the states."""
        held = {field.name: getattr(self, field.name) for field in fields(self)}
        whole = ("resistance", "reactance")
        return replace(self, **{name: array[chosen] for name, array in held.items() if name not in whole})


def _alike(states: States) -> Iterator[NDArray[np.intp]]:
    """Yield which states share a topology."""
    buses = np.concatenate([states.origin_bus, states.extremity_bus], axis=1)
    _, which = np.unique(buses, axis=0, return_inverse=True)
    for number in range(which.max(initial=-1) + 1):
        yield np.flatnonzero(which.reshape(-1) == number)


def _told(now: _Now, change: Change, actions: tuple[Action, ...], first: int) -> dict[str, Floats | NDArray[np.intp]]:
    """Return each column for some states and actions of one kind and place: (S, B), or what broadcasts to it."""
    squared = change.flows**2
    rho = squared + now.q[:, None, :] ** 2
    np.sqrt(rho, out=rho)
    rho *= now.of_power[:, None, :]
    place = [actions[0].substation]
    if actions[0].kind == OPEN:
        place = [action.line for action in actions]
        rho[:, np.arange(len(place)), place] *= change.isolates  # where it is opened; rounding leaves it a little power
    overloads = np.count_nonzero(rho > 1, axis=2)
    worst, highest = _highest(rho)
    line = worst[0]
    reactive = np.einsum("sbl,l->sb", squared, now.reactance)
    moved = np.subtract(change.flows, now.p[:, None, :], out=rho)
    return {
        "action": first + np.arange(change.actions.start, change.actions.stop)[None],
        "kind": np.array([[KINDS[actions[0].kind]]]),
        "place": np.array([place]),
        "moved": change.moved[None],
        "isolates": change.isolates,
        "coupler": change.coupler,
        "angle": change.angle,
        "stiffness": change.stiffness[None],
        "rho_1": highest[0],
        "rho_2": highest[1],
        "rho_3": highest[2],
        "line_1": line,
        "line_2": worst[1],
        "worst_now": np.take_along_axis(now.rho, line, axis=1),
        "worst_p": np.take_along_axis(change.flows, line[:, :, None], axis=2)[:, :, 0],
        "worst_q": np.take_along_axis(now.q, line, axis=1),
        "worst_v": np.take_along_axis(now.v, line, axis=1),
        "rho_now": now.rho.max(axis=1)[:, None],
        "overloads": overloads,
        "largest_change": np.abs(moved, out=moved).max(axis=2),
        "loss": np.einsum("sbl,l->sb", squared, now.resistance),
        "reactive_loss": reactive,
        "reactive_more": reactive - now.reactive_loss[:, None],
        "load": now.load[:, None],
        "reactive_load": now.reactive_load[:, None],
    }


def _highest(rho: Floats) -> tuple[list[NDArray[np.intp]], list[Floats]]:
    """Return the lines of the three highest loadings, and these, (S, B) each. They are taken out of `rho`."""
    lines, found = [], []
    for _ in range(MOST):
        line = rho.argmax(axis=2)[:, :, None]
        lines.append(line[:, :, 0])
        found.append(np.take_along_axis(rho, line, axis=2)[:, :, 0])
        np.put_along_axis(rho, line, -1.0, axis=2)
    return lines, found
