"""The page that people look at: complete, alone, for everybody, and the same whenever it is made."""

import os
import re
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tests.evaluation.scenes import SOLAR, scene
from tests.training.pages import Page
from training.judged import Judged, judge
from training.report import plots
from training.report.page import page, span
from training.report.picture import COLOURS
from training.report.saved import located, save_page
from wattahead.domain.series import Series
from wattahead.evaluation.scored import Floats, Scored
from wattahead.storage.objects import open_bucket

GAIN = {f"feature_{number}": 100.0 / (number + 1) for number in range(30)}
NASTY = '<script>alert("1 & 2")</script>'
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "chrome")


def two_series() -> Judged:
    wind, sun = scene(days=90), scene(SOLAR, days=90, seed=4)
    said = {**wind.references, "operator": np.where(wind.truth > 90, wind.truth + 5, np.nan)}
    return judge([replace(wind, references=said), sun])


@pytest.fixture(scope="module")
def judged() -> Judged:
    return two_series()


@pytest.fixture(scope="module")
def html(judged: Judged) -> str:
    return page(f"Title {NASTY}", span(judged), "synthetic", judged, GAIN)


def test_the_page_is_well_formed_and_needs_nothing_but_itself(html: str) -> None:
    assert Page.of(html).faults == []
    assert "http" not in html
    assert "@import" not in html


def test_every_series_has_its_pictures_each_with_words_for_who_cannot_see_them(html: str, judged: Judged) -> None:
    labels = [one.attributes["aria-label"] for one in Page.of(html).all("svg")]

    for one, _ in judged:
        for words in ("Fan chart of", "by hours ahead", "by hour of the day", "Reliability of", "Coverage of"):
            assert any(words in label and str(one.series) in label for label in labels), words
    assert sum(label.startswith("Fan chart") for label in labels) == 3 * len(judged)
    assert sum(label.startswith("Skill over") for label in labels) == 3
    assert sum(label.startswith("Feature gain: feature_0 2") for label in labels) == 1


def test_names_are_shown_as_text_and_never_run(html: str) -> None:
    found = Page.of(html)

    assert not found.all("script")
    assert found.all("h1")[0].text == f"Title {NASTY}"


def test_generated_data_is_called_so(html: str, judged: Judged) -> None:
    assert "data: synthetic" in Page.of(html).all("body")[0].text
    assert "data: " not in Page.of(page("Title", span(judged), "", judged)).all("p")[0].text


def test_the_table_tells_what_was_measured(html: str, judged: Judged) -> None:
    rows = {row.text.split("MW")[0]: row.text for row in Page.of(html).all("tr")}

    for one, found in judged:
        mae, digits = found.of("mae"), 1 if found.of("mae").value >= 10 else 2
        assert f"{mae.value:.{digits}f} ({mae.low:.{digits}f} to {mae.high:.{digits}f})" in rows[str(one.series)]


def test_the_map_has_a_cell_for_every_series_and_month(html: str, judged: Judged) -> None:
    table = html[html.index('<table class="map">') :]
    table = table[: table.index("</table>")]

    assert re.findall(r'<th scope="col">(\d{4}-\d{2})</th>', table) == ["2021-01", "2021-02", "2021-03"]
    assert len(re.findall(r"<td", table)) == 3 * len(judged)


def test_the_map_is_by_hour_while_there_is_one_month_only() -> None:
    found = page("Title", "", "", judge([scene(days=20)]))

    assert "by hour of the day of the valid time, UTC" in found


def test_colours_are_the_pages_own_so_that_they_follow_it_into_the_dark(html: str) -> None:
    body = html[html.index("<body>") :]
    used = set(re.findall(r"var\(--([a-z_]+)\)", body))

    assert used <= set(COLOURS)
    assert {"ours", "band", "truth", "seasonal_naive", "climatology", "external"} <= used
    assert set(re.findall(r"#[0-9a-f]{6}\b", body)) <= {"#ffffff"}
    assert "prefers-color-scheme: dark" in html


def test_text_can_be_read_on_both_grounds() -> None:
    for way in (0, 1):
        for name in ("ink", "soft"):
            assert contrast(COLOURS[name][way], COLOURS["paper"][way]) >= 4.5, name  # WCAG 2, level AA
        for name in ("ours", "truth", "seasonal_naive", "climatology", "external"):
            assert contrast(COLOURS[name][way], COLOURS["paper"][way]) >= 3, name  # lines


