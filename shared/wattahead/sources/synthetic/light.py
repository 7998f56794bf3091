"""What a sky without clouds lets through onto panels that follow the sun."""

from dataclasses import dataclass

import numpy as np

from wattahead.domain.hours import MINUTE
from wattahead.domain.sun import Instants, clear_sky, direction
from wattahead.sources.synthetic.draws import Array


@dataclass(frozen=True)
class Sun:
    """Cosine of the zenith angle, and of the angle onto a panel that follows the sun from east to west."""

    cos_zenith: Array
    cos_tracked: Array


def sun(instants: Instants, latitude: Array, longitude: Array) -> Sun:
    """Return the sun over places, shape (instants, places); degrees north and east.

    Tracking on a level north-south axis: Duffie and Beckman, Solar Engineering of Thermal Processes, section 1.7.
    """
    up, west = direction(instants[:, None], latitude[None, :], longitude[None, :])
    return Sun(up, np.sqrt(up**2 + west**2))


def clear_beam(cos_zenith: Array) -> Array:
    """Return direct irradiance facing the sun under a clear sky [W/m2].

    Meinel and Meinel (1976), Applied Solar Energy, over the air mass of Kasten and Young (1989), Applied Optics 28(22).
    """
    up = np.clip(cos_zenith, 1e-3, 1)
    zenith = np.degrees(np.arccos(up))
    air_mass = 1 / (up + 0.50572 * (96.07995 - zenith) ** -1.6364)
    return np.where(cos_zenith > 0, 1353 * 0.7 ** (air_mass**0.678), 0.0)


def clear_tracked(place: Sun) -> Array:
    """Return irradiance on panels that follow the sun, under a clear sky [W/m2]: beam, and what is left as diffuse."""
    beam = clear_beam(place.cos_zenith)
    diffuse = np.maximum(clear_sky(place.cos_zenith) - beam * np.maximum(place.cos_zenith, 0), 0)
    return beam * place.cos_tracked + diffuse


def within_hour(hours: Instants) -> list[Instants]:
    """Return four instants that stand for each hour, so that sunrise and sunset are averaged and not sampled."""
    return [hours + quarter * 15 * MINUTE + 15 * MINUTE // 2 for quarter in range(4)]
