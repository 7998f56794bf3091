"""The job that compacts: every signal of the catalog, a share of the work at a time, and a line in the ledger."""

import pytest

from tests.journeys.stores import DictStore, bucket_of
from tests.storage.test_timeseries import forecasts, held, table
from wattahead.domain.catalog import Catalog, Pool, Signal, Zone
from wattahead.domain.errors import Refused
from wattahead.domain.hours import DAY, HOUR, instant, iso
from wattahead.domain.plan import HourEvent
from wattahead.jobs import compact as job
from wattahead.jobs.compact import compact
from wattahead.jobs.hour import Answer
from wattahead.storage import ledger, timeseries
from wattahead.storage.catalogs import publish_catalog
from wattahead.storage.copies import copy_of
from wattahead.storage.objects import Bucket, sha256
from wattahead.storage.tables import encode_table

NOW = instant("2026-03-05T12:40Z")
EVENT = HourEvent(instant("2026-03-05T12:00Z"))
SOLAR, WIND, OTHER = (timeseries.actuals("production", name) for name in ("solar", "wind", "coal"))
NWP = timeseries.weather("nwp")
DAYS = 4


@pytest.fixture
def live() -> Bucket:
    """Give four days of hourly parts of two signals, six-hourly weather, and a signal that no catalog names."""
    bucket = bucket_of(DictStore())
    signals = {name: Signal("production", name, "MW", "generation_positive") for name in ("solar", "wind")}
    pools = {name: Pool(name, ("FR",), "plain", weather="nwp") for name in signals}
    publish_catalog(bucket, Catalog({"FR": Zone(47.0, 2.0)}, signals, {"plain": ("hour",)}, pools))
    for at in range((NOW // DAY - DAYS) * DAY, NOW // DAY * DAY, HOUR):
        for root in (SOLAR, WIND, OTHER):
            timeseries.store(bucket, root, table([("FR", iso(at), 1.0, iso(at + HOUR))]), closed_before=0)
        if at % (6 * HOUR) == 0:
            rows = forecasts([("FR", 0, iso(at), 0, {"ghi": 1.0})])
            timeseries.store(bucket, NWP, rows, closed_before=0)
    return bucket


def gets(bucket: Bucket, root: timeseries.Root) -> int:
    before = bucket.traffic["gets"]
    variables = None if root.by == "valid_time" else ["ghi"]
    timeseries.load(bucket, root, NOW - 60 * DAY, NOW, variables=variables)
    return bucket.traffic["gets"] - before


def test_every_signal_of_the_catalog_and_its_weather_are_compacted_and_nothing_else(live: Bucket) -> None:
    answer = compact(live, EVENT, now=NOW)

    assert (answer.outcome, answer.facts["left"], answer.facts["refused"]) == ("ok", False, {})
    assert {root.prefix: gets(live, root) for root in (SOLAR, WIND, NWP, OTHER)} == {
        SOLAR.prefix: 3,  # a pair of days, and the two days that may still change
        WIND.prefix: 3,
        NWP.prefix: DAYS,
        OTHER.prefix: DAYS * 24,
    }


def test_the_same_event_again_is_a_duplicate_and_writes_nothing_but_its_ledger_entry(live: Bucket) -> None:
    compact(live, EVENT, now=NOW)
    before = live.keys("history")

    answer = compact(live, EVENT, now=NOW)

    assert (answer.outcome, answer.rows, live.keys("history")) == ("duplicate", 0, before)
    assert sorted((entry.job, entry.outcome) for entry in ledger.entries(live)) == [
        ("compact", "duplicate"),
        ("compact", "ok"),
    ]


def test_a_call_does_its_share_and_the_next_ones_go_on_where_it_ended(
    live: Bucket, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(job, "MOST_READS", 50)
    answers: list[Answer] = []

    while not answers or answers[-1].facts["left"]:
        before = live.traffic["gets"]
        answers.append(compact(live, EVENT, now=NOW))
        assert live.traffic["gets"] - before <= 50 + 1  # and the catalog

    assert len(answers) > 3
    assert [gets(live, root) for root in (SOLAR, WIND, NWP)] == [3, 3, DAYS]


def test_a_part_that_cannot_be_read_is_named_and_leaves_its_days_alone(live: Bucket) -> None:
    at = (NOW // DAY - 2) * DAY
    bad = encode_table(table([("FR", iso(at), 1.0, iso(at))]).drop_columns("value"))
    live.create(f"{SOLAR.prefix}/date=2026-03-03/part-{sha256(bad)[:16]}.parquet", bad)

    answer = compact(live, EVENT, now=NOW)

    assert answer.outcome == "degraded"
    assert list(answer.facts["refused"]) == [f"{SOLAR.prefix} 2026-03-03"]  # type: ignore[call-overload]
    days = {copy.first for key in live.keys(f"history/{SOLAR.prefix}") if (copy := copy_of(key))}
    assert NOW // DAY - 1 in days
    assert gets(live, WIND) == 3
    with pytest.raises(Refused, match="E_FEAT_COLUMN_MISSING"):
        timeseries.load(live, SOLAR, at, at)


def test_days_older_than_an_hour_looks_back_are_left_as_they_are(live: Bucket) -> None:
    old = NOW - 200 * DAY
    for hour in range(5):
        at = old + hour * HOUR
        timeseries.store(live, SOLAR, table([("FR", iso(at), 1.0, iso(at + HOUR))]), closed_before=0)

    compact(live, EVENT, now=NOW)

    assert not [key for key in live.keys("history") if "month=2025-08" in key]
    assert len(held(timeseries.load(live, SOLAR, old, old))) == 5


def test_an_hour_to_come_is_refused_and_one_of_last_month_is_too_old(live: Bucket) -> None:
    with pytest.raises(Refused, match="E_EVENT_FUTURE"):
        compact(live, HourEvent(EVENT.issue_time + DAY), now=NOW)

    assert compact(live, HourEvent(EVENT.issue_time - 30 * DAY), now=NOW).outcome == "too_old"
    assert live.keys("history") == []


def test_a_bucket_without_a_catalog_is_refused(bucket: Bucket) -> None:
    with pytest.raises(Refused, match="E_CATALOG_EMPTY"):
        compact(bucket, EVENT, now=NOW)
