"""Events: which hours are admitted."""

import pytest

from wattahead.domain.errors import Refused
from wattahead.domain.hours import DAY, HOUR, MINUTE, instant
from wattahead.domain.plan import Batch, HourEvent, Plan, admit, too_old

NOON = instant("2021-01-02T12:00Z")


@pytest.mark.parametrize("off", [1, MINUTE, 30 * MINUTE, HOUR - 1])
def test_an_issue_time_off_the_hour_is_refused(off: int) -> None:
    with pytest.raises(Refused, match="E_EVENT_ALIGN"):
        HourEvent(NOON + off)


@pytest.mark.parametrize("ahead", [-DAY, 0, 5 * MINUTE])
def test_an_hour_is_admitted_up_to_five_minutes_early(ahead: int) -> None:
    admit(HourEvent(NOON), NOON - ahead)


def test_an_hour_more_than_five_minutes_ahead_is_refused() -> None:
    with pytest.raises(Refused, match="E_EVENT_FUTURE.*2021-01-02T12:00Z.*2021-01-02T11:54Z"):
        admit(HourEvent(NOON), NOON - 5 * MINUTE - 1)


@pytest.mark.parametrize(("late", "closed"), [(0, False), (7 * DAY, False), (7 * DAY + 1, True)])
def test_a_live_hour_closes_after_seven_days(late: int, closed: bool) -> None:
    assert too_old(NOON, NOON + late) == closed


@pytest.mark.parametrize(("kind", "run"), [("live", "redo"), ("backfill", ""), ("backtest", ""), ("shadow", "")])
def test_a_run_is_named_unless_it_is_live(kind: str, run: str) -> None:
    with pytest.raises(Refused, match="E_EVENT_SHAPE"):
        HourEvent(NOON, kind, run)  # type: ignore[arg-type]  # parametrized text


def test_a_batch_is_found_by_name_and_an_unknown_one_refused() -> None:
    plan = Plan(NOON, "live", "", 1, {}, (Batch("solar-0000", "solar", 0, ("SE/production/solar",)),))

    assert plan.batch("solar-0000").pool == "solar"
    with pytest.raises(Refused, match="E_BATCH_UNKNOWN"):
        plan.batch("solar-0001")
