"""`wattahead backfill`: a range of past hours through the deployed handlers, here or in the deployed system."""

import argparse
import sys
import time

from wattahead.cli.children import run_module
from wattahead.domain.errors import Refused
from wattahead.domain.hours import duration, instant

STARTED = "started"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what `backfill` takes."""
    parser.add_argument(
        "--from", dest="first", required=True, metavar="TIME", help="first issue time, 2021-01-02T00:00Z"
    )
    parser.add_argument("--to", dest="last", required=True, metavar="TIME", help="last issue time, included")
    parser.add_argument("--every", default="PT1H", help="between issue times: PT1H, PT24H")
    parser.add_argument(
        "--run", default="", help="name of a backfill, whose rows stand in a root of their own (default: live)"
    )
    parser.add_argument(
        "--stack", default="", metavar="NAME", help="run it in this deployed stack (default: on this machine)"
    )


def run(arguments: argparse.Namespace) -> int:
    """Run the hours in a child process, or start them in a deployed stack."""
    if instant(arguments.first) > instant(arguments.last):
        raise Refused("E_CONFIG", f"--from {arguments.first} is later than --to {arguments.last}", fix="swap them")
    if arguments.stack:
        return _deployed(arguments)
    asked = ["--from", arguments.first, "--to", arguments.last, "--every", arguments.every, "--run", arguments.run]
    return run_module("infra.local", asked, WATTAHEAD_BUCKET=arguments.bucket)


def _deployed(arguments: argparse.Namespace) -> int:
    """Start executions of the hour machine; what was started before is left alone and said."""
    from wattahead.control.backfill import chunks, run_chunks  # noqa: PLC0415 - boto3 only where it is asked for
    from wattahead.control.stack import find_stack, told  # noqa: PLC0415

    times = (instant(arguments.first), instant(arguments.last), duration(arguments.every))
    wanted = chunks(*times, arguments.run, now=time.time_ns() // 1000)
    with told():
        machine = find_stack(arguments.stack).output("HourMachine")
        for chunk, found in run_chunks(machine, wanted):
            said = STARTED if found == STARTED else f"already started, {found}"
            sys.stdout.write(f"{chunk.name}: {said}, {len(chunk.issue_times)} hours\n")
            sys.stdout.flush()
    sys.stdout.write(f"follow it with: wattahead status --stack {arguments.stack}\n")
    return 0
