"""`python -m training grid …`: one command a module; each adds its arguments and runs."""

import argparse
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from importlib import import_module
from typing import Final

from rich.console import Console

from training.parsing import INTERRUPTED, Parser, code_of
from training.stopping import CODE, Stop, Stopped
from wattahead.domain.errors import Refused, WattaheadError

PROGRAM: Final = "python -m training grid"
COMMANDS: Final = {  # name -> one line
    "describe": "write the network of an environment, and a catalog with a grid of it",
    "simulate": "simulate states of a grid under stress, and solve every action in each; or read them",
    "train": "train a pool of grids on simulated states and let the registry decide",
    "observe": "play a recorded course into the bucket, as states that were measured",
    "verify": "solve the screened actions of an hour exactly, and write them beside",
    "show": "draw how loading responds to actions",
}
EXIT_CODES: Final = """\
exit codes:
  0    done
  1    something that may pass, such as the storage
  2    the hour, or the earliest of --hours-back, has batches that are not scored yet (verify)
  64   the question was wrong, or the simulator is not installed
  130, 143  stopped; what was finished is kept, and the same command goes on behind it
"""
SIMULATORS: Final = frozenset({"grid2op", "lightsim2grid"})


def main(arguments: Sequence[str]) -> int:
    """Run one command; return one of the exit codes above."""
    console, stop = Console(stderr=True), Stop()
    chosen = next((word for word in arguments if word in COMMANDS), "")
    try:
        with stop.listening(), _simulator_or_refusal():
            asked = _parser(chosen).parse_args(arguments)
            return int(asked.call(asked, console, stop))
    except WattaheadError as error:
        plain(console, str(error), style="red")
        return code_of(error)
    except (Stopped, KeyboardInterrupt) as ended:
        plain(console, "stopped; the same command goes on behind what is finished", style="red")
        return CODE if isinstance(ended, Stopped) else INTERRUPTED


def plain(console: Console, said: str, style: str = "") -> None:
    """Print a sentence as it is."""
    console.print(said, style=style or None, markup=False, highlight=False, soft_wrap=True)


def telling(console: Console, name: str, stop: Stop) -> Callable[[str], None]:
    """Return the callback that says how far something is; it raises where the end was asked for."""

    def say(said: str) -> None:
        stop.check()
        plain(console, f"{name}: {said}")

    return say


@contextmanager
def _simulator_or_refusal() -> Iterator[None]:
    """Say what to install where a command needs the simulator and there is none."""
    try:
        yield
    except ModuleNotFoundError as error:
        if (error.name or "").split(".")[0] not in SIMULATORS:
            raise
        fact = f"this needs the simulator, and {error.name} is not installed"
        raise Refused("E_CONFIG", fact, fix="install wattahead[grid], in an environment of its own") from error


def _parser(command: str) -> argparse.ArgumentParser:
    """Return the command line. Only the module of the asked command is imported: the simulator takes seconds."""
    made = Parser(prog=PROGRAM, description="What every action would do in a grid.")
    commands = made.add_subparsers(required=True, metavar="COMMAND")
    form = argparse.RawDescriptionHelpFormatter
    for name, line in COMMANDS.items():
        one = commands.add_parser(name, help=line, description=line, epilog=EXIT_CODES, formatter_class=form)
        if name == command:
            module = import_module(f"training.grid.commands.{name}")
            module.add_arguments(one)
            one.set_defaults(call=module.run)
    return made


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
