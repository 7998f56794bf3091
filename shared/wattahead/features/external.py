"""Features of somebody else's forecast of the same series, such as a grid operator's, and of how wrong it was lately.

All are in units of the target's scale. Of several revisions the newest one known at the issue time speaks.
"""

from collections.abc import Callable, Mapping
from typing import Final

import numpy as np
from numpy.typing import NDArray

from wattahead.domain.hours import DAY, HOUR
from wattahead.features.history import mean, nth_known, window
from wattahead.features.limits import reach
from wattahead.features.panel import Panel
from wattahead.features.view import EXTERNAL_AFTER, EXTERNAL_BEFORE, SEARCH_DAYS, View

Floats = NDArray[np.float64]

USUAL_DAYS: Final = 7  # of the last SEARCH_DAYS: a forecast that was there on so many of them is expected


def at_valid(view: View, provider: str) -> Floats:
    """Forecast for the valid time."""
    return shifted(view, provider, 0)


def after(view: View, provider: str, hours: int) -> Floats:
    """Forecast for `hours` after the valid time."""
    return shifted(view, provider, hours)


def before(view: View, provider: str, hours: int) -> Floats:
    """Forecast for `hours` before the valid time."""
    return shifted(view, provider, -hours)


def horizon_mean(view: View, provider: str) -> Floats:
    """Mean over what is forecast of the horizon, the same for every step."""
    return mean(at_valid(view, provider), axis=2)[:, :, None]


def error(view: View, provider: str, n: int) -> Floats:
    """What came true minus the forecast, at the same time of day on the n-th newest day on which both are known."""
    found = errors(view, provider)
    return nth_known(found, np.cumsum(np.isfinite(found), axis=0, dtype=np.int8), n)


def error_mean(view: View, provider: str, days: int) -> Floats:
    """Mean of what came true minus the forecast, at the same time of day over the last `days` days."""
    return mean(errors(view, provider)[:days], axis=0)


def newest_error(view: View, provider: str, hours: int) -> Floats:
    """Mean of what came true minus the forecast, over the last `hours` hours before the issue time."""
    count = hours * view.cells_per_day // 24
    first = EXTERNAL_BEFORE // view.step
    said = cells(view, provider)[:, :, first - count : first]
    return mean(window(view.history, count, 0) - said, axis=2)[:, :, None]


def shifted(view: View, provider: str, hours: int) -> Floats:
    """Return the forecast for `hours` away from the valid time, shape (S, T, H)."""
    first = (EXTERNAL_BEFORE + hours * HOUR) // view.step
    return cells(view, provider)[:, :, first : first + view.steps]


def errors(view: View, provider: str) -> Floats:
    """Return what came true minus the forecast at the same time of day, (days back, S, T, H); index 0 is a day back."""
    name = f"error of {provider}"
    if name not in view.made:
        said = [shifted(view, provider, -24 * back) for back in range(1, SEARCH_DAYS + 1)]
        view.made[name] = view.same_time - np.stack(said)
    return view.made[name]


def cells(view: View, provider: str) -> Floats:
    """Return the forecast from `EXTERNAL_BEFORE` ahead of the issue time on; NaN where nobody read the provider."""
    if provider in view.external:
        return view.external[provider] / view.scale[:, :, None]
    width = (EXTERNAL_BEFORE + EXTERNAL_AFTER) // view.step + view.steps
    return np.full((*view.shape[:2], width), np.nan)


def known(panel: Panel, issue_times: NDArray[np.int64], steps: int) -> Floats:
    """Return what a view holds of a provider [unit], shape (S, T, cells)."""
    return panel.known(issue_times, before=EXTERNAL_BEFORE // panel.step, after=steps + EXTERNAL_AFTER // panel.step)


def overdue(external: Mapping[str, Panel], issue_times: NDArray[np.int64], steps: int) -> NDArray[np.bool_]:
    """Return where a provider owes part of the horizon, shape (S, T) or (1, 1) without providers.

    It owes a step that it had said by the same time of day on `USUAL_DAYS` of the last days. A place that it never
    forecasts is owed nothing, nor are hours that it always forecasts later.
    """
    owed = np.zeros((1, 1), dtype=np.bool_)
    for panel in external.values():
        usual = sum(_said(panel, issue_times - back * DAY, steps).astype(np.int8) for back in range(1, SEARCH_DAYS + 1))
        owed = owed | ((usual >= USUAL_DAYS) & ~_said(panel, issue_times, steps)).any(axis=2)
    return owed


def _said(panel: Panel, issue_times: NDArray[np.int64], steps: int) -> NDArray[np.bool_]:
    return np.isfinite(panel.known(issue_times, before=0, after=steps))


_PROVIDER: Final = r"external_([a-z][a-z0-9_]{0,39}?)"

FAMILIES: Final[dict[str, tuple[Callable[..., Floats], Callable[..., int]]]] = {
    _PROVIDER + r"_plus_(\d+)h": (after, reach(1, EXTERNAL_AFTER // HOUR, "hours")),
    _PROVIDER + r"_minus_(\d+)h": (before, reach(1, EXTERNAL_BEFORE // HOUR, "hours")),
    _PROVIDER + r"_horizon_mean": (horizon_mean, lambda _: 0),
    _PROVIDER + r"_error_mean_(\d+)d": (error_mean, reach(1, SEARCH_DAYS, "days")),
    _PROVIDER + r"_error_(\d+)h": (newest_error, reach(1, EXTERNAL_BEFORE // HOUR, "hours")),
    _PROVIDER + r"_error_(\d+)": (error, reach(1, SEARCH_DAYS, "days")),
    _PROVIDER: (at_valid, lambda _: 0),
}
