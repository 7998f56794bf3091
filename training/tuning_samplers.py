"""Which parameters to try next: Optuna, told of the trials that are over."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Protocol, TypeVar

import numpy as np

from training.trainers.protocol import Range
from wattahead.storage.documents import canonical

if TYPE_CHECKING:
    import optuna

SAMPLERS: Final = ("bayesian", "grid", "random")
GRID: Final = 3  # points of every range: both ends and the middle
DIGITS: Final = 4  # significant ones of a parameter that is tried, so that the line for the catalog is what was tried


class Scored(Protocol):
    """What came of a trial."""

    @property
    def loss(self) -> float:
        """Less is better."""
        ...


Result = TypeVar("Result", bound=Scored)


@dataclass(frozen=True)
class Told:
    """A trial that is over, as the sampler knows it."""

    values: Mapping[str, float]  # as the sampler gave them, before rounding
    loss: float
    notes: Mapping[str, str]  # the sampler's own, as canonical JSON


@dataclass(frozen=True)
class Search:
    """Chooses one trial. Samplers are seeded for that very trial: a search goes on as if it had never ended."""

    space: Mapping[str, Range]
    sampler: str
    seed: int

    def next(self, over: Sequence[Told], attempt: Callable[[dict[str, float]], Result]) -> tuple[Result, Told]:
        """Choose parameters by what the trials that are `over` came to, try them, and return both."""
        study, found = self._study(over), list[tuple[Result, dict[str, float]]]()

        def objective(given: "optuna.Trial") -> float:
            values = self._suggested(given)
            found.append((attempt(self._rounded(values)), values))
            return found[0][0].loss

        study.optimize(objective, n_trials=1)
        notes = {name: canonical(value).decode() for name, value in study.trials[-1].system_attrs.items()}
        result, values = found[0]
        return result, Told(values, result.loss, notes)

    def _study(self, over: Sequence[Told]) -> "optuna.Study":
        import optuna  # noqa: PLC0415 - half a second of imports, for a search only

        optuna.logging.set_verbosity(optuna.logging.ERROR)
        # Numpy's generators with neighbouring seeds begin alike: what is drawn first would hardly differ.
        seed = int(np.random.SeedSequence([self.seed % 2**32, len(over)]).generate_state(1)[0])
        made: dict[str, Callable[[], optuna.samplers.BaseSampler]] = {
            "bayesian": lambda: optuna.samplers.TPESampler(seed=seed),
            "random": lambda: optuna.samplers.RandomSampler(seed=seed),
            "grid": lambda: optuna.samplers.GridSampler(
                grid(self.space), seed=self.seed % 2**32
            ),  # the order of points
        }
        kinds: dict[str, optuna.distributions.BaseDistribution] = {
            name: optuna.distributions.IntDistribution(int(one.low), int(one.high), log=one.log)
            if one.whole
            else optuna.distributions.FloatDistribution(one.low, one.high, log=one.log)
            for name, one in self.space.items()
        }
        study = optuna.create_study(sampler=made[self.sampler]())
        for one in over:
            values = {name: int(value) if self.space[name].whole else value for name, value in one.values.items()}
            notes = {name: json.loads(text) for name, text in one.notes.items()}
            study.add_trial(
                optuna.trial.create_trial(params=values, distributions=kinds, value=one.loss, system_attrs=notes)
            )
        return study

    def _suggested(self, given: "optuna.Trial") -> dict[str, float]:
        return {
            name: given.suggest_int(name, int(one.low), int(one.high), log=one.log)
            if one.whole
            else given.suggest_float(name, one.low, one.high, log=one.log)
            for name, one in self.space.items()
        }

    def _rounded(self, values: Mapping[str, float]) -> dict[str, float]:
        return {
            name: value if self.space[name].whole else float(f"{value:.{DIGITS}g}") for name, value in values.items()
        }


def grid(space: Mapping[str, Range]) -> dict[str, list[float]]:
    """Return the points of every range: both ends, and the middle on its own scale."""
    found = {}
    for name, one in space.items():
        middle = (one.low * one.high) ** 0.5 if one.log else (one.low + one.high) / 2
        found[name] = [round(at) if one.whole else at for at in (one.low, middle, one.high)]
    return found


def exhausted(sampler: str, space: Mapping[str, Range], number: int) -> bool:
    """Return whether there is no point left for trial `number`, counted from 1."""
    return sampler == "grid" and number > GRID ** len(space)
