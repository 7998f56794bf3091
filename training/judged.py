"""Series with all their measures, and the rows of the table of measures that they become."""

from collections.abc import Iterable

import pyarrow as pa

from wattahead.domain.errors import Refused
from wattahead.domain.series import origin
from wattahead.evaluation.measures import Measured, measured
from wattahead.evaluation.scored import Scored
from wattahead.storage.measures import metric_rows

Judged = list[tuple[Scored, Measured]]

COLUMNS = ("metric", "slice", "slice_value", "unit", "value", "low", "high", "n")


def judge(scored: Iterable[Scored]) -> Judged:
    """Measure every series."""
    return [(one, measured(one)) for one in scored]


def origins(judged: Judged) -> str:
    """Return where the data comes from, as far as the zones' names tell."""
    return ", ".join(sorted({origin(one.series.zone) for one, _ in judged} - {""}))


def rows(judged: Judged, *, split: str, run_kind: str = "", run: str = "", said: str = "") -> pa.Table:
    """Return all measures for `save_metrics`; `said` is where the data comes from, if the zones do not tell.

    Raises `E_FEAT_NO_ROWS` when nothing of the forecasts has come true.
    """
    about = {"split": split, "run_kind": run_kind, "run": run}
    parts = [metric_rows(about | _of(one, said), _columns(found)) for one, found in judged if found.value]
    if not parts:
        fix = "ingest actuals, or ask for earlier hours"
        raise Refused("E_FEAT_NO_ROWS", "nothing of these hours has come true yet", fix=fix)
    return pa.concat_tables(parts).unify_dictionaries()


def _of(one: Scored, said: str) -> dict[str, str | int]:
    return {
        "pool": one.pool,
        "series_id": str(one.series),
        "model_version": one.version,
        "issue_from": int(one.issue_times[0]),
        "issue_to": int(one.issue_times[-1]),
        "origin": said or origin(one.series.zone),
    }


def _columns(found: Measured) -> dict[str, list[object]]:
    return {name: getattr(found, name) for name in COLUMNS}
