"""The widened interval that bands are compared with covers what it should, and is the raw one where that does."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.perf.bands import coverage, widened


@given(st.integers(0, 10_000), st.floats(0.1, 0.95))
def test_a_widened_interval_covers_the_asked_share_around_the_same_median(seed: int, share: float) -> None:
    draw = np.random.default_rng(seed)
    middle, truth = draw.normal(0, 1, (2, 400))
    raw = np.stack([middle - draw.uniform(0.1, 1, 400), middle, middle + draw.uniform(0.1, 1, 400)])

    found = widened(raw, truth, share)

    assert coverage(found, truth) == pytest.approx(share, abs=1.5 / 400)
    assert np.array_equal(found[1], middle)
    factors = (found[[0, 2]] - middle) / (raw[[0, 2]] - middle)
    assert factors == pytest.approx(np.full((2, 400), factors[0, 0]), rel=1e-6)


def test_at_its_own_coverage_an_interval_stays_as_it_is() -> None:
    draw = np.random.default_rng(1)
    truth = draw.normal(0, 1, 100_000)
    raw = np.repeat([[-1.2], [0.0], [1.2]], len(truth), axis=1)

    np.testing.assert_allclose(widened(raw, truth, coverage(raw, truth)), raw, rtol=1e-3)
