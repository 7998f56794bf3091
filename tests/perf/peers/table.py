"""How good forecasts of several makers are, on the rows that all of them have."""

from collections.abc import Mapping
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from wattahead.evaluation import metrics

Floats = NDArray[np.float64]

KEY: Final = ["zone", "issue_time", "valid_time"]
BANDS: Final = {"0-24 h": (0, 24), "0-1 h": (0, 1), "1-6 h": (1, 6), "6-24 h": (6, 24)}  # lead, from and to before
NAIVE: Final = "seasonal_naive"
TITLE: Final = f"{'series':<14} {'lead':<7} {'model':<24} {'MAE':>7} {'skill':>6} {'rCRPS':>7} {'80 % covers':>11}"


def common(tables: Mapping[str, pd.DataFrame]) -> dict[str, pd.DataFrame]:
    """Return of every table the rows that all have, in one order."""
    held = {name: table.set_index(KEY).sort_index() for name, table in tables.items()}
    shared = next(iter(held.values())).index
    for table in held.values():
        shared = shared.intersection(table.index)
    return {name: table.loc[shared].reset_index() for name, table in held.items()}


def lines(tables: Mapping[str, pd.DataFrame], load: pd.DataFrame) -> list[str]:
    """Return the table; `load` holds what came true as zone, valid_time and load. Skill is against seasonal naive."""
    shared = common(tables)
    rows = next(iter(shared.values()))[KEY]
    came = rows.merge(load, how="left", on=["zone", "valid_time"])["load"].to_numpy()
    lead = ((rows["valid_time"] - rows["issue_time"]) / pd.Timedelta(hours=1)).to_numpy()
    found = [TITLE]
    for zone in sorted(rows["zone"].unique()):
        for band, (first, end) in BANDS.items():
            chosen = (rows["zone"] == zone).to_numpy() & (lead >= first) & (lead < end)
            reference = metrics.mae(came[chosen], shared[NAIVE]["p50"].to_numpy()[chosen])
            for name, table in shared.items():
                found.append(f"{zone:<14} {band:<7} {name:<24} {_measures(came[chosen], table[chosen], reference)}")
    return found


def _measures(came: Floats, table: pd.DataFrame, reference: float) -> str:
    names = [name for name in table.columns if name.startswith("p")]
    error = metrics.mae(came, table["p50"].to_numpy())
    told = f"{error:7.3f} {metrics.skill(error, reference):6.2f}"
    if names == ["p50"]:
        return told
    score = metrics.rcrps(came, table[names].to_numpy().T, [int(name[1:]) / 100 for name in names])
    return f"{told} {score:7.4f} {metrics.coverage(came, table['p10'].to_numpy(), table['p90'].to_numpy()):11.3f}"