def contrast(one: str, other: str) -> float:
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def luminance(colour: str) -> float:
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def test_the_same_forecasts_give_the_same_bytes(html: str, judged: Judged) -> None:
    assert page(f"Title {NASTY}", span(judged), "synthetic", two_series(), GAIN) == html


def test_the_worst_day_is_worse_than_the_typical_one_and_that_than_the_best(judged: Judged) -> None:
    one, _ = judged[0]
    captions = {kind: drawn.caption for kind, drawn in plots.days(one).items()}
    errors = {kind: float(re.findall(r"error ([\d.]+) MW", told)[0]) for kind, told in captions.items()}
    daily = np.abs(one.median - one.truth).mean(axis=1)

    assert errors["best"] == pytest.approx(daily.min(), rel=0.01)
    assert errors["typical"] == pytest.approx(np.median(daily), rel=0.05)
    assert errors["worst"] == pytest.approx(daily.max(), rel=0.01)


def test_days_that_are_not_whole_are_not_shown() -> None:
    one = scene(days=10)
    one.truth[:, 5] = np.nan

    assert plots.days(one) == {}


def test_series_of_which_nothing_came_true_are_left_out_and_the_page_stands(judged: Judged) -> None:
    silent = scene(days=10)
    silent.truth[:] = np.nan
    html = page("Title", "", "", [*judged, *judge([replace(silent, series=Series("YY", "production", "wind"))])])

    assert "YY/production/wind" not in html
    assert Page.of(page("Title", "", "", judge([silent]))).faults == []


def test_of_many_series_all_are_in_the_table_and_the_poorest_have_pictures() -> None:
    one = scene(days=8)
    many = judge(
        replace(one, series=Series(f"ZZ-{n}", "production", "wind"), quantiles=shifted(one, 10.0 * n)) for n in range(5)
    )
    html = page("Title", "", "", many, drawn=2)

    assert all(str(held.series) in html for held, _ in many)
    assert re.findall(r"<summary>(ZZ-\d)/", html) == ["ZZ-4", "ZZ-3"]
    assert "3 more are in the tables above only." in html


def shifted(one: Scored, by: float) -> dict[str, Floats]:
    return {name: values + by for name, values in one.quantiles.items()}


def test_a_saved_page_is_where_it_says_and_is_written_once(tmp_path: Path) -> None:
    bucket = open_bucket(str(tmp_path))
    keys = [save_page(bucket, "evaluation", 0, "<p>page</p>") for _ in range(2)]

    assert keys[0] == keys[1]
    assert Path(located(bucket, keys[0])).read_text(encoding="utf-8") == "<p>page</p>"
    assert located(open_bucket("memory://reports"), keys[0]) == f"memory://reports/{keys[0]}"


@pytest.mark.browser
@pytest.mark.parametrize("width", [360, 1280])
def test_a_browser_shows_the_page_without_a_network(html: str, tmp_path: Path, width: int) -> None:
    browser = os.environ.get("WATTAHEAD_BROWSER") or next(filter(None, map(shutil.which, BROWSERS)), None)
    if not browser:
        pytest.skip("no Chromium on the PATH; name one with WATTAHEAD_BROWSER")
    place, picture = tmp_path / "page.html", tmp_path / "page.png"
    measure = "<script>document.title = document.documentElement.scrollWidth + ' of ' + innerWidth</script></body>"
    place.write_text(html.replace("</body>", measure), encoding="utf-8")
    command = [browser, "--headless=new", "--no-sandbox", "--disable-gpu", "--hide-scrollbars"]
    command += [f"--user-data-dir={tmp_path / 'user'}", "--proxy-server=127.0.0.1:9", f"--window-size={width},900"]

    dom = subprocess.run([*command, "--dump-dom", place.as_uri()], capture_output=True, timeout=60, check=True)
    subprocess.run([*command, f"--screenshot={picture}", place.as_uri()], capture_output=True, timeout=60, check=True)

    shown = dom.stdout.decode()
    needed, given = map(int, re.findall(r"<title>(\d+) of (\d+)</title>", shown)[0])
    assert needed <= given  # nothing sticks out of the screen
    assert shown.count("<svg") == html.count("<svg")
    assert len(picture.read_bytes()) > 10_000
