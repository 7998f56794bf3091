"""Train one pool: samples, fit, proof, gate, registry."""

import platform
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import version

import numpy as np

from training import climatology, gate, splits
from training.samples import Samples, first_issue, load_samples, source_of
from training.stopping import Stop
from training.trainers import trainer
from training.trainers.protocol import Fitted, Lesson, Progress
from wattahead.domain.bundle import MANIFEST_VERSION, Golden, Manifest, RegistryEntry, Rung
from wattahead.domain.catalog import Catalog
from wattahead.domain.hours import DAY, HOUR, iso
from wattahead.features.grammar import ZONE, columns
from wattahead.jobs.inputs import Source
from wattahead.jobs.promote import Verdict, naive_manifest, output_of, promote, publish_proved, refuse_earlier
from wattahead.models.baseline import CLIMATE_FEATURES, NAIVE_FEATURES, SeasonalNaive
from wattahead.models.loading import load
from wattahead.models.rows import Model
from wattahead.storage.bundles import fetch
from wattahead.storage.objects import Bucket
from wattahead.storage.registry import latest
from wattahead.workloads import forecast

GOLDEN_SAMPLES = 3
GOLDEN_TOLERANCE = 1e-6  # of the scale; other processors round the last bits of a sum differently


@dataclass(frozen=True)
class Trained:
    """What the training of one pool came to."""

    entry: RegistryEntry
    candidate: Rung
    promoted: bool  # by this training; the champion's own bundle, trained again, is not better than itself
    table: Mapping[str, Mapping[str, Mapping[str, float]]]  # zone -> model -> measure, out of time


def train(
    bucket: Bucket, catalog: Catalog, name: str, *, until: int, seed: int, progress: Progress, stop: Stop | None = None
) -> Trained:
    """Train pool `name` on what is known before `until` [µs] and let the registry decide.

    The newest days are never learnt from: candidate, champion and baselines are compared on them.
    `stop` is left held off when the registry was written: release it when the ledger tells of it.
    """
    stop = stop or Stop()
    refuse_earlier(latest(bucket, name), until)
    pool = catalog.pools[name]
    # The hour is what intervals are calibrated by; the zone's identity is added by the model itself.
    features = columns(dict.fromkeys([*catalog.feature_sets[pool.feature_set], "hour"]))
    source = source_of(catalog, name, (*features, *NAIVE_FEATURES, *CLIMATE_FEATURES))
    samples = load_samples(bucket, source, first_issue(until, pool.training_window), until)
    progress(f"{len(samples)} samples")
    split = splits.out_of_time(samples, until)
    fitted = trainer(pool.trainer).fit(Lesson(split.learn, pool, features, seed), progress)
    climate = climatology.fit(split.learn, pool.quantiles)
    models = {
        "candidate": _model(_manifest(name, source, fitted, {}, {}), fitted),
        "seasonal_naive": SeasonalNaive(pool.quantiles),
        "climatology": _model(_manifest(name, source, climate, {}, {}), climate),
    }
    found = gate.judged(split.test, models)
    about = _training(samples, split.learn, seed, until)
    shown = gate.table(found, pool.quantiles)
    manifest = _manifest(
        name,
        source,
        fitted,
        about,
        {"days": splits.OUT_OF_TIME_DAYS, "zones": shown},
        _golden(split.learn, fitted, models["candidate"], pool.quantiles),
    )
    progress("proving")
    candidate = publish_proved(bucket, manifest, fitted.files, "champion")
    progress("proved in a child process")
    baselines = (
        publish_proved(bucket, naive_manifest(name, source.signal, pool), {}, "seasonal_naive"),
        publish_proved(bucket, _manifest(name, source, climate, _window(samples), {}), climate.files, "climatology"),
    )

    verdicts: list[Verdict] = []

    def judge(champion: Rung | None) -> Verdict:
        stop.release()  # a decision that lost a race is made again: nothing was written yet
        rivals = {**models, "champion": _held(bucket, name, champion)} if champion else models
        test = _test_for(bucket, source, champion, split.test, until)
        verdicts.append(gate.verdict(gate.judged(test, rivals), pool.quantiles))
        stop.check()
        stop.hold()  # the next thing is the registry's put, which a signal must not part from its ledger entry
        return verdicts[-1]

    entry = promote(bucket, name, candidate, baselines, judge, effective_from=until)
    return Trained(entry, candidate, verdicts[-1].promoted, shown)


def _test_for(bucket: Bucket, source: Source, champion: Rung | None, test: Samples, until: int) -> Samples:
    """Return the out-of-time days with the features the champion needs, which an older catalog may have chosen."""
    needed = [feature for feature in (champion.features if champion else ()) if feature not in source.features]
    if not needed:
        return test
    wider = Source(source.pool, source.signal, source.zones, columns((*source.features, *needed)))
    first = int(test.issue_times.min()) if len(test) else until - splits.OUT_OF_TIME_DAYS * DAY
    return load_samples(bucket, wider, first, until)


def _held(bucket: Bucket, pool: str, rung: Rung) -> Model:
    return load(*fetch(bucket, pool, rung.bundle_id))


def _model(manifest: Manifest, fitted: Fitted) -> Model:
    return load(manifest, fitted.files)


def _manifest(
    name: str,
    source: Source,
    fitted: Fitted,
    training: Mapping[str, object],
    evaluation: Mapping[str, object],
    golden: Golden | None = None,
) -> Manifest:
    facts = {**training, **{key: value for key, value in fitted.facts.items() if key != "max_missing"}}
    return Manifest(
        MANIFEST_VERSION,
        forecast.NAME,
        name,
        fitted.kind,
        tuple(feature for feature in fitted.features if feature != ZONE),
        float(fitted.facts.get("max_missing", 1.0)),
        output_of(source.signal, source.pool),
        (),
        facts,
        dict(evaluation),
        golden,
    )


def _window(samples: Samples) -> dict[str, object]:
    times = samples.issue_times
    return {"window": [iso(int(times.min())), iso(int(times.max()))], "data_digest": samples.digest}


def _training(samples: Samples, learn: Samples, seed: int, until: int) -> dict[str, object]:
    """Return what the manifest says of the training. No clock time: the same data and seed give the same bundle."""
    libraries = {package: version(package) for package in ("lightgbm", "numpy", "pyarrow")} | {
        "python": platform.python_version()
    }
    ends = iso(int(learn.issue_times.max()) + HOUR)
    return {**_window(samples), "until": iso(until), "learnt_until": ends, "seed": seed, "libraries": libraries}


def _golden(samples: Samples, fitted: Fitted, model: Model, quantiles: tuple[str, ...]) -> Golden:
    """Return a few samples, scaled to 1, and what the model says of them."""
    chosen = np.zeros(len(samples), dtype=bool)
    chosen[np.linspace(0, len(samples) - 1, GOLDEN_SAMPLES).astype(int)] = True
    rows = samples.take(chosen).rows
    block = rows.columns(fitted.features)
    inputs = {
        feature: tuple(None if np.isnan(value) else float(value) for value in block[number])
        for number, feature in enumerate(fitted.features)
    }
    values = model.predict(rows) / rows.row_scale
    outputs = {quantile: tuple(values[number].tolist()) for number, quantile in enumerate(quantiles)}
    return Golden(rows.zones, rows.steps, inputs, outputs, GOLDEN_TOLERANCE)
