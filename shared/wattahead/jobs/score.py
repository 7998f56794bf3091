"""Score the batches of an hour: features and bundles in, one object of rows per batch out, visible once."""

from collections import Counter
from collections.abc import Callable, MutableMapping
from dataclasses import dataclass, field
from functools import partial

import pyarrow as pa

from wattahead.domain.bundle import Output, Rung
from wattahead.domain.errors import Refused, Transient, WattaheadError
from wattahead.domain.plan import Batch, HourEvent, Plan, Planned
from wattahead.domain.quality import Quality
from wattahead.jobs.hour import Answer, Attempt, closed, features_key, read_plan, refuse_closed, run_id, worst
from wattahead.jobs.plan import scored
from wattahead.jobs.prove import prove, runtime
from wattahead.models.loading import NATIVE, load
from wattahead.models.rows import Model
from wattahead.storage import keys
from wattahead.storage.bundles import fetch
from wattahead.storage.documents import decode
from wattahead.storage.ledger import Outcome
from wattahead.storage.objects import Bucket, sha256
from wattahead.storage.tables import decode_table, encode_table
from wattahead.workloads import workload
from wattahead.workloads.protocol import Scored, Task

# Refusals that somebody can mend within the hour: features that are late, a policy that is wrong. Falling back on them
# at once would freeze a degraded forecast.
MAY_PASS = frozenset({"E_FEAT_MISSING", "E_S3_DENIED"})


@dataclass
class Scorer:
    """Scores hours from one bucket and keeps verified models while the process is warm."""

    bucket: Bucket
    # By bundle id: a changed champion is another key.
    models: MutableMapping[str, tuple[Output, Model]] = field(default_factory=dict)
    plans: MutableMapping[str, Plan] = field(default_factory=dict)  # the last one, by the hash of its bytes

    def score(self, event: HourEvent, *, now: int) -> Answer:
        """Score one batch, or every batch of the hour whose features are ready. Other batches go on when one fails."""
        if closed(event, now):
            return refuse_closed(self.bucket, "score", event, now)
        attempt = Attempt(self.bucket, "score", event, now)
        plan, digest = self._plan(event)
        outcomes: dict[str, Outcome] = {}
        failures: list[Exception] = []
        rows = 0
        served = Counter[str]()
        for batch in self._open(plan, event):
            try:
                outcomes[batch.name], count, by = self._score_batch(event, now, plan, digest, batch)
                rows += count
                served += by
            except Exception as error:  # noqa: BLE001 - a fault of one batch is raised when the others are done
                outcomes[batch.name] = "waiting" if _is_late(error) else "failed"
                if event.batch or outcomes[batch.name] == "failed":
                    failures.append(error)
        if failures:
            # The caller's retry finds the finished batches done and meets only these again.
            raise failures[0]
        if not outcomes:
            attempt.record("duplicate")
        return Answer("score", event, worst(outcomes.values()), outcomes, rows, measures=_measures(plan, served))

    def _plan(self, event: HourEvent) -> tuple[Plan, str]:
        """Return the plan of an hour and the hash of its bytes; the batches of an hour share one decoded plan."""

        def decoded(body: bytes) -> tuple[Plan, str]:
            digest = sha256(body)
            if digest not in self.plans:
                plan = decode(Plan, body, where=keys.plan(event))
                self.plans.clear()
                self.plans[digest] = plan
            return self.plans[digest], digest

        try:
            return self.bucket.read(keys.plan(event), decoded)
        except Refused:
            return read_plan(self.bucket, event)  # which says what is wrong with the hour

    def _open(self, plan: Plan, event: HourEvent) -> list[Batch]:
        """Return the batch of the event, or all of the hour that have no rows yet."""
        if event.batch:
            return [plan.batch(event.batch)]
        done = scored(self.bucket, plan)
        return [batch for batch in plan.batches if batch.name not in done]

    def _score_batch(
        self, event: HourEvent, now: int, plan: Plan, digest: str, batch: Batch
    ) -> tuple[Outcome, int, Counter[str]]:
        attempt = Attempt(self.bucket, "score", event, now, batch.name)
        number = run_id(digest, batch.name)
        planned = plan.pools[batch.pool]
        try:
            features, reading = attempt.timed("read", lambda: self._features(event, plan, planned, batch))
            task = self._task(event, plan, batch, number)
            done = attempt.timed("predict", lambda: workload(planned.workload).score(task, features))
            key = keys.rows(plan, planned.workload, batch.name)
            put = attempt.timed("write", lambda: self.bucket.create(key, encode_table(done.rows)))
        except Exception as error:
            _record_failure(attempt, number, batch, error)
            raise
        outcome: Outcome = "duplicate" if not put.created else "degraded" if done.level.any() else "ok"
        rows, told = done.rows.num_rows, _groups(batch, done)
        attempt.record(outcome, run_id=number, rows=rows, outcomes=told, errors={**done.errors, **reading})
        if not put.created:
            return outcome, 0, Counter()
        return outcome, rows, Counter(rung.role if rung else "no_forecast" for rung in done.served_by)

    def _features(
        self, event: HourEvent, plan: Plan, planned: Planned, batch: Batch
    ) -> tuple[pa.Table | None, dict[str, str]]:
        """Return the batch's feature object. One that is damaged for good is none, and the reason is told."""
        key = features_key(plan, batch)
        schema = workload(planned.workload).feature_schema(planned)
        try:
            return self.bucket.read(key, partial(decode_table, schema=schema, where=key)), {}
        except (Refused, Transient) as error:
            last = event.final_attempt and not (_is_late(error) and not event.batch)
            if not last and (isinstance(error, Transient) or error.code in MAY_PASS):
                raise
            return None, {"": str(error)}

    def _task(self, event: HourEvent, plan: Plan, batch: Batch, number: str) -> Task:
        planned = plan.pools[batch.pool]
        rungs = planned.ladder
        if event.final_attempt:
            # The attempts before may have died in native code: serve from what cannot.
            rungs = tuple(rung for rung in rungs if rung.kind not in NATIVE)
        extra = Quality.FINAL_ATTEMPT if event.final_attempt else 0
        return Task(plan, batch, rungs, self._opener(event, planned), number, extra)

    def _opener(self, event: HourEvent, planned: Planned) -> Callable[[Rung], Model]:
        def open_rung(rung: Rung) -> Model:
            try:
                return self.model(rung, planned)
            except Transient as error:
                if event.final_attempt:
                    raise Refused(error.code, error.fact, fix=error.fix) from error
                raise
            except Refused as error:
                if error.code == "E_S3_DENIED" and not event.final_attempt:
                    raise Transient(error.code, error.fact, fix=error.fix) from error
                raise

        return open_rung

    def model(self, rung: Rung, planned: Planned) -> Model:
        """Return the verified model of a rung; proved again first where this runtime is not the one of its proof."""
        if rung.bundle_id not in self.models:
            manifest, files = fetch(self.bucket, planned.name, rung.bundle_id)
            if rung.kind in NATIVE and rung.proved_on != runtime():
                prove(manifest, files)
            self.models[rung.bundle_id] = manifest.output, load(manifest, files)
        output, model = self.models[rung.bundle_id]
        _check_fit(rung, output, planned)  # on every call: models stay, and the catalog may have changed
        return model


