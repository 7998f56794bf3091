"""`wattahead backtest`: forecast many past hours with models trained as the calendar says, as a child process."""

import argparse
from typing import Final

from wattahead.cli.children import run_module

PASSED_ON: Final = {  # option -> attribute
    "--bucket": "bucket",
    "--from": "first",
    "--to": "last",
    "--issue-every": "every",
    "--retrain-every": "retrain",
    "--run": "run_name",
    "--window": "window",
    "--seed": "seed",
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what `backtest` takes."""
    parser.add_argument("pool", help="a pool of the catalog")
    parser.add_argument(
        "--from", dest="first", required=True, metavar="TIME", help="first issue time, 2021-01-02T00:00Z"
    )
    parser.add_argument("--to", dest="last", required=True, metavar="TIME", help="last issue time, included")
    parser.add_argument("--issue-every", dest="every", default="PT1H", help="between issue times: PT1H, PT24H")
    parser.add_argument(
        "--retrain-every", dest="retrain", default="P28D", help="P7D, P28D, P1M (the first of every month) or never"
    )
    parser.add_argument(
        "--run", dest="run_name", default="", metavar="NAME", help="name of the run (default: made from the question)"
    )
    parser.add_argument(
        "--window", default="", metavar="DURATION", help="learn from this much history (default: the catalog's)"
    )
    parser.add_argument("--seed", default="1")
    parser.add_argument("--no-once", action="store_true", help="predict equal rows again each time; the same rows")


def run(arguments: argparse.Namespace) -> int:
    """Run the backtest in a child process."""
    asked = [word for option, name in PASSED_ON.items() for word in (option, getattr(arguments, name))]
    return run_module("training.backtest", [arguments.pool, *asked, *(["--no-once"] if arguments.no_once else [])])
