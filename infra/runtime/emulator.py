"""Lambda's Runtime API on this machine: it hands events to a real runtime process and takes its answers.

One process per emulator, one event at a time, as in one Lambda environment. A process that is too slow is killed and
the next call starts a new one.
"""

import json
import os
import signal
import subprocess
import tempfile
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from queue import Empty, Queue
from threading import Thread
from types import TracebackType
from typing import IO, Any, Final, Self
from uuid import uuid4

from infra.runtime.function import Kind, Reply

START: Final = 60.0  # seconds until a process asks for its first event; AWS gives it 10, on machines of its own
ARN: Final = "arn:aws:lambda:us-east-1:123456789012:function:function"
API: Final = "/2018-06-01/runtime"


@dataclass(frozen=True)
class _Call:
    id: str
    body: bytes
    deadline_ms: int


class _Api(ThreadingHTTPServer):
    """The server of one process; what the process says goes to `said` as (kind, body)."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Route)
        self.calls: Queue[_Call | None] = Queue()
        self.said: Queue[tuple[str, bytes]] = Queue()

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing: a killed process hangs up in the middle of a request."""


class _Route(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    # A header and a body in two small packets wait 40 ms for each other: one write per answer, sent at once.
    disable_nagle_algorithm = True
    wbufsize = -1
    server: _Api

    def do_GET(self) -> None:
        self.server.said.put(("next", b""))
        call = self.server.calls.get()
        if call is None:
            self.close_connection = True
            return
        about = {
            "Lambda-Runtime-Aws-Request-Id": call.id,
            "Lambda-Runtime-Deadline-Ms": str(call.deadline_ms),
            "Lambda-Runtime-Invoked-Function-Arn": ARN,
            "Lambda-Runtime-Trace-Id": "Root=1-00000000-000000000000000000000000",
            "Content-Type": "application/json",
        }
        self._answer(200, call.body, about)

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self._answer(202, b"{}", {})
        self.server.said.put(("init" if self.path == f"{API}/init/error" else self.path.rpartition("/")[2], body))

    def _answer(self, status: int, body: bytes, headers: Mapping[str, str]) -> None:
        self.send_response(status)
        for name, value in {**headers, "Content-Length": str(len(body))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)
        self.wfile.flush()

    def log_message(self, *_: object) -> None:
        """Keep the terminal for the figures."""


KINDS: Final[dict[str, Kind]] = {"response": "ok", "error": "error", "init": "init error", "exit": "exit"}


@dataclass
class _Worker:
    """One runtime process and its API."""

    command: list[str]
    folder: Path
    variables: Mapping[str, str]
    log: IO[bytes]
    api: _Api = field(default_factory=_Api)
    process: subprocess.Popen[bytes] = field(init=False)

    def __post_init__(self) -> None:
        Thread(target=self.api.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        address = f"127.0.0.1:{self.api.server_address[1]}"
        self.process = subprocess.Popen(
            self.command,
            cwd=self.folder,
            env={**self.variables, "AWS_LAMBDA_RUNTIME_API": address},
            stdin=subprocess.DEVNULL,
            stdout=self.log,
            stderr=self.log,
            start_new_session=True,
        )
        Thread(target=self._watch, daemon=True).start()

    def _watch(self) -> None:
        code = self.process.wait()
        self.api.said.put(("exit", json.dumps({"errorType": "Runtime.ExitError", "code": code}).encode()))

    def ask(self, event: object, timeout: float) -> tuple[Kind, Any]:
        """Return what comes of one event. The time that counts begins when the process has asked for it."""
        kind, body = self._said(START)
        if kind == "next":
            deadline_ms = int((time.time() + timeout) * 1000)
            self.api.calls.put(_Call(str(uuid4()), json.dumps(event).encode(), deadline_ms))
            kind, body = self._said(timeout)
        return KINDS.get(kind, "timeout"), json.loads(body)

    def _said(self, timeout: float) -> tuple[str, bytes]:
        try:
            return self.api.said.get(timeout=timeout)
        except Empty:
            return "timeout", json.dumps({"errorMessage": f"Task timed out after {timeout:.2f} seconds"}).encode()

    def kill(self) -> None:
        """End the process, its children and the server."""
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        self.api.calls.put(None)
        self.api.shutdown()
        self.api.server_close()


class Emulator:
    """Calls a function as Lambda does, in a process that lives on between calls."""

    def __init__(self, command: list[str], folder: Path, variables: Mapping[str, str], timeout: float) -> None:
        self._command, self._folder, self._variables, self._timeout = command, folder, variables, timeout
        self._log = tempfile.TemporaryFile()  # noqa: SIM115 - closed with the emulator
        self._worker: _Worker | None = None

    def invoke(self, event: object) -> Reply:
        """Return what the function answers. After anything that ended its process, the next call is cold."""
        began, cold = time.perf_counter(), self._worker is None
        worker = self._worker or _Worker(self._command, self._folder, self._variables, self._log)
        self._worker = worker
        kind, body = worker.ask(event, self._timeout)
        took = time.perf_counter() - began
        if kind not in ("ok", "error"):
            self.forget()
        return Reply(kind, body, took, cold)

    @property
    def pid(self) -> int:
        """The process that runs the handler; 0 before the first call."""
        return self._worker.process.pid if self._worker else 0

    @property
    def log(self) -> str:
        """All that the processes have printed."""
        self._log.seek(0)
        return self._log.read().decode(errors="replace")

    def forget(self) -> None:
        """End the process: the next call is a cold start."""
        if self._worker:
            self._worker.kill()
        self._worker = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.forget()
        self._log.close()
