"""Events as they arrive, from EventBridge, the state machine or a person, to the one form that jobs take."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from wattahead.domain.errors import Refused
from wattahead.domain.hours import floor_hour, instant
from wattahead.domain.names import checked
from wattahead.domain.plan import HourEvent, RunKind

Text = Annotated[str, Field(max_length=64)]


class _Event(BaseModel):
    """Exactly one of the three times is used, in this order. Other keys of EventBridge are ignored."""

    model_config = ConfigDict(strict=True, extra="ignore")

    issue_time: Text = ""  # must be on the hour
    scheduled_time: Text = ""  # EventBridge Scheduler's context attribute: floored to the hour
    time: Text = ""  # EventBridge's own event: floored to the hour
    run_kind: RunKind = "live"
    run: Text = ""
    batch: Text = ""
    final_attempt: bool = False
    looked_at: Text = ""


def hour_event(event: object) -> HourEvent:
    """Return the hour, and perhaps the batch, that an event asks for; anything unclear is refused with `E_EVENT_…`."""
    try:
        held = _Event.model_validate(event)
    except ValidationError as error:
        first = error.errors()[0]
        at = ".".join(str(part) for part in first["loc"]) or "the event"
        raise Refused(
            "E_EVENT_SHAPE", f"{at}: {first['msg']}", fix='send {"issue_time": "2021-01-02T00:00Z"}'
        ) from error
    if held.run:
        checked("run", held.run)
    if held.batch:
        checked("batch", held.batch)
    looked_at = instant(held.looked_at) if held.looked_at else 0
    return HourEvent(_issue_time(held), held.run_kind, held.run, held.batch, held.final_attempt, looked_at)


def _issue_time(held: _Event) -> int:
    if held.issue_time:
        return instant(held.issue_time)
    moment = held.scheduled_time or held.time
    if not moment:
        raise Refused("E_EVENT_SHAPE", "the event names no time", fix='send {"issue_time": "2021-01-02T00:00Z"}')
    return floor_hour(instant(moment))
