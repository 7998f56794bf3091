"""What was found wrong with a source: refused series with their code and sentence, and warnings for the report."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from wattahead.domain.errors import WattaheadError

_NAMED = 5


@dataclass(frozen=True)
class Refusal:
    """A series, zone or file that was left out, and why."""

    series: str
    code: str
    sentence: str

    @classmethod
    def of(cls, series: object, error: WattaheadError) -> "Refusal":
        """Return the refusal that `error` explains; the name is shown in ASCII, whatever it holds."""
        return cls(shown(series), error.code, str(error))


@dataclass
class Findings:
    """Refusals and warnings, collected while the other series go on."""

    refused: list[Refusal] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)

    def refuse(self, series: object, error: WattaheadError) -> None:
        """Add a refusal."""
        self.refused.append(Refusal.of(series, error))

    def warn(self, code: str, about: str, fact: str) -> None:
        """Add one line of the report, `W_CODE about: fact`."""
        self.warnings.append(f"{code} {about}: {fact}")


def shown(name: object) -> str:
    """Return `name` so that control characters and look-alikes cannot hide in a report."""
    return ascii(name)[1:-1][:80] if isinstance(name, str) else ascii(name)[:80]


def counted(counts: Iterable[tuple[str, int]]) -> str:
    """Write counts per zone, largest first, the first few by name."""
    order = sorted(counts, key=lambda item: (-item[1], item[0]))
    named = ", ".join(f"{shown(zone)} {count}" for zone, count in order[:_NAMED])
    return named + (f" and {len(order) - _NAMED} more" if len(order) > _NAMED else "")
