"""A search for a trainer's parameters: seeded, bounded, and kept in the bucket trial by trial, so that it can go on.

Trials learn from, and are judged on, days before those on which a training compares its candidate: what the search
chose has then never seen the days that decide about it.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Final

from training import tuning_samplers as samplers
from training.candidate import Material, code_hashes, libraries
from training.trainers import trainer
from training.trainers.protocol import Progress, Range
from training.tuning_samplers import Told
from training.validation import by_day, validated
from wattahead.domain.errors import Refused
from wattahead.storage import keys
from wattahead.storage.documents import canonical, decode, encode
from wattahead.storage.objects import Bucket, sha256

STRATEGIES: Final = ("out_of_time", "k_fold")


class TimeIsOver(Exception):
    """The search has used its time."""


@dataclass(frozen=True)
class Question:
    """What a search is about; equal questions give equal trials. `until` in µs since 1970, UTC."""

    pool: str
    trainer: str
    sampler: str
    strategy: str
    seed: int
    until: int
    digest: str = ""  # of data, features, space, libraries and code


@dataclass(frozen=True)
class Trial:
    """One set of parameters and what it lost: by day, so that two trials can be compared day by day."""

    number: int
    parameters: Mapping[str, float]  # on top of the catalog's; none for trial 0
    loss: float  # mean pinball loss in units of the scale
    days: Mapping[int, tuple[float, int]]  # day of the issue time since 1970 -> (sum of losses, hours)
    asked: Mapping[str, float] = field(default_factory=dict)  # as the sampler gave them, before rounding
    notes: Mapping[str, str] = field(default_factory=dict)  # of the sampler, as canonical JSON


@dataclass
class Study:
    """One search in one bucket."""

    bucket: Bucket
    told: Material
    asked: Question
    name: str
    trials: list[Trial] = field(default_factory=list)

    def go_on(self, wanted: int, progress: Progress, done: Callable[[Trial], None]) -> None:
        """Run trials until there are `wanted` beside that of the catalog; what `progress` raises ends the search.

        A trial is written when it is over: whatever ends the process loses one trial at most.
        """
        self.trials = saved(self.bucket, self.asked.pool, self.name)
        if not self.trials:
            self._keep(self._tried(0, {}, progress=progress), done)
        while len(self.trials) <= wanted and not samplers.exhausted(self.asked.sampler, self.space, len(self.trials)):
            number = len(self.trials)
            over = [Told(trial.asked, trial.loss, trial.notes) for trial in self.trials[1:]]
            search = samplers.Search(self.space, self.asked.sampler, self.asked.seed)
            found, told = search.next(over, partial(self._tried, number, progress=progress))
            self._keep(replace(found, asked=told.values, notes=told.notes), done)

    @property
    def space(self) -> Mapping[str, Range]:
        """The parameters that are searched."""
        return trainer(self.asked.trainer).SPACE

    def best(self) -> Trial:
        """Return the trial with the least loss, the earlier one of equals."""
        return min(self.trials, key=lambda trial: (trial.loss, trial.number))

    def _tried(self, number: int, parameters: Mapping[str, float], *, progress: Progress) -> Trial:
        return tried(self.told, self.asked, number, parameters, partial(_prefixed, progress, f"trial {number}"))

    def _keep(self, trial: Trial, done: Callable[[Trial], None]) -> None:
        key = keys.trial(self.asked.pool, self.name, trial.number)
        held = self.bucket.create(key, encode(trial)).body  # of two processes at one search, the first is right
        self.trials.append(decode(Trial, held, where=key))
        done(self.trials[-1])


def tried(told: Material, asked: Question, number: int, parameters: Mapping[str, float], progress: Progress) -> Trial:
    """Return what the pool's trainer loses with these parameters on the held-back part of the samples to learn from."""
    learn, pool = told.split.learn, with_parameters(told, parameters).source.pool
    ends = int(learn.issue_times.max()) + 1
    found = validated(
        with_parameters(told, parameters), asked.strategy, learn, until=ends, seed=asked.seed, progress=progress
    )
    days = by_day(found, pool)
    total, hours = (sum(part[at] for part in days.values()) for at in (0, 1))
    if not hours:
        raise Refused("E_TRAIN_ROWS", "nothing that was held back has come true", fix="ingest more actuals")
    shown = {day: (float(f"{lost:.9g}"), n) for day, (lost, n) in days.items()}
    return Trial(number, dict(parameters), float(f"{total / hours:.9g}"), shown)


def with_parameters(told: Material, parameters: Mapping[str, float]) -> Material:
    """Return the material with parameters on top of the catalog's."""
    pool = told.source.pool
    return replace(told, source=replace(told.source, pool=replace(pool, parameters={**pool.parameters, **parameters})))


# --- what the bucket holds -------------------------------------------------------------------------------------------


def saved(bucket: Bucket, pool: str, name: str) -> list[Trial]:
    """Return the trials of a search that are over, in order; those behind a gap do not count."""
    found = [key for key in bucket.keys(keys.study(pool, name)) if not key.endswith("question.json")]
    trials = bucket.read_all([(key, partial(decode, Trial, where=key)) for key in found])
    return [trial for number, trial in enumerate(trials) if trial.number == number]


def pinned(bucket: Bucket, asked: Question, name: str) -> Question:
    """Return the question of a search, written now or by an earlier process; refuse another one under its name."""
    key = keys.study_question(asked.pool, name)
    held = decode(Question, bucket.create(key, encode(asked)).body, where=key)
    told = [part for part, value in vars(asked).items() if getattr(held, part) != value]
    if told:
        fact = f"study {name} of {asked.pool} was begun with another {', '.join(told)}"
        raise Refused("E_CONFIG", fact, fix="give it another --study")
    return held


def begun(bucket: Bucket, pool: str, name: str) -> Question | None:
    """Return the question that a search was begun with, if it was."""
    key = keys.study_question(pool, name)
    return (
        bucket.read(key, partial(decode, Question, where=key)) if key in bucket.keys(keys.study(pool, name)) else None
    )


def digest(told: Material, space: Mapping[str, Range]) -> str:
    """Return the hash of all that a trial depends on beside the question's other parts."""
    depends = {
        "pool": encode(told.source.pool).decode(),
        "signal": encode(told.source.signal).decode(),
        "features": list(told.features),
        "data": told.split.learn.digest,
        "space": {name: vars(one) for name, one in space.items()},
        "libraries": libraries(),
        "code": code_hashes(told.source.pool.trainer),
    }
    return sha256(canonical(depends))[:16]


def _prefixed(progress: Progress, label: str, said: str) -> None:
    progress(f"{label}: {said}")
