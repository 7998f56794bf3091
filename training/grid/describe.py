"""Describe an environment's grid for a catalog: its network as a JSON file, and a catalog beside it."""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

from training.grid.simulation.environment import network, opened
from wattahead.domain.errors import Refused
from wattahead.domain.grid import GridPool, Network
from wattahead.grid.candidates import Candidates
from wattahead.storage.documents import encode

POOL: Final = "screen"
CATALOG: Final = """\
# Grids whose actions are screened every hour. A network is what is fixed of a grid, with its candidate actions.
[networks]
{network} = "{file}"

# Grids of one network share a model: the same country as several forecasts see it, or before and after an outage.
[grid_pools.{pool}]
network = "{network}"
grids = [{grids}]
"""


def describe(environment: str, grids: Sequence[str], folder: Path, *, most_actions: int) -> Network:
    """Write the network of an environment, and a catalog with one pool of grids of it, into a folder."""
    found = network(environment, opened(environment), most_actions)
    GridPool(found.name, tuple(grids))  # refuses names that could not be published
    file = f"{found.name}.json"
    named = ", ".join(f'"{name}"' for name in grids)
    text = CATALOG.format(network=found.name, file=file, pool=POOL, grids=named)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / file).write_bytes(encode(found))
        (folder / "catalog.toml").write_text(text, encoding="utf-8")
    except OSError as error:
        raise Refused("E_CONFIG", f"{folder} cannot be written: {error}", fix="name a folder that may be") from error
    return found


def in_a_line(found: Network) -> str:
    """Return a network in a line."""
    actions = len(Candidates(found).actions)
    size = f"{len(found.substations)} substations, {len(found.lines)} lines"
    return f"{found.name}: {size}, {len(found.generators)} generators, {len(found.loads)} loads, {actions} actions"
