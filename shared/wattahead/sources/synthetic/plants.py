"""What panels and turbines make of the weather: share of installed capacity, 0 to 1."""

from typing import Final

import numpy as np

from wattahead.domain.sun import Instants, clear_sky
from wattahead.sources.synthetic.draws import Array
from wattahead.sources.synthetic.light import clear_tracked, sun, within_hour
from wattahead.sources.synthetic.places import Place

_TRACKED: Final = 0.7  # share of panels that follow the sun; the rest lies level
_OVERSIZED: Final = 1.05  # panel power over inverter power, after losses in cables and on dirty glass
_HEAT: Final = -0.004  # change of power per K (PVWatts V5, Dobos 2014, NREL/TP-6A20-62641)
_CELL: Final = 0.03  # cell above air temperature per irradiance [K m2/W] (Ross 1976, NOCT of about 45 °C)
_REFERENCE: Final = 298.15  # [K]
_CUT_IN: Final = 3.0  # [m/s]
_RATED: Final = 13.5  # [m/s]
_CUT_OUT: Final = 25.0  # [m/s]


def clear_light(hours: Instants, where: Place) -> tuple[Array, Array]:
    """Return hourly means of clear-sky irradiance on level ground and on the panels of each site [W/m2]."""
    suns = [sun(instants, where.latitude, where.longitude) for instants in within_hour(hours)]
    level = sum((clear_sky(each.cos_zenith) for each in suns), start=np.zeros(())) / len(suns)
    tracked = sum((clear_tracked(each) for each in suns), start=np.zeros(())) / len(suns)
    return level, _TRACKED * tracked + (1 - _TRACKED) * level


def solar_share(light: Array, temperature: Array) -> Array:
    """Return power as a share of inverter capacity for light on panels [W/m2] and air temperature [K]."""
    heat = 1 + _HEAT * (temperature + _CELL * light - _REFERENCE)
    return np.clip(_OVERSIZED * light / 1000 * heat, 0, 1)


def wind_share(speed: Array) -> Array:
    """Return power as a share of capacity for speed at the turbines [m/s]: cubic between cut-in and rated speed.

    Carrillo et al. 2013, Renewable and Sustainable Energy Reviews 21, eq. 6. A site stands for many turbines, so they
    leave the grid one after another within 3 m/s above the cut-out speed.
    """
    rising = np.clip((speed**3 - _CUT_IN**3) / (_RATED**3 - _CUT_IN**3), 0, 1)
    running = np.clip(1 - (speed - _CUT_OUT) / 3, 0, 1)
    return rising * running
