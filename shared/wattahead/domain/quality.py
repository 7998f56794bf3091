"""Quality flags: why a row may be worth less than it looks. Bits of `quality_flags`."""

from enum import IntFlag


class Quality(IntFlag):
    """One bit per reason; 0 is a row with nothing to say about itself."""

    WEATHER_MISSING = 1  # some weather that the model knows was not there at issue time
    TARGET_STALE = 2  # the newest known value of the series is older than its publication delay allows
    TARGET_GAP = 4  # hours are missing in the last day of known values
    INPUTS_SPARSE = 8  # too many features missing for the model; it was not asked
    NO_SCALE = 16  # no positive value in the scaling window
    FALLBACK = 32  # not made by the champion
    NO_FORECAST = 64  # nothing could be predicted: null rows
    CLIPPED = 128  # a quantile was moved into the physical bounds
    NIGHT_ZEROED = 256  # solar power at night was set to zero
    REORDERED = 512  # quantiles crossed and were sorted
    DEADLINE_PASSED = 1024  # features were built without all required sources
    FINAL_ATTEMPT = 2048  # served after the last retry, without the native models
    INPUT_MISSING = 4096  # a forecast that the model reads, ours of another signal or somebody else's, was not there
    INPUT_STALE = 8192  # the newest known value of another signal that the model reads is older than its delay allows
    FLOWS_ESTIMATED = 16384  # flows before any action were estimated from the present ones, not solved


def names(flags: int) -> list[str]:
    """Return the flags of a row in words, lower case, lowest bit first."""
    return [flag.name.lower() for flag in Quality if flags & flag and flag.name]
