"""A training container without a container engine: its folder, its user, its entry point, nothing writable but /tmp.

What the Dockerfile says of target `training` or `grid` is read from it. The interpreter is that of the tests, and so
are the packages, but only those that the target's lock names.
"""

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import distribution
from pathlib import Path

from packaging.requirements import Requirement

ROOT = Path(__file__).parents[2]
SYSTEM = ("bin", "etc", "lib", "lib64", "sbin", "usr")  # of the machine, in place of the base image


@dataclass(frozen=True)
class Stage:
    """What the Dockerfile says of one target."""

    name: str
    folder: str
    copied: Mapping[str, str]  # path in the project -> path below `folder`
    environment: Mapping[str, str]
    user: int
    entrypoint: tuple[str, ...]


def stage(name: str) -> Stage:
    """Return one target of the Dockerfile; its lock is left out, since nothing is installed here."""
    text = (ROOT / "infra" / "Dockerfile").read_text(encoding="utf-8")
    (body,) = re.findall(rf"^FROM \S+ AS {name}$(.*?)(?=^FROM|\Z)", text, flags=re.MULTILINE | re.DOTALL)
    said = re.findall(r"^([A-Z]+) (.+)$", body, flags=re.MULTILINE)
    copies = [tuple(rest.split()) for word, rest in said if word == "COPY" and "locks/" not in rest]
    settings = " ".join(rest for word, rest in said if word == "ENV")
    last = dict(said)
    return Stage(
        name,
        last["WORKDIR"],
        dict(copies),
        dict(pair.split("=", 1) for pair in shlex.split(settings)),
        int(last["USER"]),
        tuple(json.loads(last["ENTRYPOINT"])),
    )


@dataclass(frozen=True)
class Container:
    """A root folder that can be entered by a process of its own."""

    root: Path
    stage: Stage
    environment: Mapping[str, str]

    def command(self, *words: str) -> list[str]:
        """Return the command that runs `words` inside, as process 1."""
        settings = [f"{name}={value}" for name, value in {**self.stage.environment, **self.environment}.items()]
        path = f"PATH={Path(sys.executable).parent}:/usr/bin:/bin"
        inner = ["env", "--ignore-environment", f"--chdir={self.stage.folder}", path, *settings, *words]
        shell = ["sh", "-euc", self._script(), "sh", *inner]
        return [*privileged(), "unshare", "--mount", "--pid", "--fork", "--kill-child", *shell]

    def run(self, *words: str) -> "subprocess.CompletedProcess[str]":
        """Run `words` inside and wait for their end."""
        return subprocess.run(self.command(*words), capture_output=True, text=True, check=False, timeout=300)

    def _script(self) -> str:
        """Mount everything that is read without the right to write, and enter it as the image's user."""
        at = shlex.quote(str(self.root))
        lines = ["mount --make-rprivate /", f"mount --bind {at} {at}", f"mount -t tmpfs -o mode=1777 tmpfs {at}/tmp"]  # noqa: S108
        for source, target in self._mounts():
            where = shlex.quote(f"{self.root}{target}")
            if target.startswith("/tmp/"):  # noqa: S108 - the project lies there: its place is inside the tmpfs
                folder = Path(target) if Path(source).is_dir() else Path(target).parent
                lines += [f"mkdir -p {shlex.quote(f'{self.root}{folder}')}", f"test -e {where} || touch {where}"]
            lines += [f"mount --bind {shlex.quote(source)} {where}", f"mount -o remount,bind,ro {where}"]
        lines += [f"mount -t proc proc {at}/proc"]
        lines += [f"mount -o remount,bind,ro {at}", f"cd {at}"]
        user = f"{self.stage.user}:{self.stage.user}"
        return "\n".join([*lines, f'exec chroot --userspec={user} --groups="" . "$@"'])

    def _mounts(self) -> list[tuple[str, str]]:
        held = [f"/{name}" for name in SYSTEM if Path(f"/{name}").is_dir() and not Path(f"/{name}").is_symlink()]
        python = [] if sys.base_prefix.startswith("/usr") else [sys.base_prefix]
        own = [f"{sys.prefix}/bin", f"{sys.prefix}/pyvenv.cfg", *installed(self.stage.name)]
        return [(path, path) for path in (*held, *python, *own, "/dev/null", "/dev/urandom")]


def installed(lock: str) -> list[str]:
    """Return the folders and modules of the packages that a lock names, and of no other."""
    text = (ROOT / "infra" / "locks" / f"{lock}.txt").read_text(encoding="utf-8")
    found = {}
    pinned = [Requirement(line) for line in re.findall(r"^([a-z0-9._-]+==.*?) \\$", text, flags=re.MULTILINE)]
    for name in sorted({one.name for one in pinned if not one.marker or one.marker.evaluate()}):
        package = distribution(name)
        for file in package.files or ():
            if file.parts[0] not in {"..", "__pycache__"}:
                found[file.parts[0]] = str(package.locate_file(file.parts[0]))
    return sorted(found.values())


def built(root: Path, environment: Mapping[str, str], name: str = "training") -> Container:
    """Return the container of target `name` in the folder `root`."""
    made = Container(root, stage(name), environment)
    _copy(made.stage, root / made.stage.folder.strip("/"))
    for link in SYSTEM:
        if Path(f"/{link}").is_symlink():
            (root / link).symlink_to(Path(f"/{link}").readlink())
    for _, target in made._mounts():
        if target.startswith("/tmp/"):  # noqa: S108 - made inside, see `_script`
            continue
        place = Path(f"{root}{target}")
        if Path(target).is_dir():
            place.mkdir(parents=True, exist_ok=True)
        else:
            place.parent.mkdir(parents=True, exist_ok=True)
            place.touch()
    for empty in ("proc", "tmp"):
        (root / empty).mkdir(exist_ok=True)
    for place in (root, *root.rglob("*")):  # so that only the read-only mount can refuse a write
        if not place.is_symlink():
            place.chmod(0o777 if place.is_dir() else 0o666)
    return made


def _copy(said: Stage, folder: Path) -> None:
    for source, place in said.copied.items():
        if (ROOT / source).is_dir():
            shutil.copytree(ROOT / source, folder / place, ignore=shutil.ignore_patterns("__pycache__"))
    if "pyproject.toml" in said.copied:
        _install(folder)


def _install(folder: Path) -> None:
    """Do what `pip install .` and `rm` do, but for the place: Python looks in the working folder for metadata too."""
    (folder / "shared" / "wattahead").rename(folder / "wattahead")
    (folder / "shared").rmdir()
    about = next(file for file in distribution("wattahead").files or () if file.parts[0].endswith(".dist-info"))
    name = about.parts[0]
    shutil.copytree(str(distribution("wattahead").locate_file(name)), folder / name)


def privileged() -> list[str]:
    """Return the words before a command that needs root."""
    return [] if os.geteuid() == 0 else ["sudo", "--non-interactive"]


def why_not() -> str:
    """Return why containers cannot be built here, or nothing."""
    if sys.platform != "linux" or not shutil.which("unshare"):
        return "needs unshare and mount, as Linux has them"
    tried = [*privileged(), "unshare", "--mount", "--pid", "--fork", "sh", "-c", "mount --make-rprivate /"]
    try:
        done = subprocess.run(tried, capture_output=True, text=True, check=False, timeout=30)
    except OSError as error:
        return f"needs root, or sudo without a password: {error}"
    return done.stderr.strip() if done.returncode else ""