def _check_fit(rung: Rung, output: Output, planned: Planned) -> None:
    """Refuse a bundle of another unit or of other quantiles than the plan's."""
    wanted = workload(planned.workload).output(planned)
    if output.unit != wanted.unit or output.quantiles != wanted.quantiles:
        raise Refused(
            "E_BUNDLE_FEATURES",
            f"bundle {rung.bundle_id[:12]} predicts {output.unit} {output.quantiles}",
            fix=f"train one for {wanted.unit} {wanted.quantiles}",
        )


def _measures(plan: Plan, served: Counter[str]) -> dict[str, float]:
    """Return what the alarms watch: live series that were scored now, and those of them that have no forecast."""
    if plan.run_kind != "live" or not served:
        return {}
    return {"series": float(served.total()), "no_forecast_series": float(served["no_forecast"])}


def _groups(batch: Batch, done: Scored) -> dict[str, tuple[str, ...]]:
    """Return the series by what served them; every series of the batch stands in exactly one group."""
    groups: dict[str, list[str]] = {}
    worth_saying = ~int(Quality.REORDERED)  # a plain number: operators of an enum are slow
    for name, rung, held in zip(batch.series, done.served_by, done.flags.tolist(), strict=True):
        label = f"{rung.role}{' flagged' if held & worth_saying else ''}" if rung else "no_forecast"
        groups.setdefault(label, []).append(name)
    return {label: tuple(names) for label, names in groups.items()}


def _is_late(error: Exception) -> bool:
    """Return whether features are not there yet. On an hour event such a batch waits, even at the last attempt."""
    return isinstance(error, WattaheadError) and error.code == "E_FEAT_MISSING"


def _record_failure(attempt: Attempt, number: str, batch: Batch, error: Exception) -> None:
    outcome: Outcome = "waiting" if _is_late(error) else "failed"
    try:
        attempt.record(outcome, run_id=number, outcomes={outcome: batch.series}, errors={"": str(error)})
    except WattaheadError:
        # The storage that failed the batch also refuses its ledger entry; the first error says more.
        return
