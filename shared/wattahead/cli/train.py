"""`wattahead train`: trains in a child process on this machine, or starts the training of a deployed stack."""

import argparse
import sys
import time
from typing import Final

from wattahead.cli.children import run_module
from wattahead.domain.errors import Refused

PASSED_ON: Final = ("bucket", "pools", "zones", "keys", "subkeys", "trainer", "until", "seed", "validate")
HERE_ONLY: Final = ("zones", "keys", "subkeys", "trainer", "until", "validate")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what `train` takes; `python -m training --help` says more."""
    parser.add_argument("--pools", default="", help="comma-separated; all pools by default")
    parser.add_argument("--zones", default="", help="only pools that hold one of these; such a pool is trained whole")
    parser.add_argument("--keys", default="", help="only pools of these keys, such as production")
    parser.add_argument("--subkeys", default="", help="only pools of these subkeys, such as solar")
    parser.add_argument("--trainer", default="", metavar="NAME", help="this trainer, not the one in the catalog")
    parser.add_argument("--until", default="", metavar="TIME", help="use only what was known before this time")
    parser.add_argument("--seed", default="1")
    parser.add_argument(
        "--validate",
        default="",
        choices=("", "out_of_time", "k_fold", "leave_one_zone_out"),
        help="train nothing; print and save how good the trainer is on held-back days, weeks or zones",
    )
    parser.add_argument(
        "--stack", default="", metavar="NAME", help="train in this deployed stack (default: on this machine)"
    )


def run(arguments: argparse.Namespace) -> int:
    """Train in a child process, or start the training of a deployed stack."""
    if arguments.stack:
        return _deployed(arguments)
    asked = vars(arguments)
    return run_module("training", [word for name in PASSED_ON for word in (f"--{name}", asked[name])])


def _deployed(arguments: argparse.Namespace) -> int:
    if arguments.seed != "1" or any(vars(arguments)[name] for name in HERE_ONLY):
        words = ", ".join(f"--{name}" for name in HERE_ONLY)
        raise Refused("E_CONFIG", f"{words} and --seed do not reach a deployed stack", fix="use --pools")
    from wattahead.control.stack import find_stack, told  # noqa: PLC0415 - the training image holds no boto3
    from wattahead.control.train import train  # noqa: PLC0415

    pools = [pool.strip() for pool in arguments.pools.split(",") if pool.strip()]
    with told():
        name = train(find_stack(arguments.stack), pools, now=time.time_ns() // 1000)
    sys.stdout.write(f"{name}: started\nfollow it with: wattahead status --stack {arguments.stack}\n")
    return 0
