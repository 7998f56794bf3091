"""`python -m infra.cost`: what a month costs at four sizes, and what binds. `--measure` measures the constants anew."""

import argparse
import platform
import sys
from typing import Final, TextIO

import pyarrow as pa
from rich.console import Console
from rich.table import Table as Shown

from infra.cost import measured
from infra.cost.measure import measure
from infra.cost.page import Table, tables

WIDTH: Final = 140


def main() -> int:
    """Print the tables."""
    asked = argparse.ArgumentParser(prog="python -m infra.cost", description=__doc__)
    asked.add_argument("--markdown", action="store_true", help="the tables of infra/COST.md")
    asked.add_argument("--measure", action="store_true", help="measure the constants on this machine first: 5 minutes")
    chosen = asked.parse_args()
    if chosen.measure:
        found = measure(lambda step: _told(step, sys.stderr))
        measured.write(found, f"{platform.machine()}, Python {platform.python_version()}, pyarrow {pa.__version__}")
        measured.measured.cache_clear()
    if chosen.markdown:
        _told("\n\n".join(table.markdown() for table in tables()), sys.stdout)
        return 0
    console = Console(width=WIDTH)
    for table in tables():
        console.print(_shown(table))
    return 0


def _told(text: str, to: TextIO) -> None:
    to.write(text + "\n")
    to.flush()


def _shown(table: Table) -> Shown:
    shown = Shown(title=table.title, title_justify="left")
    for number, name in enumerate(table.columns):
        shown.add_column(name, justify="right" if number else "left")
    for row in table.rows:
        shown.add_row(*(cell.replace("**", "") for cell in row))
    return shown


if __name__ == "__main__":
    sys.exit(main())
