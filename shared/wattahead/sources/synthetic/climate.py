"""Three climates, each tuned to the statistics of a real grid (see `statistics`), and where zones of each lie.

The numbers were fitted by hand to hourly production of CAISO, ERCOT and PJM, 2019 to 2021 (EIA-930, U.S. Government
data) and to GFS weather; only the figures are used, no row of that data is here.
"""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True)
class Cloud:
    """Cloud cover is the normal share of `mean - season * summer + spread * z`; it takes up to `depth` of light."""

    mean: float
    season: float  # less cloud in summer
    spread: float
    depth: float
    memory: float  # of the weather systems, per 6 h
    local: float  # share of variance that a site has for itself
    skill: float  # correlation of the forecast with the weather systems


@dataclass(frozen=True)
class Wind:
    """Speed 10 m above ground: a Weibull distribution that breathes with season and hour."""

    mean: float  # [m/s]
    shape: float
    season: float
    windiest_day: float  # day of the (northern) year
    diurnal: float
    windiest_hour: float  # local solar time
    exposure: float  # speed at the turbines over speed 10 m above ground
    memory: float
    local: float
    skill: float


@dataclass(frozen=True)
class Warmth:
    """Temperature 2 m above ground [K]: mean, half the range of season and day, and spread of the weather systems."""

    mean: float
    season: float
    diurnal: float
    spread: float
    memory: float
    skill: float


@dataclass(frozen=True)
class Grid:
    """What is connected: capacity as a share of usual demand in 2018, and growth a year."""

    demand: float  # [MW]
    solar: float
    wind: float
    hydro: float
    nuclear: float
    coal: float  # share of what is left for coal and gas
    solar_growth: float
    wind_growth: float
    heating: float  # share of demand per K below 18 °C
    cooling: float  # share of demand per K above 21 °C


@dataclass(frozen=True)
class Climate:
    """One kind of place; `centres` are degrees north and east."""

    name: str
    centres: tuple[tuple[float, float], ...]
    cloud: Cloud
    wind: Wind
    warmth: Warmth
    grid: Grid


SUNNY: Final = Climate(
    "sunny",
    ((36.5, -119.5), (38.5, -4.5), (-31.5, 138.5), (31.0, 35.0), (-29.0, -70.5)),
    Cloud(mean=-0.15, season=0.60, spread=1.05, depth=0.80, memory=0.88, local=0.25, skill=0.70),
    Wind(
        mean=4.2,
        shape=3.3,
        season=0.22,
        windiest_day=150,
        diurnal=0.20,
        windiest_hour=20.5,
        exposure=2.1,
        memory=0.87,
        local=0.1,
        skill=0.62,
    ),
    Warmth(mean=287.0, season=7.5, diurnal=4.2, spread=3.0, memory=0.95, skill=0.95),
    Grid(
        demand=26_000,
        solar=0.50,
        wind=0.20,
        hydro=0.08,
        nuclear=0.08,
        coal=0.01,
        solar_growth=0.08,
        wind_growth=0.02,
        heating=0.006,
        cooling=0.030,
    ),
)

STORMY: Final = Climate(
    "stormy",
    ((31.8, -99.5), (37.5, -98.5), (-32.0, -56.0), (46.5, 27.0), (-34.0, 146.5)),
    Cloud(mean=-0.05, season=0.75, spread=1.9, depth=0.95, memory=0.81, local=0.2, skill=0.80),
    Wind(
        mean=4.7,
        shape=3.6,
        season=0.08,
        windiest_day=100,
        diurnal=0.14,
        windiest_hour=0.5,
        exposure=2.15,
        memory=0.78,
        local=0.05,
        skill=0.80,
    ),
    Warmth(mean=292.5, season=9.0, diurnal=4.3, spread=4.0, memory=0.93, skill=0.95),
    Grid(
        demand=43_000,
        solar=0.08,
        wind=0.44,
        hydro=0.002,
        nuclear=0.11,
        coal=0.30,
        solar_growth=0.30,
        wind_growth=0.07,
        heating=0.012,
        cooling=0.034,
    ),
)

CLOUDY: Final = Climate(
    "cloudy",
    ((40.0, -78.0), (51.5, 10.0), (43.0, -72.0), (42.5, 141.5), (-42.0, 146.5)),
    Cloud(mean=0.20, season=0.45, spread=2.0, depth=0.99, memory=0.80, local=0.2, skill=0.77),
    Wind(
        mean=3.8,
        shape=2.7,
        season=0.18,
        windiest_day=45,
        diurnal=0.05,
        windiest_hour=20.0,
        exposure=2.2,
        memory=0.82,
        local=0.15,
        skill=0.70,
    ),
    Warmth(mean=285.0, season=11.0, diurnal=3.2, spread=4.0, memory=0.93, skill=0.95),
    Grid(
        demand=88_000,
        solar=0.02,
        wind=0.09,
        hydro=0.022,
        nuclear=0.35,
        coal=0.35,
        solar_growth=0.20,
        wind_growth=0.08,
        heating=0.010,
        cooling=0.026,
    ),
)

CLIMATES: Final = (SUNNY, STORMY, CLOUDY)
