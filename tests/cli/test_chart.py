"""A drawing says what the numbers say: where the band lies, what is missing, which hour is which."""

from dataclasses import replace

import pytest

from wattahead.cli import chart
from wattahead.cli.chart import Forecast
from wattahead.domain.hours import HOUR, MINUTE, instant

ISSUED = instant("2026-11-20T05:00Z")


def forecast(*p50: float | None, spread: float = 10.0, step: int = HOUR) -> Forecast:
    low, high = (tuple(None if mid is None else mid + by for mid in p50) for by in (-spread, spread))
    times = tuple(ISSUED + number * step for number in range(len(p50)))
    return Forecast("DK-DK1/production/wind", "MW", ISSUED, "lightgbm v1", 0, (), "here · live", times, low, p50, high)


def plot(drawn: Forecast, width: int = 100) -> list[str]:
    """Return the 16 rows right of the axis, all of one length."""
    rows = [line.replace("┤", "│").split("│")[1] for line in chart.text(drawn, width=width).split("\n")[3:19]]
    return [row.ljust(max(map(len, rows))) for row in rows]


def test_each_step_has_its_band_its_median_and_what_came_true() -> None:
    drawn = replace(forecast(10.0, 50.0, 90.0), actuals=((ISSUED + HOUR, 30.0),))

    column = ["".join(row[index] for row in plot(drawn)) for index in (1, 5, 9)]

    assert column == [
        "            ░░━░",  # 10, from 0 to 20: the axis runs from 0 to 100 in 16 rows
        "      ░░━░●     ",  # 50, from 40 to 60, and 30 came true
        "░░━░            ",
    ]


def test_the_axis_has_round_numbers_the_unit_the_hours_and_the_legend() -> None:
    text = chart.text(forecast(*range(0, 2400, 100)))

    assert text.startswith("DK-DK1/production/wind  [MW]\nissued 2026-11-20T05:00Z · lightgbm v1 · fallback level 0\n")
    labels = [line.split("┤")[0].strip() for line in text.split("\n") if "┤" in line]
    assert labels == ["2 500", "2 000", "1 500", "1 000", "500", "0", "-500"]
    assert text.split("\n")[-4].split() == ["06:00", "12:00", "18:00", "00:00"]
    assert text.split("\n")[-3].split() == ["Fri", "20", "Nov", "Sat", "21", "Nov", "UTC"]
    assert text.endswith("░░ p10 to p90   ━━ p50   ● came true")


def test_an_hour_stands_under_its_own_column() -> None:
    lines = chart.text(forecast(*[5.0] * 24), width=80).split("\n")
    axis, hours = lines[19], lines[20]

    assert [axis[hours.index(hour)] for hour in ("06:00", "12:00", "18:00", "00:00")] == ["┬"] * 4


def test_a_missing_hour_is_left_blank() -> None:
    rows = plot(forecast(10.0, None, 10.0))

    assert {row[4:8] for row in rows} == {"    "}
    assert any("━" in row[:4] for row in rows)


def test_a_forecast_without_any_value_says_so() -> None:
    text = chart.text(forecast(*[None] * 24))

    assert "no forecast" in text
    assert "━" not in text.split("no forecast")[0]


def test_a_constant_forecast_has_an_axis() -> None:
    assert sum("━" in row for row in plot(forecast(*[0.0] * 24, spread=0.0))) == 1


def test_zero_is_marked_between_negative_and_positive_values() -> None:
    assert any("┈" in row for row in plot(forecast(-100.0, 100.0)))
    assert not any("┈" in row for row in plot(forecast(100.0, 100.0)))


@pytest.mark.parametrize(
    ("steps", "width", "columns"), [(24, 100, 96), (24, 60, 48), (24, 10, 24), (96, 120, 96), (168, 60, 56)]
)
def test_columns_are_a_multiple_of_the_steps_or_fill_a_narrow_terminal(steps: int, width: int, columns: int) -> None:
    drawn = forecast(*[50.0] * steps, step=HOUR if steps == 24 else 15 * MINUTE)

    assert len(plot(drawn, width)[0]) == columns


def test_the_lines_fit_the_terminal() -> None:
    text = chart.text(forecast(*[5000.0] * 24), width=80)

    assert max(map(len, text.split("\n")[3:19])) <= 80


def test_the_verdict_counts_only_what_is_known() -> None:
    drawn = replace(forecast(10.0, 50.0, None), actuals=tuple((ISSUED + hour * HOUR, 15.0) for hour in (-1, 0, 1, 2)))

    assert chart.verdict(drawn) == "mean absolute error 20.0 MW · 1 of 2 inside the band"
    assert chart.verdict(forecast(10.0)) == ""


@pytest.mark.parametrize("p50", [(10.0, 50.0, 20.0), (None, None, None), (0.0, 0.0, 0.0), (-3.0, None, 4.0), (7.0,)])
def test_the_picture_is_a_png_and_the_same_each_time(p50: tuple[float | None, ...]) -> None:
    drawn = replace(forecast(*p50), actuals=((ISSUED - 30 * HOUR, 1.0), (ISSUED - HOUR, 2.0), (ISSUED, 3.0)))

    body = chart.picture(drawn)

    assert body.startswith(b"\x89PNG")
    assert body == chart.picture(drawn)
