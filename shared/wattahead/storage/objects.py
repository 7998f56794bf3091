"""Objects in one bucket: read, list, and create-only puts. The only module that knows obstore."""

import hashlib
import random
import re
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from threading import Lock
from typing import Any, Final, Protocol, TypeVar
from urllib.parse import urlsplit
from urllib.request import url2pathname

import obstore
from obstore import exceptions as failures
from obstore.store import LocalStore, MemoryStore, S3Store

from wattahead.domain.errors import Damaged, Refused, Transient

T = TypeVar("T")

ATTEMPTS: Final = 4  # in all; with the pauses below a permanent 503 costs about 2 s of a worker's time
PAUSES: Final = (0.1, 0.4, 1.2)  # seconds before each further attempt, halved to full by jitter
LONGEST_REQUEST: Final = 30  # seconds
PARALLEL: Final = 16  # reads at once: they wait for the network, not for the processor

_KEY = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.=-]*(/[A-Za-z0-9_][A-Za-z0-9_.=-]*)*")
_LONGEST_KEY = 512
_DENIED = re.compile(r"status code: (401|403)\b")
_MEMORIES: dict[str, MemoryStore] = {}


class Store(Protocol):
    """What an object store must do. Errors: NotFoundError, AlreadyExistsError, or any other of obstore."""

    def get(self, key: str) -> bytes:
        """Return an object."""
        ...

    def create(self, key: str, body: bytes) -> None:
        """Write an object unless it exists."""
        ...

    def keys(self, prefix: str, after: str) -> Iterator[str]:
        """Yield the keys that begin with `prefix` and come behind `after`."""
        ...


@dataclass(frozen=True)
class ObStore:
    """The port on obstore: `s3://`, `file://` and `memory://` alike."""

    store: Any  # obstore's three store classes share no public base

    def get(self, key: str) -> bytes:
        """Return an object."""
        return bytes(obstore.get(self.store, key).bytes())

    def create(self, key: str, body: bytes) -> None:
        """Write an object unless it exists, in one request."""
        obstore.put(self.store, key, body, mode="create", use_multipart=False)

    def keys(self, prefix: str, after: str) -> Iterator[str]:
        """Yield the keys that begin with `prefix` and come behind `after`."""
        try:
            for page in obstore.list(self.store, prefix, offset=after or None, chunk_size=1000):
                yield from (entry["path"] for entry in page)
        except failures.GenericError as error:
            if _DENIED.search(str(error)):  # a denied list has the error of any other fault; its text tells
                raise failures.PermissionDeniedError(f"list of {prefix}") from error
            raise


@dataclass(frozen=True)
class Put:
    """Outcome of a create-only put: whether this call made the object, and what it holds now."""

    created: bool
    body: bytes


