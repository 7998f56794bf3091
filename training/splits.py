"""Time-ordered splits. A sample reaches a day into the future: what is learnt stays a day away from what judges it."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from training.samples import Samples
from wattahead.domain.errors import Refused
from wattahead.domain.hours import DAY, iso

OUT_OF_TIME_DAYS = 14
FEWEST_DAYS = 30
BLOCK_DAYS = 7
GAP = DAY

Chosen = NDArray[np.bool_]


@dataclass(frozen=True)
class OutOfTime:
    """Samples to learn from, and the later days on which models are compared."""

    learn: Samples
    test: Samples


def out_of_time(samples: Samples, until: int) -> OutOfTime:
    """Split off the issue times of the last days before `until` [µs]; what is learnt from ends a day ahead of them."""
    cut = until - OUT_OF_TIME_DAYS * DAY
    learn = samples.take(samples.issue_times < cut - GAP)
    days = len(np.unique(learn.issue_times // DAY))
    if days < FEWEST_DAYS:
        raise Refused(
            "E_TRAIN_ROWS",
            f"{days} days of samples before {iso(cut)}, need {FEWEST_DAYS}",
            fix="ingest more history, or wait",
        )
    return OutOfTime(learn, samples.take(samples.issue_times >= cut))


def early_stopping(samples: Samples) -> tuple[Chosen, Chosen]:
    """Return which samples to fit on and which later ones to stop on: the last fifth of the days."""
    days = np.unique(samples.issue_times // DAY)
    cut = days[len(days) * 4 // 5] * DAY
    return samples.issue_times < cut - GAP, samples.issue_times >= cut


def folds(samples: Samples, count: int) -> list[tuple[Chosen, Chosen]]:
    """Return `count` pairs of samples to learn from and samples held back: whole weeks in turn, with a gap between.

    Each fold has seen every season, and no issue time within a day of a week that it is asked about.
    """
    week = samples.issue_times // (BLOCK_DAYS * DAY)
    near = [(samples.issue_times + away) // (BLOCK_DAYS * DAY) for away in (-GAP, GAP)]
    return [
        (~np.any([at % count == number for at in (week, *near)], axis=0), week % count == number)
        for number in range(count)
    ]
