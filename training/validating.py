"""`python -m training --validate`: how good a pool's trainer is, without a candidate, a registry or the ledger."""

from rich.box import SIMPLE
from rich.table import Table

from training.candidate import material
from training.gate import Judged
from training.judged import judge, rows
from training.question import Question
from training.tabled import of_judged
from training.trainers.protocol import Progress
from training.validation import measures, validated
from wattahead.domain.catalog import Catalog
from wattahead.domain.series import origin
from wattahead.storage.measures import save_metrics

HEADS = ("zone", "hours", "pinball / scale", "of naive", "MAE", "of naive", "covers")
NAMES = ("pinball", "seasonal_naive_pinball", "mae", "seasonal_naive_mae")


def validate_one(asked: Question, name: str, progress: Progress) -> tuple[Table, str]:
    """Validate one pool; return the table of measures, and the key under which all of them were saved."""
    told = material(asked.bucket, asked.catalog, name, until=asked.until)
    found = validated(told, asked.validate, told.samples, until=asked.until, seed=asked.seed, progress=progress)
    signal = told.source.signal
    scored = of_judged(found, "candidate", pool=name, signal=signal, catalog=asked.catalog)
    run = asked.validate.replace("_", "-")
    key = save_metrics(asked.bucket, rows(judge(scored), split="validation", run=run))
    return table(found, name, asked.validate, asked.catalog), key


def table(found: Judged, name: str, strategy: str, catalog: Catalog) -> Table:
    """Return a row per zone, and one for all of them where there are several."""
    pool = catalog.pools[name]
    unit, told = catalog.signals[pool.signal].unit, measures(found, pool)
    made = Table(
        title=f"{name}: {pool.trainer}, {strategy}; MAE in {unit}", title_justify="left", box=SIMPLE, pad_edge=False
    )
    for number, head in enumerate(HEADS):
        made.add_column(head, justify="right" if number else "left", no_wrap=True)
    for zone, one in told.items():
        if zone or len(told) > 2:  # noqa: PLR2004 - one zone and the whole pool say the same
            plain = [f"{one[measure]:.4g}" for measure in NAMES]
            shown = f"{zone} {origin(zone)}".rstrip() if zone else "all"
            made.add_row(shown, f"{one['hours']:.0f}", *plain, f"{one['coverage']:.3f}")
    return made
