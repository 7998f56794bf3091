"""What a training of a pool of grids makes before anybody decides on it: a proved candidate and its baseline."""

import platform
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import version
from typing import Any, Final

import numpy as np

from training.grid.lessons import Lesson
from training.grid.simulation.dataset import Dataset
from training.grid.trainers import Fitted, Progress, trainer
from wattahead.domain.bundle import MANIFEST_VERSION, Golden, Manifest, Rung
from wattahead.domain.grid import GridPool
from wattahead.jobs.promote import publish_proved
from wattahead.models.loading import load
from wattahead.models.rows import Model, Rows
from wattahead.storage.documents import encode
from wattahead.storage.objects import Bucket, sha256
from wattahead.workloads.grid_action.planning import BASELINE, NAME, linear_manifest, output_of

GOLDEN_STATES, GOLDEN_ACTIONS = 2, 60
GOLDEN_TOLERANCE: Final = 1e-6  # of the loading; other processors round the last bits of a sum differently
LIBRARIES: Final = ("lightgbm", "numpy", "pyarrow")


@dataclass(frozen=True)
class Candidate:
    """What is published and loaded, and in no registry yet."""

    rung: Rung
    baseline: Rung
    model: Model


def candidate(
    bucket: Bucket, name: str, pool: GridPool, dataset: Dataset, lesson: Lesson, progress: Progress
) -> Candidate:
    """Fit, prove and publish. The same lesson and seed give the same bundle."""
    fitted = trainer(pool.trainer).fit(lesson, progress)
    model = load(_manifest(name, pool, fitted, {}, None), fitted.files)
    told = {
        "trainer": pool.trainer,
        "seed": lesson.seed,
        "network": sha256(encode(dataset.network)),
        "states": len(lesson),
        "data_digest": _digest(lesson),
        "libraries": {**{one: version(one) for one in LIBRARIES}, "python": platform.python_version()},
    }
    progress("proving")
    golden = _golden(few(lesson.rows), model, output_of(pool).quantiles)
    rung = publish_proved(bucket, _manifest(name, pool, fitted, told, golden), fitted.files, "champion")
    baseline = publish_proved(bucket, linear_manifest(name, pool), {}, BASELINE)
    return Candidate(rung, baseline, model)


def few(rows: Rows) -> Rows:
    """Return some states and some of their actions: enough to tell one model from another."""
    states = np.linspace(0, len(rows.zones) - 1, min(GOLDEN_STATES, len(rows.zones))).astype(int)
    actions = np.linspace(0, rows.steps - 1, min(GOLDEN_ACTIONS, rows.steps)).astype(int)
    block = rows.block.reshape(len(rows.names), len(rows.zones), rows.steps)[:, states][:, :, actions]
    zones = tuple(rows.zones[number] for number in states.tolist())
    return Rows(zones, len(actions), rows.names, block.reshape(len(rows.names), -1), np.ones(len(zones)))


def _manifest(name: str, pool: GridPool, fitted: Fitted, facts: Mapping[str, Any], golden: Golden | None) -> Manifest:
    told = {**facts, **fitted.facts}
    return Manifest(
        MANIFEST_VERSION, NAME, name, fitted.kind, fitted.features, 0.0, output_of(pool), (), told, {}, golden
    )


def _golden(rows: Rows, model: Model, outputs: tuple[str, ...]) -> Golden:
    values = model.predict(rows)
    inputs = {name: tuple(rows.block[number].tolist()) for number, name in enumerate(rows.names)}
    said = {name: tuple(values[number].tolist()) for number, name in enumerate(outputs)}
    return Golden(rows.zones, rows.steps, inputs, said, GOLDEN_TOLERANCE)


def _digest(lesson: Lesson) -> str:
    arrays = (lesson.rows.block, lesson.rho_max, lesson.failed, lesson.episode)
    return sha256(b"".join(np.ascontiguousarray(one).tobytes() for one in arrays))
