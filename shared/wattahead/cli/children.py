"""Commands that live outside the library run as child processes: `wattahead` never imports `training` or `infra`."""

import os
import subprocess
import sys
from importlib.util import find_spec

from wattahead.domain.errors import Refused


def run_module(module: str, arguments: list[str], **environment: str) -> int:
    """Run `python -m module` with this process's output and return its exit code."""
    package = module.split(".", 1)[0]
    if find_spec(package) is None and not os.path.isdir(package):  # noqa: PTH112 - what `python -m` itself would look at
        raise Refused(
            "E_CONFIG",
            f"this installation has no folder {package}/",
            fix="run it from the project's folder or in its container",
        )
    done = subprocess.run([sys.executable, "-m", module, *arguments], check=False, env={**os.environ, **environment})
    return done.returncode
