"""Errors a user meets: a stable code, the fact, and the next step."""

from functools import partial
from typing import Final

CODES: Final[dict[str, str]] = {
    # files and columns
    "E_FEAT_MISSING": "an object or file that is needed is not there",
    "E_FEAT_EMPTY_FILE": "a file of 0 bytes",
    "E_FEAT_NO_ROWS": "a readable file without rows",
    "E_FEAT_FORMAT": "a file that is not of the format its name or mapping says",
    "E_FEAT_CORRUPT": "a file that is cut off or cannot be decoded",
    "E_FEAT_CHECKSUM": "a page of a parquet file does not match its checksum",
    "E_FEAT_TOO_MANY_ROWS": "more rows than the limit (a decompression bomb, or the wrong file)",
    "E_FEAT_TOO_BIG": "more bytes than the limit, refused before reading",
    "E_FEAT_TOO_MANY_COLUMNS": "more columns than the limit",
    "E_FEAT_COLUMN_MISSING": "a required column is missing",
    "E_FEAT_COLUMN_DUP": "a column name stands twice",
    "E_FEAT_DTYPE": "a column has a type that is not cast silently",
    "E_FEAT_NAN": "too large a share of a column or row is missing",
    "E_FEAT_INF": "an infinite value",
    "E_FEAT_RANGE": "a value outside the physical range of its column; often a wrong unit",
    # time
    "E_TIME_NAIVE": "a time without a time zone",
    "E_TIME_CONFLICT": "two different values for one series, valid time and available_at",
    "E_TIME_GAP": "a gap longer than the limit",
    "E_TIME_STEP": "time stamps that are not on the stated resolution",
    "E_TIME_FUTURE": "a value for a time that is not over yet",
    "E_TIME_RANGE": "a time outside 1970 to 2200",
    "E_HORIZON_SHORT": "fewer valid times than the horizon needs",
    # places and capacity
    "E_GRID_LOCATION": "a latitude or longitude outside its range, perhaps swapped",
    "E_ZONE_MISMATCH": "a zone that the mapping or key does not name",
    "E_CAPACITY": "a capacity that is missing, zero or negative",
    # names and keys
    "E_NAME": "a name that cannot be part of an object key",
    "E_KEY": "an object key that was not built from validated names",
    # events
    "E_EVENT_SHAPE": "an event that is not of a known form",
    "E_EVENT_ALIGN": "an issue time that is not on the hour",
    "E_EVENT_FUTURE": "an issue time more than 5 minutes ahead of the clock",
    "E_BATCH_UNKNOWN": "a batch that the plan does not hold",
    "E_PLAN_MISSING": "an hour without a plan",
    # bundles
    "E_BUNDLE_HASH": "bytes of a bundle that do not match their hash",
    "E_BUNDLE_FILES": "a file of a bundle is missing or not listed",
    "E_BUNDLE_PATH": "a file name in a manifest that leaves the bundle",
    "E_BUNDLE_FORMAT": "a file format that is never loaded",
    "E_BUNDLE_FEATURES": "a bundle asks for features that are not there",
    "E_BUNDLE_VERSION": "a manifest or file newer than this runtime",
    "E_BUNDLE_PROOF": "a bundle did not reproduce its golden samples in a child process",
    # configuration
    "E_CONFIG": "a configuration file or setting that does not hold",
    "E_CATALOG_EMPTY": "no catalog in the bucket",
    # storage
    "E_S3_DENIED": "the storage refused the action; never retried",
    "E_STORAGE": "the storage did not answer; may pass",
    "E_RACE": "somebody else wrote the next entry first",
    # training
    "E_TRAIN_ROWS": "too little history to train on",
}


class WattaheadError(Exception):
    """A fact and the next step, under a stable code."""

    def __init__(self, code: str, fact: str, *, fix: str) -> None:
        if code not in CODES:
            raise KeyError(code)
        super().__init__(f"{code}: {fact}. Fix: {fix}.")
        self.code = code
        self.fact = fact
        self.fix = fix

    def __reduce__(self) -> tuple[object, tuple[str, str]]:
        # Worker processes hand errors back pickled, and the sentence alone builds none.
        return partial(type(self), fix=self.fix), (self.code, self.fact)


class Refused(WattaheadError):
    """Permanent: the same input is refused again, so fall back or mend it."""


class Transient(WattaheadError):
    """May pass: raise it and let the caller retry; never fall back on it before the last attempt."""


class Damaged(Refused):
    """Bytes that fail their hash or do not decode; read again before it counts as permanent."""


class LostRace(WattaheadError):
    """Somebody else wrote the entry first: read again and decide again."""
