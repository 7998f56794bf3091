"""Ways to cut an evaluation: a name and a label for every hour. A new one is a line in SLICES."""

from collections.abc import Callable
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from wattahead.domain import sun
from wattahead.domain.hours import HOUR
from wattahead.evaluation.scored import Scored

Labels = NDArray[Any]  # (T, H) numbers, months or words; an empty word counts nowhere

SEASONS: Final = ("DJF", "MAM", "JJA", "SON")
SITUATIONS: Final = {  # subkey -> words for the lowest, the middle and the highest third
    "solar": ("overcast", "mixed", "clear"),
    "wind": ("calm", "breezy", "windy"),
}
PLAIN: Final = ("low", "middle", "high")


def everything(one: Scored) -> Labels:
    """One label for all."""
    return np.full(one.truth.shape, "all")


def lead(one: Scored) -> Labels:
    """Hours from issue time to valid time, rounded down."""
    return (one.valid_times - one.issue_times[:, None]) // HOUR


def hour(one: Scored) -> Labels:
    """Hour of the day of the valid time, UTC."""
    return one.valid_times // HOUR % 24


def month(one: Scored) -> Labels:
    """Calendar month of the valid time, UTC, such as 2021-01."""
    return one.valid_times.astype("datetime64[us]").astype("datetime64[M]")


def season(one: Scored) -> Labels:
    """Meteorological season of the valid time, named by its months in both hemispheres."""
    number = month(one).astype(np.int64) % 12  # January is 0
    return np.array(SEASONS)[(number + 1) // 3 % 4]


def light(one: Scored) -> Labels:
    """Day and night of a signal that is zero at night; no label for any other."""
    return np.where(one.daylight, "day", "night") if one.signal.night_zero else np.full(one.truth.shape, "")


def sunny_month(one: Scored) -> Labels:
    """Month, for the day of a signal that is zero at night: bands cover every night, and would hide the rest."""
    sunny = one.daylight & one.signal.night_zero
    return np.where(sunny, month(one).astype(str), "")


def situation(one: Scored) -> Labels:
    """Thirds of the forecasts by how the weather turned out, one label for all hours of a forecast.

    For signals that are zero at night by the clear-sky index of the truth (its sum over the clear-sky irradiance of
    the same hours), for others by the truth's mean: every signal has them, whatever its features are. It is known
    only afterwards, so it tells where errors come from, not how a forecaster should have hedged: bands cannot cover
    alike in slices that were chosen by the outcome (Lerch et al., Forecaster's dilemma, Statistical Science 32, 2017).
    """
    clear = sun.clear_sky(one.sun_height) if one.signal.night_zero else np.ones(one.truth.shape)
    known = np.isfinite(one.truth)
    below = np.where(known, clear, 0.0).sum(axis=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        index = np.where(known.any(axis=1), np.where(known, one.truth, 0.0).sum(axis=1) / below, np.nan)
    sound = np.isfinite(index)
    if not sound.any():
        return np.full(one.truth.shape, "")
    third = np.searchsorted(np.quantile(index[sound], [1 / 3, 2 / 3]), index)
    words = np.array((*SITUATIONS.get(one.series.subkey, PLAIN), ""))
    return np.repeat(words[np.where(sound, np.minimum(third, 2), 3)][:, None], one.truth.shape[1], axis=1)


SLICES: Final[dict[str, Callable[[Scored], Labels]]] = {
    "all": everything,
    "lead": lead,
    "hour": hour,
    "month": month,
    "season": season,
    "light": light,
    "sunny_month": sunny_month,
    "situation": situation,
}
