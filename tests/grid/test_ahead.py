"""States of the hours to come: where injections and flows are taken from, and what is said of it."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.grid.worlds import FIVE, acted, balanced, reference, solved
from wattahead.domain.hours import DAY, HOUR, MINUTE
from wattahead.domain.quality import Quality
from wattahead.grid.ahead import Past, ahead
from wattahead.grid.candidates import Candidates
from wattahead.grid.elements import from_elements, to_elements
from wattahead.grid.states import States, joined

AT = 100 * DAY
HOURS = AT + np.arange(24) * HOUR
OPENED = Candidates(FIVE).actions[3]


def past(times: np.ndarray, seed: int = 0) -> Past:
    return Past(times, reference(FIVE, balanced(FIVE, len(times), np.random.default_rng(seed))))


def test_an_hour_to_come_has_the_injections_and_flows_of_the_same_hour_yesterday() -> None:
    yesterday = AT - DAY + np.arange(25) * HOUR
    known = past(yesterday)

    found = ahead(FIVE, known, AT, HOURS)

    assert found
    assert found.states.load_p[1:] == pytest.approx(known.states.load_p[1:24])
    assert found.states.line_p[1:] == pytest.approx(known.states.line_p[1:24])
    assert found.states.line_p[0] == pytest.approx(known.states.line_p[24])  # the present one is measured
    assert not found.flags.any()
    assert found.age_minutes == 0


def test_where_yesterday_is_not_known_the_day_before_serves_and_else_what_is_injected_now() -> None:
    known = past(np.array([AT - 2 * DAY + 5 * HOUR, AT - 10 * MINUTE]))

    found = ahead(FIVE, known, AT, HOURS)

    assert found
    assert found.states.load_p[5] == pytest.approx(known.states.load_p[0])
    assert found.states.load_p[6] == pytest.approx(known.states.load_p[1])
    assert found.flags[5] == 0
    assert found.flags[6] == Quality.INPUT_MISSING
    assert found.age_minutes == 10


@given(st.integers(0, 2**32))
def test_flows_of_another_wiring_are_those_the_linear_power_flow_gives_for_the_new_injections(seed: int) -> None:
    rng = np.random.default_rng(seed)
    before = reference(FIVE, balanced(FIVE, 1, rng))
    now = solved(FIVE, acted(FIVE, reference(FIVE, balanced(FIVE, 1, rng)), OPENED))

    found = ahead(FIVE, Past(np.array([AT - DAY + 3 * HOUR, AT]), joined([before, now])), AT, HOURS[3:4])

    assert found
    wanted = solved(FIVE, replace(acted(FIVE, before, OPENED)))
    assert found.states.line_p == pytest.approx(wanted.line_p, abs=1e-6)
    assert found.states.origin_bus.tolist() == now.origin_bus.tolist()
    assert found.flags[0] == Quality.FLOWS_ESTIMATED


def test_a_state_older_than_an_hour_is_told() -> None:
    found = ahead(FIVE, past(np.array([AT - 61 * MINUTE])), AT, HOURS)

    assert found
    assert (found.flags & Quality.TARGET_STALE).all()


def test_what_is_stated_for_the_future_is_no_measured_state() -> None:
    assert ahead(FIVE, past(np.array([AT + HOUR])), AT, HOURS) is None


def test_a_state_with_a_gap_in_it_is_not_the_present_one() -> None:
    known = past(np.array([AT - 2 * HOUR, AT]))
    broken = known.states.line_p.copy()
    broken[1, 4] = np.nan

    found = ahead(FIVE, replace(known, states=replace(known.states, line_p=broken)), AT, HOURS)

    assert found
    assert found.age_minutes == 120


def test_states_come_back_from_rows_of_elements_as_they_went() -> None:
    states = acted(FIVE, reference(FIVE, balanced(FIVE, 3, np.random.default_rng(4))), OPENED)

    back = from_elements(FIVE, to_elements(states))

    for name in States.__dataclass_fields__:
        assert getattr(back, name).tolist() == getattr(states, name).tolist()


def test_the_issue_hour_is_the_newest_measured_state_though_yesterday_is_known() -> None:
    known = past(np.array([AT - DAY, AT - DAY + HOUR, AT - 5 * MINUTE]))

    found = ahead(FIVE, known, AT, HOURS)

    assert found
    assert found.states.line_p[0] == pytest.approx(known.states.line_p[2])
    assert found.states.load_p[1] == pytest.approx(known.states.load_p[1])
    assert found.flags[0] == 0


def test_what_is_stated_for_the_issue_hour_itself_is_used() -> None:
    known = past(np.array([AT - 5 * MINUTE, AT]))
    only = known.states.line_p.copy()
    only[1] = np.nan  # injections alone

    found = ahead(FIVE, replace(known, states=replace(known.states, line_p=only)), AT, HOURS)

    assert found
    assert found.states.load_p[0] == pytest.approx(known.states.load_p[1])


def test_a_unit_that_is_out_now_stays_out_though_it_gave_power_yesterday() -> None:
    known = past(np.array([AT - DAY + 3 * HOUR, AT]))
    bus = known.states.generator_bus.copy()
    bus[1, 0] = 0

    found = ahead(FIVE, replace(known, states=replace(known.states, generator_bus=bus)), AT, HOURS[3:4])

    assert found
    assert found.states.generator_p[0, 0] == 0
    assert found.states.generator_p[0, 1] == pytest.approx(known.states.generator_p[0, 1])


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("line_v", 0.0),
        ("line_v", -138.0),
        ("line_v", 138_000.0),
        ("load_p", 1e30),
        ("load_q", np.nan),
        ("line_p", np.inf),
    ],
)
def test_a_state_with_a_number_that_cannot_be_is_not_worked_with(column: str, value: float) -> None:
    known = past(np.array([AT - 2 * HOUR, AT]))
    array = getattr(known.states, column).copy()
    array[1, 2] = value

    found = ahead(FIVE, replace(known, states=replace(known.states, **{column: array})), AT, HOURS)

    assert found
    assert found.age_minutes == 120


@pytest.mark.parametrize("busbar", [np.nan, 3.0, -1.0, 1.9, 258.0])
def test_an_element_whose_busbar_is_not_known_is_not_taken_for_disconnected(busbar: float) -> None:
    values = to_elements(reference(FIVE, balanced(FIVE, 2, np.random.default_rng(0))))
    values["bus"][1, 4] = busbar

    assert from_elements(FIVE, values).complete.tolist() == [True, False]
