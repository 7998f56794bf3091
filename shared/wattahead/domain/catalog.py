"""The catalog: which series exist, in which unit, with which features, and how they are pooled."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Literal

from wattahead.domain.errors import Refused
from wattahead.domain.hours import DAY, HOUR, duration
from wattahead.domain.names import checked
from wattahead.domain.series import Series

_QUANTILE = re.compile(r"p(?!00)[0-9]{2}", re.ASCII)


@dataclass(frozen=True)
class Zone:
    """A place: where the sun is, and nothing about its signals. Degrees north and east."""

    latitude: float
    longitude: float

    def __post_init__(self) -> None:
        if not (-90 <= self.latitude <= 90 and -180 <= self.longitude <= 180):  # noqa: PLR2004 - degrees of a globe
            raise Refused(
                "E_GRID_LOCATION",
                f"latitude {self.latitude}, longitude {self.longitude} is not on the globe",
                fix="give degrees north, then degrees east; they may be swapped",
            )


@dataclass(frozen=True)
class Signal:
    """What is measured: `key/subkey` of a zone, its unit, its bounds and how it is scaled."""

    key: str
    subkey: str
    unit: str
    sign: Literal["generation_positive", "consumption_positive", "none"]
    publication_delay: str = "PT0H"  # from the end of the interval to available_at
    resolution: str = "PT1H"
    scaling_window: str = "P28D"  # trailing maximum that target and lags are divided by
    capacity: Mapping[str, float] = field(default_factory=dict)  # per zone; replaces the trailing maximum
    lower: float | None = 0.0
    upper_of_scale: float = 1.5  # nothing above this multiple of the scale leaves without a flag
    night_zero: bool = False  # true for solar: no power while the sun is down everywhere in the zone

    def __post_init__(self) -> None:
        checked("key", self.key)
        checked("subkey", self.subkey)
        duration(self.publication_delay)
        duration(self.scaling_window)
        if HOUR % (duration(self.resolution) or DAY):
            raise Refused(
                "E_CONFIG",
                f"resolution {self.resolution} does not divide an hour",
                fix="use PT1H, PT30M, PT15M or PT5M",
            )
        for zone, capacity in self.capacity.items():
            if not 0 < capacity < float("inf"):
                raise Refused(
                    "E_CAPACITY",
                    f"capacity of {checked('zone', zone)} is {capacity} {self.unit}",
                    fix="give a positive number or leave the zone out",
                )

    @property
    def step(self) -> int:
        """Length of one interval [µs]."""
        return duration(self.resolution)


@dataclass(frozen=True)
class Pool:
    """Series of one signal that share one model bundle."""

    signal: str
    zones: tuple[str, ...]
    feature_set: str
    trainer: str = "lightgbm"
    weather: str = ""  # provider; empty for features without weather
    horizon: str = "PT24H"
    quantiles: tuple[str, ...] = ("p10", "p50", "p90")
    input_deadline: str = "PT20M"
    batch_size: int = 1000
    issue_hours: tuple[int, ...] = (0, 6, 12, 18)  # UTC hours of the day that training looks at
    training_window: str = "P1200D"
    parameters: Mapping[str, float] = field(default_factory=dict)  # of the trainer
    retrain: Literal["nightly", "weekly"] = "nightly"

    def __post_init__(self) -> None:
        if len(set(self.zones)) != len(self.zones) or not self.zones:
            raise Refused(
                "E_CONFIG", f"zones of a pool of {self.signal} are empty or stand twice", fix="name each zone once"
            )
        if not 1 <= self.batch_size <= 1000 or not 0 < duration(self.horizon) <= 7 * DAY:  # noqa: PLR2004 - DESIGN: a batch is up to 1,000 series
            raise Refused(
                "E_CONFIG",
                f"batch size {self.batch_size} or horizon {self.horizon} is out of range",
                fix="use 1 to 1000 series and at most P7D",
            )
        if not self.issue_hours or not set(self.issue_hours) <= set(range(24)):
            raise Refused("E_CONFIG", f"issue hours {list(self.issue_hours)} are not hours of a day", fix="use 0 to 23")
        named = all(_QUANTILE.fullmatch(name) for name in self.quantiles)
        if "p50" not in self.quantiles or not named or sorted(set(self.quantiles)) != list(self.quantiles):
            raise Refused(
                "E_CONFIG",
                f"quantiles {list(self.quantiles)} lack p50 or are not ascending",
                fix='write them as ["p10", "p50", "p90"]',
            )


@dataclass(frozen=True)
class Catalog:
    """All signals and pools of one bucket at one moment."""

    zones: Mapping[str, Zone]
    signals: Mapping[str, Signal]
    feature_sets: Mapping[str, tuple[str, ...]]
    pools: Mapping[str, Pool]

    def __post_init__(self) -> None:
        for zone in self.zones:
            checked("zone", zone)
        for name, pool in self.pools.items():
            checked("pool", name)
            _known(f"pool {name}: signal", pool.signal, self.signals)
            _known(f"pool {name}: feature set", pool.feature_set, self.feature_sets)
            for zone in pool.zones:
                _known(f"pool {name}: zone", zone, self.zones)
            duration(pool.horizon)
            duration(pool.training_window)
            duration(pool.input_deadline)

    def series(self, pool: str) -> tuple[Series, ...]:
        """Return the series of a pool, sorted by name."""
        signal = self.signals[self.pools[pool].signal]
        return tuple(sorted(Series(zone, signal.key, signal.subkey) for zone in self.pools[pool].zones))


def _known(what: str, name: str, choices: Mapping[str, object]) -> None:
    if name in choices:
        return
    near = get_close_matches(name, choices, n=3) or sorted(choices)[:3]
    raise Refused(
        "E_CONFIG", f"{what} {name!r} is not in the catalog", fix=f"define it, or use one of {', '.join(near)}"
    )
