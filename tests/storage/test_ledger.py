"""The ledger: one entry per attempt."""

from dataclasses import asdict, replace

from wattahead.domain.hours import HOUR, instant
from wattahead.storage import keys
from wattahead.storage.documents import canonical
from wattahead.storage.ledger import Entry, entries, record
from wattahead.storage.objects import Bucket

AT = instant("2021-03-01T23:00Z")
FULL = Entry(
    "score", "ab" * 8, AT, AT + 5, AT + 9, "degraded", batch="solar-0000", rows=48, seconds={"predict": 0.25},
    requests={"gets": 2}, bytes={"read": 10},
    outcomes={"champion": ("FR/production/solar",)},
    errors={"previous": "E_BUNDLE_HASH: p50.txt. Fix: roll back."},
    pool="solar", reason="better than climatology", attempt_id="01" * 8,
)  # fmt: skip


def test_an_entry_is_read_as_it_was_recorded(any_bucket: Bucket) -> None:
    record(any_bucket, FULL)

    assert entries(any_bucket) == [FULL]


def test_an_entry_lies_under_its_hour_run_and_attempt(bucket: Bucket) -> None:
    record(bucket, FULL)

    assert bucket.keys("ledger") == [f"ledger/issue_date=2021-03-01/issue_hour=23/{'ab' * 8}/{'01' * 8}.json"]


def test_two_attempts_of_one_run_are_two_entries(bucket: Bucket) -> None:
    for _ in range(2):
        record(bucket, Entry("score", "ab" * 8, AT, AT, AT, "ok"))

    assert len({entry.attempt_id for entry in entries(bucket)}) == 2


def test_an_entry_once_written_is_not_changed(bucket: Bucket) -> None:
    record(bucket, FULL)
    record(bucket, replace(FULL, outcome="ok"))

    assert [entry.outcome for entry in entries(bucket)] == ["degraded"]


def test_entries_come_by_hour_whatever_order_they_were_recorded_in(bucket: Bucket) -> None:
    for hours in (2, -30, 0, 1):
        record(bucket, replace(FULL, issue_time=AT + hours * HOUR))

    assert [(entry.issue_time - AT) // HOUR for entry in entries(bucket)] == [-30, 0, 1, 2]


def test_entries_after_a_day_leave_earlier_days_unread(bucket: Bucket) -> None:
    for hours in (-30, 0, 1):
        record(bucket, replace(FULL, issue_time=AT + hours * HOUR))

    assert [(entry.issue_time - AT) // HOUR for entry in entries(bucket, "ledger/issue_date=2021-03-01")] == [0, 1]
    assert bucket.traffic["gets"] == 2


def test_an_entry_from_before_pools_and_reasons_is_read_without_them(bucket: Bucket) -> None:
    plain = {name: value for name, value in asdict(FULL).items() if name not in {"pool", "reason"}}
    bucket.create(keys.ledger(AT, FULL.run_id, FULL.attempt_id), canonical(plain))

    assert entries(bucket) == [replace(FULL, pool="", reason="")]


def test_an_empty_ledger_has_no_entries(bucket: Bucket) -> None:
    assert entries(bucket) == []
