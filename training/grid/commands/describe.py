"""Write the network of an environment as a file, and a catalog beside it."""

import argparse
from pathlib import Path

from rich.console import Console

from training.grid.commands import plain
from training.grid.commands.asking import add_environment
from training.stopping import Stop


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add which environment, and what its grids are called."""
    add_environment(parser)
    told = "comma-separated; each has states of its own"
    parser.add_argument("--grids", default="grid_one", metavar="NAMES", help=told)
    parser.add_argument("--to", type=Path, default=Path(), metavar="FOLDER")


def run(asked: argparse.Namespace, console: Console, stop: Stop) -> int:
    """Write both files and say where."""
    from training.grid.describe import describe, in_a_line  # noqa: PLC0415 - the simulator takes seconds

    stop.check()
    found = describe(asked.environment, asked.grids.split(","), asked.to, most_actions=asked.most_actions)
    plain(console, in_a_line(found))
    plain(console, f"written: {asked.to / f'{found.name}.json'}, {asked.to / 'catalog.toml'}")
    return 0
