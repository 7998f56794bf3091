"""`wattahead evaluate`: how good the forecasts of a run were, beside both baselines, as a child process."""

import argparse

from wattahead.cli.children import run_module


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what `evaluate` takes."""
    parser.add_argument("--run", default="", help="a backfill's name (default: the live forecasts)")
    parser.add_argument("--from", dest="first", default="", metavar="TIME", help="first issue time")
    parser.add_argument("--to", dest="last", default="", metavar="TIME", help="last issue time, included")
    parser.add_argument(
        "--external", default="", metavar="PROVIDER", help="put the forecasts of this provider beside ours"
    )
    parser.add_argument("--origin", default="", help="where the data comes from, printed beside every score")


def run(arguments: argparse.Namespace) -> int:
    """Evaluate in a child process."""
    asked = ["--bucket", arguments.bucket, "--run", arguments.run, "--from", arguments.first, "--to", arguments.last]
    return run_module("training.evaluate", [*asked, "--external", arguments.external, "--origin", arguments.origin])
