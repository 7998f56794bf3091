"""Validation: a trainer is run on parts of the samples and asked about others that it has not seen."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from training import splits
from training.candidate import Material, loaded
from training.gate import Judged
from training.samples import Samples
from training.splits import Chosen
from training.trainers import trainer
from training.trainers.protocol import Lesson, Progress
from wattahead.domain.catalog import Pool
from wattahead.domain.errors import Refused
from wattahead.domain.hours import DAY, iso
from wattahead.evaluation import losses, metrics
from wattahead.models.baseline import SeasonalNaive, level
from wattahead.models.rows import Model

Floats = NDArray[np.float64]

FOLDS: Final = 4


@dataclass(frozen=True)
class Pair:
    """Which samples are learnt from, and which are then asked about."""

    name: str
    learn: Chosen
    test: Chosen


def out_of_time(samples: Samples, until: int) -> list[Pair]:
    """Return one pair: the last days before `until` [µs], and all that ends a gap ahead of them."""
    cut = until - splits.OUT_OF_TIME_DAYS * DAY
    return [Pair(f"from {iso(cut)}", samples.issue_times < cut - splits.gap(samples), samples.issue_times >= cut)]


def k_fold(samples: Samples, _until: int) -> list[Pair]:
    """Return a pair per fold: whole weeks in turn, with a gap between; each has learnt from what came later too."""
    return [Pair(f"fold {number + 1}", *pair) for number, pair in enumerate(splits.folds(samples, FOLDS))]


def leave_one_zone_out(samples: Samples, _until: int) -> list[Pair]:
    """Return a pair per zone: how good is a model where it has never been? It knows the same hours elsewhere."""
    names = np.array(samples.rows.zones)
    zones = np.unique(names).tolist()
    if len(zones) == 1:
        raise Refused("E_CONFIG", f"the pool has samples of {zones[0]} only", fix="use out_of_time or k_fold")
    return [Pair(f"without {zone}", names != zone, names == zone) for zone in zones]


STRATEGIES: Final[Mapping[str, Callable[[Samples, int], list[Pair]]]] = {
    "out_of_time": out_of_time,
    "k_fold": k_fold,
    "leave_one_zone_out": leave_one_zone_out,
}


def pairs(samples: Samples, strategy: str, until: int) -> list[Pair]:
    """Return what is learnt from and what is held back, masks of shape (N); no sample is held back twice.

    Raises `E_TRAIN_ROWS` where a part holds nothing, `E_CONFIG` for an unknown strategy.
    """
    if strategy not in STRATEGIES:
        known = ", ".join(STRATEGIES)
        raise Refused("E_CONFIG", f"there is no validation strategy {strategy!r}", fix=f"use one of {known}")
    found = STRATEGIES[strategy](samples, until)
    for pair in found:
        days = len(np.unique(samples.issue_times[pair.learn] // DAY))
        if days < splits.FEWEST_DAYS or not pair.test.any():
            fact = f"{strategy}, {pair.name}: {days} days to learn from, {int(pair.test.sum())} samples to ask about"
            raise Refused("E_TRAIN_ROWS", fact, fix=f"ingest more history: {splits.FEWEST_DAYS} days to learn from")
    return found


def validated(told: Material, strategy: str, samples: Samples, *, until: int, seed: int, progress: Progress) -> Judged:
    """Return what the pool's trainer, beside seasonal naive, says of every held-back sample that both can serve."""
    pool = told.source.pool
    asked = pairs(samples, strategy, until)
    naive = SeasonalNaive(pool.quantiles)
    shape = (len(pool.quantiles), len(samples), samples.rows.steps)
    values = {name: np.full(shape, np.nan) for name in ("candidate", "seasonal_naive")}
    served = np.zeros(len(samples), dtype=bool)
    for number, pair in enumerate(asked):
        progress(f"{number + 1} of {len(asked)}, {pair.name}")
        model = _fitted(told, samples.take(pair.learn), seed, progress)
        rows = samples.rows.take(np.flatnonzero(pair.test))
        able = np.flatnonzero(pair.test)[model.usable(rows) & naive.usable(rows)]
        for name, one in (("candidate", model), ("seasonal_naive", naive)):
            values[name][:, able] = _said(one, samples, able)
        served[able] = True
    if not served.any():
        raise Refused("E_TRAIN_ROWS", f"{strategy}: no held-back sample can be served", fix="ask another strategy")
    flat = {name: block[:, served].reshape(len(pool.quantiles), -1) for name, block in values.items()}
    return Judged(samples.take(served), flat)


def _fitted(told: Material, learn: Samples, seed: int, progress: Progress) -> Model:
    """Return the pool's model as its trainer makes it of some of the samples, knowing no other zones than theirs."""
    there = set(learn.rows.zones)
    pool = replace(told.source.pool, zones=tuple(zone for zone in told.source.pool.zones if zone in there))
    return loaded(told, trainer(pool.trainer).fit(Lesson(learn, pool, told.features, seed), progress))


def _said(model: Model, samples: Samples, able: NDArray[np.int64]) -> Floats:
    """Return the quantiles of some samples, ascending, shape (Q, able, H) [unit]."""
    if not len(able):
        return np.empty(())
    values = np.sort(model.predict(samples.rows.take(able)), axis=0)
    return values.reshape(len(values), len(able), -1)


def measures(found: Judged, pool: Pool) -> dict[str, dict[str, float]]:
    """Return zone -> measure, and the whole pool under the empty name."""
    truth, zones = found.samples.truth, found.samples.zones
    return {
        zone: _of(found, pool, (zones == zone) if zone else np.ones(len(truth), dtype=bool))
        for zone in (*np.unique(zones).tolist(), "")
    }


def _of(found: Judged, pool: Pool, rows: NDArray[np.bool_]) -> dict[str, float]:
    """Return measures of some rows. `pinball` in units of the scale, `mae` in the unit of the signal."""
    truth, scale = found.samples.truth[rows], found.samples.rows.row_scale[rows]
    levels, middle = [level(name) for name in pool.quantiles], pool.quantiles.index("p50")
    told: dict[str, float] = {}
    for name, values in found.values.items():
        said, prefix = values[:, rows], "" if name == "candidate" else f"{name}_"
        told[f"{prefix}pinball"] = metrics.mean_pinball(truth / scale, said / scale, levels)
        told[f"{prefix}mae"] = metrics.mae(truth, said[middle])
        told[f"{prefix}coverage"] = metrics.coverage(truth, said[0], said[-1])
    return told | {"hours": float(np.isfinite(truth).sum())}


def by_day(found: Judged, pool: Pool, model: str = "candidate") -> dict[int, tuple[float, int]]:
    """Return day of the issue time since 1970 -> (sum of the mean pinball loss in units of the scale, hours).

    The sums of all days over their hours are the loss by which the promotion gate decides.
    """
    scale = found.samples.rows.row_scale
    truth, said = found.samples.scaled_truth, found.values[model] / scale
    loss = np.mean([losses.pinball(truth, row, level(name)) for row, name in zip(said, pool.quantiles, strict=True)], 0)
    day = np.repeat(found.samples.issue_times // DAY, found.samples.rows.steps)
    known = np.isfinite(loss)
    days, where = np.unique(day[known], return_inverse=True)
    sums, hours = np.bincount(where, loss[known]), np.bincount(where)
    return {int(one): (float(total), int(n)) for one, total, n in zip(days, sums, hours, strict=True)}
