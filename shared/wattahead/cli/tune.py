"""`wattahead tune`: search a trainer's parameters for one pool, as a child process."""

import argparse
from typing import Final

from wattahead.cli.children import run_module

PASSED_ON: Final = ("bucket", "trials", "sampler", "strategy", "seed", "timeout", "trainer", "until", "study")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what `tune` takes."""
    parser.add_argument("pool", help="a pool of the catalog")
    parser.add_argument("--trials", default="20", metavar="N", help="in all, those of earlier calls included")
    parser.add_argument("--sampler", default="bayesian", choices=("bayesian", "grid", "random"))
    parser.add_argument(
        "--strategy", default="out_of_time", choices=("out_of_time", "k_fold"), help="what is held back of the samples"
    )
    parser.add_argument("--seed", default="1", help="the same seed gives the same trials")
    parser.add_argument("--timeout", default="", metavar="DURATION", help="end after this long, such as PT2H")
    parser.add_argument("--trainer", default="", metavar="NAME", help="this trainer, not the one in the catalog")
    parser.add_argument("--until", default="", metavar="TIME", help="use only what was known before this time")
    parser.add_argument("--study", default="", metavar="NAME", help="go on with this search, or begin one of this name")


def run(arguments: argparse.Namespace) -> int:
    """Search in a child process."""
    asked = vars(arguments)
    return run_module(
        "training.tune", [arguments.pool, *(word for name in PASSED_ON for word in (f"--{name}", asked[name]))]
    )
