"""A real small bundle: three boosters of a few leaves over two features, with golden rows."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import lightgbm
import numpy as np
import pytest

from wattahead.domain.bundle import MANIFEST_VERSION, Golden, Manifest, Output
from wattahead.jobs.prove import golden_rows
from wattahead.models.calibration import POOLED, Calibration, to_json
from wattahead.models.loading import load
from wattahead.storage.bundles import sealed

QUANTILES = ("p10", "p50", "p90")
FEATURES = ("hour", "same_time_1")
POOL = "solar"


@dataclass(frozen=True)
class Bundle:
    """A manifest and its files, as a trainer hands them over."""

    manifest: Manifest
    files: Mapping[str, bytes]

    def with_files(self, **changes: bytes | None) -> "Bundle":
        """Return the bundle with other files (`p50_txt` for p50.txt) and their hashes; None leaves one out."""
        named = {".".join(name.rsplit("_", 1)): body for name, body in changes.items()}
        files = {path: body for path, body in {**self.files, **named}.items() if body is not None}
        return Bundle(sealed(self.manifest, files), files)


@pytest.fixture(scope="session")
def bundle() -> Bundle:
    """Give a sealed bundle that loads, predicts and reproduces its golden rows."""
    draw = np.random.default_rng(7)
    matrix = np.column_stack([draw.integers(0, 24, 300), draw.random(300), draw.integers(0, 2, 300)])
    target = matrix[:, 1] * np.sin(np.pi * matrix[:, 0] / 24) + 0.1 * draw.random(300)
    files = {f"{name}.txt": booster(matrix, target, int(name[1:]) / 100) for name in QUANTILES}
    files["calibration.json"] = to_json(Calibration(QUANTILES, {POOLED: np.ones((3, 4))}))
    output = Output("MW", QUANTILES, 0.0, 1.5, night_zero=True)
    bare = Manifest(MANIFEST_VERSION, "forecast", POOL, "lightgbm", FEATURES, 0.2, output, (), {"zones": ["DE", "FR"]})
    inputs = {"hour": (0.0, 6.0, 12.0, 18.0), "same_time_1": (0.0, 0.5, None, 0.25)}
    golden = Golden(("FR", "SE"), 2, inputs, {}, 1e-6)
    values = load(bare, files).predict(golden_rows(golden))
    outputs = {name: tuple(values[number].tolist()) for number, name in enumerate(QUANTILES)}
    return Bundle(sealed(replace(bare, golden=replace(golden, outputs=outputs)), files), files)


def booster(matrix: np.ndarray, target: np.ndarray, alpha: float) -> bytes:
    """Return the text of a booster of four small trees."""
    settings = {
        "objective": "quantile",
        "alpha": alpha,
        "num_leaves": 5,
        "seed": 1,
        "deterministic": True,
        "num_threads": 1,
        "verbosity": -1,
    }
    data = lightgbm.Dataset(matrix, target, feature_name=[*FEATURES, "zone"], categorical_feature=[2])
    return lightgbm.train(settings, data, 4).model_to_string().encode()
