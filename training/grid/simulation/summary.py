"""What a simulated set is like, in a few figures."""

from typing import Final

import numpy as np

from training.grid.simulation.dataset import Dataset
from training.grid.simulation.words import SHARES
from wattahead.grid.candidates import CONFIGURE, NOTHING, OPEN

OVERLOAD: Final = 1.0


def summary(dataset: Dataset) -> dict[str, float]:
    """Return counts, shares and quantiles; shares of no actions at all are left out."""
    kinds = np.array([action.kind for action in dataset.actions])
    highest = dataset.rho_max
    before = highest[:, 0]
    over = before > OVERLOAD
    relieved = (np.nan_to_num(highest[over], nan=np.inf).min(axis=1) <= OVERLOAD).mean() if over.any() else 0.0
    told = {
        "states": float(len(dataset)),
        "episodes": float(len(np.unique(dataset.episode))),
        "actions": float(len(kinds)),
        "failed": float(dataset.failed.mean()),
        **{
            f"failed_{kind}": float(dataset.failed[:, kinds == kind].mean())
            for kind in (NOTHING, OPEN, CONFIGURE)
            if (kinds == kind).any()
        },
        "overloaded": float(over.mean()),
        "overloaded_that_an_action_relieves": float(relieved),
        "overloaded_after_actions": float((highest[~dataset.failed] > OVERLOAD).mean()),
    }
    of_actions = np.quantile(highest[~dataset.failed], SHARES)
    of_nothing = np.quantile(before[~dataset.failed[:, 0]], SHARES)
    names = [f"p{round(100 * share):02d}" for share in SHARES]
    return {
        **told,
        **{f"rho_max_{name}": float(value) for name, value in zip(names, of_actions, strict=True)},
        **{f"rho_max_nothing_{name}": float(value) for name, value in zip(names, of_nothing, strict=True)},
    }
