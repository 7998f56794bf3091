"""`wattahead`: one command a module; each adds its arguments and runs."""

import argparse
import os
import sys
from importlib import import_module
from typing import NoReturn

from wattahead.domain.errors import Refused, WattaheadError

COMMANDS = {  # name -> (module, one line)
    "synthetic": ("synthetic", "write a folder of generated zones"),
    "catalog": ("catalog", "publish a catalog, or print the newest one"),
    "ingest": ("ingest", "turn somebody's parquet or CSV into actuals and weather"),
    "train": ("train", "train pools and let the registry decide"),
    "tune": ("tune", "search a trainer's parameters, trial by trial"),
    "up": ("up", "run the whole system on this machine, hour by hour, until stopped"),
    "hour": ("hour", "run one hour through the handlers, on this machine"),
    "backfill": ("backfill", "run a range of hours through the handlers, live or as a named run"),
    "forecast": ("forecast", "print the next 24 hours of some series"),
    "backtest": ("backtest", "forecast many past hours at once, training as the calendar says"),
    "evaluate": ("evaluate", "print how good a run's forecasts were, beside both baselines"),
    "query": ("query", "ask DuckDB about the bucket"),
    "status": ("status", "say whether the deployed system is well"),
    "redrive": ("redrive", "start anew what the deployed system lost"),
    "runs": ("runs", "list what happened, from the ledger"),
    "show": ("show", "draw the last forecast of a series beside what came true"),
    "codes": ("codes", "list the error codes"),
}
FAILED, USAGE = 1, 64


def main(arguments: list[str] | None = None) -> int:
    """Run one command and return its exit code: 0 done, 1 failed, 2 degraded, 64 a mistake in the question."""
    asked = arguments if arguments is not None else sys.argv[1:]
    # Only the module of the asked command is imported: DuckDB, polars and matplotlib are slow to load.
    parser = _parser(next((word for word in asked if word in COMMANDS), ""))
    chosen = parser.parse_args(asked)
    if not chosen.command:
        parser.print_help()
        return USAGE
    try:
        return int(chosen.call(chosen))
    except WattaheadError as error:
        sys.stderr.write(f"{error}\n")
        return USAGE if isinstance(error, Refused) else FAILED


class _Parser(argparse.ArgumentParser):
    """Ends a mistake on the command line with 64; argparse's own 2 is the code of a degraded hour."""

    def error(self, message: str) -> NoReturn:
        self.print_usage(sys.stderr)
        self.exit(USAGE, f"{self.prog}: error: {message}\n")


def _parser(command: str) -> argparse.ArgumentParser:
    parser = _Parser(prog="wattahead", description="Hourly forecasts as parquet in your own bucket.")
    parser.set_defaults(command="")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND")
    for name, (module, line) in COMMANDS.items():
        one = commands.add_parser(name, help=line, description=line)
        if name == command:
            loaded = import_module(f"wattahead.cli.{module}")
            one.add_argument(
                "--bucket",
                default=os.environ.get("WATTAHEAD_BUCKET", "bucket"),
                metavar="URL",
                help="s3://bucket or a folder (default: $WATTAHEAD_BUCKET, or ./bucket)",
            )
            loaded.add_arguments(one)
            one.set_defaults(command=name, call=loaded.run)
    return parser


if __name__ == "__main__":
    sys.exit(main())
