"""Instants as int64 microseconds since 1970-01-01T00Z, the unit parquet stores.

Arithmetic on integers is exact and vectorises; `datetime` appears only at the edges.
"""

import re
from datetime import UTC, datetime
from typing import Final

from wattahead.domain.errors import Refused

MINUTE: Final = 60_000_000
HOUR: Final = 60 * MINUTE
DAY: Final = 24 * HOUR
NEVER: Final = 2**62  # available_at of a value that does not exist

_DURATION = re.compile(r"P(?:(\d+)D)?(?:T(?=\d)(?:(\d+)H)?(?:(\d+)M)?)?", re.ASCII)


def instant(text: str) -> int:
    """Parse an ISO 8601 time with a zone, such as `2021-01-02T00:00Z` [µs]."""
    try:
        moment = datetime.fromisoformat(text if text.isprintable() else "")  # it would take a trailing NUL
        at = from_datetime(moment) if moment.tzinfo else 0
    except (ValueError, OverflowError) as error:
        raise Refused(
            "E_EVENT_SHAPE", f"{text!r} is not an ISO 8601 time", fix="write it as 2021-01-02T00:00Z"
        ) from error
    if moment.tzinfo is None:
        raise Refused("E_TIME_NAIVE", f"{text!r} has no time zone", fix="add Z for UTC, as in 2021-01-02T00:00Z")
    return at


def from_datetime(moment: datetime) -> int:
    """Return the instant of a time-zone aware `moment` [µs]."""
    since = moment.astimezone(UTC) - datetime(1970, 1, 1, tzinfo=UTC)
    return since.days * DAY + since.seconds * 1_000_000 + since.microseconds


def to_datetime(at: int) -> datetime:
    """Return the UTC `datetime` of an instant [µs]."""
    return datetime.fromtimestamp(at // 1_000_000, tz=UTC).replace(microsecond=at % 1_000_000)


def floor_hour(at: int) -> int:
    """Return the start of the UTC hour that `at` lies in."""
    return at - at % HOUR


def iso(at: int) -> str:
    """Write an instant as `2021-01-02T00:00Z`."""
    return to_datetime(at).strftime("%Y-%m-%dT%H:%MZ")


def date_of(at: int) -> str:
    """Return the UTC date of an instant, `2021-01-02`."""
    return to_datetime(at).strftime("%Y-%m-%d")


def month_of(at: int) -> str:
    """Return the UTC month of an instant, `2021-01`."""
    return to_datetime(at).strftime("%Y-%m")


def hour_of(at: int) -> str:
    """Return the UTC hour of an instant as two digits."""
    return to_datetime(at).strftime("%H")


def duration(text: str) -> int:
    """Parse an ISO 8601 duration of days, hours and minutes, such as `PT24H` [µs]."""
    match = _DURATION.fullmatch(text)
    if match is None or not any(match.groups()):
        raise Refused("E_CONFIG", f"{text!r} is not a duration", fix="write PT24H, PT15M or P28D")
    days, hours, minutes = (int(part or 0) for part in match.groups())
    return days * DAY + hours * HOUR + minutes * MINUTE
