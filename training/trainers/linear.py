"""A linear model per hour of the day and block of leads, each drawn towards what all hours and leads have in common.

Lines go on where trees stop: a plant that grew, a wind stronger than any before. Coefficients minimise the absolute
error (iteratively reweighted least squares; Schlossmacher, J. Am. Stat. Assoc. 68, 1973) plus a ridge on their distance
from those of the level above: all rows of a zone, then a block of leads, then an hour within it.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from training.samples import Samples
from training.trainers.blend import Blending, blended
from training.trainers.parameters import chosen
from training.trainers.protocol import Fitted, Lesson, Piece, Progress, Range
from wattahead.models import linear
from wattahead.models.linear import Linear, block_count, group, standard
from wattahead.models.rows import envelope_of

Floats = NDArray[np.float64]

ENVELOPE: Final = "same_time_max_14d"  # what is zero at night for solar: a line times it is zero at night too
CLOSEST: Final = 0.01  # of the scale: rows nearer than this to the line weigh no more
PASSES: Final = 5  # of reweighting; a sixth moves no digit that matters
ZONES_OF_THEIR_OWN: Final = 50  # pools of more zones share one set of coefficients
STRONGER: Final = (1, 30, 1000)  # times the stated strength: two months of data want far more of it than two years
SPACE: Final = {
    "strength": Range(0.1, 30, log=True),
    "hour_strength": Range(1, 300, log=True),
    "memory_days": Range(60, 2000, log=True),
}


@dataclass(frozen=True)
class Line:
    """How lines are fitted."""

    strength: float = 1.0  # of the ridge, in ten-thousandths of the rows: all rows, then leads
    hour_strength: float = 10.0  # an hour of a block of leads has few rows, and stays close to the block
    lead_hours: int = 6
    memory_days: float = 400.0  # what happened that long ago counts half


@dataclass(frozen=True)
class Parameters(Line, Blending):
    """What may be set in the catalog under a pool's `parameters`."""


@dataclass(frozen=True)
class Learner:
    """Fits one `Linear` on samples."""

    features: tuple[str, ...]
    parameters: Line
    envelope: str = ""

    def fit(self, samples: Samples) -> Piece:
        """Return the model of all zones of `samples`."""
        whole = envelope_of(samples.rows, self.envelope)
        known = np.isfinite(samples.scaled_truth) & np.isfinite(whole)
        columns = samples.rows.columns(self.features)
        center, width = np.array([_middle(column[known]) for column in columns]).T
        raised = whole[known]
        design = np.empty((len(raised), len(columns) + 1))  # years of a pool are gigabytes: one column after the other
        for number, column in enumerate(columns):
            one = slice(number, number + 1)
            design[:, number] = standard(column[None, known], center[one], width[one])[0] * raised
        design[:, -1] = raised
        groups = group(samples.rows, self.parameters.lead_hours)[known]
        weight = samples.recency(self.parameters.memory_days)[known]
        tables = self._tables(Seen(design, samples.scaled_truth[known], weight, groups), samples.zones[known])
        model = Linear(self.features, center, width, self.envelope, self.parameters.lead_hours, tables)
        body = linear.to_json(model)
        return Piece("linear", linear.from_json(body), {}, body)

    def _tables(self, seen: "Seen", zones: NDArray[np.str_]) -> dict[str, Floats]:
        """Return coefficients (G, F + 1) by zone, and those for any other zone."""
        everywhere = shrunk(seen, np.zeros(seen.design.shape[1]), self.parameters.strength)
        names = np.unique(zones)
        if len(names) == 1 or len(names) > ZONES_OF_THEIR_OWN:
            return {linear.POOLED: self._groups(seen, everywhere)}
        found = {linear.POOLED: self._leads(seen, everywhere)}
        for zone in names:
            of_zone = seen.take(zones == zone)
            found[str(zone)] = self._groups(of_zone, shrunk(of_zone, everywhere, self.parameters.strength))
        return found

    def _leads(self, seen: "Seen", prior: Floats) -> Floats:
        """Return the coefficients of every block of leads, the same for all hours."""
        blocks = block_count(self.parameters.lead_hours)
        parts = [seen.take(seen.group % blocks == block) for block in range(blocks)]
        return np.tile(np.stack([shrunk(part, prior, self.parameters.strength) for part in parts]), (linear.HOURS, 1))

    def _groups(self, seen: "Seen", prior: Floats) -> Floats:
        """Return the coefficients of every hour within every block of leads."""
        found = self._leads(seen, prior)
        for number in range(len(found)):
            part = seen.take(seen.group == number)
            found[number] = shrunk(part, found[number], self.parameters.hour_strength)
        return found


@dataclass(frozen=True)
class Seen:
    """R rows of F standardised features and a constant, what came true, how much each row counts, and its group."""

    design: Floats  # (R, F + 1)
    target: Floats  # (R) in units of the scale
    weight: Floats  # (R)
    group: NDArray[np.int64]  # (R)

    def take(self, rows: NDArray[np.bool_]) -> "Seen":
        """Return the chosen rows."""
        return Seen(self.design[rows], self.target[rows], self.weight[rows], self.group[rows])


def _middle(column: NDArray[np.float32]) -> tuple[float, float]:
    """Return the mean and the standard deviation of what is known; 0 and 1 where they say nothing."""
    held = column[np.isfinite(column)].astype(np.float64)
    return (float(held.mean()), float(held.std()) or 1.0) if len(held) else (0.0, 1.0)


def shrunk(seen: Seen, prior: Floats, strength: float) -> Floats:
    """Return the coefficients with the least absolute error and a ridge of `strength` on their way from `prior`.

    Without rows the prior stays.
    """
    if not len(seen.target):
        return prior
    ridge = strength * 1e-4 * len(seen.target) * np.eye(len(prior))
    found, closeness = prior, np.ones(len(seen.target))
    for _ in range(PASSES):
        weight = seen.weight * closeness
        heavy = seen.design * (weight / weight.mean())[:, None]
        found = prior + np.linalg.solve(heavy.T @ seen.design + ridge, heavy.T @ (seen.target - seen.design @ prior))
        closeness = 1 / np.maximum(np.abs(seen.target - seen.design @ found), CLOSEST)
    return found


def learners(lesson: Lesson, parameters: Line) -> Sequence[Learner]:
    """Return the forms of the line to choose from: ridges of several strengths, each plain and times the envelope."""
    features = tuple(name for name in lesson.features if name != "zone")
    ridges = [
        replace(parameters, strength=parameters.strength * by, hour_strength=parameters.hour_strength * by)
        for by in STRONGER
    ]
    envelopes = ("", ENVELOPE) if ENVELOPE in lesson.features else ("",)
    return [Learner(features, ridge, envelope) for envelope in envelopes for ridge in ridges]


def fit(lesson: Lesson, progress: Progress) -> Fitted:
    """Fit lines and their bands."""
    settings = chosen(Parameters(), "linear", lesson.pool.parameters)
    return blended(lesson, {"linear": learners(lesson, settings)}, settings, progress)
