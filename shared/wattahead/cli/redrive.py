"""`wattahead redrive`: start anew what the deployed system lost: dead letters and failed executions."""

import argparse
import sys
import time

from wattahead.control.redrive import redrive
from wattahead.control.stack import find_stack, stack_name, told


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what `redrive` takes."""
    parser.add_argument("--stack", default=stack_name(), metavar="NAME", help="default: $WATTAHEAD_STACK, or wattahead")
    parser.add_argument("--dry-run", action="store_true", help="only say what would be started")


def run(arguments: argparse.Namespace) -> int:
    """Start what was lost and say so, a line each; 1 when something could not be started."""
    well, count = True, 0
    with told():
        for did in redrive(find_stack(arguments.stack), now=time.time_ns() // 1000, dry_run=arguments.dry_run):
            sys.stdout.write(f"{did.said}\n")
            well, count = well and did.well, count + 1
    if not count:
        sys.stdout.write("nothing to redrive: no dead letters, no failed executions in 7 days\n")
    return 0 if well else 1
