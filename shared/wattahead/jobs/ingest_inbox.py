"""Ingest what others have put into the bucket's inbox: `inbox/<mapping>/date=<d>/<file>`.

The mapping is the file `inbox/<mapping>/mapping.toml` where there is one, and a shipped one of that name otherwise.
"""

import tempfile
from pathlib import Path

from wattahead.domain.errors import Refused
from wattahead.domain.hours import DAY, date_of
from wattahead.domain.plan import HourEvent
from wattahead.jobs.hour import Answer, Attempt, closed, refuse_closed
from wattahead.jobs.ingest import IngestReport, ingest
from wattahead.sources.mapping import SourceMapping
from wattahead.sources.mapping_files import find_mapping, parse_mapping
from wattahead.storage.ledger import Outcome
from wattahead.storage.objects import Bucket

INBOX = "inbox"


def ingest_inbox(bucket: Bucket, event: HourEvent, *, now: int) -> Answer:
    """Ingest the files of the issue date and of the day before. What was ingested already changes nothing."""
    if closed(event, now):
        return refuse_closed(bucket, "ingest", event, now)
    attempt = Attempt(bucket, "ingest", event, now)
    reports: list[IngestReport] = []
    refused: dict[str, str] = {}
    there = bucket.keys(INBOX)
    for (mapping, day), keys in sorted(_waiting(there, event).items()):
        try:
            reports.append(_ingest(bucket, _mapping(bucket, mapping, there), keys, now))
        except Refused as error:  # a folder that no mapping fits does not keep the others waiting
            refused[f"{mapping}/{day}"] = str(error)
    created = sum(len(report.objects) for report in reports)
    refused |= {refusal.series: refusal.sentence for report in reports for refusal in report.refused}
    outcome: Outcome = "degraded" if refused else "ok" if created else "duplicate"
    attempt.record(outcome, rows=sum(sum(report.rows.values()) for report in reports), errors=refused)
    return Answer("ingest", event, outcome, facts={"objects": created, "refused": refused})


def _waiting(there: list[str], event: HourEvent) -> dict[tuple[str, str], list[str]]:
    """Return (mapping, date) -> keys of the last two days."""
    days = {f"date={date_of(event.issue_time)}", f"date={date_of(event.issue_time - DAY)}"}
    found: dict[tuple[str, str], list[str]] = {}
    for key in there:
        parts = key.split("/")
        if len(parts) == 4 and parts[2] in days:  # noqa: PLR2004 - inbox, mapping, date, file
            found.setdefault((parts[1], parts[2]), []).append(key)
    return found


def _ingest(bucket: Bucket, mapping: SourceMapping, keys: list[str], now: int) -> IngestReport:
    """Ingest the files of one day: files of two days may share a name."""
    with tempfile.TemporaryDirectory() as folder:
        for key in keys:
            Path(folder, key.rsplit("/", 1)[1]).write_bytes(bucket.read(key, bytes))
        return ingest(bucket, mapping, folder, now=now, live=True)


def _mapping(bucket: Bucket, name: str, there: list[str]) -> SourceMapping:
    own = f"{INBOX}/{name}/mapping.toml"
    if own not in there:
        return find_mapping(name)
    return parse_mapping(bucket.read(own, bytes).decode("utf-8", errors="replace"), where=own)
