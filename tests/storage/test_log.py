"""An append-only log: every number is written once."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from threading import Barrier

import pytest

from tests.storage.faults import Around, fail, lose_response, nth
from wattahead.domain.errors import LostRace, Refused
from wattahead.storage.log import Log
from wattahead.storage.objects import Bucket


@dataclass(frozen=True)
class Note:
    text: str


def notes(bucket: Bucket) -> Log[Note]:
    return Log(bucket, "notes", Note)


def append_until_won(log: Log[Note], note: Note) -> int:
    """Append behind the newest entry, and again whenever somebody else was first."""
    while True:
        numbers = log.sequences()
        try:
            return log.append(note, after=numbers[-1] if numbers else 0)
        except LostRace:
            continue


def test_an_empty_log_has_no_entries(any_bucket: Bucket) -> None:
    assert notes(any_bucket).sequences() == []


def test_entries_are_numbered_from_one(any_bucket: Bucket) -> None:
    log = notes(any_bucket)

    assert [log.append(Note(text), after=after) for after, text in enumerate("abc")] == [1, 2, 3]
    assert any_bucket.keys("notes") == ["notes/00000001.json", "notes/00000002.json", "notes/00000003.json"]
    assert [log.entry(number).text for number in log.sequences()] == ["a", "b", "c"]


def test_numbers_are_listed_in_order_past_nine(bucket: Bucket) -> None:
    log = notes(bucket)
    for after in range(12):
        log.append(Note("x"), after=after)

    assert log.sequences() == list(range(1, 13))


def test_an_entry_written_by_somebody_else_is_a_lost_race(any_bucket: Bucket) -> None:
    log = notes(any_bucket)
    log.append(Note("theirs"), after=0)

    with pytest.raises(LostRace, match="E_RACE: entry 1 of notes"):
        log.append(Note("mine"), after=0)

    assert log.entry(1) == Note("theirs")


def test_of_eight_that_append_at_once_one_wins(any_bucket: Bucket) -> None:
    log, start = notes(any_bucket), Barrier(8)

    def race(name: int) -> int | None:
        start.wait()
        try:
            return log.append(Note(str(name)), after=0)
        except LostRace:
            return None

    with ThreadPoolExecutor(8) as pool:
        won = list(pool.map(race, range(8)))

    assert sorted(won, key=str) == [1] + [None] * 7
    assert log.entry(1).text == str(won.index(1))


def test_eight_writers_that_try_again_leave_one_entry_each_and_no_gap(any_bucket: Bucket) -> None:
    log = notes(any_bucket)

    with ThreadPoolExecutor(8) as pool:
        numbers = list(pool.map(lambda name: append_until_won(log, Note(str(name))), range(16)))

    assert sorted(numbers) == log.sequences() == list(range(1, 17))
    assert [log.entry(number).text for number in numbers] == [str(name) for name in range(16)]


def test_a_lost_response_does_not_lose_the_race_against_oneself(bucket: Bucket) -> None:
    seen = Bucket(Around(bucket.store, lose_response(nth("create", 1))), pause=lambda _: None)

    assert notes(seen).append(Note("mine"), after=0) == 1


def test_after_a_fault_somebody_elses_entry_is_still_a_lost_race(bucket: Bucket) -> None:
    notes(bucket).append(Note("theirs"), after=0)
    seen = Bucket(Around(bucket.store, fail(nth("create", 1))), pause=lambda _: None)

    with pytest.raises(LostRace):
        notes(seen).append(Note("mine"), after=0)


def test_an_entry_that_nobody_wrote_is_missing(bucket: Bucket) -> None:
    with pytest.raises(Refused, match="E_FEAT_MISSING: there is no object notes/00000007.json"):
        notes(bucket).entry(7)


def test_an_entry_of_another_form_is_refused_by_its_key(bucket: Bucket) -> None:
    bucket.create("notes/00000001.json", b'{"words":"x"}')

    with pytest.raises(Refused, match="E_CONFIG: notes/00000001.json: text: Field required"):
        notes(bucket).entry(1)
