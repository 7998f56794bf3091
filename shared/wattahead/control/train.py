"""Training in the deployed system: one execution of the training machine."""

import json
from collections.abc import Sequence

from wattahead.control.executions import start
from wattahead.control.stack import Stack
from wattahead.domain.hours import to_datetime
from wattahead.domain.names import checked


def train(stack: Stack, pools: Sequence[str], *, now: int) -> str:
    """Start training of `pools`, or of all pools when none is named; return the execution's name.

    The name holds the minute of `now` [µs], so that a second Enter trains nothing twice.
    """
    asked: dict[str, object] = {"pools": [checked("pool", pool) for pool in pools]} if pools else {"cadence": "nightly"}
    name = f"train-{to_datetime(now).strftime('%Y%m%dT%H%M')}"
    start(stack.output("TrainingMachine"), name, json.dumps(asked))
    return name
