"""What a simulation is asked, and the digest of all that its answer depends on."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Final

import training.grid.simulation
import wattahead
from training.grid.simulation.kept import DIGITS
from training.grid.simulation.sampling import Sampling
from wattahead.domain.errors import Refused
from wattahead.grid.states import States
from wattahead.storage.objects import sha256

LIBRARIES: Final = ("grid2op", "lightsim2grid", "numpy")
HERE: Final = (
    "case.py",
    "chronics.py",
    "dataset.py",
    "environment.py",
    "episodes.py",
    "sampling.py",
    "solver.py",
    "sweep.py",
    "worker.py",
)
SHARED: Final = ("domain/grid.py", "grid/candidates.py")


@dataclass(frozen=True)
class Question:
    """Which states of which environment. How many is no part of it: a larger set goes on where a smaller one ended."""

    environment: str
    seed: int = 0
    sampling: Sampling = field(default_factory=Sampling)


def ingredients(asked: Question) -> Mapping[str, object]:
    """Return all that the answer depends on, as plain values."""
    columns = [one.name for one in fields(States)]
    return {**asdict(asked), "libraries": libraries(), "code": code_hashes(), "columns": columns}


def digest(told: Mapping[str, object]) -> str:
    """Return the name of the answer that comes from these ingredients."""
    return sha256(json.dumps(told, sort_keys=True).encode())[:DIGITS]


def libraries() -> dict[str, str]:
    """Return the versions that the answer may depend on. They are read, nothing is imported: that takes seconds."""
    try:
        return {name: version(name) for name in LIBRARIES}
    except PackageNotFoundError as error:
        fact = f"this needs the simulator, and {error.name} is not installed"
        raise Refused("E_CONFIG", fact, fix="install wattahead[grid], in an environment of its own") from error


def code_hashes() -> list[str]:
    """Return the hashes of the files that decide what a set holds."""
    here, shared = Path(training.grid.simulation.__file__).parent, Path(wattahead.__file__).parent
    files = [*(here / name for name in HERE), *(shared / name for name in SHARED)]
    return [sha256(path.read_bytes()) for path in files]
