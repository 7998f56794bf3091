"""From the name of a feature to the function that computes it. A catalog adds features by naming them."""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cache, partial
from typing import Final

import numpy as np
from numpy.typing import NDArray

from wattahead.domain.catalog import Catalog, check_forecasts, check_once, known
from wattahead.domain.errors import Refused
from wattahead.domain.graph import MIX
from wattahead.features import calendar, clock, derived, external, history, others, weather
from wattahead.features.view import View

FAMILIES: Final = history.FAMILIES | clock.FAMILIES | calendar.FAMILIES | weather.FAMILIES | external.FAMILIES
Families = dict[str, tuple[Callable[..., NDArray[np.float64]], Callable[..., int]]]

ZONE: Final = "zone"  # identity of the series' zone; a bundle numbers its own zones, so it is not a column


@dataclass(frozen=True)
class Feature:
    """One named feature, ready to compute."""

    name: str
    compute: Callable[[View], NDArray[np.float64]]
    lookback_days: int
    variable: str  # the weather variable it reads; empty for none
    forecast_of: str = ""  # another signal whose forecast it reads
    past_of: str = ""  # another signal whose known past it reads …
    past: str = ""  # … and the feature it is of that signal
    provider: str = ""  # somebody whose forecast of the same series it reads


@cache
def feature(name: str) -> Feature:
    """Return the feature called `name`; an unknown one is refused with the nearest known forms."""
    found = _of_another(name) or _own(name, FAMILIES)
    if found:
        return found
    forms = [*(re.sub(r"\(.*?\)", "1", pattern) for pattern in FAMILIES), *others.FORMS]
    near = get_close_matches(name, forms, n=3) or forms[:3]
    raise Refused("E_CONFIG", f"there is no feature {name!r}", fix=f"use a form such as {', '.join(near)}")


def _of_another(name: str) -> Feature | None:
    """Return a feature of other signals: a forecast, what all of them make together, or what a past says."""
    if name == MIX:
        return Feature(name, others.mix, 0, "")
    if issued := others.forecast_feature(name):
        return Feature(name, issued[1], 0, "", forecast_of=issued[0])
    for signal, rest in others.splits(name):
        if inner := _own(rest, history.FAMILIES):
            return Feature(name, partial(_past, inner.compute, signal), 0, "", past_of=signal, past=rest)
    return None


def _own(name: str, families: Families) -> Feature | None:
    for pattern, (function, lookback) in families.items():
        match = re.fullmatch(
            pattern, name, re.ASCII
        )  # a look-alike of a digit would be another name of the same feature
        if match:
            given = [int(part) if part.isdigit() else part for part in match.groups()]
            variable = derived.stored(str(given[0])) if function.__module__ == weather.__name__ else ""
            provider = str(given[0]) if function.__module__ == external.__name__ else ""
            return Feature(name, partial(_apply, function, given), lookback(*given), variable, provider=provider)
    return None


def _apply(function: Callable[..., NDArray[np.float64]], given: list[int | str], view: View) -> NDArray[np.float64]:
    return function(view, *given)


def _past(compute: Callable[[View], NDArray[np.float64]], signal: str, view: View) -> NDArray[np.float64]:
    return others.past(compute, view, signal)


def columns(names: Iterable[str]) -> tuple[str, ...]:
    """Return the names that are columns of a feature object: all but the zone's identity, checked, in order, once."""
    return tuple(feature(name).name for name in dict.fromkeys(names) if name != ZONE)


def known_columns(names: Iterable[str]) -> tuple[str, ...]:
    """Return `columns` without the names that this version does not know, as in a bundle of another one."""
    return columns(name for name in dict.fromkeys(names) if name != ZONE and is_known(name))


def is_known(name: str) -> bool:
    """Return whether there is a feature called `name`."""
    try:
        feature(name)
    except Refused:
        return False
    return True


def variables(names: Iterable[str]) -> tuple[str, ...]:
    """Return the weather variables that features read, sorted."""
    return tuple(sorted({feature(name).variable for name in columns(names)} - {""}))


def providers(names: Iterable[str]) -> tuple[str, ...]:
    """Return whose forecasts of the same series features read, sorted."""
    return tuple(sorted({feature(name).provider for name in columns(names)} - {""}))


def check(catalog: Catalog) -> Catalog:
    """Return the catalog when its zones' clocks and calendars exist, and every pool's features and what they read."""
    calendar.check_zones(catalog.zones)
    for name, pool in catalog.pools.items():
        read = variables(catalog.feature_sets[pool.feature_set])
        if read and not pool.weather:
            raise Refused("E_CONFIG", f"pool {name} has features of {read[0]} and no weather", fix="name its provider")
        for signal in past_of(catalog.feature_sets[pool.feature_set]):
            known(f"pool {name}: the signal of of_{signal}_…", signal, catalog.signals)
            own, other = catalog.signals[pool.signal], catalog.signals[signal]
            if own.step != other.step:
                raise Refused(
                    "E_CONFIG",
                    f"pool {name} has a resolution of {own.resolution}, {signal}, which it reads, {other.resolution}",
                    fix=f"leave {signal} out of its features",
                )
    check_forecasts(catalog)
    check_once(catalog)
    return catalog


def past_of(names: Iterable[str]) -> dict[str, tuple[str, ...]]:
    """Return which features of other signals' own past are read: signal -> features, in order."""
    found: dict[str, tuple[str, ...]] = {}
    for one in map(feature, columns(names)):
        if one.past_of:
            found[one.past_of] = (*found.get(one.past_of, ()), one.past)
    return found


def signals_of(names: Iterable[str]) -> tuple[str, ...]:
    """Return the other signals that features read, whether their past or their forecast, sorted."""
    read = [feature(name) for name in columns(names)]
    return tuple(sorted({one.past_of or one.forecast_of for one in read} - {""}))


def lookback_days(names: Iterable[str]) -> int:
    """Return how many days of history the features need."""
    return max((feature(name).lookback_days for name in columns(names)), default=0)
