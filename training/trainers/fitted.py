"""What a trainer gives back: the files of a bundle and what they were made of."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Fitted:
    """Files of a bundle before its manifest, the features they need in order, and the facts of the fit."""

    kind: str
    features: tuple[str, ...]
    files: Mapping[str, bytes]
    facts: Mapping[str, Any]
