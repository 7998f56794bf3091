"""What training found in its data: labels an hour off, light that trails the sun, growth, a new level, stuck values.

Nothing is changed by a finding. `valid_time` is never re-labelled here: a finding names the line that would.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from training.estimates import Estimate, longest_run, newest_level, sun_offset, yearly_growth
from wattahead.domain import sun
from wattahead.domain.catalog import Signal
from wattahead.domain.errors import WattaheadError
from wattahead.domain.hours import DAY, HOUR, duration, iso
from wattahead.features.cube import Inputs
from wattahead.features.panel import Panel

Floats = NDArray[np.float64]

SURE: Final = 0.8  # confidence from which a fix is named
_PLACE_ERROR: Final = 12.0  # [minutes] standard deviation: where a fleet stands is known to three degrees of longitude
_HOUR: Final = 60  # [minutes]
_FEATURE_STEP: Final = 15  # [minutes] that a feature's name is rounded to
_OUTGROWN: Final = 0.05  # of the scale: growth within a scaling window above which it should be shorter
_NEW_LEVEL: Final = 0.25  # smaller changes are the season's
_UNUSUAL: Final = 0.99  # share of earlier comparisons that a new level outdoes
_STUCK: Final = 7  # [days] of one and the same value, from which it is told
_PARTS: Final = 6  # of an interval, for the mean of its clear sky
_DARK, _BRIGHT = 1.0, 200.0  # [W/m2] of clear sky
_DIGITS: Final = 3  # of a value in a manifest: more say nothing, and last bits differ between processors


@dataclass(frozen=True)
class Finding:
    """One fact about one zone. `fix` is empty when there is nothing to mend."""

    zone: str
    what: str
    value: float
    unit: str
    confidence: float  # 0 to 1, that the sentence is right
    sentence: str
    fix: str = ""
    variable: str = ""  # of the weather, where it is about weather


def findings(inputs: Inputs, zones: Sequence[str], signal: Signal, until: int) -> tuple[Finding, ...]:
    """Return what the inputs of a pool, as they were known by `until` [µs], say of each zone; `zones` names the rows.

    Give an `until` that leaves out the days on which models are compared, as with everything that is learnt.
    """
    found: list[Finding | None] = []
    production, light = _days(inputs.target, until), _clear_sky(inputs, inputs.target, until)
    midnight = _midnight(inputs.target)
    for row, zone in enumerate(zones):
        values, clear = production[row], light[row]
        if signal.night_zero:
            found.append(hour_label(zone, values, clear, signal.step))
        found.append(capacity_growth(zone, values, signal.step, duration(signal.scaling_window)))
        found.append(level_shift(zone, _without_season(values, clear) if signal.night_zero else values, signal.step))
        found.append(stuck(zone, values, midnight, signal))
    for variable, panel in inputs.weather.items():
        known, above = _mean_of_points(_days(panel, until), len(zones)), _clear_sky(inputs, panel, until)
        for row, zone in enumerate(zones):
            if _is_light(known[row], above[row]):
                found.append(radiation_delay(zone, known[row], above[row], panel.step, variable))
    return tuple(one for one in found if one)


def searched(inputs: Inputs, zones: Sequence[str], signal: Signal, until: int) -> tuple[Finding, ...]:
    """Return `findings`, or the one that says why there are none: data that cannot be searched can be trained on.

    Only what the code knows to be possible is forgiven; a fault of the search itself is raised.
    """
    try:
        return findings(inputs, zones, signal, until)
    except WattaheadError as error:
        return (Finding("", "not_searched", 0.0, "1", 0.0, f"nothing was looked for: {error}"),)


def facts(found: Sequence[Finding]) -> dict[str, Any]:
    """Return findings for a manifest: every value by what it is and by zone, and in words what should be mended."""
    values: dict[str, dict[str, float]] = {}
    for one in found:
        name = " ".join(filter(None, (one.what, one.variable, f"[{one.unit}]")))
        values.setdefault(name, {})[one.zone] = float(f"{one.value:.{_DIGITS}g}")
    to_mend = [
        {"zone": one.zone, "what": one.what, "sentence": one.sentence, "fix": one.fix} for one in found if one.fix
    ]
    return {"values": values, "to_mend": to_mend}


def hour_label(zone: str, production: Floats, clear_sky: Floats, step: int) -> Finding | None:
    """Return how far a solar series trails the clear sky of its own cells [minutes], and what that says of its labels.

    Arrays hold whole UTC days of intervals of `step` [µs]. None when too few days have a morning and an evening.
    """
    late = sun_offset(production, clear_sky, DAY // step)
    if late is None:
        return None
    hours, sure = round(late.value / _HOUR), _within(late, round(late.value / _HOUR) * _HOUR, _HOUR / 2)
    fits = f"{_trails('solar production', late)}, so the sun of {_sun_feature(late.value)} fits it best"
    if not hours:
        said, fix = f"labels of {zone} are right to the hour", ""
    elif step == HOUR and abs(hours) == 1:
        end, fix = ("end", 'hour_label = "ending"') if hours > 0 else ("beginning", 'hour_label = "beginning"')
        said = f"hours of {zone} look labelled by their {end}, against the mapping"
    else:
        said = f"time stamps of {zone} look {abs(hours)} h {'late' if hours > 0 else 'early'}"
        fix = "check time_zone of the mapping"
    return Finding(zone, "hour_label", late.value, "min", sure, f"{said}: {fits}", fix if sure >= SURE else "")


def radiation_delay(
    zone: str, radiation: Floats, clear_sky: Floats, step: int, variable: str = "radiation"
) -> Finding | None:
    """Return how far forecast radiation trails the clear sky of its own cells [minutes]; arrays as in `hour_label`."""
    late = sun_offset(radiation, clear_sky, DAY // step)
    if late is None:
        return None
    sure = _within(late, 0.0, _HOUR / 2)
    said = f"{variable} of {zone}: {_trails('it', late)}"
    if abs(late.value) <= _HOUR / 2:
        right = f"{said}, which is right to the hour"
        return Finding(zone, "radiation_delay", late.value, "min", sure, right, variable=variable)
    fix = (
        'undo averages with block = "PT3H" and blocks = "mean", or check hour_label of the weather'
        if late.value > 0
        else "check hour_label and time_zone of the weather"
    )
    mend = fix if 1 - sure >= SURE else ""
    return Finding(zone, "radiation_delay", late.value, "min", 1 - sure, said, mend, variable)


def capacity_growth(zone: str, production: Floats, step: int, scaling_window: int) -> Finding | None:
    """Return the yearly growth of the highest values (0.1 is 10 %); a scaling window [µs] that it outgrows is named."""
    grown = yearly_growth(production, DAY // step)
    if grown is None:
        return None
    within = abs(grown.value) * scaling_window / (365 * DAY)
    typical = grown.spread / math.sqrt(grown.windows)
    sure = 1.0 if not typical else _normal(abs(math.log1p(grown.value)) / typical)
    said = f"highest values of {zone} {'grow' if grown.value >= 0 else 'shrink'} by {abs(grown.value):.0%} a year"
    shorter = max(int(_OUTGROWN * 365 / abs(grown.value)) // 7 * 7, 14) if grown.value else 0
    outgrown = within > _OUTGROWN and sure >= SURE and shorter * DAY < scaling_window
    fix = f'scaling_window = "P{shorter}D"' if outgrown else ""
    return Finding(zone, "capacity_growth", grown.value, "1/a", sure, said, fix)


def level_shift(zone: str, production: Floats, step: int) -> Finding | None:
    """Return the ratio of the newest two weeks to the eight weeks before them, by time of day.

    Without a season in it, a series is compared with itself only: the change must be rarer than what the series did
    before. None when too little is known to say what is usual.
    """
    level = newest_level(production, DAY // step)
    if level is None or math.isnan(level.unusual):
        return None
    new = abs(math.log(level.ratio)) > math.log1p(_NEW_LEVEL) and level.unusual >= _UNUSUAL
    sure = level.unusual * level.agreeing if new else 1 - max(0.0, 2 * level.unusual - 1) * level.agreeing / 2
    said = f"the last 14 days of {zone} that are learnt from are at {level.ratio:.0%} of the 8 weeks before"
    fix = (
        "look for a meter, a boundary or a capacity that changed; "
        "if the level stays, a shorter training_window of the pool forgets the old one sooner"
    )
    return Finding(zone, "level_shift", level.ratio, "1", sure, said, fix if new and sure >= SURE else "")


def stuck(zone: str, values: Floats, midnight: int, signal: Signal) -> Finding | None:
    """Return the longest run of one and the same value [days]; the first cell of `values` begins at `midnight` [µs].

    None below a week. The rarer the value is outside of the run, the surer it is that nobody measured it.
    """
    first, cells = longest_run(values)
    days = cells * signal.step / DAY
    if days < _STUCK:
        return None
    others = np.delete(values, slice(first, first + cells))
    others = others[np.isfinite(others)]
    sure = 1 - float(np.mean(others == values[first])) if len(others) else 0.0
    begin, end = (iso(midnight + cell * signal.step) for cell in (first, first + cells))
    said = f"{zone} stands at {values[first]:g} {signal.unit} for {days:.0f} days, from {begin} to {end}"
    fix = "leave these hours out of the files if nobody measured them; what is made of them is wrong too"
    return Finding(zone, "stuck", days, "d", sure, said, fix if sure >= SURE else "")


# --- arrays of whole days ---------------------------------------------------------------------------------------------


def _days(panel: Panel, until: int) -> Floats:
    """Return what was known by `until` of the whole UTC days of the panel before it, shape (rows, cells)."""
    first = (_midnight(panel) - panel.start) // panel.step
    return panel.settled(until)[:, first : first + _cells(panel, until)]


def _cells(panel: Panel, until: int) -> int:
    """Return how many cells the whole UTC days of the panel before `until` [µs] have.

    Days after it would be there without a value: the newest days, by which a level is told, would be empty.
    """
    end = min(panel.start + panel.values.shape[1] * panel.step, until)
    return max(end - _midnight(panel), 0) // DAY * (DAY // panel.step)


def _midnight(panel: Panel) -> int:
    """Return the panel's first UTC midnight [µs]."""
    return panel.start + -panel.start % DAY


