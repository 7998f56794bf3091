"""The clock of the local cloud: which hours, and when each of them begins."""

import math
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import count
from threading import Event
from typing import Final

from wattahead.domain.errors import Refused
from wattahead.domain.hours import DAY, HOUR, floor_hour, instant, iso

SLICE: Final = 30.0  # seconds of waiting in one piece: a laptop that slept finds the right hour when it wakes


@dataclass
class Clock:
    """Hours at the speed of real hours, so many times faster, or without any waiting."""

    speed: float  # hours an hour; infinite for no waiting
    stop: Event
    real: bool
    due: float = field(default_factory=time.monotonic)  # of the next tick, when accelerated

    @classmethod
    def of(cls, text: str, stop: Event) -> "Clock":
        """Return the clock that `--speed` asks for: real, max, or a factor."""
        if text in ("real", "max"):
            return cls(1.0 if text == "real" else math.inf, stop, text == "real")
        try:
            speed = float(text)
        except ValueError:
            speed = 0.0
        if not 0 < speed < math.inf:
            raise Refused("E_CONFIG", f"{text!r} is not a speed", fix="use --speed real, --speed max or --speed 60")
        return cls(speed, stop, real=False)

    def reached(self, at: int) -> bool:
        """Wait until the hour `at` [µs] is due; return False when stopped first."""
        if self.real:
            return self._until(lambda: at / 1e6 - time.time())
        due, self.due = self.due, self.due + HOUR / 1e6 / self.speed
        return self._until(lambda: due - time.monotonic())

    def _until(self, left: Callable[[], float]) -> bool:
        while not self.stop.is_set() and (seconds := left()) > 0:
            self.stop.wait(min(seconds, SLICE))
        return not self.stop.is_set()


def ticks(now: int, *, days: int, until: str, real: bool) -> Iterator[int]:
    """Return the hours to run [µs]: the last `days` days up to `until` or the present hour `now`, or from `now` on."""
    last = floor_hour(instant(until)) if until else now
    if days < 0 or (days and real):
        raise Refused("E_CONFIG", f"--days {days} at this speed", fix="replay with --speed max, or leave --days out")
    if days:
        return iter(range(last - days * DAY + HOUR, last + 1, HOUR))
    if until and last < now:
        raise Refused("E_CONFIG", f"--until {iso(last)} is over", fix="give a time to come, or replay with --days N")
    return iter(range(now, last + 1, HOUR)) if until else count(now, HOUR)
