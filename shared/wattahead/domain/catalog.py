"""The catalog: which series exist, in which unit, with which features, and how they are pooled."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from math import isfinite
from typing import Literal

from wattahead.domain.errors import Refused
from wattahead.domain.graph import MIX, forecasts_of, stages
from wattahead.domain.grid import GridPool, Network
from wattahead.domain.hours import DAY, HOUR, duration
from wattahead.domain.names import check_quantiles, checked
from wattahead.domain.series import Series


@dataclass(frozen=True)
class Zone:
    """A place: where the sun is, what its clocks show, when it rests. Degrees north and east."""

    latitude: float
    longitude: float
    timezone: str = ""  # IANA name such as America/Los_Angeles; empty: mean solar time
    holidays: str = ""  # country or part of one, such as ES or US-CA; empty: every week is like any other

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
    factors: Mapping[str, float] = field(default_factory=dict)  # of a mix: what a unit of each of its signals brings

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
        for other, factor in self.factors.items():
            if not isfinite(factor):
                told = f"the factor of {ascii(other)[:80]} is {factor}"
                raise Refused("E_CONFIG", told, fix="give a finite number")
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
    trainer: str = "ensemble"
    weather: str = ""  # provider; empty for features without weather
    weather_resolution: str = (
        ""  # of weather that is coarser than the signal, such as PT1H: it is held over its interval
    )
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
        check_quantiles(self.quantiles)


@dataclass(frozen=True)
class Catalog:
    """All signals and pools of one bucket at one moment."""

    zones: Mapping[str, Zone]
    signals: Mapping[str, Signal]
    feature_sets: Mapping[str, tuple[str, ...]]
    pools: Mapping[str, Pool]
    networks: Mapping[str, Network] = field(default_factory=dict)
    grid_pools: Mapping[str, GridPool] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for zone in self.zones:
            checked("zone", zone)
        for name, pool in self.pools.items():
            checked("pool", name)
            known(f"pool {name}: signal", pool.signal, self.signals)
            known(f"pool {name}: feature set", pool.feature_set, self.feature_sets)
            for zone in pool.zones:
                known(f"pool {name}: zone", zone, self.zones)
            _check_weather(name, pool, self.signals[pool.signal])
            duration(pool.horizon)
            duration(pool.training_window)
            duration(pool.input_deadline)
        stages({name: self.read_by(name) for name in self.pools})
        _check_grids_once(self)
        for name, grids in self.grid_pools.items():
            checked("pool", name)
            known(f"grid pool {name}: network", grids.network, self.networks)
            if self.networks[grids.network].name != grids.network:
                told = f"network {grids.network} calls itself {self.networks[grids.network].name}"
                raise Refused("E_CONFIG", told, fix="give both the same name")
            if name in self.pools:
                raise Refused("E_CONFIG", f"{name} is a pool and a grid pool", fix="rename one of them")

    def series(self, pool: str) -> tuple[Series, ...]:
        """Return the series of a pool, sorted by name."""
        signal = self.signals[self.pools[pool].signal]
        return tuple(sorted(Series(zone, signal.key, signal.subkey) for zone in self.pools[pool].zones))

    def forecasters(self, signal: str, zones: Iterable[str]) -> tuple[str, ...]:
        """Return the pools that forecast `signal` in one of `zones`, sorted."""
        asked = set(zones)
        fitting = (name for name, pool in self.pools.items() if pool.signal == signal)
        return tuple(sorted(name for name in fitting if not asked.isdisjoint(self.pools[name].zones)))

    def read_by(self, pool: str) -> tuple[str, ...]:
        """Return the pools whose forecasts of the same issue time a pool's features read, sorted."""
        held = self.pools[pool]
        signals = forecasts_of(self.feature_sets[held.feature_set])
        return tuple(sorted({one for signal in signals for one in self.forecasters(signal, held.zones)}))


def check_forecasts(catalog: Catalog) -> None:
    """Refuse a pool that reads a forecast which nobody makes, two make, or one makes for other hours, or half a mix."""
    for name, pool in catalog.pools.items():
        features = catalog.feature_sets[pool.feature_set]
        if MIX in features:
            _check_mix(name, catalog.signals[pool.signal], forecasts_of(features), catalog.signals)
        for signal in forecasts_of(features):
            known(f"pool {name}: the signal of forecast_{signal}", signal, catalog.signals)
            makers = catalog.forecasters(signal, pool.zones)
            covered = [zone for maker in makers for zone in catalog.pools[maker].zones]
            for zone in pool.zones:
                if covered.count(zone) != 1:
                    raise Refused(
                        "E_CONFIG",
                        f"pool {name} reads forecast_{signal}, which {covered.count(zone)} pools make for {zone}",
                        fix=f"name {zone} in one pool of {signal}",
                    )
            for maker in makers:
                _check_hours(catalog, name, maker)


