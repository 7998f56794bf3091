"""Draw how loading responds to actions, from a set of simulated states."""

import argparse
from pathlib import Path

from rich.console import Console

from training.grid.commands import plain
from training.grid.commands.asking import add_bucket, add_environment, add_states, question
from training.grid.simulation.question import digest, ingredients
from training.grid.simulation.sampling import NONE, SHIFTS
from training.parsing import opened
from training.stopping import Stop


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add which set, which of its states, and where the picture goes."""
    add_environment(parser)
    add_states(parser)
    parser.add_argument("--shift", choices=tuple(SHIFTS), default=NONE)
    parser.add_argument("--state", type=int, default=None, metavar="N", help="default: where an action relieves most")
    parser.add_argument("--to", type=Path, required=True, metavar="FILE", help="a .png or .svg file")
    add_bucket(parser)


def run(asked: argparse.Namespace, console: Console, stop: Stop) -> int:
    """Draw the set, and print where the picture is."""
    from training.grid.report.show import show  # noqa: PLC0415 - matplotlib takes a second

    stop.check()
    name = digest(ingredients(question(asked, asked.shift)))
    to = show(opened(asked.bucket), name, asked.states, asked.to, asked.state)
    plain(console, f"picture: {to}")
    return 0
