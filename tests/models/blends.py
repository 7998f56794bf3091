"""Small members of a blend, rows to ask them, and a bundle of them with golden rows."""

from collections.abc import Sequence
from dataclasses import replace
from functools import cache
from typing import Any

import lightgbm
import numpy as np
from numpy.typing import NDArray

from tests.models.conftest import POOL, QUANTILES, Bundle
from wattahead.domain.bundle import MANIFEST_VERSION, Golden, Manifest, Output
from wattahead.jobs.prove import golden_rows
from wattahead.models import blend, linear
from wattahead.models.bands import MEDIAN
from wattahead.models.linear import Linear
from wattahead.models.loading import load
from wattahead.models.rows import Floats, Rows
from wattahead.models.trees import pack
from wattahead.storage.bundles import sealed

NAMES = ("hour", "lead", "same_time_1", "weather_wind")
ZONES = ("DE", "FR", "NO")
BLOCKS = ((0.0, 12.0), (12.0, None))
STEPS = 24


def rows(zones: Sequence[str], *, steps: int = STEPS, seed: int = 4, holes: float = 0.1, first_hour: int = 5) -> Rows:
    """Return rows of series issued at `first_hour`; some of what is not the clock is missing."""
    draw = np.random.default_rng(seed)
    lead = np.arange(steps, dtype=np.float32)
    clock = np.stack([(first_hour + lead) % 24, lead])[:, None].repeat(len(zones), axis=1)
    rest = draw.normal(0.5, 0.4, (2, len(zones), steps))
    rest[draw.random(rest.shape) < holes] = np.nan
    block = np.concatenate([clock, rest]).reshape(4, -1).astype(np.float32)
    return Rows(tuple(zones), steps, NAMES, block, draw.uniform(10, 500, len(zones)))


def line(seed: int, *, zones: Sequence[str] = ZONES, lead_hours: int = 6, envelope: str = "") -> Linear:
    """Return a line whose coefficients are random."""
    draw = np.random.default_rng(seed)
    shape = (24 * -(-24 // lead_hours), len(NAMES) + 1)
    tables = {zone: draw.normal(0, 0.2, shape) for zone in ("", *zones)}
    return Linear(NAMES, draw.normal(0, 1, 4), draw.uniform(0.5, 2, 4), envelope, lead_hours, tables)


@cache
def grown(seed: int, *, rounds: int = 3, median: bool = False) -> str:
    """Return the text of a booster of a few small trees over the names, the median if asked, and the zone."""
    draw = np.random.default_rng(seed)
    matrix = np.column_stack([
        draw.integers(0, 24, 400), draw.integers(0, 24, 400), draw.normal(0.5, 0.4, (400, 2)), draw.integers(0, 3, 400)
    ]).astype(np.float32)  # fmt: skip
    target = matrix[:, 2] + 0.3 * np.sin(matrix[:, 0]) + 0.05 * matrix[:, 4] + draw.normal(0, 0.05, 400)
    names = [*NAMES, MEDIAN, "zone"] if median else [*NAMES, "zone"]
    if median:
        matrix = np.insert(matrix, 4, target, axis=1)
    told = {"num_leaves": 7, "seed": 1, "deterministic": True, "num_threads": 1, "verbosity": -1}
    data = lightgbm.Dataset(matrix, target, feature_name=names, categorical_feature=[len(names) - 1])
    return lightgbm.train(told, data, rounds).model_to_string()


def distances(seed: int) -> dict[str, Floats]:
    """Return ascending distances of three quantiles, of all zones and each."""
    draw = np.random.default_rng(seed)
    return {zone: np.sort(draw.normal(0, 1, 3)) for zone in ("", *ZONES)}


def weights(members: int, seed: int = 6, *, blocks: int = 1) -> dict[str, Floats]:
    """Return weights whose sum is one, of all zones and each."""
    draw = np.random.default_rng(seed)
    return {zone: draw.dirichlet(np.ones(members), blocks) for zone in ("", *ZONES)}


def packed(*, zones: Sequence[str] = ("",), seed: int = 1) -> tuple[dict[str, object], bytes]:
    """Return the facts and the file of boosters of every one of `zones` and block of leads."""
    places = [(zone, first, last) for zone in zones for first, last in BLOCKS]
    return pack(NAMES, ZONES, [(*place, grown(seed + number)) for number, place in enumerate(places)])


def files(held: dict[str, Floats] | None = None, *, lead_hours: int = 24) -> dict[str, bytes]:
    """Return the files of a blend of a line, trees of all zones and trees of each zone, weighted by `held`."""
    pooled, pooled_body = packed()
    own, own_body = packed(zones=ZONES, seed=5)
    spread, spread_body = pack((*NAMES, MEDIAN), ZONES, [("", 0.0, None, grown(20, median=True))])
    about: list[dict[str, Any]] = [
        {"name": "linear", "form": "linear", "file": "linear.json"},
        {"name": "trees", "form": "trees", "file": "trees.txt", **pooled},
        {"name": "zones", "form": "trees", "file": "zones.txt", **own},
    ]
    shares = blend.Weights(lead_hours, weights(3, blocks=-(-24 // lead_hours)) if held is None else held)
    return {
        "linear.json": linear.to_json(line(3)),
        "trees.txt": pooled_body,
        "zones.txt": own_body,
        "spread.txt": spread_body,
        "blend.json": blend.to_json(about, shares, {"file": "spread.txt", **spread}, distances(2)),
    }


def manifest(features: tuple[str, ...] = NAMES) -> Manifest:
    """Return what a blend says of itself."""
    output = Output("MW", QUANTILES, 0.0, 1.5, night_zero=False)
    return Manifest(MANIFEST_VERSION, "forecast", POOL, "blend", features, 0.2, output, (), {"zones": list(ZONES)})


def bundle() -> Bundle:
    """Return a sealed blend that loads, predicts and reproduces its golden rows."""
    made, bare = files(), manifest()
    asked = rows(("FR", "SE"), seed=9)
    inputs: dict[str, tuple[float | None, ...]] = {
        name: tuple(None if np.isnan(value) else float(value) for value in asked.column(name)) for name in NAMES
    }
    golden = Golden(asked.zones, asked.steps, inputs, {}, 1e-6)
    values = load(bare, made).predict(golden_rows(golden))
    outputs = {name: tuple(values[number].tolist()) for number, name in enumerate(QUANTILES)}
    return Bundle(sealed(replace(bare, golden=replace(golden, outputs=outputs)), made), made)


def parts(values: Floats, series: NDArray[np.integer], steps: int = STEPS) -> Floats:
    """Return the values (…, S x H) of some series."""
    return values.reshape(*values.shape[:-1], -1, steps)[..., series, :].reshape(*values.shape[:-1], -1)
