"""Who serves demand: nuclear and hydro run by season, coal and gas share what is left, surplus is exported."""

from typing import Final

import numpy as np

from wattahead.domain.hours import DAY
from wattahead.domain.sun import Instants
from wattahead.sources.synthetic.draws import Array, Draws, autoregressive
from wattahead.sources.synthetic.growth import grown
from wattahead.sources.synthetic.places import Place
from wattahead.sources.synthetic.sky import YEAR
from wattahead.sources.synthetic.streams import COAL_DAY

# Direct emissions [g/kWh], as in Maji, Sitaraman and Shenoy (2022), DACF, ACM e-Energy.
EMISSIONS: Final = {"coal": 760.0, "gas": 370.0}
_GAS_KEPT: Final = 0.04  # share of demand that gas always serves: reserve must spin
_SNOWMELT: Final = 140.0  # day of the northern year on which rivers are fullest
_COAL_NOISE: Final = 0.12


def mix(hours: Instants, load: Array, renewable: Array, where: Place, seed: int) -> dict[str, Array]:
    """Return power by source and exports [MW]; which with `renewable` (sun, wind) meet demand plus exports."""
    grid = where.climate.grid
    hydro = grid.hydro * grid.demand * (1 + 0.35 * _yearly(hours, _SNOWMELT, southern=where.southern))
    # Reactors refuel in spring and autumn, when demand is low.
    nuclear = grid.nuclear * grid.demand * (1 + 0.06 * np.cos(4 * np.pi * (hours / DAY - 15) / YEAR))
    left = np.maximum(load - renewable - hydro - nuclear, 0)
    coal = left * np.minimum(grid.coal * _coal_noise(hours, where, seed) / grown(hours, 0.05), 0.9)
    gas = np.maximum(left - coal, _GAS_KEPT * load)
    exports = renewable + hydro + nuclear + coal + gas - load
    return {"hydro": hydro, "nuclear": nuclear, "coal": coal, "gas": gas, "exports": np.maximum(exports, 0)}


def _yearly(hours: Instants, peak_day: float, *, southern: bool) -> Array:
    day = hours / DAY - peak_day + (YEAR / 2 if southern else 0)
    wave: Array = np.cos(2 * np.pi * day / YEAR)
    return wave


def _coal_noise(hours: Instants, where: Place, seed: int) -> Array:
    first, days = int(hours[0] // DAY), hours.size // 24
    daily = Draws(seed, COAL_DAY, where.number).normals(first_day=first - 31, days=days + 31, per_day=1)[:, 0]
    return np.exp(_COAL_NOISE * np.repeat(autoregressive(daily, memory=0.85, doublings=5)[-days:], 24))


def carbon_intensity(power: dict[str, Array]) -> Array:
    """Return grams of CO2 per kWh produced [g/kWh]; `power` by source, without exports and demand."""
    emitted = sum((EMISSIONS[source] * power[source] for source in EMISSIONS), start=np.zeros(()))
    produced = sum(power.values(), start=np.zeros(()))
    return emitted / produced
