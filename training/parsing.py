"""The command lines of training: a mistake in the question ends with the usage, a sentence and code 64."""

import argparse
import sys
from typing import Final, NoReturn

USAGE: Final = 64


class Parser(argparse.ArgumentParser):
    """Answers a mistake with USAGE; argparse itself would say 2, which means degraded here."""

    def error(self, message: str) -> NoReturn:
        """Print what is wrong, and end the process."""
        self.print_usage(sys.stderr)
        self.exit(USAGE, f"{self.prog}: {message}\n")
