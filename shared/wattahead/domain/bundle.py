"""What a model bundle says of itself: its manifest, and the rungs of a fallback ladder."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal

from wattahead.domain.errors import Refused
from wattahead.domain.names import checked

MANIFEST_VERSION: Final = 1
# The ladder: every workload has a champion, the one before it, and baselines of its own. 0 is best.
LEVELS: Final = {"champion": 0, "previous": 1, "seasonal_naive": 2, "linear_flows": 2, "climatology": 3}
NO_FORECAST_LEVEL: Final = 4


@dataclass(frozen=True)
class BundleFile:
    """One file of a bundle; nothing executable, nothing pickled."""

    path: str
    format: Literal["lightgbm", "json"]
    sha256: str
    bytes: int

    def __post_init__(self) -> None:
        try:
            checked("file", self.path)
        except Refused as error:
            raise Refused(
                "E_BUNDLE_PATH", f"file name {ascii(self.path)[:80]} leaves the bundle", fix="publish the bundle anew"
            ) from error


@dataclass(frozen=True)
class Output:
    """Unit, quantiles and bounds of what a bundle predicts."""

    unit: str
    quantiles: tuple[str, ...]
    lower: float | None
    upper_of_scale: float
    night_zero: bool


@dataclass(frozen=True)
class Golden:
    """Rows the bundle must reproduce: inputs by feature name, outputs by quantile, in units of the scale."""

    zones: tuple[str, ...]
    steps: int
    inputs: Mapping[str, tuple[float | None, ...]]
    outputs: Mapping[str, tuple[float, ...]]
    tolerance: float


@dataclass(frozen=True)
class Manifest:
    """Everything a runtime needs to know before it opens a file of the bundle."""

    manifest_version: int
    workload: str
    pool: str
    kind: str
    features: tuple[str, ...]
    max_missing: float  # a series whose rows miss a larger share of the features is not predicted
    output: Output
    files: tuple[BundleFile, ...]
    training: Mapping[str, Any] = field(default_factory=dict)
    evaluation: Mapping[str, Any] = field(default_factory=dict)
    golden: Golden | None = None

    def __post_init__(self) -> None:
        if self.manifest_version > MANIFEST_VERSION:
            raise Refused(
                "E_BUNDLE_VERSION",
                f"manifest version {self.manifest_version} is newer than {MANIFEST_VERSION}",
                fix="upgrade wattahead",
            )
        checked("pool", self.pool)
        for name in self.features:
            checked("column", name)


@dataclass(frozen=True)
class Runtime:
    """What a proof holds for: native code of these versions on this architecture."""

    lightgbm: str
    numpy: str
    machine: str


@dataclass(frozen=True)
class Rung:
    """One step of the ladder: a bundle, and where it was proved."""

    role: str
    bundle_id: str  # SHA-256 of the manifest's bytes, which hold the hash of every file
    kind: str
    features: tuple[str, ...]
    proved_on: Runtime | None = None

    @property
    def level(self) -> int:
        """Position on the ladder; 0 is the champion."""
        return LEVELS[self.role]


@dataclass(frozen=True)
class RegistryEntry:
    """The whole state of a pool's registry after one decision."""

    pool: str
    sequence: int
    decided_against: int  # the entry this decision was made on; 0 for the first
    effective_from: int  # [µs] plans of issue times before it do not see this entry
    reason: str
    decided_by: str  # unique to the decision, so that a lost response can be told from a lost race
    rungs: tuple[Rung, ...]
    challenger: Rung | None = None

    def rung(self, role: str) -> Rung | None:
        """Return the rung of `role`, if it is held."""
        return next((rung for rung in self.rungs if rung.role == role), None)
