"""The command lines of training: how each begins, and with which code it ends. A mistake in the question is told."""

import argparse
import sys
from typing import Final, NoReturn

from wattahead.domain.errors import Refused, WattaheadError
from wattahead.domain.hours import instant, iso
from wattahead.domain.plan import AHEAD
from wattahead.storage.objects import Bucket, open_bucket

FAILED: Final = 1  # something that may pass, or that is not the question's fault
USAGE: Final = 64  # the same question is refused again
INTERRUPTED: Final = 130  # what a shell says of a process that Ctrl-C ended


class Parser(argparse.ArgumentParser):
    """Answers a mistake with USAGE; argparse itself would say 2, which means degraded here."""

    def error(self, message: str) -> NoReturn:
        """Print what is wrong, and end the process."""
        self.print_usage(sys.stderr)
        self.exit(USAGE, f"{self.prog}: {message}\n")


def opened(url: str) -> Bucket:
    """Return the bucket; raise `E_CONFIG` where there can be none."""
    try:
        return open_bucket(url)
    except OSError as error:  # such as the default folder, in a container that cannot write
        fix = "use s3://bucket, or a folder that may be written"
        raise Refused("E_CONFIG", f"bucket {url!r} cannot be opened: {error}", fix=fix) from error


def known_by(text: str, now: int) -> int:
    """Return the time that `--until` says [µs]; refuse one that is ahead of the clock `now` [µs].

    Who trains until tomorrow has learnt nothing more, but the registry would refuse every training until then.
    """
    until = instant(text)
    if until > now + AHEAD:
        fact = f"--until {iso(until)} is ahead of the clock ({iso(now)})"
        raise Refused("E_CONFIG", fact, fix="name a time that is over, or leave --until out")
    return until


def code_of(error: WattaheadError) -> int:
    """Return the exit code of a command that ended with this error."""
    return USAGE if isinstance(error, Refused) else FAILED
