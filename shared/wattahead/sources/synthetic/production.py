"""What a zone really produced and used, from the true weather."""

from typing import Final

import numpy as np

from wattahead.sources.synthetic.atmosphere import Days
from wattahead.sources.synthetic.demand import demand
from wattahead.sources.synthetic.draws import Array
from wattahead.sources.synthetic.growth import grown
from wattahead.sources.synthetic.mix import carbon_intensity, mix
from wattahead.sources.synthetic.places import Place
from wattahead.sources.synthetic.plants import clear_light, solar_share, wind_share
from wattahead.sources.synthetic.sky import Fields, sky

_SOURCES: Final = ("solar", "wind", "hydro", "nuclear", "coal", "gas")
_KILOWATT: Final = 3  # decimals of a MW: meters do not tell more, and the last bits of a float never show


def zone_production(days: Days, where: Place, fields: Fields) -> dict[str, Array]:
    """Return hourly columns of a zone: sources, exports and demand [MW], carbon intensity [g/kWh]."""
    hours, grid = days.hours, where.climate.grid
    weather = sky(fields, hours, where)
    light = clear_light(hours, where)[1] * weather.clearness
    solar_fleet = grid.demand * grid.solar * grown(hours, grid.solar_growth)
    wind_fleet = grid.demand * grid.wind * grown(hours, grid.wind_growth)
    solar = solar_fleet * over_sites(solar_share(light, weather.temperature), where)
    wind = wind_fleet * over_sites(wind_share(weather.wind_speed * where.climate.wind.exposure), where)
    load = demand(hours, over_sites(weather.temperature, where), where, days.seed)
    columns = {"solar": solar, "wind": wind, **mix(hours, load, solar + wind, where, days.seed), "demand": load}
    columns["carbon_intensity"] = carbon_intensity({source: columns[source] for source in _SOURCES})
    return {name: np.round(column, _KILOWATT) for name, column in columns.items()}


def over_sites(values: Array, where: Place) -> Array:
    """Return the mean over sites by installed capacity, a site at a time so that no hour depends on others."""
    total = np.zeros(values.shape[0])
    for site, share in enumerate(where.share):
        total += share * values[:, site]
    return total
