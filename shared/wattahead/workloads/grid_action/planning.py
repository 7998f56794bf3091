"""What a plan says of a pool of grids, and the bundle that serves it before its first training."""

from typing import Final

from wattahead.domain.bundle import MANIFEST_VERSION, Manifest, Output, RegistryEntry
from wattahead.domain.catalog import Catalog
from wattahead.domain.grid import GridPool
from wattahead.domain.plan import PlannedGrids
from wattahead.grid.columns import ISOLATES, LINEAR
from wattahead.models.screen import FAIL
from wattahead.workloads.grid_action.sample import COLUMNS

NAME: Final = "grid_action"
UNIT: Final = "rho"  # current over limit, of the line where it is highest
BASELINE: Final = "linear_flows"


def planned_grids(catalog: Catalog, name: str, held: RegistryEntry | None) -> PlannedGrids:
    """Return all that workers need to know of a pool of grids."""
    pool = catalog.grid_pools[name]
    rungs = tuple(sorted(held.rungs, key=lambda rung: rung.level)) if held else ()
    decided_at = held.effective_from if held else 0
    return PlannedGrids(name, NAME, pool, catalog.networks[pool.network], tuple(COLUMNS), rungs, decided_at)


def output_of(pool: GridPool) -> Output:
    """Return what a bundle of this pool predicts of an action: quantiles of the highest loading, and the risk."""
    return Output(UNIT, (*pool.quantiles, FAIL), lower=0.0, upper_of_scale=float(2**31), night_zero=False)


def linear_manifest(name: str, pool: GridPool) -> Manifest:
    """Return the manifest of the linear answer; it needs no files."""
    return Manifest(MANIFEST_VERSION, NAME, name, BASELINE, (LINEAR, ISOLATES), 0.0, output_of(pool), ())
