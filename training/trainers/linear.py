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
from wattahead.models.linear import Linear, block_count, envelope_of, group, standard

Floats = NDArray[np.float64]

ENVELOPE: Final = "same_time_max_14d"  # what is zero at night for solar: a line times it is zero at night too
CLOSEST: Final = 0.01  # of the scale: rows nearer than this to the line weigh no more
PASSES: Final = 5  # of reweighting; a sixth moves no digit that matters
ZONES_OF_THEIR_OWN: Final = 50  # pools of more zones share one set of coefficients
SPACE: Final = {
    "strength": Range(0.1, 30, log=True),
    "hour_strength": Range(1, 300, log=True),
}


@dataclass(frozen=True)
class Line:
    """How lines are fitted."""

    strength: float = 1.0  # of the ridge, in ten-thousandths of the rows: all rows, then leads
    hour_strength: float = 10.0  # an hour of a block of leads has few rows, and stays close to the block
    lead_hours: int = 6


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
        known = np.isfinite(samples.scaled_truth)
        columns = samples.rows.columns(self.features)[:, known]
        center = np.nan_to_num(np.nanmean(columns.astype(np.float64), axis=1))
        width = np.nanstd(columns.astype(np.float64), axis=1)
        width = np.where(width > 0, width, 1.0)  # also where nothing is known
        raised = envelope_of(samples.rows, self.envelope)[known]
        design = np.vstack([standard(columns, center, width), np.ones(columns.shape[1])]) * raised
        groups = group(samples.rows, self.parameters.lead_hours)[known]
        tables = self._tables(design.T, samples.scaled_truth[known], samples.zones[known], groups)
        model = Linear(self.features, center, width, self.envelope, self.parameters.lead_hours, tables)
        body = linear.to_json(model)
        return Piece("linear", linear.from_json(body), {}, body)

    def _tables(
        self, design: Floats, target: Floats, zones: NDArray[np.str_], groups: NDArray[np.int64]
    ) -> dict[str, Floats]:
        """Return coefficients (G, F + 1) by zone, and those for any other zone."""
        everywhere = shrunk(design, target, np.zeros(design.shape[1]), self.parameters.strength)
        names = np.unique(zones)
        if len(names) == 1 or len(names) > ZONES_OF_THEIR_OWN:
            return {linear.POOLED: self._groups(design, target, groups, everywhere)}
        found = {linear.POOLED: self._leads(design, target, groups, everywhere)}
        for zone in names:
            rows = zones == zone
            own = shrunk(design[rows], target[rows], everywhere, self.parameters.strength)
            found[str(zone)] = self._groups(design[rows], target[rows], groups[rows], own)
        return found

    def _leads(self, design: Floats, target: Floats, groups: NDArray[np.int64], prior: Floats) -> Floats:
        """Return the coefficients of every block of leads, the same for all hours."""
        blocks = block_count(self.parameters.lead_hours)
        held = [
            shrunk(design[rows], target[rows], prior, self.parameters.strength)
            for rows in (groups % blocks == block for block in range(blocks))
        ]
        return np.tile(np.stack(held), (linear.HOURS, 1))

    def _groups(self, design: Floats, target: Floats, groups: NDArray[np.int64], prior: Floats) -> Floats:
        """Return the coefficients of every hour within every block of leads."""
        found = self._leads(design, target, groups, prior)
        for number in range(len(found)):
            rows = groups == number
            found[number] = shrunk(design[rows], target[rows], found[number], self.parameters.hour_strength)
        return found


def shrunk(design: Floats, target: Floats, prior: Floats, strength: float) -> Floats:
    """Return the coefficients with the least absolute error and a ridge of `strength` on their way from `prior`.

    `design` (R, F + 1), the constant last; without rows the prior stays.
    """
    if not len(target):
        return prior
    ridge = strength * 1e-4 * len(target) * np.eye(design.shape[1])
    found, weight = prior, np.ones(len(target))
    for _ in range(PASSES):
        heavy = design * weight[:, None]
        found = prior + np.linalg.solve(heavy.T @ design + ridge, heavy.T @ (target - design @ prior))
        weight = 1 / np.maximum(np.abs(target - design @ found), CLOSEST)
        weight /= weight.mean()
    return found


def learners(lesson: Lesson, parameters: Line) -> Sequence[Learner]:
    """Return the forms of the line to choose from: plain, and times the envelope where the features have it."""
    plain = Learner(tuple(name for name in lesson.features if name != "zone"), parameters)
    return [plain, replace(plain, envelope=ENVELOPE)] if ENVELOPE in lesson.features else [plain]


def fit(lesson: Lesson, progress: Progress) -> Fitted:
    """Fit lines and their bands."""
    settings = chosen(Parameters(), "linear", lesson.pool.parameters)
    return blended(lesson, {"linear": learners(lesson, settings)}, settings, progress)
