"""Make the folder that an image would hold, without Docker, by following the Dockerfile on this machine.

`build/image/<target>-<python>-<hash>` is the root of an image: `var/lang` an interpreter with the standard library and
nothing else, `var/task` our code and its packages, `var/runtime` what Lambda adds. System packages are the machine's.
Each RUN ends a layer that is kept under the hash of all that made it, so changed code does not install packages again.
"""

import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from string import Template
from typing import Final

from infra.runtime.dockerfile import Step, Target, read_target
from wattahead.domain.errors import Refused

ROOT: Final = Path(__file__).parent.parent.parent
DOCKERFILE: Final = ROOT / "infra" / "Dockerfile"
BESIDE: Final = ROOT / "infra" / "runtime" / "Dockerfile"
BUILD: Final = ROOT / "build" / "image"

FOLDERS: Final = {"LAMBDA_TASK_ROOT": "/var/task", "LAMBDA_RUNTIME_DIR": "/var/runtime"}
LANG: Final = "var/lang"
DEADLINE: Final = 900.0  # seconds of one RUN: packages may come over a slow line
UNUSED: Final = {"PIP_NO_CACHE_DIR"}  # keeps an image small; here the cache saves the next download


@dataclass(frozen=True)
class Image:
    """A built root."""

    root: Path
    python: str  # "3.12"
    variables: Mapping[str, str]  # of the Dockerfile's ENV lines

    @property
    def task(self) -> Path:
        """Our code and its packages: Lambda's working folder."""
        return self.root / "var/task"

    @property
    def runtime(self) -> Path:
        """What Lambda lays beside it."""
        return self.root / "var/runtime"

    @property
    def interpreter(self) -> str:
        """A Python that finds the standard library and what it is led to, nothing of this machine."""
        return str(self.root / LANG / "bin/python")


def build(name: str, python: str, *, dockerfile: Path = DOCKERFILE, context: Path = ROOT, into: Path = BUILD) -> Image:
    """Return the image of target `name` for the interpreter at the path `python`, at once when it was built before.

    COPY takes from `context`.
    """
    target = read_target(dockerfile.read_text(encoding="utf-8"), name)
    version = _output(python, "-c", "import sys; print('%d.%d.%d' % sys.version_info[:3])")
    digest = _hash(f"{Path(python).resolve()} {version} {sorted(target.variables.items())}".encode())
    into.mkdir(parents=True, exist_ok=True)
    place: Path | None = None
    for steps in _layers(target.steps):
        digest = _hash(digest.encode(), *_inputs(steps, context))
        place = _layer(place, into / f"{name}-{version}-{digest[:16]}", _Maker(python, target, steps, context))
    if place is None:
        raise Refused("E_CONFIG", f"target {name} copies and runs nothing", fix="look at the Dockerfile")
    return Image(place, version.rpartition(".")[0], target.variables)


def _layers(steps: tuple[Step, ...]) -> Iterator[tuple[Step, ...]]:
    held: list[Step] = []
    for step in steps:
        held.append(step)
        if step.word == "RUN":
            yield tuple(held)
            held = []
    if held:
        yield tuple(held)


def _inputs(steps: tuple[Step, ...], context: Path) -> Iterator[bytes]:
    """Yield all that decides what `steps` make: their text, and names and content of what they copy."""
    for step in steps:
        yield f"{step.word} {step.text}".encode()
        if step.word == "COPY":
            source = context / step.paths[0]
            for path in _files(source):
                yield path.relative_to(source.parent).as_posix().encode()
                yield path.read_bytes()


def _files(source: Path) -> list[Path]:
    if source.is_file():
        return [source]
    return sorted(path for path in source.rglob("*") if path.is_file() and "__pycache__" not in path.parts)


def _hash(*parts: bytes) -> str:
    held = hashlib.sha256()
    for part in parts:
        held.update(len(part).to_bytes(8, "big") + part)
    return held.hexdigest()


def _layer(below: Path | None, place: Path, maker: "_Maker") -> Path:
    """Make a layer beside its place and move it there: whoever comes second finds the first one's and drops its own."""
    if place.exists():
        return place
    with tempfile.TemporaryDirectory(dir=place.parent, prefix=".making-") as folder:
        made = Path(folder, "root")
        if below is None:
            _output(maker.python, "-m", "venv", "--without-pip", str(made / LANG))
        else:
            shutil.copytree(below, made, symlinks=True, copy_function=os.link)  # a layer is never written again
        maker.follow(made, Path(folder, "bin"))
        try:
            made.rename(place)
        except OSError:
            if not place.exists():
                raise
    return place


@dataclass(frozen=True)
class _Maker:
    """Follows some steps in a root."""

    python: str
    target: Target
    steps: tuple[Step, ...]
    context: Path

    def follow(self, root: Path, tools: Path) -> None:
        _write_tools(tools, root)
        for step in self.steps:
            if step.word == "COPY":
                self._copy(root, *step.paths)
            else:
                self._run(root, tools, step.text)

    def _copy(self, root: Path, source: str, destination: str) -> None:
        to = root / Template(destination).substitute(FOLDERS).lstrip("/")
        to.parent.mkdir(parents=True, exist_ok=True)
        if (self.context / source).is_dir():
            shutil.copytree(self.context / source, to, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy2(self.context / source, to)

    def _run(self, root: Path, tools: Path, command: str) -> None:
        kept = {name: value for name, value in self.target.variables.items() if name not in UNUSED}
        folders = {name: f"{root}{path}" for name, path in FOLDERS.items()}
        outside = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
        path = os.pathsep.join([str(tools), os.environ.get("PATH", os.defpath)])
        script = command.replace(" /tmp/", f" {root}/tmp/")  # noqa: S108 - the image's /tmp, which is not ours
        _output("/bin/sh", "-ec", script, environment={**outside, **kept, **folders, "PATH": path})


def _write_tools(folder: Path, root: Path) -> None:
    """Write the `python` and `pip` that RUN lines call: this machine's pip works for the image's interpreter."""
    folder.mkdir()
    inner = f"'{root / LANG}/bin/python'"
    for name, command in {"python": inner, "pip": f"'{sys.executable}' -m pip --python {inner}"}.items():
        (folder / name).write_text(f'#!/bin/sh\nexec {command} "$@"\n', encoding="utf-8")
        (folder / name).chmod(0o755)


def _output(*command: str, environment: Mapping[str, str] | None = None) -> str:
    """Return what a command prints; raise `E_CONFIG` with its last words if it fails."""
    outside = tempfile.gettempdir()  # a Python that starts in our tree would find our code
    done = subprocess.run(
        command, capture_output=True, text=True, timeout=DEADLINE, check=False, env=environment, cwd=outside
    )
    if done.returncode:
        raise Refused(
            "E_CONFIG",
            f"{' '.join(command)[:200]} ended with {done.returncode}: {done.stderr.strip()[-500:]}",
            fix="run it by hand, or rebuild after `make clean`",
        )
    return done.stdout.strip()
