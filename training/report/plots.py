"""What an evaluation shows in pictures: days, errors, bands, reliability. Times in UTC, values in the series' unit."""

from collections.abc import Mapping

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter, MaxNLocator, PercentFormatter

from training.report.picture import Picture, colour, drawn, legend, unit_label
from wattahead.domain.hours import DAY, HOUR, date_of, hour_of, iso
from wattahead.evaluation import losses
from wattahead.evaluation.measures import Found, Measured
from wattahead.evaluation.scored import Floats, Scored

NAMES = {"ours": "forecast", "seasonal_naive": "seasonal naive"}
DAYS = {"typical": 0.5, "best": 0.0, "worst": 1.0}  # which quantile of the forecasts, by their mean absolute error
THOUSANDS = FuncFormatter(lambda value, _: f"{value:,.6g}")
FAINT, STRONG = 0.16, 0.45  # of an interval: as an area, as a bar
FEATURES = 20  # bars in a picture of gains


def said(name: str) -> str:
    """Return the name of a forecaster as people read it."""
    return NAMES.get(name, name)


def days(one: Scored) -> dict[str, Picture]:
    """Return the fan chart of a typical, the best and the worst forecast, among those whose truth is whole."""
    errors = losses.absolute(one.truth, one.median)
    whole = np.flatnonzero(np.isfinite(errors).all(axis=1))
    if not len(whole):
        return {}
    ranked = whole[np.argsort(errors[whole].mean(axis=1), kind="stable")]
    return {kind: fan(one, int(ranked[round(share * (len(ranked) - 1))]), kind) for kind, share in DAYS.items()}


def fan(one: Scored, moment: int, kind: str) -> Picture:
    """Return one forecast with its band, seasonal naive, others' forecasts, and what came true."""
    times = one.valid_times[moment]
    hours = (times - times[0]) / HOUR
    low, high = (values[moment] for values in one.band)
    names = list(one.quantiles)
    error = float(losses.absolute(one.truth[moment], one.median[moment]).mean())

    def draw(axes: Axes) -> None:
        axes.fill_between(hours, low, high, color=colour("band"), linewidth=0, label=f"{names[0]} to {names[-1]}")
        for name, values in one.references.items():
            if name != "climatology" and np.isfinite(values[moment]).any():
                axes.plot(hours, values[moment], color=colour(name), linewidth=1.1, dashes=(3, 1.5), label=said(name))
        axes.plot(hours, one.median[moment], color=colour("ours"), linewidth=2, label="p50")
        axes.plot(
            hours, one.truth[moment], color=colour("truth"), linewidth=1, marker="o", markersize=2.6, label="came true"
        )
        _clock(axes, times)
        axes.yaxis.set_major_formatter(THOUSANDS)
        unit_label(axes, one.signal.unit)
        legend(axes)

    issued = iso(int(one.issue_times[moment]))
    mean = f"mean absolute error {_short(error)} {one.signal.unit}"
    shown = f"the band from {names[0]} to {names[-1]}, p50 and what came true"
    alt = f"Fan chart of {one.series}, issued {issued}: {shown}; {mean}."
    return drawn(f"{one.series} {kind}", alt, f"{kind.capitalize()} forecast, issued {issued}: {mean}.", draw)


def error_by(one: Scored, found: Measured, name: str, axis: str) -> Picture:
    """Return the mean absolute error of everybody by the labels of a slice (`lead` or `hour`)."""
    ours = found.by("mae", name)
    at = [int(label) for label in ours]

    def draw(axes: Axes) -> None:
        axes.fill_between(at, *_ends(ours), color=colour("ours"), alpha=FAINT, linewidth=0, label="95 % interval")
        for other in one.references:
            theirs = found.by(f"mae_{other}", name)
            if theirs:
                axes.plot(
                    [int(label) for label in theirs],
                    _values(theirs),
                    color=colour(other),
                    linewidth=1.2,
                    label=said(other),
                )
        axes.plot(at, _values(ours), color=colour("ours"), linewidth=2, label=said("ours"))
        axes.set_ylim(bottom=0)
        axes.yaxis.set_major_formatter(THOUSANDS)
        axes.set_xlim(min(at), max(at))
        axes.xaxis.set_major_locator(MaxNLocator(8, integer=True, steps=[1, 3, 6, 10]))
        axes.set_xlabel(axis)
        unit_label(axes, f"MAE [{one.signal.unit}]")
        legend(axes)

    worst = max(ours, key=lambda label: ours[label].value)
    most = f"{_short(ours[worst].value)} {one.signal.unit}"
    alt = f"Mean absolute error of {one.series} by {axis}: ours is largest at {worst}, {most}."
    return drawn(f"{one.series} {name}", alt, f"Error by {axis}.", draw)


def reliability(one: Scored, found: Measured) -> Picture:
    """Return how often the truth was at most each quantile, against how often it should have been."""
    cut = ("light", "day") if one.signal.night_zero else ("all", "all")
    light = _light(one)
    points = [found.of(f"below_{name}", *cut) for name in one.quantiles]

    def draw(axes: Axes) -> None:
        axes.plot([0, 1], [0, 1], color=colour("soft"), linewidth=0.9, dashes=(4, 3), label="as stated")
        _bars(axes, one.levels, points)
        axes.set(xlim=(0, 1), ylim=(0, 1), xlabel="stated probability")
        for scale in (axes.xaxis, axes.yaxis):
            scale.set_major_formatter(PercentFormatter(1, decimals=0))
        unit_label(axes, "truth at or below the quantile")
        legend(axes)

    told = ", ".join(f"{name} {100 * point.value:.0f} %" for name, point in zip(one.quantiles, points, strict=True))
    return drawn(
        f"{one.series} reliability",
        f"Reliability of {one.series}{light}: the truth was at or below {told}.",
        f"Reliability{light}, with 95 % intervals.",
        draw,
    )


