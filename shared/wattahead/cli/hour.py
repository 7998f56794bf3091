"""`wattahead hour`: plan, features, score and finish of one hour, by the deployed handlers, as a child process."""

import argparse

from wattahead.cli.children import run_module


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what `hour` takes."""
    parser.add_argument(
        "--issue-time", default="", metavar="TIME", help="2026-01-01T00:00Z (default: the hour that began last)"
    )


def run(arguments: argparse.Namespace) -> int:
    """Run the hour in a child process."""
    asked = ["--from", arguments.issue_time, "--to", arguments.issue_time] if arguments.issue_time else []
    return run_module("infra.local", asked, WATTAHEAD_BUCKET=arguments.bucket)
