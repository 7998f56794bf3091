"""Solve the screened actions of an hour exactly, and write them beside."""

import argparse
import json
import sys

from rich.console import Console

from training.grid.commands.asking import add_bucket, add_hour, hour, now
from training.parsing import opened
from training.stopping import Stop
from wattahead.domain.hours import HOUR

WAITING = 2


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add which hour of which bucket, and how many before it."""
    add_hour(parser)
    told = "verify so many earlier hours too: what was missed, or scored late"
    parser.add_argument("--hours-back", type=int, default=0, metavar="N", help=told)
    add_bucket(parser)


def run(asked: argparse.Namespace, console: Console, stop: Stop) -> int:  # noqa: ARG001 - the commands' common form
    """Verify, and print the answers as the functions do, an hour a line. Tell by the exit code who will not be back.

    The run of the next hour looks at all of these hours again but the earliest: only that one may not wait.
    """
    from training.grid.verify import verify_back  # noqa: PLC0415 - the simulator takes seconds

    stop.check()
    event = hour(asked)
    answers = verify_back(opened(asked.bucket), event, asked.hours_back, now=now())
    for answer in answers:
        sys.stdout.write(json.dumps(answer.summary()) + "\n")
    earliest = event.issue_time - asked.hours_back * HOUR
    lost = any(answer.outcome == "waiting" and answer.event.issue_time == earliest for answer in answers)
    return WAITING if lost else 0
