"""AWS's own Runtime Interface Emulator, where the tools of SAM are installed: its wheel holds the binary.

It answers one call at a time and ends itself on two at once, so calls wait for each other.
"""

import json
import os
import platform
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Mapping
from contextlib import suppress
from http.client import HTTPConnection
from pathlib import Path
from threading import Lock
from types import TracebackType
from typing import Final, Self

from infra.runtime.function import Reply
from infra.runtime.images import ROOT
from wattahead.domain.errors import Refused

TOOLS: Final = ROOT / ".venv-sam"
PATH: Final = "/2015-03-31/functions/function/invocations"
START: Final = 20.0  # seconds until it listens
LONGEST: Final = 900.0  # seconds to wait for an answer: the longest that Lambda allows


def binary(tools: Path = TOOLS) -> Path | None:
    """Return the emulator for this machine's processor, or nothing where SAM's tools are not installed."""
    name = "aws-lambda-rie-arm64" if platform.machine() in ("aarch64", "arm64") else "aws-lambda-rie-x86_64"
    return next(iter(sorted(tools.glob(f"lib/python*/site-packages/samcli/local/rapid/{name}"))), None)


class Rie:
    """Calls a function through AWS's emulator; same use as `Emulator`."""

    def __init__(
        self, program: Path, command: list[str], folder: Path, variables: Mapping[str, str], timeout: float
    ) -> None:
        self._log = tempfile.TemporaryFile()  # noqa: SIM115 - closed with the emulator
        self._one_at_a_time = Lock()
        self._port, api = _free_ports()
        self._began: float | None = time.perf_counter()
        # Without addresses of our own it listens on every network of the machine.
        addresses = ["--runtime-interface-emulator-address", f"127.0.0.1:{self._port}"]
        addresses += ["--runtime-api-address", f"127.0.0.1:{api}"]
        self._process = subprocess.Popen(
            [_runnable(program), *addresses, *command],
            cwd=folder,
            env={**variables, "AWS_LAMBDA_FUNCTION_TIMEOUT": f"{timeout:.0f}"},
            stdin=subprocess.DEVNULL,
            stdout=self._log,
            stderr=self._log,
            start_new_session=True,
        )
        self._wait()

    def invoke(self, event: object) -> Reply:
        """Return what the function answers; the first call counts from the start of the emulator."""
        with self._one_at_a_time:
            cold, began = self._began is not None, self._began or time.perf_counter()
            self._began = None
            connection = HTTPConnection("127.0.0.1", self._port, timeout=LONGEST)
            connection.request("POST", PATH, json.dumps(event), {"Content-Type": "application/json"})
            text = connection.getresponse().read().decode()
            connection.close()
            return _reply(text, time.perf_counter() - began, cold=cold)

    @property
    def log(self) -> str:
        """All that the emulator and the function have printed."""
        self._log.seek(0)
        return self._log.read().decode(errors="replace")

    def _wait(self) -> None:
        """Wait until it listens; it says so nowhere."""
        end = time.monotonic() + START
        while time.monotonic() < end and self._process.poll() is None:
            with suppress(OSError), socket.create_connection(("127.0.0.1", self._port), timeout=1):
                return
            time.sleep(0.005)
        said = self.log
        self.__exit__(None, None, None)
        raise Refused("E_CONFIG", f"the emulator does not listen: {said[-500:]}", fix="make the SAM tools again")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        self._log.close()


def _reply(text: str, seconds: float, *, cold: bool) -> Reply:
    """Tell an answer from an error: the emulator sends both with status 200, and a time-out as bare text."""
    if text.startswith("Task timed out"):
        return Reply("timeout", {"errorMessage": text}, seconds, cold)
    body = json.loads(text)
    if not isinstance(body, dict) or "errorType" not in body:
        return Reply("ok", body, seconds, cold)
    return Reply("exit" if body["errorType"] == "Runtime.ExitError" else "error", body, seconds, cold)


def _free_ports() -> tuple[int, int]:
    with socket.socket() as one, socket.socket() as other:
        one.bind(("127.0.0.1", 0))
        other.bind(("127.0.0.1", 0))
        return one.getsockname()[1], other.getsockname()[1]


def _runnable(program: Path) -> str:
    """Return a path that may be executed: wheels are unpacked without that right."""
    if os.access(program, os.X_OK):
        return str(program)
    program.chmod(program.stat().st_mode | 0o100)
    return str(program)
