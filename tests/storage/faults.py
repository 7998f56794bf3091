"""A store around another store that numbers every call and lets a fault decide what becomes of it.

A fault gets the call and the means to carry it out. It may do neither, both, or something in between:

    store = Around(bucket.store, lose_response(nth("create", 1)))
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from threading import Lock
from typing import Any

from obstore.exceptions import GenericError

from wattahead.storage.objects import Bucket, Store


class Crash(BaseException):
    """The process ends here. Not an Exception, so that nothing in the library can catch it."""


@dataclass(frozen=True)
class Call:
    """One call of a store; `number` counts all calls from 1, `nth` the calls of the same verb."""

    number: int
    verb: str  # get, create or keys
    nth: int
    key: str


Do = Callable[[], Any]
Fault = Callable[[Call, Do], Any]
Chosen = Callable[[Call], bool]


@dataclass
class Around:
    """The inner store, seen through a fault. `calls` tells what was asked of it."""

    inner: Store
    fault: Fault = lambda _, do: do()
    calls: list[Call] = field(default_factory=list)
    _counting: Lock = field(default_factory=Lock)

    def get(self, key: str) -> bytes:
        body: bytes = self.fault(self._call("get", key), lambda: self.inner.get(key))
        return body

    def create(self, key: str, body: bytes) -> None:
        self.fault(self._call("create", key), lambda: self.inner.create(key, body))

    def keys(self, prefix: str, after: str) -> Iterator[str]:
        found: list[str] = self.fault(self._call("keys", prefix), lambda: list(self.inner.keys(prefix, after)))
        return iter(found)

    @property
    def verbs(self) -> list[str]:
        """The verbs of all calls, in order."""
        return [call.verb for call in self.calls]

    def _call(self, verb: str, key: str) -> Call:
        with self._counting:
            call = Call(len(self.calls) + 1, verb, self.verbs.count(verb) + 1, key)
            self.calls.append(call)
        return call


def call(number: int) -> Chosen:
    """Choose the call of that number, whatever its verb: sweep it from 1 to the number of calls."""
    return lambda found: found.number == number


def nth(verb: str, *numbers: int) -> Chosen:
    """Choose some calls of one verb; without numbers, all of them."""
    return lambda found: found.verb == verb and (not numbers or found.nth in numbers)


def crash_before(chosen: Chosen) -> Fault:
    """End the process before the call reaches the store."""
    return fail(chosen, Crash("before the call"))


def crash_after(chosen: Chosen) -> Fault:
    """End the process when the store has done its work and nobody knows yet."""
    return lose_response(chosen, Crash("after the call"))


def fail(chosen: Chosen, error: BaseException | None = None) -> Fault:
    """Raise instead of calling; by default what obstore raises for a 503."""

    def fault(found: Call, do: Do) -> Any:
        if chosen(found):
            raise error or GenericError("503 Slow Down")
        return do()

    return fault


def lose_response(chosen: Chosen, error: BaseException | None = None) -> Fault:
    """Carry the call out, then raise as if the answer had been lost."""

    def fault(found: Call, do: Do) -> Any:
        try:
            return do()
        finally:
            if chosen(found):  # whatever the answer was, a refusal included
                raise error or GenericError("connection reset")

    return fault


def change_body(chosen: Chosen, change: Callable[[bytes], bytes]) -> Fault:
    """Change what a read returns; the object itself stays as it is."""

    def fault(found: Call, do: Do) -> Any:
        return change(do()) if chosen(found) else do()

    return fault


def cut(body: bytes) -> bytes:
    """Return the first half."""
    return body[: len(body) // 2]


def flip(body: bytes) -> bytes:
    """Return the body with one bit in its middle changed."""
    middle = len(body) // 2
    return body[:middle] + bytes([body[middle] ^ 16]) + body[middle + 1 :]


def quiet(bucket: Bucket, fault: Fault | None = None) -> tuple[Bucket, Around, list[float]]:
    """Return the bucket seen through a fault, its calls, and the pauses it took without taking them."""
    store = Around(bucket.store, fault) if fault else Around(bucket.store)
    pauses: list[float] = []
    return Bucket(store, bucket.url, pause=pauses.append), store, pauses
