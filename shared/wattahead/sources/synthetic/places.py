"""Zones and their sites: a pure function of the seed and the zone's number."""

from dataclasses import dataclass
from typing import Final

import numpy as np

from wattahead.domain.errors import Refused
from wattahead.domain.series import SYNTHETIC
from wattahead.sources.synthetic.climate import CLIMATES, Climate
from wattahead.sources.synthetic.draws import Array, Draws
from wattahead.sources.synthetic.streams import SITES

MOST_ZONES: Final = 9_999  # four digits in the name
_FEWEST_SITES: Final = 3
_MOST_SITES: Final = 6
_SPREAD: Final = 1.5  # standard deviation of a site from the middle of its zone [degrees], about 150 km
_NEIGHBOUR: Final = 2.5  # how far zones of one centre lie apart at most [degrees]
_GOLDEN: Final = (0.754877666, 0.569840291)  # Roberts' R2 sequence: fills a square evenly from the first point on


@dataclass(frozen=True)
class Place:
    """A zone: its middle, and sites with a share of the installed capacity each; degrees north and east."""

    number: int
    climate: Climate
    middle: tuple[float, float]
    latitude: Array
    longitude: Array
    share: Array

    @property
    def name(self) -> str:
        """Name as the catalog knows it, `SY-0001` for number 0."""
        return f"{SYNTHETIC}{self.number + 1:04d}"

    @property
    def local_hours(self) -> int:
        """Whole hours that local time is ahead of UTC; the generator knows no daylight saving time."""
        return round(self.middle[1] / 15)

    @property
    def southern(self) -> bool:
        """Whether summer is in January."""
        return self.middle[0] < 0


def place(number: int, seed: int) -> Place:
    """Return zone `number`, the same whatever other zones there are."""
    climate = CLIMATES[number % len(CLIMATES)]
    turn, centre = divmod(number // len(CLIMATES), len(climate.centres))
    shift = [_NEIGHBOUR * 2 * ((turn * step + 0.5) % 1 - 0.5) for step in _GOLDEN]
    middle = (climate.centres[centre][0] + shift[0], climate.centres[centre][1] + shift[1])
    count = _FEWEST_SITES + number % (_MOST_SITES - _FEWEST_SITES + 1)
    drawn = Draws(seed, SITES, number).normals(first_day=0, days=1, per_day=3 * _MOST_SITES)
    drawn = drawn.reshape(3, _MOST_SITES)[:, :count]
    offset = np.clip(drawn[:2], -1.5, 1.5) * _SPREAD
    weight = np.exp(0.4 * drawn[2])
    return Place(number, climate, middle, middle[0] + offset[0], middle[1] + offset[1], weight / weight.sum())


def places(count: int, seed: int) -> list[Place]:
    """Return the first `count` zones."""
    if not 1 <= count <= MOST_ZONES:
        raise Refused("E_CONFIG", f"{count} zones were asked for", fix=f"ask for 1 to {MOST_ZONES}")
    return [place(number, seed) for number in range(count)]
