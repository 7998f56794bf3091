"""Sets as parquet: nothing is lost on the way, and nothing is believed that does not fit. Needs no simulator."""

from dataclasses import fields, replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from training.grid.simulation import dataset
from training.grid.simulation.dataset import Dataset, decoded, encoded, reduced
from training.grid.simulation.summary import summary
from wattahead.domain.errors import Refused
from wattahead.domain.grid import Line, Network, Unit
from wattahead.grid.candidates import Candidates
from wattahead.grid.states import States

RING = Network(
    "ring",
    ("a", "b", "c"),
    (Line("ab", 0, 1, 0.01, 0.1, 100.0), Line("bc", 1, 2, 0.01, 0.1, 100.0), Line("ca", 2, 0, 0.01, 0.1, 100.0)),
    (Unit("plant", 0),),
    (Unit("town", 1), Unit("mill", 2)),
    {0: (0, 6)},
)


def made(rows: int, seed: int, network: Network = RING) -> Dataset:
    rng = np.random.default_rng(seed)
    widths = {"generator": len(network.generators), "load": len(network.loads)}

    def matrix(name: str) -> np.ndarray:
        shape = (rows, widths.get(name.partition("_")[0], len(network.lines)))
        if name.endswith("_bus"):
            return rng.integers(0, 3, shape).astype(np.int8)
        return rng.normal(0, 50, shape).astype(np.float32).astype(np.float64)

    actions = len(Candidates(network).actions)
    failed = rng.random((rows, actions)) < 0.2
    failed[:, 0] = False
    rho = rng.gamma(2, 0.5, (rows, actions, len(network.lines))).astype(np.float32)
    rho[failed] = np.nan
    return Dataset(
        network,
        States(**{field.name: matrix(field.name) for field in fields(States)}),
        np.full(rows, 4, dtype=np.int32),
        np.arange(rows, dtype=np.int32) * 3,
        np.arange(rows, dtype=np.int64) * 900_000_000 + 1_500_000_000_000_000,
        rho,
        failed,
    )


def same(one: Dataset, other: Dataset) -> bool:
    names = ("episode", "step", "times", "rho", "failed")
    pairs = [(getattr(one, name), getattr(other, name)) for name in names]
    pairs += [(getattr(one.states, field.name), getattr(other.states, field.name)) for field in fields(States)]
    return all(a.dtype == b.dtype and np.array_equal(a, b, equal_nan=a.dtype.kind == "f") for a, b in pairs)


@settings(deadline=None, max_examples=25)
@given(st.integers(1, 8), st.integers(0, 2**32))
def test_what_is_encoded_is_decoded(rows: int, seed: int) -> None:
    before = made(rows, seed)

    assert same(before, decoded(RING, 4, encoded(before), where="here"))


def test_the_same_set_is_the_same_bytes() -> None:
    assert encoded(made(5, 1)) == encoded(made(5, 1))
    assert encoded(made(5, 1)) != encoded(made(5, 2))


def test_of_a_large_network_the_highest_loadings_are_kept_and_no_maximum_is_lost(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    lines = tuple(replace(RING.lines[0], name=f"l{number}") for number in range(30))
    large, monkey = replace(RING, lines=lines, configurations={}), monkeypatch
    before = made(6, 3, large)
    monkey.setattr(dataset, "MOST_LOADINGS", 100)
    after = decoded(large, 4, encoded(reduced(before)), where="here")

    assert after.rho.shape == (6, 31, dataset.HIGHEST)
    assert after.lines is not None
    assert np.array_equal(after.rho_max, before.rho_max, equal_nan=True)
    assert np.array_equal(
        after.rho, np.take_along_axis(before.rho, after.lines.astype(np.intp), axis=2), equal_nan=True
    )
    lowest_kept = np.sort(before.rho, axis=2)[:, :, -dataset.HIGHEST]
    assert (after.rho >= lowest_kept[:, :, None])[~after.failed].all()


def test_an_episode_of_another_network_is_refused() -> None:
    smaller = replace(RING, lines=RING.lines[:2], configurations={})

    with pytest.raises(Refused, match="column line_p holds 15 values, not 5 x 2"):
        decoded(smaller, 4, encoded(made(5, 1)), where="here")


def test_states_are_taken_with_their_answers() -> None:
    whole = made(6, 2)
    some = whole.take(np.array([4, 1]))

    assert len(some) == 2
    assert same(some.take(slice(0, 1)), whole.take(np.array([4])))
    assert some.hours.tolist() == [whole.hours[4], whole.hours[1]]


def test_a_summary_counts_what_the_arrays_hold() -> None:
    one = made(40, 5)
    told = summary(one)

    assert told["states"] == 40
    assert told["failed"] == pytest.approx(np.isnan(one.rho_max).mean())
    assert told["overloaded"] == pytest.approx((one.rho[:, 0].max(axis=1) > 1).mean())
    assert told["rho_max_p05"] <= told["rho_max_p50"] <= told["rho_max_p95"]
    assert told["failed_nothing"] == 0
