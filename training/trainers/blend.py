"""From learners of a median to a bundle: what each says of held-back weeks gives the weights and the bands."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import nnls

from training import splits
from training.samples import Samples, complete, partly_unheard
from training.trainers import boosting
from training.trainers.protocol import Fitted, Learner, Lesson, Piece, Progress
from wattahead.domain.errors import Refused
from wattahead.models import bands, blend
from wattahead.models.blend import FILE, POOLED, Weights
from wattahead.models.linear import block_count, lead_block

Floats = NDArray[np.float64]

SPREAD_FILE: Final = "spread.txt"
NIGHT: Final = 1e-3  # of the scale: where truth and median are both smaller, as at night, a row says nothing of widths


@dataclass(frozen=True)
class Blending:
    """How members are weighted and bands are learnt."""

    folds: int = 4
    weight_hours: int = 24  # leads that share their weights
    even: float = 0.3  # how strongly weights are drawn to being equal, in parts of the rows
    half_life_days: float = 400.0  # of the weight of a held-back day in the bands
    unlike: float = 0.02  # of the rows to come, in parts of those known, are taken to be like none of them
    spread_rounds: int = 100
    max_missing: float = 0.2


def blended(lesson: Lesson, members: Mapping[str, Sequence[Learner]], settings: Blending, progress: Progress) -> Fitted:
    """Fit every member on all samples; weights and bands come from fits that had not seen the week they speak of.

    A member may stand in several forms, of which the one with the least error on the first held-back weeks is taken.
    """
    whole = complete(lesson.samples)
    samples = partly_unheard(lesson.samples.take(whole))
    names, learners, medians = _held_back(samples, members, settings.folds, progress)
    weights = learn_weights(samples, medians, settings)
    median = weights.apply(medians, samples.rows)
    spread, distances = _bands(lesson, samples, median, settings)
    progress("bands")
    files, about = {}, []
    for name, learner in zip(names, learners, strict=True):
        piece = learner.fit(samples)
        file = f"{name}.{'json' if piece.form == 'linear' else 'txt'}"
        files[file] = piece.body
        about.append({"name": name, "form": piece.form, "file": file, **piece.facts})
        progress(f"{name}: final fit")
    files[SPREAD_FILE] = spread.body
    files[FILE] = blend.to_json(about, weights, {"file": SPREAD_FILE, **spread.facts}, distances)
    held_out = np.full((len(lesson.samples), samples.rows.steps), np.nan)
    held_out[whole] = median.reshape(-1, samples.rows.steps)
    return Fitted("blend", lesson.features, files, _facts(samples, names, weights, medians, settings), held_out)


def _held_back(
    samples: Samples, members: Mapping[str, Sequence[Learner]], folds: int, progress: Progress
) -> tuple[list[str], list[Learner], Floats]:
    """Return each member's best form and what it says of held-back weeks, (M, N x H) in units of the scale."""
    learners, medians = [], []
    for name, forms in members.items():
        best = _best(samples, forms, folds)
        learners.append(best)
        medians.append(_unseen(samples, best, folds))
        progress(f"{name}: held-back weeks, error {_error(samples, medians[-1]):.4f} of the scale")
    return list(members), learners, np.stack(medians)


def _best(samples: Samples, forms: Sequence[Learner], folds: int) -> Learner:
    """Return the form with the least error on the first of the folds."""
    if len(forms) == 1:
        return forms[0]
    return forms[int(np.argmin([_error(samples, _unseen(samples, form, folds, only=1)) for form in forms]))]


def _error(samples: Samples, medians: Floats) -> float:
    known = np.isfinite(medians) & np.isfinite(samples.scaled_truth)
    return float(np.abs(medians - samples.scaled_truth)[known].mean())


def _unseen(samples: Samples, learner: Learner, folds: int, only: int | None = None) -> Floats:
    """Return what fits that had not seen a week say of it, shape (N x H); NaN outside the first `only` folds."""
    found = np.full((len(samples), samples.rows.steps), np.nan)
    for learn, held in _told_apart(samples, folds)[:only]:
        values = learner.fit(samples.take(learn)).member.predict(samples.take(held).rows)
        found[held] = values.reshape(-1, samples.rows.steps)
    return found.reshape(-1)


