"""Which signals' forecasts features read, and in which stage a pool is scored: behind the pools that it reads."""

import re
from collections.abc import Collection, Iterable, Mapping
from typing import Final

from wattahead.domain.errors import Refused

MIX: Final = "mix"  # the feature that is made of all forecasts that are read, by the target's factors

# The longest suffix counts: a signal's own name may hold digits and underscores.
FORECAST: Final = re.compile(r"forecast_(\w+?)(?:_(plus|minus)_(\d+)h|_(horizon_mean))?", re.ASCII)


def forecasts_of(features: Iterable[str]) -> tuple[str, ...]:
    """Return the signals whose forecasts of the same issue time features read, sorted."""
    return tuple(sorted({match[1] for name in features if (match := FORECAST.fullmatch(name))}))


def stages(reads: Mapping[str, Collection[str]]) -> dict[str, int]:
    """Return the stage of each pool from the pools whose forecasts it reads: 0 for one that reads none.

    A circle is refused with `E_CONFIG`.
    """
    found: dict[str, int] = {}
    while len(found) < len(reads):
        ready = [name for name in reads if name not in found and found.keys() >= set(reads[name])]
        if not ready:
            circle = " reads ".join(_circle({name: set(reads[name]) - found.keys() for name in reads}, found))
            raise Refused(
                "E_CONFIG",
                f"pools read each other's forecasts: {circle}",
                fix="leave the forecast out of the features of one of them",
            )
        found |= {name: 1 + max((found[other] for other in reads[name]), default=-1) for name in ready}
    return found


def _circle(reads: Mapping[str, Collection[str]], done: Collection[str]) -> list[str]:
    """Return pools of which each reads the next, the last one being the first again."""
    path = [min(name for name in reads if name not in done)]
    while path[-1] not in path[:-1]:
        path.append(min(reads[path[-1]]))
    return path[path.index(path[-1]) :]
