"""A Lambda function on this machine: what the template deploys, and the process that Lambda would start for it."""

import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Literal

from cfnlint.decode import decode

from infra.runtime.images import ROOT, Image
from wattahead.domain.errors import Refused

Kind = Literal["ok", "error", "init error", "timeout", "exit"]

# The limit is set by the shell that becomes the process: nothing of ours runs between a fork and its exec.
LIMITED: Final = 'ulimit -v "$0" && exec "$@"'


@dataclass(frozen=True)
class Function:
    """What is deployed of one function."""

    handler: str  # "functions.score.app.handler"
    memory_mb: int  # [MiB], as Lambda counts
    timeout: float  # [s]
    variables: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Reply:
    """What came of one call."""

    kind: Kind
    body: Any  # the answer, or errorType, errorMessage and stackTrace
    seconds: float  # from the call to its answer; of a cold start with the start of the process
    cold: bool = False


def deployed(name: str, template: Path = ROOT / "template.yaml") -> Function:
    """Return a function of the template with the variables that are plain text there."""
    held, problems = decode(str(template))
    if problems:
        raise Refused("E_CONFIG", f"{template.name} does not parse: {problems[0]}", fix="run cfn-lint")
    common, own = held["Globals"]["Function"], held["Resources"][name]["Properties"]
    variables = common["Environment"]["Variables"] | own.get("Environment", {}).get("Variables", {})
    return Function(
        own["ImageConfig"]["Command"][0],
        int(own.get("MemorySize", common["MemorySize"])),
        float(own["Timeout"]),
        {key: str(value) for key, value in variables.items() if not isinstance(value, dict)},
    )


def command(image: Image, function: Function) -> list[str]:
    """Return what starts the runtime of `function`, no more memory than it has in address space."""
    return limited(function.memory_mb, [image.interpreter, "-m", "awslambdaric", function.handler])


def limited(memory_mb: int, words: list[str]) -> list[str]:
    """Return `words` as a command that gets at most `memory_mb` [MiB] of address space."""
    return ["/bin/sh", "-c", LIMITED, str(memory_mb * 1024), *words]


def environment(image: Image, runtime: Image, function: Function, extra: Mapping[str, str]) -> dict[str, str]:
    """Return the variables of the process: Lambda's, the image's, the template's, `extra`; none of this machine's."""
    return {
        "PATH": os.defpath,
        "LANG": "en_US.UTF-8",
        "TZ": ":UTC",
        "LAMBDA_TASK_ROOT": str(image.task),
        "LAMBDA_RUNTIME_DIR": str(runtime.runtime),
        # Lambda leads Python to its runtime by this variable and to our code by the working folder.
        "PYTHONPATH": str(runtime.runtime),
        # There nothing can be written beside the code, so what the image has not compiled is compiled at every start.
        "PYTHONDONTWRITEBYTECODE": "1",
        # Arrow's own allocator reserves 1 GiB that it does not use. Lambda counts what is used, the limit here what is
        # reserved; with the system's allocator times and used memory are the same.
        "ARROW_DEFAULT_MEMORY_POOL": "system",
        "AWS_EXECUTION_ENV": f"AWS_Lambda_python{image.python}",
        "AWS_LAMBDA_FUNCTION_NAME": "function",
        "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(function.memory_mb),
        "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
        "_HANDLER": function.handler,
        **image.variables,
        **function.variables,
        **extra,
    }


def peak_mb(pid: int) -> float:
    """Return the most memory a running process has held [MiB]; NaN where the system does not say."""
    if not sys.platform.startswith("linux"):
        return float("nan")
    return status(pid, "VmHWM") / 1024


def status(pid: int, name: str) -> int:
    """Return a number of /proc/<pid>/status."""
    lines = Path("/proc", str(pid), "status").read_text(encoding="ascii", errors="replace").splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(f"{name}:"))
