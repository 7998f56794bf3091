"""Things that are known by name: ours, and those that other packages bring by entry points."""

from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from importlib.metadata import entry_points
from typing import Any

from wattahead.domain.errors import Refused


@dataclass(frozen=True)
class Plugins:
    """One kind of thing, such as trainers."""

    what: str  # as a sentence names it
    group: str  # of entry points: name = "package.module", or "package.module:object"
    ours: Mapping[str, str]  # name -> module

    def known(self) -> list[str]:
        """Return the names of all of them, ours first."""
        return [*self.ours, *sorted({point.name for point in entry_points(group=self.group)} - set(self.ours))]

    def load(self, name: str) -> Any:  # noqa: ANN401 - its kind says what it is
        """Return the one called `name`; only its own module is imported. An unknown one raises `E_CONFIG`."""
        if name in self.ours:
            return import_module(self.ours[name])
        for point in entry_points(group=self.group):
            if point.name == name:
                return point.load()
        raise Refused("E_CONFIG", f"there is no {self.what} {name!r}", fix=f"use one of {', '.join(self.known())}")
