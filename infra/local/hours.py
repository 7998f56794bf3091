"""The local cloud: calls the handlers in the order the deployed hour does, in this process, with the same events."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from functions.features import app as features
from functions.finish import app as finish
from functions.plan import app as plan
from functions.score import app as score
from wattahead.domain.errors import Refused, Transient
from wattahead.domain.hours import iso

RETRIES = 2

Handler = Callable[[dict[str, Any], object], dict[str, object]]


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


def run_hour(event: dict[str, Any]) -> dict[str, object]:
    """Plan, build features, score and finish one hour; return the last answer with the score's beside it."""
    call("plan", plan.handler, event)
    call("features", features.handler, event)
    scored = call("score", score.handler, event)
    finished = call("finish", finish.handler, event)
    return {**finished, "rows": scored["rows"], "score": scored["outcome"]}


def call(name: str, handler: Handler, event: dict[str, Any]) -> dict[str, object]:
    """Call one handler; retry transient faults, then once more with `final_attempt`, as the state machine will."""
    for _ in range(RETRIES):
        try:
            return handler(event, Context(name))
        except Transient:
            continue
    return handler({**event, "final_attempt": True}, Context(name))


def hours(first: int, last: int, every: int, run: str) -> Iterator[dict[str, Any]]:
    """Yield the events of the issue times from `first` to `last` [µs]; a named `run` is a backfill."""
    if every <= 0:
        raise Refused("E_CONFIG", "no time between issue times", fix="use --every PT1H or more")
    about = {"run_kind": "backfill", "run": run} if run else {}
    for at in range(first, last + 1, every):
        yield {"issue_time": iso(at), **about}
