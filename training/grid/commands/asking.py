"""Options that several commands have: which set of states, in which bucket, and which hour."""

import argparse
import os
import time
from collections.abc import Callable

from training.grid.simulation.question import Question
from training.grid.simulation.sampling import NONE, Sampling
from training.parsing import known_by
from wattahead.domain.hours import floor_hour, instant
from wattahead.domain.plan import HourEvent


def at_least(least: int) -> Callable[[str], int]:
    """Return what reads a whole number from `least` on; argparse tells who gives another."""

    def number(text: str) -> int:
        if int(text) < least:
            raise argparse.ArgumentTypeError(f"{text} is less than {least}")
        return int(text)

    return number


def add_bucket(parser: argparse.ArgumentParser) -> None:
    """Add `--bucket`."""
    told = "s3://bucket or a folder (default: $WATTAHEAD_BUCKET, or ./bucket)"
    parser.add_argument("--bucket", default=os.environ.get("WATTAHEAD_BUCKET", "bucket"), metavar="URL", help=told)


def add_environment(parser: argparse.ArgumentParser) -> None:
    """Add which environment, and how many of its actions."""
    told = "one that the simulator ships"
    parser.add_argument("--environment", "--env", default="rte_case14_realistic", metavar="NAME", help=told)
    most = Sampling.most_actions
    parser.add_argument("--most-actions", type=at_least(1), default=most, metavar="N", help="candidate actions at most")


def add_states(parser: argparse.ArgumentParser) -> None:
    """Add how many states, and from which random numbers."""
    parser.add_argument("--states", type=at_least(1), default=3000, metavar="N")
    parser.add_argument("--seed", type=at_least(0), default=0, metavar="N")
    told = "the number changes nothing but the time"
    parser.add_argument("--processes", type=at_least(1), default=1, metavar="N", help=told)


def add_hour(parser: argparse.ArgumentParser) -> None:
    """Add `--issue-time` and the run it belongs to."""
    parser.add_argument("--issue-time", default="", metavar="TIME", help="default: the hour that began last")
    parser.add_argument("--run", default="", help="a backfill's name; without it the live hour")


def question(asked: argparse.Namespace, shift: str = NONE) -> Question:
    """Return which set of states is asked for."""
    return Question(asked.environment, asked.seed, Sampling(most_actions=asked.most_actions, shift=shift))


def now() -> int:
    """Return the clock [µs]."""
    return time.time_ns() // 1000


def until(asked: argparse.Namespace) -> int:
    """Return when a decision takes effect [µs]."""
    return known_by(asked.until, now()) if asked.until else floor_hour(now())


def hour(asked: argparse.Namespace) -> HourEvent:
    """Return the hour that is asked about."""
    at = instant(asked.issue_time) if asked.issue_time else floor_hour(now())
    return HourEvent(at, "backfill" if asked.run else "live", asked.run)
