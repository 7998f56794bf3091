"""Time-ordered splits. A sample reaches a horizon into the future: what is learnt stays as far from what judges it."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from training.samples import Samples
from wattahead.domain.errors import Refused
from wattahead.domain.hours import DAY, iso

OUT_OF_TIME_DAYS = 14
FEWEST_DAYS = 30
WEEK = 7 * DAY
GAPS_IN_BLOCK = 3  # at least: between two held-back blocks, a gap at either end is not learnt from

Chosen = NDArray[np.bool_]


@dataclass(frozen=True)
class OutOfTime:
    """Samples to learn from, and the later days on which models are compared."""

    learn: Samples
    test: Samples


def gap(samples: Samples) -> int:
    """Return how far apart issue times are that are learnt from and judged [µs]: a day, or a longer horizon.

    Then nothing that came true in a judged interval is learnt from.
    """
    return max(DAY, samples.horizon)


def out_of_time(samples: Samples, until: int) -> OutOfTime:
    """Split off the issue times of the last days before `until` [µs]; what is learnt from ends a gap ahead of them."""
    cut = until - OUT_OF_TIME_DAYS * DAY
    learn = samples.take(samples.issue_times < cut - gap(samples))
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
    return samples.issue_times < cut - gap(samples), samples.issue_times >= cut


def folds(samples: Samples, count: int) -> list[tuple[Chosen, Chosen]]:
    """Return `count` pairs of samples to learn from and samples held back: whole weeks in turn, with a gap between.

    Each fold has seen every season, and no issue time within the gap of a week that it is asked about. Weeks are held
    back by twos or threes where the horizon is so long that single ones would leave nothing to learn from.
    """
    apart = gap(samples)
    length = -(-GAPS_IN_BLOCK * apart // WEEK) * WEEK
    block, *near = ((samples.issue_times + away) // length for away in (0, -apart, apart))
    return [
        (~np.any([at % count == number for at in (block, *near)], axis=0), block % count == number)
        for number in range(count)
    ]
