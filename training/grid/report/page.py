"""The page about one training of a screen: what was simulated, what was decided, how good it was, beside others."""

from collections.abc import Mapping, Sequence
from html import escape
from typing import Final

from training.grid.evaluate import Table
from training.grid.report.pictures import of_set
from training.grid.report.words import MEANINGS, MEASURES, SETS
from training.grid.simulation.dataset import Dataset
from training.grid.simulation.summary import summary
from training.grid.simulation.words import SUMMARY, written
from training.report.page import figures, framed, html_table, section
from training.report.picture import Picture

NO_VALUE: Final = "-"


def grid_page(dataset: Dataset, tables: Table, decision: str, pictures: Sequence[Picture] = ()) -> str:
    """Return the page of one training, as HTML that needs nothing else; the same input gives the same bytes.

    `dataset` is the set that was learnt from and tested on, `tables` the measures by set and model, `decision` a
    sentence, and `pictures` those of the models (`training.grid.report.judged_pictures.of_answers`).
    """
    title = f"Screening of actions in {dataset.network.name}"
    parts = [
        f"<h1>{escape(title)}</h1>",
        '<p><span class="origin">data: simulated</span></p>',
        f"<p>{escape(decision)}</p>",
        section("What actions do", figures(of_set(dataset))),
        section("What was simulated", _simulated(dataset)),
        section("How good the screen is", "".join(_measures(*one) for one in tables.items()) + figures(pictures)),
        section("What the words mean", _glossary()),
    ]
    return framed(title, "\n".join(filter(None, parts)))


def _simulated(dataset: Dataset) -> str:
    network = dataset.network
    counts = {
        "substations": len(network.substations),
        "lines": len(network.lines),
        "generators": len(network.generators),
        "loads": len(network.loads),
    }
    told = {name: f"{count:,}" for name, count in counts.items()} | written(summary(dataset), SUMMARY)
    rows = [(name, [value]) for name, value in told.items()]
    return html_table(["what", network.name], rows, "The network, and the set that was learnt from and tested on.")


def _measures(name: str, models: Mapping[str, Mapping[str, float]]) -> str:
    """Return the table of one set: a row for each model; a measure that a model has none of stays empty."""
    told = {model: written(found, MEASURES) for model, found in models.items()}
    every = {measure: 0.0 for found in models.values() for measure in found}
    heads = list(written(every, MEASURES))
    rows = [(model, [_known(found.get(head, NO_VALUE)) for head in heads]) for model, found in told.items()]
    about = f"{name}: {SETS[name]}." if name in SETS else name
    return html_table(["model", *heads], rows, about)


def _known(figure: str) -> str:
    return NO_VALUE if "nan" in figure else figure


def _glossary() -> str:
    return (
        "<dl>" + "".join(f"<dt>{escape(word)}</dt><dd>{escape(told)}</dd>" for word, told in MEANINGS.items()) + "</dl>"
    )