def _told_apart(samples: Samples, folds: int) -> list[tuple[NDArray[np.bool_], NDArray[np.bool_]]]:
    """Return the folds that have something to learn from and something to say."""
    found = [(learn, held) for learn, held in splits.folds(samples, folds) if learn.any() and held.any()]
    if not found:
        fix = "ingest more history; samples without the weather of their whole horizon do not count"
        raise Refused("E_TRAIN_ROWS", "no week can be held back from the samples", fix=fix)
    return found


def learn_weights(samples: Samples, medians: Floats, settings: Blending) -> Weights:
    """Return the weights with the least squared error on held-back weeks, none below zero, their sum one.

    Stacked regression (Breiman, Machine Learning 24, 1996). They are drawn towards equal ones, for the pool as for each
    of its zones, since a few months cannot tell close members apart.
    """
    zones, block = samples.zones, lead_block(samples.rows, settings.weight_hours)
    known = np.isfinite(samples.scaled_truth) & np.isfinite(medians).all(axis=0)
    equal = np.full(len(medians), 1 / len(medians))
    tables = {}
    for zone in (POOLED, *sorted(set(samples.rows.zones))):
        rows = known & ((zones == zone) if zone else np.ones(len(zones), dtype=bool))
        of_block = [rows & (block == number) for number in range(block_count(settings.weight_hours))]
        tables[zone] = np.stack(
            [_weights(medians[:, some], samples.scaled_truth[some], equal, settings.even) for some in of_block]
        )
    return Weights(settings.weight_hours, tables)


def _weights(medians: Floats, truth: Floats, prior: Floats, even: float) -> Floats:
    if len(prior) == 1 or not len(truth):
        return prior
    miss = (medians - truth).T
    size = np.sqrt((miss**2).mean() * len(truth))  # the weights sum to one, so what is blended is the errors
    if not size:  # every member is right
        return prior
    pull, whole = np.sqrt(even) * size, 1e3 * size
    found, _ = nnls(
        np.vstack([miss, pull * np.eye(len(prior)), np.full((1, len(prior)), whole)]),
        np.concatenate([np.zeros(len(truth)), pull * prior, [whole]]),
    )
    return found / found.sum()


def _bands(lesson: Lesson, samples: Samples, median: Floats, settings: Blending) -> tuple[Piece, dict[str, Floats]]:
    """Return the booster of the spread and the distances of the quantiles in units of it."""
    told = replace(samples, rows=bands.with_median(samples.rows, median))
    error = np.abs(samples.scaled_truth - median)
    alive = np.isfinite(error) & ((np.abs(samples.scaled_truth) > NIGHT) | (np.abs(median) > NIGHT))
    recency = samples.recency(settings.half_life_days)
    features = (*lesson.features, bands.MEDIAN)
    learner = boosting.Spread(features, np.where(alive, error, np.nan), recency, settings.spread_rounds, lesson.seed)
    spread = np.full((len(samples), samples.rows.steps), np.nan)
    for learn, held in _told_apart(samples, settings.folds):  # an error that it has seen would look too likely
        found = bands.spread_of(learner.fit(told, learn).member, told.take(held).rows)
        spread[held] = found.reshape(-1, samples.rows.steps)
    relative = (samples.scaled_truth - median) / spread.reshape(-1)
    alive &= np.isfinite(relative)
    distances = bands.learn(
        relative[alive], recency[alive], samples.zones[alive], lesson.pool.quantiles, unlike=settings.unlike
    )
    return learner.fit(told, np.ones(len(samples), dtype=bool)), distances


def _facts(
    samples: Samples, names: Sequence[str], weights: Weights, medians: Floats, settings: Blending
) -> dict[str, Any]:
    errors = [round(float(np.nanmean(np.abs(values - samples.scaled_truth))), 6) for values in medians]
    return {
        "zones": sorted(set(samples.rows.zones)),
        "members": dict(zip(names, errors, strict=True)),
        "weights": {zone: np.round(table, 4).tolist() for zone, table in weights.tables.items()},
        "parameters": vars(settings),
        "samples": len(samples),
        "max_missing": settings.max_missing,
    }
