"""The status says whether the deployed system is well, in its exit code and on one screen."""

from collections.abc import Callable

from tests.control.conftest import BROKEN, WELL, Cloud
from wattahead.control.status import newest_forecast
from wattahead.domain.hours import DAY, HOUR, instant, iso
from wattahead.storage.objects import Bucket

Command = Callable[..., tuple[int, str]]
HOUR_EVENT = {"scheduled_time": "2026-03-01T05:00:00Z"}


def test_a_system_that_is_well_is_0(cloud: Cloud, wattahead: Command, now: int) -> None:
    cloud.forecast(now)
    cloud.alarm("no-fresh-forecast", "OK")
    cloud.start("hour", HOUR_EVENT)

    code, said = wattahead("status")

    assert code == 0
    words = [line.strip().split("  ") for line in said.splitlines()[1:]]
    lines = {line[0]: line[-1].strip() for line in words}
    assert lines["alarms"] == "all OK"
    assert lines["hours, 24 h"] == "1 succeeded"
    assert lines["training, 24 h"] == "none started"
    assert lines["dead letters"] == "0"
    assert lines["newest forecast"].startswith(f"{iso(now)}, ")


def test_a_ringing_alarm_is_1_and_named_with_its_reason(cloud: Cloud, wattahead: Command, now: int) -> None:
    cloud.forecast(now)
    cloud.alarm("dead-letters", "ALARM")

    code, said = wattahead("status")

    assert code == 1
    assert f"alarm {cloud.name}-dead-letters" in said
    assert "ALARM three in a row" in said


def test_an_alarm_without_data_is_shown_and_not_counted(cloud: Cloud, wattahead: Command, now: int) -> None:
    cloud.forecast(now)
    cloud.alarm("training-failed", "INSUFFICIENT_DATA")

    code, said = wattahead("status")

    assert (code, "INSUFFICIENT_DATA" in said) == (0, True)


def test_a_failed_execution_is_1_with_its_hour_and_its_cause(cloud: Cloud, wattahead: Command, now: int) -> None:
    cloud.forecast(now)
    cloud.deploy(BROKEN)
    cloud.start("lost", HOUR_EVENT)

    code, said = wattahead("status")

    assert code == 1
    assert "1 failed" in said
    assert "failed lost, 2026-03-01T05:00:00Z: E_PLAN_MISSING: 2026-03-01T05:00Z has no plan" in said
    assert f"wattahead redrive --stack {cloud.name}" in said


def test_a_failure_whose_input_succeeded_since_is_mended(cloud: Cloud, wattahead: Command, now: int) -> None:
    cloud.forecast(now)
    cloud.deploy(BROKEN)
    cloud.start("lost", HOUR_EVENT)
    cloud.deploy(WELL)
    cloud.start("again", HOUR_EVENT)

    code, said = wattahead("status")

    assert (code, "1 failed, 1 succeeded" in said) == (0, True)


def test_a_success_before_the_failure_mends_nothing(cloud: Cloud, wattahead: Command, now: int) -> None:
    cloud.forecast(now)
    cloud.start("last-night", {"cadence": "nightly"}, "TrainingMachine")
    cloud.deploy(BROKEN, "TrainingMachine")
    cloud.start("tonight", {"cadence": "nightly"}, "TrainingMachine")

    code, said = wattahead("status")

    assert (code, "failed tonight, nightly" in said) == (1, True)


def test_a_dead_letter_is_1(cloud: Cloud, wattahead: Command, now: int) -> None:
    cloud.forecast(now)
    cloud.letter("{}")

    assert wattahead("status")[0] == 1


def test_a_newest_forecast_older_than_90_minutes_is_2(cloud: Cloud, wattahead: Command, now: int) -> None:
    cloud.forecast(now - 2 * HOUR)

    code, said = wattahead("status")

    assert (code, f"newest forecast  {iso(now - 2 * HOUR)}, " in said) == (2, True)


def test_a_bucket_without_any_forecast_is_2(wattahead: Command) -> None:
    code, said = wattahead("status")

    assert (code, "none in 8 days" in said) == (2, True)


def test_the_newest_forecast_is_found_with_one_listing_of_one_day(bucket: Bucket) -> None:
    at = instant("2026-03-02T05:00Z")
    for hour in ("issue_date=2026-03-01/issue_hour=23", "issue_date=2026-03-02/issue_hour=04"):
        bucket.create(f"forecasts/{hour}/solar-0000.parquet", b"rows")

    assert newest_forecast(bucket, at) == instant("2026-03-02T04:00Z")
    assert bucket.traffic["lists"] == 1
    assert newest_forecast(bucket, at + 5 * DAY) == instant("2026-03-02T04:00Z")
    assert newest_forecast(bucket, at + 9 * DAY) is None