@dataclass
class Bucket:
    """A bucket in which every object is written once. Retries transient faults; refuses unsafe keys."""

    store: Store
    url: str = ""
    traffic: Counter[str] = field(default_factory=Counter)  # gets, puts, lists, bytes read and written
    pause: Callable[[float], None] = time.sleep
    _counting: Lock = field(default_factory=Lock)

    def read(self, key: str, decode: Callable[[bytes], T]) -> T:
        """Return `decode(body)`. A body that `decode` calls damaged is fetched again: GET and verify retry as one."""
        checked_key(key)

        def attempt() -> T:
            self._count("gets")
            body = self.store.get(key)
            self._count("read", len(body))
            return decode(body)

        return self._retry(key, attempt, again=(Damaged,))

    def read_all(self, wanted: Sequence[tuple[str, Callable[[bytes], T]]]) -> list[T]:
        """Return `decode(body)` of each (key, decode) pair, fetched in parallel."""
        if len(wanted) <= 1:
            return [self.read(*pair) for pair in wanted]
        with ThreadPoolExecutor(min(PARALLEL, len(wanted))) as pool:
            return list(pool.map(lambda pair: self.read(*pair), wanted))

    def create(self, key: str, body: bytes) -> Put:
        """Write `key` unless it exists. After a lost response our own write is recognised by reading it back."""
        checked_key(key)
        unsure = False  # an earlier attempt of this call may have been stored

        def attempt() -> Put:
            nonlocal unsure
            self._count("puts")
            try:
                self.store.create(key, body)
            except failures.AlreadyExistsError:
                # Read back: S3 also says so (409) while a competing write is undecided, and then there is nothing yet.
                try:
                    held = self.read(key, bytes)
                except Refused as error:
                    if error.code != "E_FEAT_MISSING":
                        raise
                    raise Transient("E_STORAGE", f"{key} is being written by somebody else", fix="try again") from error
                return Put(created=unsure and held == body, body=held)
            except failures.BaseError as error:
                unsure = not isinstance(error, failures.PermissionDeniedError | failures.UnauthenticatedError)
                raise
            self._count("written", len(body))
            return Put(created=True, body=body)

        return self._retry(key, attempt, again=(Transient,))

    def keys(self, prefix: str, after: str = "") -> list[str]:
        """Return all keys under the folder `prefix`, sorted; with `after`, only the keys behind it."""
        checked_key(prefix)

        def attempt() -> list[str]:
            self._count("lists")
            return sorted(self.store.keys(prefix + "/", after))

        return self._retry(prefix, attempt)

    def _count(self, what: str, amount: int = 1) -> None:
        with self._counting:  # bundle files are fetched in parallel
            self.traffic[what] += amount

    def _retry(self, key: str, attempt: Callable[[], T], again: tuple[type[Exception], ...] = ()) -> T:
        for number in range(ATTEMPTS):
            try:
                return attempt()
            except FileNotFoundError as error:
                raise _missing(key) from error
            except failures.NotFoundError as error:
                raise _missing(key) from error
            except (failures.PermissionDeniedError, failures.UnauthenticatedError) as error:
                raise Refused(
                    "E_S3_DENIED", f"the storage refused {key}", fix="check the role's policy for this prefix"
                ) from error
            except again:
                if number == ATTEMPTS - 1:
                    raise
            except (failures.BaseError, OSError) as error:
                if number == ATTEMPTS - 1:
                    raise Transient(
                        "E_STORAGE",
                        f"no answer for {key} in {ATTEMPTS} attempts ({type(error).__name__})",
                        fix="run it again",
                    ) from error
            self.pause(PAUSES[number] * random.uniform(0.5, 1.0))  # noqa: S311 - jitter, not a secret
        raise AssertionError  # the last attempt returned or raised


def _missing(key: str) -> Refused:
    return Refused("E_FEAT_MISSING", f"there is no object {key}", fix="run the step that writes it, or wait for it")


def checked_key(key: str) -> str:
    """Return `key` when it is one that `keys.py` could have built; obstore and moto would take far worse."""
    if len(key) <= _LONGEST_KEY and _KEY.fullmatch(key) and ".." not in key:
        return key
    raise Refused("E_KEY", f"{ascii(key)[:80]} is not an object key", fix="build keys from validated names")


def sha256(body: bytes) -> str:
    """Return the SHA-256 of `body` in hexadecimal."""
    return hashlib.sha256(body).hexdigest()


def open_bucket(url: str) -> Bucket:
    """Open `s3://bucket/prefix`, `file:///folder`, `memory://name` or a plain folder path.

    S3 takes region, credentials and endpoint from the usual AWS variables.
    """
    parts = urlsplit(url)
    if parts.scheme == "s3":
        # One retry layer, ours: it alone can tell our own lost response from somebody else's object.
        store = S3Store(
            parts.netloc,
            prefix=parts.path.strip("/") or None,
            retry_config={"max_retries": 0},
            client_options={"timeout": f"{LONGEST_REQUEST}s", "allow_http": True},
        )
        return Bucket(ObStore(store), url)
    if parts.scheme == "memory":
        return Bucket(ObStore(_MEMORIES.setdefault(parts.netloc, MemoryStore())), url)
    if parts.scheme in ("", "file"):
        folder = Path(url2pathname(parts.path) if parts.scheme else url).absolute()
        return Bucket(ObStore(LocalStore(folder, mkdir=True)), folder.as_uri())
    raise Refused(
        "E_CONFIG", f"bucket {url!r} is of no known kind", fix="use s3://bucket, file:///folder or memory://name"
    )
