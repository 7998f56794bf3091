"""Copies of days: one object with the rows of many parts, so that a reader asks for few objects.

A copy names the part of each of its rows, and its key says which days it is of. Parts are never taken away, so a copy
never becomes wrong; at worst it lacks the parts that came after it, and those are read themselves.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Final

from wattahead.domain.hours import DAY, instant

PART: Final = "_part"  # column of a copy: the key of the part a row is from; no variable may have such a name
OVERHANG: Final = 4  # a copy that reaches beyond the days asked for may have at most one in so many days of theirs

_KEY = re.compile(r".+/month=(\d{4}-\d{2})/days=(\d\d)-(\d\d)/(\d+)-(\d+)-[0-9a-f]+\.parquet", re.ASCII)

Span = tuple[int, int]  # first and last day, counted from 1970-01-01


@dataclass(frozen=True)
class Copy:
    """One copy, as its key describes it."""

    key: str
    first: int  # day, counted from 1970-01-01
    last: int
    parts: int
    rows: int

    @property
    def days(self) -> int:
        """How many days it spans."""
        return self.last - self.first + 1


@dataclass(frozen=True)
class Days:
    """What a bucket holds of the days of one root from `first` to `last`: keys, and no row."""

    first: int
    last: int
    parts: Mapping[int, list[str]]  # day -> keys
    copies: Mapping[Span, Copy]  # the best one of each span
    months: tuple[str, ...] = ()  # what imports wrote, with no parts behind it

    @property
    def chosen(self) -> list[Copy]:
        """The copies to read: no two of the same day, the longest first."""
        taken: list[Copy] = []
        for copy in sorted(filter(self._fits, self.copies.values()), key=lambda copy: (-copy.days, copy.first)):
            if all(copy.last < other.first or other.last < copy.first for other in taken):
                taken.append(copy)
        return taken

    @property
    def reads(self) -> int:
        """How many objects a reader of just these days asks for, month objects left out."""
        copies = [copy for copy in self.chosen if self.first <= copy.first and copy.last <= self.last]
        return len(copies) + sum(map(len, self.parts.values())) - sum(copy.parts for copy in copies)

    def within(self, first: int, last: int) -> "Days":
        """Return the same for some of the days; month objects are left out."""
        parts = {day: self.parts[day] for day in range(first, last + 1) if day in self.parts}
        inside = {span: copy for span, copy in self.copies.items() if first <= copy.first and copy.last <= last}
        return Days(first, last, parts, inside)

    def _fits(self, copy: Copy) -> bool:
        if self.first <= copy.first and copy.last <= self.last:
            return True
        meets = copy.first <= self.last and self.first <= copy.last
        return meets and copy.days * OVERHANG <= self.last - self.first + 1


def copy_of(key: str) -> Copy | None:
    """Return the copy that `key` stands for; None for any other object of the history."""
    match = _KEY.fullmatch(key)
    if match is None:
        return None
    month, first, last, parts, rows = match.groups()
    return Copy(key, day_of(f"{month}-{first}"), day_of(f"{month}-{last}"), int(parts), int(rows))


def newest(copies: Iterable[Copy]) -> dict[Span, Copy]:
    """Return the copy with most parts of each span: parts are only added, so it was made last."""
    best = sorted(copies, key=lambda copy: (copy.parts, copy.key))
    return {(copy.first, copy.last): copy for copy in best}


@cache
def day_of(date: str) -> int:
    """Return the number of a UTC date such as `2021-01-02`, counted from 1970-01-01."""
    return instant(f"{date}T00:00Z") // DAY
