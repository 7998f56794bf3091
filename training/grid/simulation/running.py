"""Run a simulation: by episode, in one process or several, going on where an earlier run was stopped."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Executor, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import replace
from itertools import count
from multiprocessing import active_children, get_context
from typing import ParamSpec, TypeVar

from training.grid.simulation import kept, worker
from training.grid.simulation.dataset import Manifest, read
from training.grid.simulation.kept import Part
from training.grid.simulation.question import Question, digest
from training.grid.simulation.summary import summary
from wattahead.domain.errors import Refused
from wattahead.storage.documents import encode
from wattahead.storage.objects import Bucket

P = ParamSpec("P")
T = TypeVar("T")


def run(
    bucket: Bucket,
    asked: Question,
    told: Mapping[str, object],
    states: int,
    there: Sequence[str],
    *,
    processes: int,
    progress: Callable[[int], None],
) -> bytes:
    """Write what is missing of a set of so many states, and return its manifest.

    `told` are the ingredients of the set, `there` the keys in its folder. All episodes are read back, as everybody
    will, before the manifest says that they are a set.
    """
    folder = kept.folder_of(digest(told))
    found = kept.parts(bucket, folder, there)
    with _workers(processes) as (workers, window):
        network = workers.submit(worker.network, asked).result()
        progress(min(_together(found), states))
        for number, held, body in _computed(found, asked, states, workers, window):
            found[number] = kept.save(bucket, folder, number, held, body)
            progress(min(_together(found), states))
    made = Manifest(told, network, states, tuple(_first(found, states)), {})
    made = replace(made, summary=summary(read(bucket, folder, made)))
    return kept.save_manifest(bucket, folder, states, encode(made))


def _computed(
    found: Mapping[int, Part], asked: Question, states: int, workers: Executor, window: int
) -> Iterator[tuple[int, int, bytes]]:
    """Yield number, states and bytes of episodes, in whatever order they end, until the first in order are enough.

    The caller adds them to `found`.
    """
    numbers = (number for number in count() if number not in found)
    running: dict[Future[tuple[int, bytes]], int] = {}
    while sum(one.states for one in _first(found, states)) < states:
        while len(running) < window and (not running or _likely(found, len(running), asked) < states):
            number = next(numbers)
            running[workers.submit(worker.part, asked, number)] = number
        for done in wait(running, return_when=FIRST_COMPLETED).done:
            yield running.pop(done), *done.result()


def _first(found: Mapping[int, Part], states: int) -> list[Part]:
    """Return the episodes in order from the first until there are enough states, or one is missing."""
    parts: list[Part] = []
    held = 0
    while held < states and len(parts) in found:
        parts.append(found[len(parts)])
        held += parts[-1].states
    return parts


def _likely(found: Mapping[int, Part], running: int, asked: Question) -> float:
    """Return how many states there will be when those that run have ended: what comes on top would be for nothing."""
    longest = asked.sampling.steps / asked.sampling.every
    mean = _together(found) / len(found) if found else longest
    return _together(found) + mean * running


def _together(found: Mapping[int, Part]) -> int:
    return sum(one.states for one in found.values())


# --- processes -----------------------------------------------------------------------------------------------------


class Here(Executor):
    """Does what is submitted at once, in this process."""

    def submit(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        """Return what has been done."""
        done: Future[T] = Future()
        done.set_result(fn(*args, **kwargs))
        return done


@contextmanager
def _workers(processes: int) -> Iterator[tuple[Executor, int]]:
    """Give who computes, and how many episodes to hand out at a time. Whatever ends the block ends the processes."""
    if processes <= 1:
        yield Here(), 1
        return
    # Spawned, not forked: the parent has threads of its bucket and its progress bar.
    pool = ProcessPoolExecutor(processes, mp_context=get_context("spawn"), initializer=worker.begun)
    try:
        yield pool, processes + 1
    except BrokenProcessPool as error:
        fact = "a process of the simulation was ended from outside, perhaps for memory"
        raise Refused("E_CONFIG", fact, fix="use fewer processes or actions; what is finished is kept") from error
    except BaseException:
        for child in active_children():
            child.terminate()
        raise
    finally:
        pool.shutdown(wait=True, cancel_futures=True)
