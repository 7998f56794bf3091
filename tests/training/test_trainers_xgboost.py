"""XGBoost's trees as LightGBM text: the same answers, whatever is missing or tied."""

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from training.trainers.translation import lightgbm_text
from wattahead.models.booster import whole
from wattahead.models.native import NativeBooster

xgboost = pytest.importorskip("xgboost")
OBJECTIVES = ("reg:absoluteerror", "reg:quantileerror", "reg:squarederror")
ZERO = 1e-35  # what is closer to zero is zero to LightGBM


def drawn(seed: int, rows: int, columns: int, missing: float) -> np.ndarray:
    """Return features with ties, both zeros, small and huge values, and holes."""
    rng = np.random.default_rng(seed)
    matrix = rng.normal(size=(rows, columns)).astype(np.float32)
    matrix[:, 0] = np.round(matrix[:, 0])  # ties, some of them minus zero
    matrix[:, 1] *= np.float32(10.0) ** rng.integers(-30, 37, rows)
    matrix[rng.random(matrix.shape) < missing] = np.nan
    return matrix


@settings(max_examples=40, deadline=None)
@given(
    seed=st.integers(0, 2**31),
    rows=st.integers(1, 300),
    columns=st.integers(2, 6),
    missing=st.sampled_from([0.0, 0.1, 0.9, 1.0]),
    objective=st.sampled_from(OBJECTIVES),
    leaves=st.integers(2, 12),
    shift=st.sampled_from([0.0, 5.0]),
)
def test_the_text_answers_what_xgboost_answers(
    seed: int, rows: int, columns: int, missing: float, objective: str, leaves: int, shift: float
) -> None:
    matrix = drawn(seed, rows, columns, missing)
    target = np.nan_to_num(matrix[:, 0]) + np.sin(np.arange(rows)) + shift
    told = {
        "objective": objective,
        "quantile_alpha": 0.5,
        "tree_method": "hist",
        "grow_policy": "lossguide",
        "max_leaves": leaves,
        "max_depth": 0,
        "eta": 0.3,
        "nthread": 1,
        "gamma": float(seed % 2),
        "seed": seed,
        "subsample": 0.8,
        "verbosity": 0,
    }
    if objective != "reg:quantileerror":
        del told["quantile_alpha"]
    booster = xgboost.train(told, xgboost.DMatrix(matrix, target, nthread=1), 8)
    names = [f"f{number}" for number in range(columns)]

    native = NativeBooster(whole(lightgbm_text(bytes(booster.save_raw("json")), names), "test"))

    assert native.features == tuple(names)
    trees = json.loads(booster.save_raw("json"))["learner"]["gradient_booster"]["model"]["trees"]
    thresholds = [value for tree in trees for value in tree["split_conditions"]]
    asked = np.vstack([matrix, drawn(seed + 1, 50, columns, 0.2), on(thresholds, columns)])
    expected = booster.inplace_predict(asked)
    assert np.abs(native.predict(asked) - expected).max() <= 1e-6 * max(1.0, np.abs(expected).max())


def on(thresholds: list[float], columns: int) -> np.ndarray:
    """Return rows that lie on thresholds, one step below and one above, and at infinity."""
    at = np.array([*thresholds[:200], 0.0, -0.0], dtype=np.float32)
    near = np.concatenate([at, np.nextafter(at, np.float32(-np.inf)), np.nextafter(at, np.float32(np.inf))])
    near[np.abs(near) <= ZERO] = 0.0
    return np.repeat(near[:, None], columns, axis=1)
