"""States of the hours to come: the present topology, with the injections that are to be expected.

The issue hour is the newest measured state, unless that is stale. Expected of a later hour is what somebody has stated
for it, else what was measured at the same hour a day ago, or two, else what is injected now. Where the grid was wired
then as it is now, the flows of that hour are taken as they were; elsewhere they are the present ones and the linear
answer to the difference in injections.
"""

from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from wattahead.domain.grid import BUSBARS, OUT, Network
from wattahead.domain.hours import DAY, HOUR, MINUTE
from wattahead.domain.quality import Quality
from wattahead.grid.flows import Wiring
from wattahead.grid.states import Floats, States

Instants = NDArray[np.int64]

BACK: Final = (0, DAY, 2 * DAY)  # where injections of an hour are looked for, one after the other
STALE: Final = HOUR  # a newest state older than this is told


@dataclass(frozen=True)
class Past:
    """What is known of one grid at an issue time: states at T times, ascending, with gaps in them."""

    times: Instants  # (T) [µs]; behind the issue time stand injections that somebody has stated
    states: States  # (T)


@dataclass(frozen=True)
class Ahead:
    """The states of one grid at H hours, the first of them the issue time."""

    states: States  # (H)
    flags: NDArray[np.int32]  # (H) Quality bits
    age_minutes: int  # from the newest measured state to the issue time


def ahead(network: Network, past: Past, issue_time: int, hours: Instants) -> Ahead | None:
    """Return the states at `hours` [µs], or nothing where no state was ever measured."""
    measured = np.flatnonzero(past.states.complete & (past.times <= issue_time))
    if not len(measured):
        return None
    now = int(measured[-1])
    age = issue_time - int(past.times[now])
    source, held = _sources(past, now, hours)
    if age <= STALE and not _stated(past, hours[:1])[0]:
        source[hours == issue_time], held[hours == issue_time] = now, False
    known = past.states.take(source)
    present = past.states.take(np.full(len(hours), now))
    alike = past.states.complete[source] & _same_wiring(known, present)
    states = _moved(network, present, known, alike)
    flags = np.where(held, Quality.INPUT_MISSING, 0) | np.where(alike, 0, Quality.FLOWS_ESTIMATED)
    return Ahead(states, (flags | (Quality.TARGET_STALE if age > STALE else 0)).astype(np.int32), age // MINUTE)


def _sources(past: Past, now: int, hours: Instants) -> tuple[NDArray[np.intp], NDArray[np.bool_]]:
    """Return where the injections of each hour are taken from, and whether they are only the present ones."""
    found = np.full(len(hours), now)
    held = hours != past.times[now]
    for back in reversed(BACK):
        there = _stated(past, hours - back)
        found[there], held[there] = np.searchsorted(past.times, hours[there] - back), False
    return found, held


def _stated(past: Past, hours: Instants) -> NDArray[np.bool_]:
    """Return of which hours the injections are known."""
    units = (past.states.generator_p, past.states.load_p, past.states.load_q)
    known = np.logical_and.reduce([np.isfinite(one).all(axis=1) for one in units])
    at = np.searchsorted(past.times, hours).clip(0, len(past.times) - 1)
    found: NDArray[np.bool_] = (past.times[at] == hours) & known[at]
    return found


def _same_wiring(one: States, other: States) -> NDArray[np.bool_]:
    names = ("generator_bus", "load_bus", "origin_bus", "extremity_bus")  # also of units: who was out gave nothing
    return np.logical_and.reduce([(getattr(one, name) == getattr(other, name)).all(axis=1) for name in names])


def _moved(network: Network, present: States, known: States, alike: NDArray[np.bool_]) -> States:
    """Return the present topology with the injections of `known`, and flows to go with them."""
    wiring = Wiring.of(network, present.origin_bus[0], present.extremity_bus[0])
    here, taken = present.generator_bus != OUT, present.load_bus != OUT  # who is out now stays out
    given, asked = np.where(here, known.generator_p, 0.0), np.where(taken, known.load_p, 0.0)
    injected = replace(present, generator_p=given, load_p=asked)
    flows = present.line_p + wiring.flows(injections(network, injected) - injections(network, present))
    voltage = np.where(np.isfinite(known.generator_v), known.generator_v, present.generator_v)
    same = alike[:, None]
    return replace(
        injected,
        generator_v=voltage,
        load_q=np.where(taken, known.load_q, 0.0),
        line_p=np.where(same, known.line_p, flows),
        line_q=np.where(same, known.line_q, present.line_q),
        line_v=np.where(same, known.line_v, present.line_v),
    )


def injections(network: Network, states: States) -> Floats:
    """Return what is injected at every node, (S, n) [MW], for states of one topology."""
    count = len(network.substations)
    found = np.zeros((len(states), 2 * count))
    for units, buses, power in (
        (network.generators, states.generator_bus, np.where(states.generator_bus != OUT, states.generator_p, 0.0)),
        (network.loads, states.load_bus, np.where(states.load_bus != OUT, -states.load_p, 0.0)),
    ):
        for number, unit in enumerate(units):
            found[:, unit.substation + count * int(buses[0, number] == BUSBARS[1])] += power[:, number]
    return found
