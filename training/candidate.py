"""What a training of one pool makes before anybody decides on it: a proved candidate and its baselines."""

import platform
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

import numpy as np

import training
import wattahead
from training import findings, gate, splits
from training.findings import Finding
from training.hindcasts import save_hindcasts
from training.samples import Samples, first_issue, inputs_of, samples_of, source_of
from training.trainers import climatology, trainer
from training.trainers.protocol import Fitted, Lesson, Progress
from wattahead.domain.bundle import MANIFEST_VERSION, Golden, Manifest, Rung
from wattahead.domain.catalog import Catalog
from wattahead.domain.hours import DAY, HOUR, iso
from wattahead.features.grammar import ZONE, columns
from wattahead.features.source import Source
from wattahead.jobs.promote import publish_proved
from wattahead.models.baseline import CLIMATE_FEATURES, NAIVE_FEATURES, SeasonalNaive
from wattahead.models.loading import load
from wattahead.models.rows import Model
from wattahead.storage.objects import Bucket, sha256
from wattahead.workloads import forecast
from wattahead.workloads.forecast.planning import naive_manifest, output_of

GOLDEN_SAMPLES = 3
GOLDEN_TOLERANCE = 1e-6  # of the scale; other processors round the last bits of a sum differently


@dataclass(frozen=True)
class Material:
    """What there is to learn a pool from, and what is known of it before anything is fitted."""

    name: str
    source: Source
    features: tuple[str, ...]  # of the candidate
    until: int  # [µs]
    samples: Samples
    split: splits.OutOfTime
    is_read: bool = False  # another pool's features read its forecasts
    findings: tuple[Finding, ...] = ()  # about the days that are learnt from


@dataclass(frozen=True)
class Candidate:
    """What is published and loaded, and in no registry yet."""

    rung: Rung
    baselines: tuple[Rung, ...]
    models: Mapping[str, Model]  # `candidate` and the baselines
    fitted: Fitted
    table: Mapping[str, Mapping[str, Mapping[str, float]]]  # zone -> model -> measure, out of time


def material(bucket: Bucket, catalog: Catalog, name: str, *, until: int) -> Material:
    """Return the samples of pool `name` that are known before `until` [µs]; its last days are never learnt from."""
    pool = catalog.pools[name]
    # Hour and lead choose coefficients, boosters and bands; the zone's identity is added by the model itself.
    features = columns(dict.fromkeys([*catalog.feature_sets[pool.feature_set], "hour", "lead"]))
    source = source_of(catalog, name, (*features, *NAIVE_FEATURES, *CLIMATE_FEATURES))
    inputs, times = inputs_of(bucket, source, first_issue(until, pool.training_window), until)
    samples = samples_of(source, inputs, times, until)
    split = splits.out_of_time(samples, until)
    found = findings.searched(inputs, source.names, source.signal, until - splits.OUT_OF_TIME_DAYS * DAY)
    is_read = any(name in catalog.read_by(other) for other in catalog.pools)
    return Material(name, source, features, until, samples, split, is_read, found)


def candidate(bucket: Bucket, told: Material, *, seed: int, progress: Progress) -> Candidate:
    """Fit, judge on the out-of-time days, prove and publish. The same material and seed give the same bundles."""
    pool, learn = told.source.pool, told.split.learn
    fitted = trainer(pool.trainer).fit(Lesson(learn, pool, told.features, seed), progress)
    climate = climatology.learnt(learn, pool.quantiles)
    models = {
        "candidate": loaded(told, fitted),
        "seasonal_naive": SeasonalNaive(pool.quantiles),
        "climatology": loaded(told, climate),
    }
    shown = gate.table(gate.judged(told.split.test, models), pool.quantiles)
    manifest = _manifest(
        told,
        fitted,
        _training(told, seed),
        {"days": splits.OUT_OF_TIME_DAYS, "zones": shown},
        _golden(learn, fitted, models["candidate"], pool.quantiles),
    )
    progress("proving")
    rung = publish_proved(bucket, manifest, fitted.files, "champion")
    progress("proved in a child process")
    naive = naive_manifest(told.name, told.source.signal, pool)
    window = _manifest(told, climate, _window(told.samples), {})
    baselines = (
        publish_proved(bucket, naive, {}, "seasonal_naive"),
        publish_proved(bucket, window, climate.files, "climatology"),
    )
    if told.is_read:
        made, until = models["candidate"], told.until
        save_hindcasts(bucket, told.name, told.source, told.split, fitted, made, until=until, bundle=rung.bundle_id)
    return Candidate(rung, baselines, models, fitted, shown)


