"""`wattahead backfill`: a range of past hours through the deployed handlers, under a run's own name."""

import argparse

from wattahead.cli.children import run_module


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


def run(arguments: argparse.Namespace) -> int:
    """Run the hours in a child process."""
    asked = ["--from", arguments.first, "--to", arguments.last, "--every", arguments.every, "--run", arguments.run]
    return run_module("infra.local", asked, WATTAHEAD_BUCKET=arguments.bucket)
