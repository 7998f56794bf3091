"""How good screens are: on episodes they have not learnt from, and on states unlike those, beside simpler answers."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from training.grid.lessons import Lesson
from wattahead.evaluation.actions import DARK, auc, hit, r2, regret, rmse, unverified_regret
from wattahead.models.rows import Model
from wattahead.models.screen import FAIL
from wattahead.workloads.grid_action.screening import LIKELY, order

Floats = NDArray[np.float64]
Table = Mapping[str, Mapping[str, Mapping[str, float]]]  # set -> model -> measure

CAP: Final = DARK  # loadings are compared up to here: further up a state is lost, whatever the number
OVERLOAD: Final = 1.0
TRIED: Final = (5, 10)  # how many of the first actions are verified


@dataclass(frozen=True)
class Said:
    """What a model says of S states with A actions."""

    rho_max: Floats  # (S, A)
    fail: Floats  # (S, A)
    low: Floats | None = None  # (S, A) the outermost quantiles, if it has any
    high: Floats | None = None


def say(model: Model, lesson: Lesson, outputs: tuple[str, ...]) -> Said:
    """Return what a loaded bundle says of a lesson."""
    values = model.predict(lesson.rows).reshape(-1, *lesson.failed.shape)
    low, high = values[0], values[len(outputs) - 2]
    fail = values[outputs.index(FAIL)]
    banded = bool((high > low).any())
    return Said(values[outputs.index("p50")], fail, low if banded else None, high if banded else None)


def action_means(learnt: Lesson, lesson: Lesson) -> Said:
    """Return what each action did on average in the states learnt from: an answer that knows no state."""
    lives = ~learnt.failed
    fail = learnt.failed.mean(axis=0)
    total = np.where(lives, np.minimum(np.nan_to_num(learnt.rho_max), CAP), 0.0).sum(axis=0)
    mean = np.where(lives.any(axis=0), total / np.maximum(lives.sum(axis=0), 1), CAP)  # `CAP` if it never lives
    return Said(*(np.broadcast_to(one, lesson.failed.shape) for one in (mean, fail)))


def nothing_changes(lesson: Lesson) -> Said:
    """Return the present loading for every action: an answer that knows no action."""
    now = np.broadcast_to(lesson.rho_max[:, :1], lesson.failed.shape)
    return Said(np.nan_to_num(now, nan=CAP), np.zeros(lesson.failed.shape))


def measures(lesson: Lesson, said: Said) -> dict[str, float]:
    """Return how good an answer is.

    `rmse` and `r2` are of actions that the grid survives, loadings up to `CAP`; `rmse_failures` and `r2_failures`
    count a failure as `CAP`, also a predicted one. Regret is in units of the loading.
    """
    lives = ~lesson.failed
    truth, predicted = np.minimum(lesson.rho_max[lives], CAP), np.minimum(said.rho_max[lives], CAP)
    all_truth = np.where(lives, np.minimum(np.nan_to_num(lesson.rho_max, nan=CAP), CAP), CAP)
    all_said = np.where(said.fail < LIKELY, np.minimum(said.rho_max, CAP), CAP)
    ranked, happened = order(said.rho_max, said.fail), lesson.truth
    found = {
        "rmse": rmse(truth, predicted),
        "r2": r2(truth, predicted),
        "rmse_failures": rmse(all_truth, all_said),
        "r2_failures": r2(all_truth, all_said),
        "overload_auc": auc(lesson.rho_max[lives] > OVERLOAD, said.rho_max[lives]),
        "failure_auc": auc(lesson.failed.reshape(-1), said.fail.reshape(-1)),
        "top_1": hit(happened, ranked, 1),
        **{f"top_{count}": hit(happened, ranked, count) for count in TRIED},
        "regret": unverified_regret(happened, ranked),
        **{f"regret_{count}": regret(happened, ranked, count) for count in TRIED},
    }
    if said.low is not None and said.high is not None:
        inside = (lesson.rho_max >= said.low) & (lesson.rho_max <= said.high)
        found["coverage"] = float(inside[lives].mean())
    return found


def answers(
    lessons: Mapping[str, Lesson], models: Mapping[str, Model], learnt: Lesson, outputs: tuple[str, ...]
) -> dict[str, dict[str, Said]]:
    """Return set -> model -> what it says, the mean of the action in the states learnt from among the models."""
    return {
        name: {model: say(held, lesson, outputs) for model, held in models.items()}
        | {"mean of the action": action_means(learnt, lesson)}
        for name, lesson in lessons.items()
    }


def compared(lessons: Mapping[str, Lesson], said: Mapping[str, Mapping[str, Said]]) -> Table:
    """Return set -> model -> measures, doing nothing among the models."""
    return {
        name: {model: measures(lesson, one) for model, one in said[name].items()}
        | {"doing nothing": measures(lesson, nothing_changes(lesson))}
        for name, lesson in lessons.items()
    }
