"""The score image, built once per Python, and the hour that it scores: one batch of 100 series."""

import fcntl
import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from infra.runtime.dockerfile import read_target
from infra.runtime.emulator import Emulator
from infra.runtime.function import Function
from infra.runtime.images import BUILD, DOCKERFILE, Image, build
from infra.runtime.interpreters import interpreter, machine_version
from infra.runtime.rie import Rie, binary
from infra.runtime.stage import Stage, Start, set_stage, start
from tests.perf.workload import make_world

EVENTS = Path(__file__).parent.parent / "events"
DEPLOYED = read_target(DOCKERFILE.read_text(encoding="utf-8"), "score").python
VERSIONS = list(dict.fromkeys([machine_version(), DEPLOYED]))
SERIES = 100
RAN: set[str] = set()

Runtime = Emulator | Rie


def event(name: str) -> Any:
    """Return the event in `tests/events/<name>.json`."""
    return json.loads((EVENTS / f"{name}.json").read_text(encoding="utf-8"))


@pytest.fixture(autouse=True)
def told(record_property: Callable[[str, object], None]) -> None:
    """Tell which Pythons the image was built for and run with: the summary names them, whichever process ran them."""
    for version in sorted(RAN):
        record_property("score image", version)


@contextmanager
def alone() -> Iterator[None]:
    """Let one process at a time build images: the others would only make the same folders again."""
    BUILD.mkdir(parents=True, exist_ok=True)
    with (BUILD / ".lock").open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        yield


def python(version: str) -> str:
    """Return a Python of the version; skip the test where none runs."""
    found = interpreter(version)
    if not found:
        pytest.skip(f"no Python {version} runs on this machine")
    return found


def score_image(version: str) -> Image:
    """Return the score image for a Python of the version."""
    with alone():
        image = build("score", python(version))
    RAN.add(image.python)
    return image


@pytest.fixture(scope="session", params=VERSIONS)
def image(request: pytest.FixtureRequest) -> Image:
    """Give the score image, for this machine's Python and for the image's own."""
    return score_image(request.param)


@pytest.fixture(scope="session")
def machine_image() -> Image:
    """Give the score image for this machine's Python: where the Python makes no difference."""
    return score_image(machine_version())


@pytest.fixture(scope="session")
def hour(tmp_path_factory: pytest.TempPathFactory, s3_server: str) -> Stage:
    """Make the planned hour, in a folder and in a bucket."""
    return set_stage(make_world(tmp_path_factory.mktemp("hour"), SERIES), s3_server)


@pytest.fixture
def stage(hour: Stage) -> Stage:
    """Give the planned hour with nothing scored."""
    hour.forget()
    return hour


def begin(image: Image, function: Function) -> Start:
    """Return how a function starts from an image."""
    with alone():
        return start(image, python(image.python), function)


def odd_image(image: Image, folder: Path) -> Image:
    """Return the image with `odd.py` as its only code; its folder holds nothing else."""
    task = folder / "var/task"
    task.mkdir(parents=True)
    (folder / "var/lang").symlink_to(image.root / "var/lang")
    (task / "odd.py").write_bytes((Path(__file__).parent / "odd.py").read_bytes())
    return replace(image, root=folder)


@pytest.fixture(params=["emulator", "rie"])
def behind(request: pytest.FixtureRequest) -> Iterator[Callable[[Start], Runtime]]:
    """Give what starts a runtime: behind our emulator, and behind AWS's own where it is installed."""
    program = binary()
    if request.param == "rie" and not program:
        pytest.skip("AWS's emulator is not installed; `make runtime` installs it")
    with ExitStack() as held:

        def run(one: Start) -> Runtime:
            if request.param == "rie" and program:
                return held.enter_context(Rie(program, one.command, one.folder, one.variables, one.timeout))
            return held.enter_context(ours(one))

        yield run


def ours(one: Start) -> Emulator:
    """Return a runtime behind our emulator; use it as a context."""
    return Emulator(one.command, one.folder, one.variables, one.timeout)
