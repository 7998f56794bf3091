"""The page about a training of a screen: whole, alone, and true to its tables."""

import numpy as np
import pytest

from tests.training.grid.sets import made_up_dataset
from tests.training.pages import Page
from training.grid.evaluate import Said, action_means, measures, nothing_changes
from training.grid.lessons import lesson_of
from training.grid.report.judged_pictures import of_answers
from training.grid.report.page import grid_page
from training.grid.report.words import MEASURES
from training.grid.simulation.summary import summary
from training.grid.simulation.words import SUMMARY

DECISION = "Promoted: <better> than linear flows & all"
STRANGE = "a model <of> others"


@pytest.fixture(scope="module")
def tables() -> dict[str, dict[str, dict[str, float]]]:
    lesson = lesson_of(made_up_dataset(40, 0))
    sharp = np.where(lesson.failed, 2.0, lesson.rho_max)
    ours = Said(sharp * 1.05, np.where(lesson.failed, 0.9, 0.0), sharp, sharp * 1.1)
    answers = {"candidate": ours, "mean of the action": action_means(lesson, lesson), STRANGE: nothing_changes(lesson)}
    of_all = {model: measures(lesson, said) for model, said in answers.items()}
    return {"test": of_all, "loads": {**of_all, STRANGE: {"rmse": float("nan"), "unheard of": 12.5}}}


@pytest.fixture(scope="module")
def html(tables: dict[str, dict[str, dict[str, float]]]) -> str:
    dataset = made_up_dataset(40, 0)
    lesson = lesson_of(dataset)
    pictures = of_answers({"test": lesson}, {"test": {"candidate": nothing_changes(lesson)}})
    return grid_page(dataset, tables, DECISION, pictures)


def rows_of(html: str, caption: str) -> dict[str, list[str]]:
    """Return row -> values of the table whose caption begins so."""
    page = Page.of(html)
    table = next(one for one in html.split("<table>")[1:] if one.startswith(f"<caption>{caption}"))
    inside = Page.of("<table>" + table.split("</table>")[0] + "</table>").elements
    found: dict[str, list[str]] = {}
    for one in inside:
        if one.tag == "th" and one.attributes["scope"] == "row":
            found[one.text] = []
        elif one.tag == "th":
            found.setdefault("", []).append(one.text)
        elif one.tag == "td":
            found[list(found)[-1]].append(one.text)
    assert page.faults == []
    return found


def test_the_page_is_well_formed_and_needs_nothing_but_itself(html: str) -> None:
    assert Page.of(html).faults == []
    assert "http" not in html


def test_the_decision_is_told_as_text(html: str) -> None:
    assert any(one.text == DECISION for one in Page.of(html).all("p"))
    assert "data: simulated" in Page.of(html).all("p")[0].text


def test_every_measure_of_every_model_is_in_the_table_of_its_set(
    html: str, tables: dict[str, dict[str, dict[str, float]]]
) -> None:
    for name, models in tables.items():
        rows = rows_of(html, name)
        heads = rows[""][1:]
        for model, found in models.items():
            for measure, value in found.items():
                words, form = MEASURES.get(measure, (measure, "{:.4g}"))
                wanted = form.format(value).replace("%", " %") if np.isfinite(value) else "-"
                assert rows[model][heads.index(words)] == wanted, (name, model, measure)
    assert {"unheard of", "band covers"} <= set(rows_of(html, "loads")[""])


def test_the_summary_of_the_set_is_there_whole(html: str) -> None:
    rows = rows_of(html, "The network")

    for name, value in summary(made_up_dataset(40, 0)).items():
        words, form = SUMMARY[name]
        assert rows[words] == [form.format(value).replace("%", " %")]
    assert rows["substations"] == ["5"]


def test_no_two_figures_have_the_same_name() -> None:
    for known in (SUMMARY, MEASURES):
        words = [word for word, _ in known.values()]
        assert len(set(words)) == len(words)


def test_each_picture_stands_with_its_words(html: str) -> None:
    pictures, captions = Page.of(html).all("svg"), Page.of(html).all("figcaption")

    assert len(pictures) == len(captions) == 4
    starts = ("Heat map of 8 lines by 39 actions", "Distribution of", "Predicted and true", "Regret on test")
    for picture, start in zip(pictures, starts, strict=True):
        assert picture.attributes["aria-label"].startswith(start)
    assert all(one.text for one in captions)


def test_the_same_input_gives_the_same_page(tables: dict[str, dict[str, dict[str, float]]]) -> None:
    pages = {grid_page(made_up_dataset(40, 0), tables, DECISION) for _ in range(2)}

    assert len(pages) == 1
