"""When a backtest issues forecasts and when it trains, cut into the months that become objects."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from wattahead.domain.errors import Refused
from wattahead.domain.hours import HOUR, duration, iso, month_of

NEVER: Final = "never"
MONTHLY: Final = "P1M"

Instants = NDArray[np.int64]


@dataclass(frozen=True)
class Leg:
    """Issue times that one model serves; it knows only what was known before `until`, which is not after the first."""

    until: int  # [µs]
    issue_times: Instants  # (T) [µs]


@dataclass(frozen=True)
class Month:
    """The issue times of one calendar month, by the model that serves them."""

    legs: tuple[Leg, ...]

    @property
    def first(self) -> int:
        """The first issue time [µs]."""
        return int(self.legs[0].issue_times[0])

    @property
    def count(self) -> int:
        """How many issue times there are."""
        return sum(len(leg.issue_times) for leg in self.legs)

    @property
    def issue_times(self) -> Instants:
        """All issue times [µs]."""
        return np.concatenate([leg.issue_times for leg in self.legs])


def months(first: int, last: int, every: int, retrain: str) -> list[Month]:
    """Return the issue times from `first` to `last` [µs], both included, by month and by the model that serves them."""
    if every < HOUR or every % HOUR or first % HOUR or last < first:
        raise Refused(
            "E_CONFIG",
            f"there is no row of hours from {iso(first)} to {iso(last)} every {every // HOUR} h",
            fix="use whole hours, --issue-every PT1H or more, and --to behind --from",
        )
    times = np.arange(first, last + 1, every)
    trained = np.array(list(_trainings(first, last, retrain)))
    until = trained[np.searchsorted(trained, times, side="right") - 1]
    named = np.array([month_of(int(at)) for at in times])
    found = []
    for name in np.unique(named):
        inside = named == name
        legs = [Leg(int(at), times[inside & (until == at)]) for at in np.unique(until[inside])]
        found.append(Month(tuple(legs)))
    return found


def _trainings(first: int, last: int, retrain: str) -> Iterator[int]:
    """Yield the instants of training: the first issue time, then every period after it, or the first of every month."""
    yield first
    if retrain == MONTHLY:
        month = np.datetime64(month_of(first), "M") + 1
        while (at := int(month.astype("datetime64[us]").astype(np.int64))) <= last:
            yield at
            month += 1
    elif retrain != NEVER:
        period = duration(retrain)
        if period < HOUR or period % HOUR:
            raise Refused("E_CONFIG", f"{retrain} is no time between trainings", fix="use P7D, P28D, P1M or never")
        yield from range(first + period, last + 1, period)
