"""Train one pool of grids: simulated states, fit, proof, gate, registry."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np

from training.grid import gate
from training.grid.candidate import Candidate, candidate
from training.grid.evaluate import Said, Table, answers, compared
from training.grid.lessons import Lesson, lesson_of, split
from training.grid.simulation.dataset import Dataset
from training.grid.trainers import Progress
from training.report.saved import save_page
from training.stopping import Stop
from wattahead.domain.bundle import RegistryEntry, Rung
from wattahead.domain.catalog import Catalog, known
from wattahead.domain.errors import Refused
from wattahead.domain.grid import GridPool
from wattahead.jobs.promote import Verdict, promote, refuse_earlier
from wattahead.models.loading import load
from wattahead.models.rows import Model
from wattahead.models.screen import LinearFlows
from wattahead.storage.bundles import fetch
from wattahead.storage.measures import metric_rows, save_metrics
from wattahead.storage.objects import Bucket
from wattahead.storage.registry import latest
from wattahead.workloads.grid_action.planning import UNIT, output_of

TEST: Final = "test"
VERSION: Final = 12  # characters of a bundle's id in `model_version`, as in rows


@dataclass(frozen=True)
class Trained:
    """What a training came to."""

    entry: RegistryEntry
    promoted: bool
    table: Table  # set -> model -> measure
    page: str  # key of the page about it


def train(
    bucket: Bucket,
    catalog: Catalog,
    name: str,
    sets: Mapping[str, Dataset],
    *,
    until: int,
    seed: int,
    progress: Progress,
    stop: Stop | None = None,
) -> Trained:
    """Train pool `name` on simulated sets and let the registry decide; decisions take effect at `until` [µs].

    Of the set `TEST`, whole episodes are held back; the others are only judged by: states unlike those learnt from.
    `stop` is left held off when the registry was written: release it when the ledger tells of it.
    """
    stop = stop or Stop()
    refuse_earlier(latest(bucket, name), until)
    known("grid pool", name, catalog.grid_pools)
    pool = catalog.grid_pools[name]
    _must_fit(catalog, pool, sets)
    lessons = {
        one: lesson_of(held, quantiles=pool.quantiles, seed=seed, parameters=pool.parameters)
        for one, held in sets.items()
    }
    held_back = split(lessons[TEST].episode, seed)
    learnt = lessons[TEST].take(~held_back)
    judged = {**lessons, TEST: lessons[TEST].take(held_back)}
    progress(f"{len(learnt):,} states to learn from, {len(judged[TEST]):,} to judge by")
    made = candidate(bucket, name, pool, sets[TEST], learnt, progress)
    court = _Court(bucket, name, pool, made, learnt, judged, sets[TEST], until, stop)
    entry = promote(bucket, name, made.rung, (made.baseline,), court.judge, effective_from=until)
    return Trained(entry, court.verdict.promoted, court.table, court.page)


@dataclass
class _Court:
    """Judges a candidate beside whoever serves at that moment, and writes down what it saw."""

    bucket: Bucket
    name: str
    pool: GridPool
    made: Candidate
    learnt: Lesson
    judged: Mapping[str, Lesson]
    dataset: Dataset
    until: int
    stop: Stop
    verdict: Verdict = field(init=False)
    table: Table = field(init=False)
    page: str = field(init=False)

    def judge(self, champion: Rung | None) -> Verdict:
        """Return the verdict. A decision that lost a race is made again, against the new champion."""
        self.stop.release()  # nothing was written yet
        outputs = output_of(self.pool).quantiles
        models: dict[str, Model] = {gate.CANDIDATE: self.made.model, gate.LINEAR: LinearFlows(outputs)}
        itself = champion is not None and champion.bundle_id == self.made.rung.bundle_id
        if champion and not itself:
            models |= _held(self.bucket, self.name, champion, self.pool)
        said = answers(self.judged, models, self.learnt, outputs)
        self.table = compared(self.judged, said)
        same = Verdict(promoted=False, reason="the champion's own bundle, trained again")
        self.verdict = same if itself else gate.verdict(self.table[TEST])
        self._save()
        self.page = self._page(said)
        self.stop.check()
        self.stop.hold()  # the next thing is the registry's put, which a signal must not part from its ledger entry
        return self.verdict

    def _page(self, said: Mapping[str, Mapping[str, Said]]) -> str:
        """Write the page about the training and return its key."""
        from training.grid.report.judged_pictures import of_answers  # noqa: PLC0415 - matplotlib takes a second
        from training.grid.report.page import grid_page  # noqa: PLC0415

        decision = f"{'Promoted' if self.verdict.promoted else 'Kept as it was'}: {self.verdict.reason}."
        html = grid_page(self.dataset, self.table, decision, of_answers(self.judged, said))
        return save_page(self.bucket, "grid_training", self.until, html)

    def _save(self) -> None:
        """Write all measures to the table of measures: a row per set, model and measure."""
        rows = [
            (one, model, measure, value)
            for one, models in self.table.items()
            for model, measures in models.items()
            for measure, value in measures.items()
            if np.isfinite(value)
        ]
        about: dict[str, str | int] = {
            "pool": self.name, "series_id": self.pool.network,
            "model_version": self.made.rung.bundle_id[:VERSION], "run_kind": "", "run": "", "split": "validation",
            "issue_from": self.until, "issue_to": self.until, "slice": "set and model", "unit": UNIT,
            "origin": "simulated",
        }  # fmt: skip
        columns: dict[str, list[Any]] = {
            "metric": [measure for _, _, measure, _ in rows],
            "slice_value": [f"{one}, {model}" for one, model, _, _ in rows],
            "value": [value for _, _, _, value in rows],
            "low": [None] * len(rows),
            "high": [None] * len(rows),
            "n": [len(self.judged[one]) for one, _, _, _ in rows],
        }
        save_metrics(self.bucket, metric_rows(about, columns))


def _must_fit(catalog: Catalog, pool: GridPool, sets: Mapping[str, Dataset]) -> None:
    """Refuse sets of another network than the catalog's: actions are known by their places in it."""
    for name, dataset in sets.items():
        if dataset.network != catalog.networks[pool.network]:
            raise Refused(
                "E_CONFIG",
                f"the set {name!r} is of another network than {pool.network} in the catalog",
                fix="describe the network again, and publish the catalog with it",
            )


def _held(bucket: Bucket, name: str, champion: Rung, pool: GridPool) -> dict[str, Model]:
    """Return the champion, unless it says something else than the pool asks for now."""
    manifest, files = fetch(bucket, name, champion.bundle_id)
    return {gate.CHAMPION: load(manifest, files)} if manifest.output == output_of(pool) else {}
