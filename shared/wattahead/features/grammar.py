"""From the name of a feature to the function that computes it. A catalog adds features by naming them."""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cache, partial
from typing import Final

import numpy as np
from numpy.typing import NDArray

from wattahead.domain.catalog import Catalog
from wattahead.domain.errors import Refused
from wattahead.features import clock, history, weather
from wattahead.features.view import View

FAMILIES: Final = history.FAMILIES | clock.FAMILIES | weather.FAMILIES
ZONE: Final = "zone"  # identity of the series' zone; a bundle numbers its own zones, so it is not a column


@dataclass(frozen=True)
class Feature:
    """One named feature, ready to compute."""

    name: str
    compute: Callable[[View], NDArray[np.float64]]
    lookback_days: int
    variable: str  # the weather variable it reads; empty for none


@cache
def feature(name: str) -> Feature:
    """Return the feature called `name`; an unknown one is refused with the nearest known forms."""
    for pattern, (function, lookback) in FAMILIES.items():
        match = re.fullmatch(
            pattern, name, re.ASCII
        )  # a look-alike of a digit would be another name of the same feature
        if match:
            given = [int(part) if part.isdigit() else part for part in match.groups()]
            variable = given[0] if function.__module__ == weather.__name__ else ""
            return Feature(name, partial(_apply, function, given), lookback(*given), str(variable))
    forms = [re.sub(r"\(.*?\)", "1", pattern) for pattern in FAMILIES]
    near = get_close_matches(name, forms, n=3) or forms[:3]
    raise Refused("E_CONFIG", f"there is no feature {name!r}", fix=f"use a form such as {', '.join(near)}")


def _apply(function: Callable[..., NDArray[np.float64]], given: list[int | str], view: View) -> NDArray[np.float64]:
    return function(view, *given)


def columns(names: Iterable[str]) -> tuple[str, ...]:
    """Return the names that are columns of a feature object: all but the zone's identity, checked, in order, once."""
    return tuple(feature(name).name for name in dict.fromkeys(names) if name != ZONE)


def variables(names: Iterable[str]) -> tuple[str, ...]:
    """Return the weather variables that features read, sorted."""
    return tuple(sorted({feature(name).variable for name in columns(names)} - {""}))


def check(catalog: Catalog) -> Catalog:
    """Return the catalog when every pool's features exist and have the weather they read."""
    for name, pool in catalog.pools.items():
        read = variables(catalog.feature_sets[pool.feature_set])
        if read and not pool.weather:
            raise Refused("E_CONFIG", f"pool {name} has features of {read[0]} and no weather", fix="name its provider")
    return catalog


def lookback_days(names: Iterable[str]) -> int:
    """Return how many days of history the features need."""
    return max((feature(name).lookback_days for name in columns(names)), default=0)
