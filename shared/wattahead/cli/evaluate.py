"""`wattahead evaluate`: how good the forecasts of a run were, beside both baselines, as a child process."""

import argparse

from wattahead.cli.children import run_module


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what `evaluate` takes."""
    parser.add_argument("--run", default="", help="name of a backfill or backtest (default: the live forecasts)")
    parser.add_argument(
        "--kind",
        default="",
        choices=("live", "backfill", "backtest", "shadow"),
        help="what the run is (default: backfill with --run, live without)",
    )
    parser.add_argument("--from", dest="first", default="", metavar="TIME", help="first issue time")
    parser.add_argument("--to", dest="last", default="", metavar="TIME", help="last issue time, included")
    parser.add_argument(
        "--external", default="", metavar="PROVIDER", help="put the forecasts of this provider beside ours"
    )
    parser.add_argument("--origin", default="", help="where the data comes from, printed beside every score")
    parser.add_argument("--report", action="store_true", help="write a page with plots to reports/ and say where it is")


def run(arguments: argparse.Namespace) -> int:
    """Evaluate in a child process."""
    asked = ["--bucket", arguments.bucket, "--run", arguments.run, "--kind", arguments.kind]
    asked += ["--from", arguments.first, "--to", arguments.last, "--external", arguments.external]
    asked += ["--origin", arguments.origin, *(["--report"] if arguments.report else [])]
    return run_module("training.evaluate", asked)
