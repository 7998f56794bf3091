"""`wattahead up`: the local cloud, hour after hour, as a child process."""

import argparse
import signal
import sys

from wattahead.cli.children import run_module

TERMINATED = 143


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what `up` takes."""
    parser.add_argument("--days", type=int, default=0, metavar="N", help="replay the last N days, then end")
    parser.add_argument(
        "--speed", default="", help="max, real, or so many hours an hour (default: max with --days, else real)"
    )
    parser.add_argument("--until", default="", metavar="TIME", help="last hour (default: the present with --days)")
    where = parser.add_mutually_exclusive_group()
    where.add_argument("--to", default="", metavar="FOLDER", help="the bucket, as a folder (the same as --bucket)")
    where.add_argument("--s3", action="store_true", help="the bucket is an S3 server within this process (moto)")


def run(arguments: argparse.Namespace) -> int:
    """Run the local cloud in a child process until it ends, or Ctrl-C stops it."""
    asked = ["--bucket", arguments.to or arguments.bucket, "--days", str(arguments.days)]
    asked += ["--speed", arguments.speed, "--until", arguments.until, *(["--s3"] if arguments.s3 else [])]
    # The terminal sends Ctrl-C to both processes; this one only waits for the child's clean end. A plain kill of this
    # process ends the child too: every object is written once, so that leaves nothing half done.
    before = {number: signal.signal(number, act) for number, act in ((signal.SIGINT, _wait), (signal.SIGTERM, _end))}
    try:
        return run_module("infra.local.up", asked)
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _wait(_number: int, _frame: object) -> None:
    """Leave the stop to the child."""


def _end(_number: int, _frame: object) -> None:
    sys.exit(TERMINATED)
