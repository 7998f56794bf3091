"""`wattahead train`: hands over to the training container's entry point, as a child process."""

import argparse

from wattahead.cli.children import run_module


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what `train` takes; `python -m training --help` says more."""
    parser.add_argument("--pools", default="", help="comma-separated; all pools by default")
    parser.add_argument("--until", default="", metavar="TIME", help="use only what was known before this time")
    parser.add_argument("--seed", default="1")


def run(arguments: argparse.Namespace) -> int:
    """Train in a child process."""
    return run_module(
        "training",
        [
            "--bucket",
            arguments.bucket,
            "--pools",
            arguments.pools,
            "--until",
            arguments.until,
            "--seed",
            arguments.seed,
        ],
    )
