"""Whether the deployed system is well: alarms, executions, dead letters, and the age of the newest forecast."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from wattahead.control.executions import SUCCEEDED, Failure, failures, listed
from wattahead.control.stack import Stack, client, share_credentials
from wattahead.domain.hours import DAY, MINUTE, date_of, instant
from wattahead.storage import keys
from wattahead.storage.objects import Bucket, open_bucket

RINGS: Final = "ALARM"
ALARMS: Final = (  # of infra/watching.yaml and, where grids are deployed, infra/grid.yaml; behind the stack's name
    "no-fresh-forecast",
    "hour-failed",
    "rows-without-forecast",
    "training-failed",
    "champion-stale",
    "dead-letters",
    "throttled",
    "grid-failed",
)
STALE: Final = 90 * MINUTE
LOOK_BACK: Final = 8 * DAY  # forecasts older than this are not looked for
SICK, OLD = 1, 2


@dataclass(frozen=True)
class Alarm:
    """An alarm that is not OK: it rings, or has no data."""

    name: str
    state: str
    reason: str


@dataclass(frozen=True)
class Status:
    """What was found. Times in µs since 1970; executions and failures of the last 24 hours, by machine."""

    now: int
    alarms: tuple[Alarm, ...]
    executions: Mapping[str, Mapping[str, int]]
    failed: Mapping[str, tuple[Failure, ...]]  # without what has succeeded since with the same input
    dead_letters: int
    newest: int | None  # newest issue time of the bucket; None when there is none in 8 days

    @property
    def age(self) -> int | None:
        """Age of the newest forecast [µs]."""
        return None if self.newest is None else self.now - self.newest

    @property
    def stale(self) -> bool:
        """Whether there is no forecast of the last 90 minutes."""
        return self.age is None or self.age > STALE

    @property
    def exit_code(self) -> int:
        """0 well; 1 an alarm rings, an execution failed or a letter is dead; 2 only the forecast is too old."""
        rings = any(alarm.state == RINGS for alarm in self.alarms)
        if rings or any(self.failed.values()) or self.dead_letters:
            return SICK
        return OLD if self.stale else 0


def look(stack: Stack, *, now: int) -> Status:
    """Return the status of a stack at `now` [µs]."""
    runs = {label: listed(machine, now - DAY) for label, machine in stack.machines.items()}
    failed = {
        label: tuple(one for one in failures(found) if SUCCEEDED not in one.since) for label, found in runs.items()
    }
    share_credentials()
    return Status(
        now,
        _alarms(stack.name),
        {label: Counter(one.status for one in found) for label, found in runs.items()},
        failed,
        _depth(stack.output("DeadLetters")),
        newest_forecast(open_bucket(stack.output("Bucket")), now),
    )


def newest_forecast(bucket: Bucket, now: int) -> int | None:
    """Return the newest issue time of live forecasts [µs]: one LIST of one day where the system is well."""
    root = keys.table("forecast", "live", "")
    for day in (now, now - DAY):
        found = bucket.keys(f"{root}/issue_date={date_of(day)}")
        if found:
            return _issue_time(found[-1])
    older = bucket.keys(root, after=f"{root}/issue_date={date_of(now - LOOK_BACK)}")
    return _issue_time(older[-1]) if older else None


def _issue_time(key: str) -> int:
    parts = dict(part.split("=", 1) for part in key.split("/") if "=" in part)
    return instant(f"{parts['issue_date']}T{parts['issue_hour']}:00Z")


def _alarms(stack: str) -> tuple[Alarm, ...]:
    # By their whole names: `wattahead-` is also how the alarms of a stack called wattahead-staging begin.
    found = client("cloudwatch").describe_alarms(AlarmNames=[f"{stack}-{name}" for name in ALARMS])["MetricAlarms"]
    named = [Alarm(alarm["AlarmName"], alarm["StateValue"], alarm.get("StateReason", "")) for alarm in found]
    return tuple(sorted((alarm for alarm in named if alarm.state != "OK"), key=lambda alarm: (alarm.state, alarm.name)))


def _depth(queue: str) -> int:
    wanted = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
    found = client("sqs").get_queue_attributes(QueueUrl=queue, AttributeNames=wanted)["Attributes"]
    return sum(int(found.get(name, 0)) for name in wanted)
