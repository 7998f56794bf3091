"""`python -m infra.runtime`: cold and warm times of the score function in a real runtime, beside the usual way."""

import argparse
import math
import platform
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from infra.runtime.dockerfile import read_target
from infra.runtime.images import DOCKERFILE, build
from infra.runtime.interpreters import interpreter, machine_version
from infra.runtime.measure import Times, cold_starts, official, warm_runs
from infra.runtime.stage import Stage, make_hour, s3_server, set_stage
from tests.perf.workload import FEATURES, QUANTILES, ROUNDS, STEPS
from wattahead.domain.errors import Refused

SERIES: Final = 100
COLD_TURNS: Final = 7
WARM_TURNS: Final = 15

COLD_BOUND: Final = 3.5  # times faster than the naive handler, at least
WARM_BOUND: Final = 1.3  # times the call in process, at most


@dataclass(frozen=True)
class Verdict:
    """A ratio and its bound."""

    sentence: str
    ratio: float  # of medians
    least: float  # of minima
    passed: bool

    def line(self) -> str:
        """Return it as a line of the report."""
        figures = f"{self.ratio:5.2f}x of medians, {self.least:5.2f}x of minima"
        return f"{self.sentence:52} {figures}   {'PASS' if self.passed else 'FAIL'}"


def compare(stage: Stage, python: str) -> list[Verdict]:
    """Time everything, print the table, return the verdicts."""
    cold, naive_cold = cold_starts(stage, python, turns=COLD_TURNS)
    warm, plain, naive_warm = warm_runs(stage, python, turns=WARM_TURNS)
    aws = official(stage, python, turns=3)
    say(f"{'':7}{'':24}{'median':>9}{'least':>9}{'turns':>7}{'peak':>9}")
    rows = [("cold", cold), ("cold", naive_cold), ("warm", warm), ("warm", plain), ("warm", naive_warm)]
    for name, times in rows + ([("cold", aws[0]), ("warm", aws[1])] if aws else []):
        say(row(name, times))
    if not aws:
        say("       AWS's own emulator: not installed here")
    return [
        faster(f"cold start, naive over lean (at least {COLD_BOUND}x)", naive_cold, cold),
        slower(f"warm run, runtime over in process (at most {WARM_BOUND}x)", warm, plain),
    ]


def say(line: str) -> None:
    """Write a line at once: the figures come over a minute."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def row(name: str, times: Times) -> str:
    """Return one line of the table: seconds, and the most memory held."""
    peak = "" if math.isnan(times.peak) else f"{times.peak:.0f} MB"
    return f"{name:7}{times.name:24}{times.median:8.3f}s{times.least:8.3f}s{len(times.seconds):7}{peak:>9}"


def faster(sentence: str, slow: Times, quick: Times) -> Verdict:
    """Judge how many times `quick` is quicker."""
    ratio = slow.median / quick.median
    return Verdict(sentence, ratio, slow.least / quick.least, passed=ratio >= COLD_BOUND)


def slower(sentence: str, ours: Times, bare: Times) -> Verdict:
    """Judge what `ours` costs more than `bare`."""
    ratio = ours.median / bare.median
    return Verdict(sentence, ratio, ours.least / bare.least, passed=ratio <= WARM_BOUND)


def main() -> int:
    """Print the table; return 1 if a ratio is out of its bound."""
    image = read_target(DOCKERFILE.read_text(encoding="utf-8"), "score").python
    parser = argparse.ArgumentParser(prog="python -m infra.runtime", description="The score function, cold and warm.")
    parser.add_argument(
        "--python", default=machine_version(), help=f"version of the Python to use; the image's: {image}"
    )
    asked = parser.parse_args()
    python = interpreter(asked.python)
    if not python:
        raise Refused("E_CONFIG", f"no Python {asked.python} runs here", fix="install it, or use another version")
    began = time.perf_counter()
    say(f"{SERIES} series, {STEPS} h, {len(FEATURES) + 1} features, {len(QUANTILES)} boosters of {ROUNDS} trees;")
    say(f"Python {asked.python}, {platform.machine()}, S3 server on this machine")
    with tempfile.TemporaryDirectory() as folder, s3_server() as endpoint:
        verdicts = compare(set_stage(make_hour(build("score", python), Path(folder), SERIES), endpoint), python)
    say("\n".join(verdict.line() for verdict in verdicts))
    say(f"took {time.perf_counter() - began:.0f} s")
    return 0 if all(verdict.passed for verdict in verdicts) else 1


if __name__ == "__main__":
    sys.exit(main())