def _clear_sky(inputs: Inputs, panel: Panel, until: int) -> Floats:
    """Return the clear sky over every zone on the cells of `_days` [W/m2], means of the intervals, shape (S, cells)."""
    cells = _cells(panel, until)
    at = _midnight(panel) + np.arange(cells)[None] * panel.step
    total = np.zeros((len(inputs.latitude), cells))
    for part in range(_PARTS):
        within = at + panel.step * (2 * part + 1) // (2 * _PARTS)
        up, _ = sun.direction(within, inputs.latitude[:, None], inputs.longitude[:, None])
        total += sun.clear_sky(up) / _PARTS
    return total


def _mean_of_points(known: Floats, zones: int) -> Floats:
    points = known.reshape(zones, len(known) // zones, known.shape[1])
    there = np.isfinite(points)
    total = np.where(there, points, 0.0).sum(axis=1)
    return np.where(there.any(axis=1), total / np.maximum(there.sum(axis=1), 1), np.nan)


def _is_light(values: Floats, clear_sky: Floats) -> bool:
    """Return whether a weather variable is light: nothing by night, much by day, whatever it is called."""
    dark, bright = (values[held & np.isfinite(values)] for held in (clear_sky < _DARK, clear_sky > _BRIGHT))
    if not len(dark) or not len(bright):
        return False
    most = float(np.quantile(bright, 0.9))
    return most > 0 and float(np.median(np.abs(dark))) < most / 50 and float(np.median(bright)) > most / 10


def _without_season(production: Floats, clear_sky: Floats) -> Floats:
    """Return production per clear sky; NaN where there is too little of it."""
    return np.where(clear_sky > _BRIGHT, production / np.maximum(clear_sky, _BRIGHT), np.nan)


# --- words ------------------------------------------------------------------------------------------------------------


def _within(late: Estimate, middle: float, reach: float) -> float:
    """Return how likely the true offset is within `reach` minutes of `middle`: windows scatter, places are rough."""
    error = math.hypot(late.spread, _PLACE_ERROR)
    return _normal((middle + reach - late.value) / error) - _normal((middle - reach - late.value) / error)


def _normal(deviations: float) -> float:
    return 0.5 * (1 + math.erf(deviations / math.sqrt(2)))


def _trails(what: str, late: Estimate) -> str:
    how = "trails" if late.value >= 0 else "leads"
    return f"{what} {how} the clear sky by {abs(late.value):.0f} min (windows scatter by {late.spread:.0f})"


def _sun_feature(late: float) -> str:
    minutes = round(late / _FEATURE_STEP) * _FEATURE_STEP
    return "clear_sky" if not minutes else f"clear_sky_{'minus' if minutes > 0 else 'plus'}_{abs(minutes)}m"
