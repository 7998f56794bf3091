"""What is scored: one series, named `zone/key/subkey`."""

from dataclasses import dataclass

from wattahead.domain.errors import Refused
from wattahead.domain.names import checked

SYNTHETIC = "SY-"  # generated zones are named so, and every score of one says so


def origin(zone: str) -> str:
    """Return `synthetic` for a generated zone, to stand beside its scores, and nothing for any other."""
    return "synthetic" if zone.startswith(SYNTHETIC) else ""


@dataclass(frozen=True, order=True)
class Series:
    """A zone's signal, such as `US-CAL-CISO/production/solar`."""

    zone: str
    key: str
    subkey: str

    def __post_init__(self) -> None:
        checked("zone", self.zone)
        checked("key", self.key)
        checked("subkey", self.subkey)

    def __str__(self) -> str:
        return f"{self.zone}/{self.key}/{self.subkey}"

    @classmethod
    def parse(cls, text: str) -> "Series":
        """Return the series that `zone/key/subkey` names."""
        parts = text.split("/")
        if len(parts) != 3:  # noqa: PLR2004 - zone, key and subkey
            raise Refused(
                "E_NAME",
                f"series {ascii(text)[:80]} is not zone/key/subkey",
                fix="write it as US-CAL-CISO/production/solar",
            )
        return cls(*parts)
