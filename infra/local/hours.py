"""The local cloud: calls the handlers as the deployed state machine does, in this process, with the same events."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

from functions.features import app as features
from functions.finish import app as finish
from functions.ingest import app as ingest
from functions.plan import app as plan
from functions.score import app as score
from wattahead.domain.errors import Refused, Transient, WattaheadError
from wattahead.domain.hours import iso
from wattahead.jobs.hour import SEVERITY
from wattahead.jobs.settings import settings
from wattahead.storage.objects import Bucket, open_bucket

RETRIES = 2

Event = dict[str, Any]
Handler = Callable[[Event, object], dict[str, object]]


@dataclass(frozen=True)
class Context:
    """What Lambda tells a handler of its invocation, as far as Powertools reads it."""

    function_name: str
    memory_limit_in_mb: int = 1769
    aws_request_id: str = "local"

    @property
    def invoked_function_arn(self) -> str:
        """Return an ARN of the right form."""
        return f"arn:aws:lambda:local:000000000000:function:{self.function_name}"


def run_hour(event: Event) -> dict[str, object]:
    """Run one hour as the state machine does; return the answer of finish with what scoring came to beside it.

    Adds `rows` (written now), `score` (the worst outcome of its batches) and `errors` (sentences).
    """
    errors = [] if event.get("run") else ingested(event)
    planned = call("plan", plan.handler, event)
    if planned["outcome"] == "too_old":
        return {**planned, "rows": 0, "score": "too_old", "errors": errors}
    answers = [run_batch(item) for stage in planned["work"] for item in work_list(stage)]
    finished = call("finish", finish.handler, planned["event"])
    outcomes = [str(answer["outcome"]) for answer in answers]
    severity: list[str] = [*SEVERITY]
    return {
        **finished,
        "outcome": "failed" if errors else finished["outcome"],
        "rows": sum(int(str(answer["rows"])) for answer in answers),
        "score": min(outcomes, key=severity.index, default="duplicate"),
        "errors": errors + [str(answer["error"]) for answer in answers if "error" in answer],
    }


def ingested(event: Event) -> list[str]:
    """Ingest the inbox and return what went wrong: it keeps nobody from a forecast, and the hour fails at its end."""
    try:
        call("ingest", ingest.handler, event)
    except WattaheadError as error:
        return [f"ingest at {event}: {error}"]
    return []


def run_batch(item: Event) -> dict[str, object]:
    """Build the features of one batch and score it; what fails in it does not stop the others."""
    try:
        ready = call("features", features.handler, item)
        if ready["outcome"] == "waiting":
            return ready
        return scored(item)
    except WattaheadError as error:
        return {"outcome": "failed", "rows": 0, "error": f"{item['batch']} of {item['issue_time']}: {error}"}


def scored(item: Event) -> dict[str, object]:
    """Score a batch; only after a passing fault there is a last attempt, without native code."""
    try:
        return call("score", score.handler, item)
    except Transient:
        return call("score", score.handler, {**item, "final_attempt": True})


def call(name: str, handler: Handler, event: Event) -> dict[str, Any]:
    """Call one handler; a transient fault is tried again at once, because the storage has waited already."""
    for _ in range(RETRIES):
        try:
            return handler(event, Context(name))
        except Transient:
            continue
    return handler(event, Context(name))


def work_list(key: str) -> list[Event]:
    """Return the events of the batches that a plan handed out."""
    return _bucket(settings().bucket).read(key, json.loads)


@cache
def _bucket(url: str) -> Bucket:
    return open_bucket(url)


def hours(first: int, last: int, every: int, run: str) -> Iterator[Event]:
    """Yield the events of the issue times from `first` to `last` [µs]; a named `run` is a backfill."""
    if every <= 0:
        raise Refused("E_CONFIG", "no time between issue times", fix="use --every PT1H or more")
    about = {"run_kind": "backfill", "run": run} if run else {}
    for at in range(first, last + 1, every):
        yield {"issue_time": iso(at), **about}