def libraries() -> dict[str, str]:
    """Return the versions that the bytes of a bundle may depend on."""
    found = {package: version(package) for package in ("lightgbm", "numpy", "pyarrow", "scipy", "xgboost-cpu")}
    return {**found, "python": platform.python_version()}


def code_hashes(name: str) -> list[str]:
    """Return the hashes of what is run: how features and bundles are made, what learns, a trainer from elsewhere."""
    here, shared = Path(training.__file__).parent, Path(wattahead.__file__).parent
    files = {*here.glob("*.py"), *here.glob("trainers/*.py")}
    files |= {file for part in ("domain", "features", "models") for file in (shared / part).glob("*.py")}
    learns = trainer(name)
    told = getattr(learns, "__file__", None) or getattr(sys.modules.get(type(learns).__module__), "__file__", None)
    return [sha256(path.read_bytes()) for path in sorted({*files, Path(told)} if told else files)]


def loaded(told: Material, fitted: Fitted) -> Model:
    """Return what was fitted as the model that scoring would load."""
    return load(_manifest(told, fitted, {}, {}), fitted.files)


def _manifest(
    told: Material,
    fitted: Fitted,
    training: Mapping[str, object],
    evaluation: Mapping[str, object],
    golden: Golden | None = None,
) -> Manifest:
    facts = {**training, **{key: value for key, value in fitted.facts.items() if key != "max_missing"}}
    return Manifest(
        MANIFEST_VERSION,
        forecast.NAME,
        told.name,
        fitted.kind,
        tuple(feature for feature in fitted.features if feature != ZONE),
        float(fitted.facts.get("max_missing", 1.0)),
        output_of(told.source.signal, told.source.pool),
        (),
        facts,
        dict(evaluation),
        golden,
    )


def _window(samples: Samples) -> dict[str, object]:
    times = samples.issue_times
    return {"window": [iso(int(times.min())), iso(int(times.max()))], "data_digest": samples.digest}


def _training(told: Material, seed: int) -> dict[str, object]:
    """Return what the manifest says of the training. No clock time: the same data and seed give the same bundle."""
    ends = iso(int(told.split.learn.issue_times.max()) + HOUR)
    facts = {"until": iso(told.until), "learnt_until": ends, "seed": seed, "libraries": libraries()}
    found = findings.facts(told.findings)
    return {**_window(told.samples), **facts, "trainer": told.source.pool.trainer, "findings": found}


def _golden(samples: Samples, fitted: Fitted, model: Model, quantiles: tuple[str, ...]) -> Golden:
    """Return a few samples that the model can serve, scaled to 1, and what it says of them."""
    able, chosen = np.flatnonzero(model.usable(samples.rows)), np.zeros(len(samples), dtype=bool)
    chosen[able[np.linspace(0, len(able) - 1, min(GOLDEN_SAMPLES, len(able))).astype(int)]] = True
    rows = samples.take(chosen).rows
    block = rows.columns(fitted.features)
    inputs = {
        feature: tuple(None if np.isnan(value) else float(value) for value in block[number])
        for number, feature in enumerate(fitted.features)
    }
    values = model.predict(rows) / rows.row_scale
    outputs = {quantile: tuple(values[number].tolist()) for number, quantile in enumerate(quantiles)}
    return Golden(rows.zones, rows.steps, inputs, outputs, GOLDEN_TOLERANCE)