def _check_mix(name: str, signal: Signal, read: Collection[str], signals: Mapping[str, Signal]) -> None:
    if not signal.factors:
        raise Refused(
            "E_CONFIG",
            f"pool {name} has the feature {MIX}, and its signal {signal.key}/{signal.subkey} has no factors",
            fix="state what a unit of each signal brings, such as factors = { gas = 370, wind = 0 }",
        )
    for other in sorted(set(signal.factors) - set(read)):
        raise Refused(
            "E_CONFIG",
            f"pool {name} has the feature {MIX}, and does not read the forecast of {other}, which is part of it",
            fix=f"add forecast_{other} to its features",
        )
    fix = "give all of them one unit: amounts are added up"
    units = {other: signals[other].unit for other in sorted(signal.factors) if other in signals}
    if len(set(units.values())) > 1:
        told = ", ".join(f"{other} in {unit}" for other, unit in units.items())
        raise Refused("E_CONFIG", f"the parts of {signal.key}/{signal.subkey} have units of their own: {told}", fix=fix)


def check_once(catalog: Catalog) -> None:
    """Refuse a series that two pools forecast: readers would meet two rows for one hour."""
    found: dict[Series, str] = {}
    for name in catalog.pools:
        for series in catalog.series(name):
            if series in found:
                both = f"{series} stands in the pools {found[series]} and {name}"
                raise Refused("E_CONFIG", both, fix="leave it in one of them")
            found[series] = name


def _check_grids_once(catalog: Catalog) -> None:
    """Refuse a grid that two pools screen: readers would meet two rows for one action."""
    named = [grid for pool in catalog.grid_pools.values() for grid in pool.grids]
    for grid in sorted({one for one in named if named.count(one) > 1}):
        raise Refused("E_CONFIG", f"grid {grid} stands in two pools", fix="leave it in one of them")


def _check_hours(catalog: Catalog, name: str, maker: str) -> None:
    """Refuse a pool whose hours are not those of a pool that it reads."""
    pool, read = catalog.pools[name], catalog.pools[maker]
    step, read_step = (catalog.signals[one.signal].resolution for one in (pool, read))
    found = {
        f"resolution {step}, not {read_step}": duration(step) != duration(read_step),
        f"horizon {pool.horizon}, beyond {read.horizon}": duration(pool.horizon) > duration(read.horizon),
        f"input deadline {pool.input_deadline}, ahead of {read.input_deadline}": duration(pool.input_deadline)
        < duration(read.input_deadline),
        f"issue hours beside {list(read.issue_hours)}": not set(pool.issue_hours) <= set(read.issue_hours),
    }
    for fact in (said for said, holds in found.items() if holds):
        raise Refused("E_CONFIG", f"pool {name} reads pool {maker} and has {fact}", fix="give both the same")


def _check_weather(name: str, pool: Pool, signal: Signal) -> None:
    coarse = duration(pool.weather_resolution) if pool.weather_resolution else signal.step
    if not coarse or HOUR % coarse or coarse % signal.step:
        raise Refused(
            "E_CONFIG",
            f"pool {name}: weather_resolution {pool.weather_resolution} is no step from {signal.resolution} to PT1H",
            fix="leave it out where the weather is as fine as the signal, or give a multiple that divides an hour",
        )


def in_order(catalog: Catalog, names: Iterable[str]) -> list[str]:
    """Return pools so that each comes behind those whose forecasts it reads: by stage, then by name."""
    stage = stages({name: catalog.read_by(name) for name in catalog.pools})
    return sorted(names, key=lambda name: (stage[name], name))


def known(what: str, name: str, choices: Mapping[str, object]) -> None:
    """Refuse a name that is not among `choices`, with those nearest to it."""
    if name in choices:
        return
    near = get_close_matches(name, choices, n=3) or sorted(choices)[:3]
    raise Refused(
        "E_CONFIG", f"{what} {name!r} is not in the catalog", fix=f"define it, or use one of {', '.join(near)}"
    )
