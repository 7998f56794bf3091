"""Prove a bundle in a child process: damaged or hostile native models abort a process, and then it is not ours.

`python -m wattahead.jobs.prove FOLDER` is the child: it loads the bundle in FOLDER, predicts the golden rows and
prints what it ran on. The parent compares, with a deadline.
"""

import json
import platform
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from functools import cache
from importlib.metadata import version
from pathlib import Path

import numpy as np

from wattahead.domain.bundle import Golden, Manifest, Runtime
from wattahead.domain.errors import Refused, Transient
from wattahead.models.loading import load
from wattahead.models.rows import Rows
from wattahead.storage.documents import decode, encode

DEADLINE = 60.0  # seconds, import of the native library included


def prove(manifest: Manifest, files: Mapping[str, bytes], *, deadline: float = DEADLINE) -> Runtime:
    """Return the runtime on which the bundle reproduced its golden rows; raise `E_BUNDLE_PROOF` if it did not.

    A child that is too slow says nothing about the bundle: that is transient.
    """
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "manifest.json").write_bytes(encode(manifest))
        for path, body in files.items():
            Path(folder, path).write_bytes(body)
        try:
            done = subprocess.run(
                [sys.executable, "-m", __name__, folder], capture_output=True, timeout=deadline, check=False
            )
        except (subprocess.TimeoutExpired, OSError) as error:
            why = (
                f"the proof of a bundle of {manifest.pool} did not end within {deadline:.0f} s ({type(error).__name__})"
            )
            raise Transient("E_BUNDLE_PROOF", why, fix="try again on a machine that is less busy") from error
    if done.returncode:
        raise _failed(
            manifest, f"ended its process with {done.returncode}: {done.stderr.decode(errors='replace').strip()[-200:]}"
        )
    return runtime()


def runtime() -> Runtime:
    """Return what this process runs on."""
    return Runtime(_version("lightgbm"), np.__version__, platform.machine())


def golden_rows(golden: Golden) -> Rows:
    """Return the golden inputs as rows, in units of the scale."""
    block = np.array(
        [[np.nan if value is None else value for value in golden.inputs[name]] for name in golden.inputs],
        dtype=np.float32,
    )
    return Rows(golden.zones, golden.steps, tuple(golden.inputs), block, np.ones(len(golden.zones)))


def _failed(manifest: Manifest, why: str) -> Refused:
    return Refused(
        "E_BUNDLE_PROOF", f"a {manifest.kind} bundle of {manifest.pool} {why}", fix="train it again on this runtime"
    )


@cache
def _version(package: str) -> str:
    return version(package)  # read from the package's metadata: importing LightGBM costs 0.3 s


def _child(folder: Path) -> int:
    manifest = decode(Manifest, (folder / "manifest.json").read_bytes(), where="manifest.json")
    files = {file.path: (folder / file.path).read_bytes() for file in manifest.files}
    if manifest.golden is None:
        raise _failed(manifest, "has no golden rows")
    found = load(manifest, files).predict(golden_rows(manifest.golden))
    expected = np.array([manifest.golden.outputs[name] for name in manifest.output.quantiles])
    worst = float(np.max(np.abs(found - expected), initial=0.0))
    sys.stdout.write(json.dumps({"worst": worst}))
    if not worst <= manifest.golden.tolerance:  # NaN fails too
        raise _failed(manifest, f"is {worst} away from its golden rows, more than {manifest.golden.tolerance}")
    return 0


if __name__ == "__main__":
    sys.exit(_child(Path(sys.argv[1])))
