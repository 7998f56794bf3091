"""`wattahead codes`: every error code and what it stands for."""

import argparse
import sys

from wattahead.domain.errors import CODES


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Take nothing of its own."""
    del parser


def run(arguments: argparse.Namespace) -> int:
    """Print the table."""
    del arguments
    sys.stdout.writelines(f"{code:<24} {meaning}\n" for code, meaning in CODES.items())
    return 0
