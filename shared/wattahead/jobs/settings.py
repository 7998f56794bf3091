"""The environment, read in one place, once per process."""

import os
import time
from dataclasses import dataclass
from functools import cache

from wattahead.domain.errors import Refused
from wattahead.domain.hours import instant


@dataclass(frozen=True)
class Settings:
    """What a deployment sets."""

    bucket: str  # WATTAHEAD_BUCKET: s3://bucket or a folder
    clock: str  # WATTAHEAD_CLOCK: a fixed time for tests and replays; empty in operation

    def now(self) -> int:
        """Return the clock [µs]: the only place that reads it."""
        return instant(self.clock) if self.clock else time.time_ns() // 1000


@cache
def settings() -> Settings:
    """Return the settings; a missing bucket ends the start of the process with one line."""
    bucket = os.environ.get("WATTAHEAD_BUCKET", "").strip()
    if not bucket:
        raise Refused("E_CONFIG", "WATTAHEAD_BUCKET is not set", fix="set it to s3://bucket or a folder")
    return Settings(bucket, os.environ.get("WATTAHEAD_CLOCK", "").strip())
