"""Solve the screened actions of an hour exactly, and write them beside."""

import argparse
import json
import sys

from rich.console import Console

from training.grid.commands.asking import add_bucket, add_hour, hour, now
from training.grid.verify import verify
from training.parsing import opened
from training.stopping import Stop

WAITING = 2


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add which hour of which bucket."""
    add_hour(parser)
    add_bucket(parser)


def run(asked: argparse.Namespace, console: Console, stop: Stop) -> int:  # noqa: ARG001 - the commands' common form
    """Verify, and print the answer as the functions do."""
    stop.check()
    answer = verify(opened(asked.bucket), hour(asked), now=now())
    sys.stdout.write(json.dumps(answer.summary()) + "\n")
    return WAITING if answer.outcome == "waiting" else 0
