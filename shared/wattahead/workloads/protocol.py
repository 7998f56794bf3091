"""What the rails ask of a workload, and nothing more: jobs, storage, ledger and registry know these names only."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from wattahead.domain.bundle import Manifest, Output, RegistryEntry, Rung
from wattahead.domain.catalog import Catalog
from wattahead.domain.plan import Batch, Plan, Planned
from wattahead.models.rows import Model

if TYPE_CHECKING:  # what reads history would take a tenth of every cold start of score
    from wattahead.storage.timeseries import Root

Held = Callable[[str], RegistryEntry | None]  # what a pool's registry held at issue time


@dataclass(frozen=True)
class Task:
    """One batch of a plan to be scored, and by which rungs."""

    plan: Plan
    batch: Batch
    rungs: tuple[Rung, ...]  # of the pool's ladder, those that may serve
    open_model: Callable[[Rung], Model]
    run_id: str
    extra: int = 0  # flags that all rows of this attempt carry


@dataclass(frozen=True)
class Scored:
    """The rows of a batch, and how each of its S series fared."""

    rows: pa.Table
    level: NDArray[np.int8]  # (S) on the ladder
    served_by: tuple[Rung | None, ...]  # (S)
    flags: NDArray[np.int32]  # (S)
    errors: Mapping[str, str]  # series or role -> why it could not be used


class Workload(Protocol):
    """A kind of scoring. A module with these functions is one."""

    NAME: str

    def pools(self, catalog: Catalog) -> tuple[str, ...]:
        """Return the pools of this workload in a catalog, sorted."""
        ...

    def plan(self, catalog: Catalog, held: Held) -> Mapping[str, Planned]:
        """Return what workers need to know of each pool, for the ladders that `held` gives."""
        ...

    def series(self, catalog: Catalog, pool: str) -> tuple[str, ...]:
        """Return the names of a pool's series, sorted."""
        ...

    def roots(self, catalog: Catalog) -> Sequence["Root"]:
        """Return the rows in the bucket that features are made of, which are compacted."""
        ...

    def baseline(self, catalog: Catalog, pool: str) -> tuple[str, Manifest, Mapping[str, bytes]]:
        """Return what can serve a pool that was never trained: its role, and its bundle."""
        ...

    def feature_schema(self, planned: Planned) -> dict[str, pa.DataType]:
        """Return the columns of a feature object of a pool."""
        ...

    def output(self, planned: Planned) -> Output:
        """Return what a bundle must predict to serve a pool."""
        ...

    def score(self, task: Task, table: pa.Table | None) -> Scored:
        """Return the rows of a batch from its feature object; without one, from what is known without any."""
        ...
