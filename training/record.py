"""What a training leaves for people: its measures in the table of all measures, and one page."""

from dataclasses import dataclass
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc

from training.candidate import Candidate, Material
from training.gate import Judged
from training.judged import Judged as Measures
from training.judged import judge, rows
from training.report.saved import save_page
from training.tabled import of_judged
from training.trainers.protocol import Progress
from wattahead.domain.catalog import Catalog
from wattahead.domain.errors import Refused
from wattahead.jobs.promote import Verdict
from wattahead.storage.measures import save_metrics
from wattahead.storage.objects import Bucket

VERSION: Final = 12  # characters of a bundle's id in `model_version`, as in forecast rows
OF_BANDS: Final = "coverage|crps|rcrps|width|fallback|pinball.*|below_.*"  # measures that a median alone has not
FEW: Final = 6  # series with pictures of their own: drawing one takes a third of a second


@dataclass(frozen=True)
class Left:
    """Keys of what was written; empty where it was not."""

    measures: str = ""
    page: str = ""


def leave(
    bucket: Bucket,
    catalog: Catalog,
    told: Material,
    made: Candidate,
    found: Judged,
    verdict: Verdict,
    progress: Progress,
    *,
    report: bool,
) -> Left:
    """Write the measures and, with `report`, the page; return their keys.

    To be called ahead of the registry, which then stays as it was if this takes too long or fails. A bucket that
    refuses both does not keep a pool from training, nor do days of which nothing came true.
    """
    judged, left = validation(catalog, told, made, found), Left()
    try:
        measures = pa.concat_tables([rows(judged, split="validation"), *_held_back(catalog, told, made)])
        left = Left(save_metrics(bucket, measures.unify_dictionaries()))
        if report:
            progress("report")
            left = Left(left.measures, _page(bucket, told, made, judged, verdict))
    except Refused as error:
        progress(f"left without measures or report: {error}")
    return left


def validation(catalog: Catalog, told: Material, made: Candidate, found: Judged) -> Measures:
    """Return the measures of the candidate on the out-of-time days, beside all others that the gate compared."""
    version, signal = made.rung.bundle_id[:VERSION], told.source.signal
    return judge(of_judged(found, "candidate", pool=told.name, signal=signal, catalog=catalog, version=version))


def _held_back(catalog: Catalog, told: Material, made: Candidate) -> list[pa.Table]:
    """Return the measures of the medians on weeks that their fits had not seen, if the trainer tells them."""
    medians, learn = made.fitted.held_out, told.split.learn
    if medians is None:
        return []
    found = Judged(learn, {"candidate": (medians.reshape(-1) * learn.rows.row_scale)[None]})
    version, signal = made.rung.bundle_id[:VERSION], told.source.signal
    scored = of_judged(
        found, "candidate", pool=told.name, signal=signal, catalog=catalog, version=version, quantiles=("p50",)
    )
    table = rows(judge(scored), split="training")
    return [table.filter(pc.invert(pc.match_substring_regex(table["metric"].cast(pa.string()), f"^({OF_BANDS})$")))]


def _page(bucket: Bucket, told: Material, made: Candidate, judged: Measures, verdict: Verdict) -> str:
    from training.report.trained import training_page  # noqa: PLC0415 - matplotlib takes a second

    return save_page(bucket, "training", told.until, training_page(told, made, judged, verdict, drawn=FEW))
