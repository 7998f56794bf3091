"""Train one pool: samples, fit, proof, gate, registry."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from training import gate, splits
from training.candidate import Material, candidate, material
from training.findings import Finding
from training.record import Left, leave
from training.samples import Samples, load_samples
from training.stopping import Stop
from training.trainers.protocol import Progress
from wattahead.domain.bundle import RegistryEntry, Rung
from wattahead.domain.catalog import Catalog
from wattahead.domain.hours import DAY
from wattahead.features.grammar import columns
from wattahead.jobs.promote import Verdict, promote, refuse_earlier
from wattahead.models.loading import load
from wattahead.models.rows import Model
from wattahead.storage.bundles import fetch
from wattahead.storage.objects import Bucket
from wattahead.storage.registry import latest


@dataclass(frozen=True)
class Trained:
    """What the training of one pool came to."""

    entry: RegistryEntry
    candidate: Rung
    promoted: bool  # by this training; the champion's own bundle, trained again, is not better than itself
    table: Mapping[str, Mapping[str, Mapping[str, float]]]  # zone -> model -> measure, out of time
    findings: tuple[Finding, ...]
    left: Left  # keys of what was written about it


def train(
    bucket: Bucket,
    catalog: Catalog,
    name: str,
    *,
    until: int,
    seed: int,
    progress: Progress,
    stop: Stop | None = None,
    report: bool = False,
) -> Trained:
    """Train pool `name` on what is known before `until` [µs] and let the registry decide.

    The newest days are never learnt from: candidate, champion and baselines are compared on them. Their measures are
    saved, and with `report` a page about them.
    `stop` is left held off when the registry was written: release it when the ledger tells of it.
    """
    stop = stop or Stop()
    refuse_earlier(latest(bucket, name), until)
    told = material(bucket, catalog, name, until=until)
    progress(f"{len(told.samples)} samples")
    made = candidate(bucket, told, seed=seed, progress=progress)
    pool = told.source.pool
    verdicts: list[Verdict] = []
    left: list[Left] = []

    def judge(champion: Rung | None) -> Verdict:
        stop.release()  # a decision that lost a race is made again: nothing was written yet
        held = _held(bucket, name, champion, pool.quantiles) if champion else None
        rivals = {**made.models, gate.CHAMPION: held} if held else made.models
        found = gate.judged(_test_for(bucket, told, champion), rivals)
        if champion and not held:
            found = replace(found, left_out=f"the champion does not say {', '.join(pool.quantiles)}")
        verdicts.append(gate.verdict(found, pool.quantiles, trainer=pool.trainer))
        shown = _without_itself(found, made.rung, champion)
        left.append(leave(bucket, catalog, told, made, shown, verdicts[-1], progress, report=report))
        stop.check()
        stop.hold()  # the next thing is the registry's put, which a signal must not part from its ledger entry
        return verdicts[-1]

    entry = promote(bucket, name, made.rung, made.baselines, judge, effective_from=until)
    return Trained(entry, made.rung, verdicts[-1].promoted, made.table, told.findings, left[-1])


def _without_itself(found: gate.Judged, candidate: Rung, champion: Rung | None) -> gate.Judged:
    """Leave a champion out that is the candidate's own bundle: nobody is told how much better it is than itself."""
    if not champion or champion.bundle_id != candidate.bundle_id:
        return found
    return replace(found, values={name: values for name, values in found.values.items() if name != gate.CHAMPION})


def _test_for(bucket: Bucket, told: Material, champion: Rung | None) -> Samples:
    """Return the out-of-time days with the features the champion needs, which an older catalog may have chosen."""
    source, test = told.source, told.split.test
    needed = [feature for feature in (champion.features if champion else ()) if feature not in source.features]
    if not needed:
        return test
    wider = replace(source, features=columns((*source.features, *needed)))
    first = int(test.issue_times.min()) if len(test) else told.until - splits.OUT_OF_TIME_DAYS * DAY
    return load_samples(bucket, wider, first, told.until)


def _held(bucket: Bucket, pool: str, rung: Rung, quantiles: tuple[str, ...]) -> Model | None:
    """Return the champion, unless it was trained for other quantiles than the catalog asks for now."""
    manifest, files = fetch(bucket, pool, rung.bundle_id)
    return load(manifest, files) if tuple(manifest.output.quantiles) == quantiles else None
