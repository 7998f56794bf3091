"""`wattahead status`: whether the deployed system is well, on one screen."""

import argparse
import time
from collections.abc import Iterator

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from wattahead.control.executions import Failure, subject
from wattahead.control.stack import find_stack, stack_name, told
from wattahead.control.status import LOOK_BACK, OLD, RINGS, Status, look
from wattahead.domain.hours import DAY, MINUTE, iso

COLOURS = {0: "green", 1: "red", 2: "yellow"}
LONGEST_CAUSE = 200


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what `status` takes."""
    parser.add_argument("--stack", default=stack_name(), metavar="NAME", help="default: $WATTAHEAD_STACK, or wattahead")


def run(arguments: argparse.Namespace) -> int:
    """Print the status; 0 well, 1 something failed or rings, 2 the newest forecast is older than 90 minutes."""
    with told():
        found = look(find_stack(arguments.stack), now=time.time_ns() // 1000)
    console = Console(highlight=False)
    console.print(f"[bold]{escape(arguments.stack)}[/] at {iso(found.now)}")
    console.print(table(found))
    if any(found.failed.values()) or found.dead_letters:
        console.print(f"run again what was lost: wattahead redrive --stack {arguments.stack}", markup=False)
    return found.exit_code


def table(found: Status) -> Table:
    """Return the status as a label and a value a line."""
    made = Table(box=None, show_header=False, pad_edge=False)
    made.add_column(style="dim", no_wrap=True)
    made.add_column(overflow="fold")
    for label, value in _lines(found):
        made.add_row(label, value)
    return made


def _lines(found: Status) -> Iterator[tuple[str, str]]:
    yield from ((f"alarm {escape(alarm.name)}", _coloured(
        f"{alarm.state} {alarm.reason}", 1 if alarm.state == RINGS else 2)) for alarm in found.alarms)  # fmt: skip
    if not found.alarms:
        yield "alarms", _coloured("all OK", 0)
    for machine, counts in found.executions.items():
        told_of = ", ".join(f"{count} {state.lower()}" for state, count in sorted(counts.items()))
        yield f"{machine}, 24 h", told_of or "none started"
        yield from (("", _coloured(_failure(one), 1)) for one in found.failed[machine])
    yield "dead letters", _coloured(str(found.dead_letters), 1 if found.dead_letters else 0)
    yield "newest forecast", _coloured(_newest(found), OLD if found.stale else 0)


def _failure(failure: Failure) -> str:
    execution = failure.execution
    return f"{execution.status.lower()} {execution.name}, {subject(failure.text)}: {failure.cause[:LONGEST_CAUSE]}"


def _newest(found: Status) -> str:
    if found.newest is None or found.age is None:
        return f"none in {LOOK_BACK // DAY} days"
    return f"{iso(found.newest)}, {found.age // MINUTE} minutes old"


def _coloured(text: str, code: int) -> str:
    return f"[{COLOURS[code]}]{escape(text)}[/]"
