"""Time the same batch in a real runtime: our handler, the naive one, and ours called in a process without a runtime.

All take turns, A B A B, so that a slow minute of the machine meets them alike. Each call finds the hour unscored.
"""

import json
import statistics
import subprocess
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from types import TracebackType
from typing import Final, Self

from infra.runtime.emulator import Emulator
from infra.runtime.function import limited, peak_mb
from infra.runtime.images import BESIDE, build
from infra.runtime.rie import Rie, binary
from infra.runtime.stage import EVENT, Stage, Start, start
from wattahead.domain.errors import Refused

# The handler as a test calls it: no runtime between the event and the answer.
IN_PROCESS: Final = """
import json, sys, time
from functions.score.app import handler
class Context:
    function_name, memory_limit_in_mb, aws_request_id = "function", 1769, "in-process"
    invoked_function_arn = "arn:aws:lambda:us-east-1:123456789012:function:function"
for line in sys.stdin:
    event = json.loads(line)
    began = time.perf_counter()
    answer = handler(event, Context())
    print(json.dumps([time.perf_counter() - began, answer]), file=sys.stderr, flush=True)
"""


@dataclass
class Times:
    """Seconds of one kind of call, turn by turn."""

    name: str
    seconds: list[float] = field(default_factory=list)
    peak: float = float("nan")  # most memory held [MiB]

    @property
    def median(self) -> float:
        """The middle of them."""
        return statistics.median(self.seconds)

    @property
    def least(self) -> float:
        """The quickest: what the machine's other work disturbed least."""
        return min(self.seconds)


class InProcess:
    """A process that calls the handler itself and tells how long that took."""

    def __init__(self, begin: Start) -> None:
        python, memory = begin.interpreter, begin.memory_mb
        self._process = subprocess.Popen(
            limited(memory, [python, "-c", IN_PROCESS]),
            cwd=begin.folder,
            env=dict(begin.variables),
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,  # the log
            stderr=subprocess.PIPE,
            text=True,
        )

    def call(self, event: object) -> float:
        """Return the seconds of one call; anything but scored rows would make them worthless."""
        if not self._process.stdin or not self._process.stderr:
            raise AssertionError
        self._process.stdin.write(json.dumps(event) + "\n")
        self._process.stdin.flush()
        line = self._process.stderr.readline()
        if not line.startswith("["):
            raise Refused("E_CONFIG", f"the handler ended: {line.strip()[:300]}", fix="call it by hand")
        seconds, answer = json.loads(line)
        return float(_scored(seconds, answer))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.kill()
        self._process.communicate()


def cold_starts(stage: Stage, python: str, *, turns: int) -> tuple[Times, Times]:
    """Return the times from starting a process to its first answer: ours and the naive one's."""
    both = [(Times("lean"), lean(stage, python)), (Times("naive"), naive(stage, python))]
    for _ in range(turns):
        for times, begin in both:
            stage.forget()
            with emulator(begin) as runtime:
                times.seconds.append(_timed(runtime))
                times.peak = peak_mb(runtime.pid)
    return both[0][0], both[1][0]


def warm_runs(stage: Stage, python: str, *, turns: int) -> tuple[Times, Times, Times]:
    """Return the times of further calls: ours in the runtime, ours in process, and the naive one's in the runtime."""
    begin = lean(stage, python)
    with emulator(begin) as one, InProcess(begin) as two, emulator(naive(stage, python)) as three:
        calls = [lambda: _timed(one), lambda: two.call(EVENT), lambda: _timed(three)]
        ours, plain, usual = _in_turns(stage, ("lean", "in process", "naive"), calls, turns)
        ours.peak, usual.peak = peak_mb(one.pid), peak_mb(three.pid)
    return ours, plain, usual


def warm_pair(stage: Stage, python: str, *, turns: int) -> tuple[Times, Times]:
    """Return the times of further calls of ours: in the runtime and in process."""
    begin = lean(stage, python)
    with emulator(begin) as one, InProcess(begin) as two:
        calls = [lambda: _timed(one), lambda: two.call(EVENT)]
        ours, plain = _in_turns(stage, ("lean", "in process"), calls, turns)
    return ours, plain


def _in_turns(stage: Stage, names: Sequence[str], calls: Sequence[Callable[[], float]], turns: int) -> list[Times]:
    """Return the times of `calls`, taken in turns; the first call of each is cold and does not count."""
    found = [Times(name) for name in names]
    for turn in range(turns + 1):
        for times, call in zip(found, calls, strict=True):
            stage.forget()
            seconds = call()
            if turn:
                times.seconds.append(seconds)
    return found


def official(stage: Stage, python: str, *, turns: int) -> tuple[Times, Times] | None:
    """Return cold and warm times of our handler behind AWS's emulator; nothing where it is not installed."""
    program = binary()
    if not program:
        return None
    cold, warm, begin = Times("lean, AWS's emulator"), Times("lean, AWS's emulator"), lean(stage, python)
    for _ in range(turns):
        stage.forget()
        with Rie(program, begin.command, begin.folder, begin.variables, begin.timeout) as runtime:
            cold.seconds.append(_timed(runtime))
            for _ in range(2):
                stage.forget()
                warm.seconds.append(_timed(runtime))
    return cold, warm


def lean(stage: Stage, python: str) -> Start:
    """Return how our handler starts."""
    return start(build("score", python), python, stage.score())


def naive(stage: Stage, python: str) -> Start:
    """Return how the naive handler starts."""
    return start(build("naive", python, dockerfile=BESIDE), python, stage.naive())


def emulator(begin: Start) -> Emulator:
    """Return a runtime that has not started yet."""
    return Emulator(begin.command, begin.folder, begin.variables, begin.timeout)


def _timed(runtime: Emulator | Rie) -> float:
    reply = runtime.invoke(EVENT)
    if reply.kind != "ok":
        raise Refused("E_CONFIG", f"a call ended as {reply.kind}: {reply.body}", fix="run the tests of the runtime")
    return _scored(reply.seconds, reply.body)


def _scored(seconds: float, answer: dict[str, object]) -> float:
    if answer["rows"] != 2400 or answer.get("outcome", "ok") != "ok":  # noqa: PLR2004 - 100 series of 24 h
        raise Refused("E_CONFIG", f"not the whole batch was scored: {answer}", fix="look at the ledger")
    return seconds
