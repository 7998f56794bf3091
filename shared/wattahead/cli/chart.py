"""A forecast with its band beside what came true: as text for a terminal, and as a picture."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from io import BytesIO
from itertools import pairwise
from math import ceil, floor, isclose, isfinite, log10, nan
from operator import itemgetter
from typing import Any, Final

from wattahead.domain.hours import DAY, HOUR, iso, to_datetime
from wattahead.domain.series import origin

Values = tuple[float | None, ...]

ROWS: Final = 16
NARROWEST: Final = 24  # columns
GAPS: Final = ((2 * DAY, 3 * HOUR), (6 * DAY, 12 * HOUR), (10**18, DAY))  # up to this length, a label every so long
BAND, MEDIAN, TRUE, ZERO = "░", "━", "●", "┈"
INK, SOFT, LINE, BLUE, FAN, TRUTH = "#1f2933", "#6b7785", "#e4e7eb", "#1f5fa8", "#d3e2f1", "#d9480f"


@dataclass(frozen=True)
class Forecast:
    """One forecast of one series and what is known of the truth, ready to be drawn. Instants in µs."""

    series: str
    unit: str
    issue_time: int
    model: str  # name and version
    fallback_level: int
    flags: tuple[str, ...]
    origin: str  # where the rows come from: the bucket, and the run if it is not live
    valid_times: tuple[int, ...]
    p10: Values
    p50: Values
    p90: Values
    actuals: tuple[tuple[int, float], ...] = ()  # before and after the issue time

    @property
    def step(self) -> int:
        """Length of one interval [µs]."""
        return min((b - a for a, b in pairwise(self.valid_times)), default=HOUR)

    @property
    def end(self) -> int:
        """End of the last interval [µs]."""
        return max(self.valid_times, default=self.issue_time) + self.step

    @property
    def truth(self) -> Values:
        """What came true at each valid time; None where it is not known yet."""
        known = dict(self.actuals)
        return tuple(known.get(at) for at in self.valid_times)


def headline(forecast: Forecast) -> str:
    """Return who made the forecast, when, and how far down the ladder."""
    level = f"fallback level {forecast.fallback_level}"
    return " · ".join((f"issued {iso(forecast.issue_time)}", forecast.model, level, *forecast.flags))


def verdict(forecast: Forecast) -> str:
    """Return how well the forecast did on what is known, in one line; empty while nothing is."""
    rows = zip(forecast.p10, forecast.p50, forecast.p90, forecast.truth, strict=True)
    known = [(low, mid, high, true) for low, mid, high, true in rows
             if low is not None and mid is not None and high is not None and true is not None]  # fmt: skip
    if not known:
        return ""
    error = sum(abs(mid - true) for _, mid, _, true in known) / len(known)
    inside = [low <= true <= high for low, _, high, true in known]
    size = _number(error, 0 if error == 0 else max(0, 2 - floor(log10(error))))
    told = f"mean absolute error {size} {forecast.unit} · {sum(inside)} of {len(inside)} inside the band"
    return " · ".join(filter(None, (told, origin(forecast.series))))


# --- in the terminal -----------------------------------------------------------------------------------------------


def text(forecast: Forecast, *, width: int = 100) -> str:
    """Return the forecast as lines of plain text: the band, the median, what came true, axes and a legend."""
    ticks = _ticks(_finite((*forecast.p10, *forecast.p50, *forecast.p90, *forecast.truth)), 5)
    labels = {_row(tick, ticks): _number(tick, _digits(ticks[1] - ticks[0])) for tick in ticks}
    margin = max(map(len, labels.values()))
    columns = _columns(len(forecast.valid_times), width - margin - 2)
    lines = [f"{forecast.series}  [{forecast.unit}]", headline(forecast), ""]
    for row, cells in enumerate(_grid(forecast, columns, ticks)):
        lines.append(f"{labels.get(row, ''):>{margin}} {'┤' if row in labels else '│'}{''.join(cells)}")
    lines += [f"{'':{margin}} {line}" for line in _time_axis(forecast, columns)]
    missing = "" if _finite(forecast.p50) else "no forecast   "
    lines += ["", f"{'':{margin}}  {missing}{BAND * 2} p10 to p90   {MEDIAN * 2} p50   {TRUE} came true"]
    return "\n".join(line.rstrip() for line in lines)


def _columns(steps: int, room: int) -> list[int]:
    """Return, for each character column, the step it shows: several columns a step, or steps left out when narrow."""
    room = max(room, NARROWEST)
    if steps <= room:
        return [step for step in range(steps) for _ in range(min(room // steps, 4))]
    return [column * steps // room for column in range(room)]


def _grid(forecast: Forecast, columns: Sequence[int], ticks: Sequence[float]) -> list[list[str]]:
    zero = _row(0.0, ticks) if ticks[0] < 0 < ticks[-1] else None
    grid = [[ZERO if row == zero else " " for _ in columns] for row in range(ROWS)]
    for column, step in enumerate(columns):
        low, mid, high = forecast.p10[step], forecast.p50[step], forecast.p90[step]
        if low is not None and high is not None:
            for row in range(_row(high, ticks), _row(low, ticks) + 1):
                grid[row][column] = BAND
        if mid is not None:
            grid[_row(mid, ticks)][column] = MEDIAN
    for step, true in enumerate(forecast.truth):
        if true is not None and step in columns:
            grid[_row(true, ticks)][columns.index(step) + (columns.count(step) - 1) // 2] = TRUE
    return grid


def _row(value: float, ticks: Sequence[float]) -> int:
    """Return the row of a value, 0 at the top."""
    return round((ticks[-1] - value) / (ticks[-1] - ticks[0]) * (ROWS - 1))


def _time_axis(forecast: Forecast, columns: Sequence[int]) -> list[str]:
    """Return the axis, the hours on it, and each date where it begins, in UTC."""
    times = [forecast.valid_times[step] for step in columns]
    marks = [column for column, at in enumerate(times) if at % (6 * HOUR) == 0 and times.index(at) == column] or [0]
    axis, hours, dates = ["─"] * len(columns), "", ""
    for column in marks:
        if hours and column <= len(hours):
            continue
        axis[column] = "┬"
        moment = to_datetime(times[column])
        hours = f"{hours:{column}}{moment:%H:%M}"
        if column >= len(dates) and (not dates or times[column] % DAY == 0):
            dates = f"{dates:{column}}{_day(moment)} "
    return ["└" + "".join(axis), " " + hours, f" {dates}UTC"]


def _day(moment: datetime) -> str:
    return f"{moment:%a} {moment.day} {moment:%b}"


# --- numbers -------------------------------------------------------------------------------------------------------


def _finite(values: Iterable[float | None]) -> list[float]:
    return [value for value in values if value is not None and isfinite(value)]


def _ticks(values: Sequence[float], most: int) -> list[float]:
    """Return round numbers that enclose `values`, about `most` steps; zero is among them where it is near."""
    low, high = min(values, default=0.0), max(values, default=1.0)
    low, high = (0.0 if 0 < low <= high / 2 else low), (0.0 if low / 2 <= high < 0 else high)
    if isclose(low, high, rel_tol=1e-6):
        low, high = min(low, 0.0), max(high, 0.0) or float(low == 0)
    rough = (high - low) / most
    power = 10.0 ** floor(log10(rough))
    size = power * next(size for size in (1, 2, 2.5, 5, 10) if size * power >= rough * (1 - 1e-9))
    return [tick * size for tick in range(floor(low / size + 1e-9), ceil(high / size - 1e-9) + 1)]


def _digits(step: float) -> int:
    return next((digits for digits in range(6) if isclose(round(step, digits), step)), 6)


def _number(value: float, digits: int) -> str:
    return f"{value:,.{digits}f}".replace(",", " ")


# --- as a picture --------------------------------------------------------------------------------------------------


def picture(forecast: Forecast) -> bytes:
    """Return the forecast as PNG: the fan, what came true, and two days before the issue time."""
    from matplotlib.figure import Figure  # noqa: PLC0415 - a second that only pictures cost

    figure = Figure(figsize=(10, 5), dpi=160, facecolor="white")  # savefig picks Agg: no display is needed
    axes = figure.add_axes((0.075, 0.17, 0.895, 0.575))
    _draw(axes, forecast)
    _frame(axes, forecast)
    left: dict[str, Any] = {"x": 0.075, "ha": "left", "va": "baseline"}
    figure.text(y=0.925, s=forecast.series, color=INK, fontsize=15, fontweight="bold", **left)
    figure.text(y=0.872, s=headline(forecast), color=SOFT, fontsize=9.5, **left)
    footer = " · ".join(filter(None, (forecast.origin, "times in UTC", verdict(forecast))))
    figure.text(y=0.045, s=footer, color=SOFT, fontsize=8.5, **left)
    body = BytesIO()
    figure.savefig(body, format="png", metadata={"Software": "wattahead"})
    return body.getvalue()


def _draw(axes: Any, forecast: Forecast) -> None:  # noqa: ANN401 - matplotlib is imported by `picture` only
    times = [to_datetime(at) for at in forecast.valid_times]
    low, mid, high = ([nan if value is None else value for value in values]
                      for values in (forecast.p10, forecast.p50, forecast.p90))  # fmt: skip
    axes.fill_between(times, low, high, color=FAN, linewidth=0, label="p10 to p90", zorder=2)
    axes.plot(times, mid, color=BLUE, linewidth=2.2, label="p50", zorder=4, solid_capstyle="round")
    known = _with_gaps(forecast.actuals)
    axes.plot([to_datetime(at) for at, _ in known], [value for _, value in known], color=TRUTH, linewidth=1.3,
              marker="o", markersize=3, label="came true", zorder=5, clip_on=False)  # fmt: skip
    axes.axvline(to_datetime(forecast.issue_time), color=SOFT, linewidth=0.9, dashes=(4, 3), zorder=1)
    axes.annotate("issued", (to_datetime(forecast.issue_time), 1), xycoords=("data", "axes fraction"),
                  xytext=(5, -2), textcoords="offset points", va="top", color=SOFT, fontsize=8.5)  # fmt: skip
    if not _finite(forecast.p50):
        axes.text(0.5, 0.5, "no forecast", transform=axes.transAxes, ha="center", color=SOFT, fontsize=13)


def _with_gaps(actuals: Sequence[tuple[int, float]]) -> list[tuple[int, float]]:
    """Return the values with a break where hours are missing, so that no line is drawn across."""
    step = min((after[0] - at[0] for at, after in pairwise(actuals)), default=HOUR)
    breaks = [(at[0] + step, nan) for at, after in pairwise(actuals) if after[0] - at[0] > step]
    return sorted([*actuals, *breaks], key=itemgetter(0))


def _frame(axes: Any, forecast: Forecast) -> None:  # noqa: ANN401 - as above
    shown = _finite((*forecast.p10, *forecast.p50, *forecast.p90, *(value for _, value in forecast.actuals)))
    ticks = _ticks(shown, 5)
    axes.set_yticks(ticks, [_number(tick, _digits(ticks[1] - ticks[0])) for tick in ticks])
    axes.set_ylim(ticks[0], ticks[-1])
    start = min([forecast.issue_time, *(at for at, _ in forecast.actuals)])
    axes.set_xlim(to_datetime(start), to_datetime(forecast.end))
    gap = next(gap for share, gap in GAPS if forecast.end - start <= share)
    marks = [to_datetime(at) for at in range(start + -start % gap, forecast.end + 1, gap)]
    axes.set_xticks(marks, [f"{moment:%H:%M}" if moment.hour else _day(moment) for moment in marks])
    axes.grid(axis="y", color=LINE, linewidth=0.8)
    axes.set_axisbelow(True)
    axes.tick_params(colors=SOFT, labelsize=9, length=0, pad=6)
    for side, spine in axes.spines.items():
        spine.set_visible(side == "bottom")
        spine.set_color("#cbd2d9")
    axes.set_title(forecast.unit, loc="left", fontsize=9.5, color=INK, pad=10)
    axes.legend(loc="lower right", bbox_to_anchor=(1, 1.01), ncols=3, frameon=False, fontsize=9, labelcolor=INK)
