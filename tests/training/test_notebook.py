"""The notebook runs from top to bottom on generated zones and is kept without outputs; what it computes is right."""

import io
import json
from contextlib import redirect_stdout
from datetime import timedelta
from pathlib import Path
from typing import Any

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pyarrow.compute as pc
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.journeys.stores import DictStore
from tests.journeys.world import DAYS, ISSUE
from training.estimates import sun_offset
from training.notebooks import figures
from training.notebooks.zones import Zones, read, rest_days
from wattahead.domain.catalog import Zone
from wattahead.domain.hours import DAY, HOUR, instant, to_datetime
from wattahead.sources.synthetic import generate

NOTEBOOK = Path(__file__).parents[2] / "training/notebooks/exploratory_data_analysis.ipynb"
LINES = 24  # of a cell, formatted


def _cells(kind: str) -> list[dict[str, Any]]:
    return [cell for cell in json.loads(NOTEBOOK.read_text(encoding="utf-8"))["cells"] if cell["cell_type"] == kind]


@pytest.fixture(scope="module")
def folder(untrained_world: DictStore, tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("notebook")
    for key, body in untrained_world.objects.items():
        (made / key).parent.mkdir(parents=True, exist_ok=True)
        (made / key).write_bytes(body)
    return made


@pytest.fixture(scope="module")
def zones(folder: Path) -> Zones:
    return read(str(folder))


# --- the notebook -----------------------------------------------------------------------------------------------------


def test_the_notebook_runs_from_top_to_bottom_and_every_picture_shows_something(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WATTAHEAD_BUCKET", str(folder))
    told, drawn = io.StringIO(), []
    with mpl.rc_context({"backend": "Agg"}), redirect_stdout(told):
        names: dict[str, Any] = {"__name__": "__main__"}
        for cell in _cells("code"):
            exec(compile("".join(cell["source"]), cell["id"], "exec"), names)  # noqa: S102 - our own file
            pictures = [plt.figure(number) for number in plt.get_fignums()]
            drawn += [(cell["id"], axes.has_data()) for picture in pictures for axes in picture.axes]
            for picture in pictures:
                picture.canvas.draw()
            plt.close("all")

    assert {name for name, shown in drawn if not shown} == set()
    assert {"gaps", "day", "lag", "lead", "growth", "power", "clear", "ramps", "tails", "green"} <= dict(drawn).keys()
    for said in ("solar: known 0 h after its hour", "labels of SY-0001 are right", "SY-0002 wind: yesterday"):
        assert said in told.getvalue()


def test_the_notebook_is_kept_without_outputs_in_the_order_that_jupyter_writes() -> None:
    text = NOTEBOOK.read_text(encoding="utf-8")

    assert all(cell["outputs"] == [] and cell["execution_count"] is None for cell in _cells("code"))
    assert all(cell["metadata"] == {} for cell in _cells("code") + _cells("markdown"))
    assert text == json.dumps(json.loads(text), sort_keys=True, indent=1, ensure_ascii=False) + "\n"


def test_cells_are_small_and_every_section_asks_a_question() -> None:
    names = [cell["id"] for cell in _cells("code") + _cells("markdown")]
    heads = [line.strip() for cell in _cells("markdown") for line in cell["source"] if line.startswith("## ")]

    assert [cell["id"] for cell in _cells("code") if len(cell["source"]) > LINES] == []
    assert len(names) == len(set(names))
    assert [head for head in heads[:-1] if not head.endswith("?")] == []
    assert heads[-1] == "## What this means for the model"


# --- what a bucket knows ----------------------------------------------------------------------------------------------


def test_zones_hold_whole_days_and_weather_only_as_known_at_midnight(zones: Zones) -> None:
    assert zones.names == ("SY-0001", "SY-0002")
    assert zones.clear_sky.shape[1] % 24 == 0
    assert zones.start == (ISSUE - DAYS * DAY) // DAY * DAY

    rows = (
        generate(2, ISSUE - DAYS * DAY, ISSUE + HOUR, seed=3).weather.filter(pc.field("zone") == "SY-0002").to_pylist()
    )
    valid = 40 * 24 + 17
    asked, midnight = to_datetime(int(zones.hours[valid])), to_datetime(int(zones.hours[40 * 24]))
    told = [row for row in rows if row["ts"] == asked and row["init_time"] + timedelta(hours=4) <= midnight]
    newest = max(row["init_time"] for row in told)
    expected = [row["wind_speed_10m"] for row in told if row["init_time"] == newest]
    assert newest < max(row["init_time"] for row in rows if row["ts"] == asked)
    assert zones.weather["wind_speed_10m"][1, valid] == pytest.approx(np.mean(expected), rel=1e-6)


def test_a_zones_own_holidays_are_found_and_a_zone_without_a_calendar_has_none(zones: Zones) -> None:
    places = {"A": Zone(37, -120, holidays="US-CA"), "B": Zone(37, -120)}
    there = Zones(("A", "B"), places, instant("2024-12-24T00:00Z"),
                  {}, {}, {}, np.zeros((2, 10 * 24)))  # fmt: skip

    assert np.flatnonzero(rest_days(there, {})[0]).tolist() == [1, 8]  # Christmas Day, New Year's Day
    assert not rest_days(there, {})[1].any()
    assert np.flatnonzero(rest_days(there, {"B": "US"})[1]).tolist() == [1, 8]


# --- figures ----------------------------------------------------------------------------------------------------------


@given(st.integers(-5, 5), st.lists(st.floats(-1e6, 1e6), min_size=12, max_size=30))
def test_moving_there_and_back_changes_nothing_but_the_ends(lag: int, values: list[float]) -> None:
    held = np.array(values)
    back = figures.before(figures.before(held, lag), -lag)

    inside = slice(max(-lag, 0), len(held) - max(lag, 0))
    assert back[inside].tolist() == held[inside].tolist()


def test_the_scale_never_sees_its_own_day() -> None:
    values = np.ones(10 * 24)
    values[5 * 24] = 7.0

    scale = figures.trailing(values, 3).reshape(-1, 24)

    assert np.isnan(scale[0]).all()
    assert scale[1:, 0].tolist() == [1, 1, 1, 1, 1, 7, 7, 7, 1]


def test_gfs_steps_trail_the_sun_and_keep_the_sum_of_a_restart(zones: Zones) -> None:
    clear = zones.clear_sky[0]
    steps = figures.in_gfs_steps(clear)

    late = sun_offset(steps[24:-24], clear[24:-24], 24)
    assert late is not None
    assert 60 < late.value < 150
    assert np.allclose(steps[6 : 6 + 24 * 9][::6], clear[: 24 * 9].reshape(-1, 6).mean(axis=1))


def test_emission_factors_of_a_mix_are_found_again() -> None:
    draw = np.random.default_rng(1)
    mix = draw.uniform(1, 100, (3, 500))
    carbon = np.array([760.0, 370.0, 0.0]) @ (mix / mix.sum(axis=0))
    carbon[7] = np.nan

    assert figures.emission_factors(carbon, mix) == pytest.approx([760, 370, 0], abs=1e-6)


def test_a_lone_hour_a_held_value_and_a_strange_day_are_found_where_they_were_put() -> None:
    draw = np.random.default_rng(2)
    values = 1000 + draw.normal(0, 10, 100 * 24)
    assert figures.stuck(values)[0] == 1
    assert len(figures.spikes(values)) == 0
    values[1200], values[700:718], values[60 * 24 : 61 * 24] = 5000, values[700], values[60 * 24 : 61 * 24] + 200

    assert figures.spikes(values).tolist() == [1200]
    assert figures.stuck(values) == (18, 700)
    assert int(np.argmax(np.abs(figures.unusual_days(values)))) == 60


def test_an_hour_that_is_labelled_a_day_late_fits_where_it_belongs() -> None:
    values = 1000 + np.cumsum(np.random.default_rng(3).normal(0, 5, 50 * 24))
    values[29::24] = values[5:-24:24].copy()  # 05 UTC

    asked, after = (figures.mean_by(figures.kinks(values, days), np.arange(len(values)) % 24, 24) for days in (0, 1))

    assert int(np.argmax(asked)) == int(np.argmin(after)) == 5
    assert after[5] < asked[5] / 3


def test_what_the_usual_day_does_not_say_has_no_day_and_weeks_have_no_trend() -> None:
    hours = np.arange(80 * 24)
    rest = figures.without_day(50 + hours / 24 + 10 * np.sin(2 * np.pi * hours / 24))
    change = figures.against_weeks(np.where(np.arange(70) % 7 == 6, 8.0, 10.0))

    assert np.abs(rest[20 * 24 : -20 * 24]).max() < 1e-9
    assert change[6:63:7] == pytest.approx(8 / (68 / 7) - 1)
