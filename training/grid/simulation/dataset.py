"""Simulated sets: states, and what every action would do in each; how they are kept, and what is believed of them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from functools import partial
from typing import Any, Final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from training.grid.simulation import kept
from training.grid.simulation.kept import Part, folder_of, verified
from wattahead.domain.errors import Damaged
from wattahead.domain.grid import Network
from wattahead.domain.hours import DAY, HOUR
from wattahead.grid.candidates import Action, Candidates
from wattahead.grid.states import States, joined
from wattahead.storage.documents import decode
from wattahead.storage.objects import Bucket
from wattahead.storage.tables import INSTANT, decode_table, encode_table

MOST_LOADINGS: Final = 2**18  # of one state (1 MB) that are kept whole; beyond, only the highest of each action
HIGHEST: Final = 8
BUSES: Final = tuple(field.name for field in fields(States) if field.name.endswith("_bus"))


@dataclass(frozen=True)
class Dataset:
    """S states of a network with L lines, and what its A candidate actions would do in each.

    The K loadings kept of an action are those of all lines in order, or, where the network has too many actions and
    lines, the 8 highest, highest first, with `lines` telling whose they are.
    """

    network: Network
    states: States
    episode: NDArray[np.int32]  # (S) sets are split by it, never by state
    step: NDArray[np.int32]  # (S) since the episode began
    times: NDArray[np.int64]  # (S) [µs] of the recorded course; its clock knows no zone and is taken as UTC
    rho: NDArray[np.float32]  # (S, A, K) loading; NaN where the action fails
    failed: NDArray[np.bool_]  # (S, A) no solution, or the simulator's game over
    lines: NDArray[np.int16] | None = None  # (S, A, K); nothing where K is every line in order

    def __len__(self) -> int:
        return len(self.states)

    @property
    def actions(self) -> tuple[Action, ...]:
        """The A actions, in the order of the arrays."""
        return Candidates(self.network).actions

    @property
    def rho_max(self) -> NDArray[np.float32]:
        """The highest loading after each action, (S, A); NaN where it fails."""
        return self.rho.max(axis=2)

    @property
    def hours(self) -> NDArray[np.float64]:
        """Hour of the day of each state, (S), with its fraction."""
        return self.times % DAY / HOUR

    def take(self, chosen: NDArray[np.integer] | NDArray[np.bool_] | slice) -> "Dataset":
        """Return some of the states with their answers."""
        arrays = ("episode", "step", "times", "rho", "failed", *(("lines",) if self.lines is not None else ()))
        return replace(self, states=self.states.take(chosen), **{name: getattr(self, name)[chosen] for name in arrays})


@dataclass(frozen=True)
class Manifest:
    """What a set consists of, and all that it came from. The last episode may hold more states than are used."""

    ingredients: Mapping[str, object]
    network: Network
    states: int
    parts: tuple[Part, ...]
    summary: Mapping[str, float]


def load(bucket: Bucket, digest: str, states: int) -> Dataset:
    """Return a set by its digest and size. Needs no simulator; every object is verified before it is believed."""
    folder = folder_of(digest)
    body = kept.manifest(bucket, folder, states, bucket.keys(folder))
    if body is None:
        raise kept.no_set(folder, states)
    return read(bucket, folder, decode(Manifest, body, where=folder))


def read(bucket: Bucket, folder: str, told: Manifest) -> Dataset:
    """Return what a manifest lists."""
    parts = bucket.read_all([(one.key(folder), partial(_part, told.network, one, folder)) for one in told.parts])
    return together(parts).take(slice(told.states))


def _part(network: Network, told: Part, folder: str, body: bytes) -> Dataset:
    key = told.key(folder)
    return decoded(network, told.number, verified(key, told.sha256, body), where=key)


def together(parts: Sequence[Dataset]) -> Dataset:
    """Return the states of several sets of one network, one after the other."""

    def all_of(name: str) -> NDArray[Any]:
        return np.concatenate([getattr(part, name) for part in parts])

    return Dataset(
        parts[0].network,
        joined([part.states for part in parts]),
        all_of("episode"),
        all_of("step"),
        all_of("times"),
        all_of("rho"),
        all_of("failed"),
        None if parts[0].lines is None else all_of("lines"),
    )


def reduced(part: Dataset) -> Dataset:
    """Return answers with the highest loadings of each action only, where all of them would be too many to keep."""
    _, actions, lines = part.rho.shape
    if part.lines is not None or actions * lines <= MOST_LOADINGS:
        return part
    order = np.argsort(-part.rho, axis=2, kind="stable")[:, :, :HIGHEST]  # NaN comes last, and is whole rows only
    return replace(part, rho=np.take_along_axis(part.rho, order, axis=2), lines=order.astype(np.int16))


# --- one episode as parquet ----------------------------------------------------------------------------------------


def encoded(part: Dataset) -> bytes:
    """Return the states of one episode as parquet: a row each, matrices as lists."""
    columns = {"at": pa.array(part.times, INSTANT), "step": pa.array(part.step)}
    lists = {name: getattr(part.states, name) for name in _kinds()}
    lists |= {"rho": part.rho, "failed": part.failed} | ({} if part.lines is None else {"line": part.lines})
    schema = _schema(whole=part.lines is None)
    columns |= {name: _lists(values, schema[name].value_type) for name, values in lists.items()}
    return encode_table(pa.table(columns))


def decoded(network: Network, number: int, body: bytes, *, where: str) -> Dataset:
    """Return the states of one episode; refuse what cannot be of this network."""
    actions, lines = len(Candidates(network).actions), len(network.lines)
    whole = actions * lines <= MOST_LOADINGS
    table = decode_table(body, _schema(whole=whole), where=where)
    rows = table.num_rows
    widths = {"generator": len(network.generators), "load": len(network.loads)}
    kept = (rows, actions, lines if whole else HIGHEST)

    def matrix(name: str, *shape: int) -> NDArray[Any]:
        flat = table[name].combine_chunks().flatten().to_numpy(zero_copy_only=False)
        if flat.size != np.prod(shape):
            fact = f"{where}: column {name} holds {flat.size} values, not {' x '.join(map(str, shape))}"
            raise Damaged("E_FEAT_CORRUPT", fact, fix="delete it, and simulate again")
        return flat.reshape(shape)

    states: dict[str, NDArray[Any]] = {
        name: matrix(name, rows, widths.get(name.partition("_")[0], lines)).astype(np.int8 if name in BUSES else float)
        for name in _kinds()
    }
    return Dataset(
        network,
        States(**states),
        np.full(rows, number, dtype=np.int32),
        table["step"].to_numpy(),
        table["at"].cast(pa.int64()).to_numpy(),
        matrix("rho", *kept).astype(np.float32, copy=False),
        matrix("failed", rows, actions).astype(np.bool_, copy=False),
        None if whole else matrix("line", *kept).astype(np.int16, copy=False),
    )


def _schema(*, whole: bool) -> dict[str, pa.DataType]:
    first = {
        "at": INSTANT,
        "step": pa.int32(),
        **_kinds(),
        "rho": pa.list_(pa.float32()),
        "failed": pa.list_(pa.bool_()),
    }
    return first if whole else {**first, "line": pa.list_(pa.int16())}


def _kinds() -> dict[str, pa.DataType]:
    """Return the columns of states. Float32 is what the solver takes, so nothing that it saw is lost."""
    names = [field.name for field in fields(States)]
    return {name: pa.list_(pa.int8() if name in BUSES else pa.float32()) for name in names}


def _lists(values: NDArray[np.generic], kind: pa.DataType) -> pa.Array:
    flat = values.reshape(len(values), -1)
    offsets = np.arange(len(flat) + 1, dtype=np.int32) * flat.shape[1]
    return pa.ListArray.from_arrays(pa.array(offsets), pa.array(flat.ravel()).cast(kind, safe=False))
