"""Python interpreters on this machine, looked up by running them: a name on the PATH may be a shim without one."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Final

SAYS: Final = "import ssl, sys, venv; print('%d.%d' % sys.version_info[:2])"
DEADLINE: Final = 20.0  # seconds for an interpreter to answer


@cache
def interpreter(version: str) -> str:
    """Return a Python of `version` ("3.12") that runs; "" where there is none."""
    return next((path for path in _candidates(version) if answers(path, version)), "")


def answers(path: str, version: str) -> bool:
    """Return whether the interpreter at `path` runs and is of `version`."""
    try:
        done = subprocess.run([path, "-c", SAYS], capture_output=True, text=True, timeout=DEADLINE, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return False
    return done.returncode == 0 and done.stdout.strip() == version


def machine_version() -> str:
    """Return the version of the Python that runs this, as in an image's tag."""
    return f"{sys.version_info.major}.{sys.version_info.minor}"


def _candidates(version: str) -> Iterator[str]:
    if version == machine_version():
        yield sys.executable
    for folder in os.get_exec_path():
        found = shutil.which(f"python{version}", path=folder)
        if found:
            yield found
    for install in _installs():
        yield from map(str, sorted(install.glob(f"*/bin/python{version}")))


def _installs() -> Iterator[Path]:
    """Yield the folders in which pyenv and uv keep one folder per Python."""
    pyenv = os.environ.get("PYENV_ROOT") or _said("pyenv", "root")
    if pyenv:
        yield Path(pyenv, "versions")
    uv = _said("uv", "python", "dir")
    if uv:
        yield Path(uv)


def _said(tool: str, *arguments: str) -> str:
    path = shutil.which(tool)
    if not path:
        return ""
    try:
        done = subprocess.run([path, *arguments], capture_output=True, text=True, timeout=DEADLINE, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""