def coverage(one: Scored, found: Measured) -> Picture:
    """Return how often the truth lay within the band, by month."""
    months = found.by("coverage", "sunny_month" if one.signal.night_zero else "month")
    stated = one.levels[-1] - one.levels[0]

    def draw(axes: Axes) -> None:
        axes.axhline(
            stated, color=colour("soft"), linewidth=0.9, dashes=(4, 3), label=f"as stated, {100 * stated:.0f} %"
        )
        _bars(axes, list(range(len(months))), list(months.values()))
        axes.set(ylim=(0, 1.02), xlim=(-0.6, len(months) - 0.4), xlabel="month, UTC")
        every = max(1, -(-len(months) // 6))
        axes.set_xticks(range(0, len(months), every), list(months)[::every])
        axes.yaxis.set_major_formatter(PercentFormatter(1, decimals=0))
        unit_label(axes, "truth within the band")
        legend(axes)

    told = ", ".join(f"{month} {100 * point.value:.0f} %" for month, point in months.items())
    return drawn(
        f"{one.series} coverage",
        f"Coverage of {one.series} by month{_light(one)}: {told}.",
        f"Coverage by month{_light(one)}, with 95 % intervals.",
        draw,
    )


def skills(found: Mapping[str, Found], over: str) -> Picture:
    """Return the skill of every series over a reference, with its interval."""
    names = list(found)[::-1]

    def draw(axes: Axes) -> None:
        axes.axvline(0, color=colour("soft"), linewidth=0.9)
        for row, name in enumerate(names):
            one = found[name]
            axes.plot([one.low, one.high], [row, row], color=colour("ours"), linewidth=2.6, alpha=STRONG)
            axes.plot([one.value], [row], color=colour("ours"), marker="o", markersize=5, linewidth=0)
        axes.set_yticks(range(len(names)), names)
        axes.set_ylim(-0.7, len(names) - 0.3)
        axes.grid(visible=False, axis="y")
        axes.grid(axis="x", color=colour("line"), linewidth=0.8)
        axes.set_xlabel("skill")

    told = ", ".join(f"{name} {one.value:.2f}" for name, one in found.items())
    alt = f"Skill over {said(over)} with 95 % intervals: {told}."
    return drawn(
        f"skill {over}",
        alt,
        f"Skill over {said(over)}: share of its error that is gone, with 95 % intervals.",
        draw,
        1.25 + 0.22 * len(names),
    )


def gains(gain: Mapping[str, float]) -> Picture:
    """Return what each feature gave to the model, as shares of all of it; the smallest are left out."""
    total = sum(gain.values()) or 1.0
    shares = {name: gain[name] / total for name in sorted(gain, key=lambda name: (-gain[name], name))[:FEATURES]}

    def draw(axes: Axes) -> None:
        axes.barh(range(len(shares)), list(shares.values())[::-1], color=colour("ours"), height=0.66)
        axes.set_yticks(range(len(shares)), list(shares)[::-1])
        axes.set_ylim(-0.6, len(shares) - 0.4)
        axes.grid(visible=False, axis="y")
        axes.grid(axis="x", color=colour("line"), linewidth=0.8)
        axes.xaxis.set_major_formatter(PercentFormatter(1, decimals=0))
        axes.set_xlabel("share")

    told = ", ".join(f"{name} {100 * share:.0f} %" for name, share in list(shares.items())[:5])
    left = f", the largest {FEATURES} of {len(gain)}" if len(gain) > FEATURES else ""
    return drawn(
        "gain", f"Feature gain: {told}.", f"What each feature gave to the model{left}.", draw, 1.25 + 0.22 * len(shares)
    )


def _light(one: Scored) -> str:
    return " with the sun above 5 degrees" if one.signal.night_zero else ""


def _bars(axes: Axes, at: list[float] | list[int], points: list[Found]) -> None:
    values = np.array([point.value for point in points])
    low, high = (np.array([getattr(point, end) for point in points]) for end in ("low", "high"))
    known = np.isfinite(low)
    axes.vlines(np.array(at)[known], low[known], high[known], color=colour("ours"), linewidth=2.6, alpha=STRONG)
    axes.plot(at, values, color=colour("ours"), marker="o", markersize=5, linewidth=1.2, label="observed")


def _clock(axes: Axes, times: np.ndarray) -> None:
    """Write hours of the day below, and the date where the forecast or a day begins."""
    every = max(6 * HOUR, int(times[-1] - times[0]) // 5 // (6 * HOUR) * 6 * HOUR)
    marks = [int(at) for at in times if at % every == 0]
    dated = {at for at in marks if at % DAY == 0} | set(marks[:1])
    axes.set_xticks(
        [(at - times[0]) / HOUR for at in marks],
        [f"{hour_of(at)}:00" + (f"\n{date_of(at)}" if at in dated else "") for at in marks],
    )
    axes.set_xlim(0, float(times[-1] - times[0]) / HOUR)
    axes.set_xlabel("UTC", loc="right")


def _values(found: Mapping[str, Found]) -> list[float]:
    return [one.value for one in found.values()]


def _ends(found: Mapping[str, Found]) -> tuple[Floats, Floats]:
    return np.array([one.low for one in found.values()]), np.array([one.high for one in found.values()])


def _short(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"  # noqa: PLR2004 - three digits are plenty
