"""The promotion gate: candidate, champion and both baselines on the same out-of-time days."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from training.samples import Samples
from wattahead.evaluation import metrics
from wattahead.jobs.promote import Verdict
from wattahead.models.baseline import level
from wattahead.models.rows import Model

Floats = NDArray[np.float64]

CHAMPION: Final = "champion"


@dataclass(frozen=True)
class Judged:
    """Predictions of several models for the samples that all of them can serve."""

    samples: Samples
    values: Mapping[str, Floats]  # model -> (Q, rows) [unit]; none without samples
    left_out: str = ""  # why the champion is not among them, though there is one

    def loss(self, model: str, quantiles: tuple[str, ...]) -> float:
        """Mean pinball loss in units of the scale, so that large zones do not decide alone."""
        scale = self.samples.rows.row_scale
        levels = [level(name) for name in quantiles]
        return metrics.mean_pinball(self.samples.scaled_truth, self.values[model] / scale, levels)


def judged(samples: Samples, models: Mapping[str, Model]) -> Judged:
    """Predict with every model the samples that all can serve.

    A champion that serves none of what all others can is left out: it is no longer a rival.
    """
    able = {name: model.usable(samples.rows) for name, model in models.items()}
    others = np.all([mine for name, mine in able.items() if name != CHAMPION], axis=0)
    gone = CHAMPION in models and others.any() and not (others & able[CHAMPION]).any()
    asked = {name: model for name, model in models.items() if not (gone and name == CHAMPION)}
    chosen = samples.take(np.all([able[name] for name in asked], axis=0))
    values = {name: np.sort(model.predict(chosen.rows), axis=0) for name, model in asked.items() if len(chosen)}
    return Judged(chosen, values, "the champion can serve none of these days" if gone else "")


def verdict(found: Judged, quantiles: tuple[str, ...], *, trainer: str = "") -> Verdict:
    """Promote the candidate only if it beats seasonal naive and the present champion, if there is one.

    A candidate whose `trainer` is that baseline is not compared with itself. Without a champion nothing is promoted
    then: the baseline serves from its own place in the ladder.
    """
    if not len(found.samples):
        return Verdict(promoted=False, reason="no out-of-time day that all models can serve")
    losses = {name: found.loss(name, quantiles) for name in found.values}
    told = ", ".join(f"{name} {loss:.5f}" for name, loss in losses.items())
    told += f"; {found.left_out}" * bool(found.left_out)
    rivals = [name for name in ("seasonal_naive", CHAMPION) if name in losses and name != trainer]
    if not rivals:
        return Verdict(promoted=False, reason=f"served by {trainer}, as its trainer says: mean pinball loss {told}")
    winners = [name for name in rivals if not losses["candidate"] < losses[name]]  # NaN never wins
    if winners:
        return Verdict(promoted=False, reason=f"not better than {' and '.join(winners)}: mean pinball loss {told}")
    return Verdict(promoted=True, reason=f"better than {' and '.join(rivals)}: mean pinball loss {told}")


def table(found: Judged, quantiles: tuple[str, ...]) -> dict[str, dict[str, dict[str, float]]]:
    """Return zone -> model -> measure [unit of the signal], for the manifest."""
    zones, truth = found.samples.zones, found.samples.truth
    return {
        str(zone): {
            name: _measures(truth[zones == zone], values[:, zones == zone], quantiles)
            for name, values in found.values.items()
        }
        for zone in np.unique(zones)
    }


def _measures(truth: Floats, values: Floats, quantiles: tuple[str, ...]) -> dict[str, float]:
    levels = [level(name) for name in quantiles]
    plain = {
        "mae": metrics.mae(truth, values[quantiles.index("p50")]),
        "pinball": metrics.mean_pinball(truth, values, levels),
        "coverage": metrics.coverage(truth, values[0], values[-1]),
    }
    return {name: round(value, 6) for name, value in plain.items() if np.isfinite(value)}
