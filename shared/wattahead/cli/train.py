"""`wattahead train`: trains in a child process on this machine, or starts the training of a deployed stack."""

import argparse
import sys
import time

from wattahead.cli.children import run_module
from wattahead.domain.errors import Refused


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what `train` takes; `python -m training --help` says more."""
    parser.add_argument("--pools", default="", help="comma-separated; all pools by default")
    parser.add_argument("--until", default="", metavar="TIME", help="use only what was known before this time")
    parser.add_argument("--seed", default="1")
    parser.add_argument(
        "--stack", default="", metavar="NAME", help="train in this deployed stack (default: on this machine)"
    )


def run(arguments: argparse.Namespace) -> int:
    """Train in a child process, or start the training of a deployed stack."""
    if arguments.stack:
        return _deployed(arguments)
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


def _deployed(arguments: argparse.Namespace) -> int:
    if arguments.until or arguments.seed != "1":
        raise Refused("E_CONFIG", "--until and --seed do not reach a deployed stack", fix="leave them out")
    from wattahead.control.stack import find_stack, told  # noqa: PLC0415 - the training image holds no boto3
    from wattahead.control.train import train  # noqa: PLC0415

    pools = [pool.strip() for pool in arguments.pools.split(",") if pool.strip()]
    with told():
        name = train(find_stack(arguments.stack), pools, now=time.time_ns() // 1000)
    sys.stdout.write(f"{name}: started\nfollow it with: wattahead status --stack {arguments.stack}\n")
    return 0
