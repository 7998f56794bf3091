"""Names that may become part of a key."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wattahead.domain.errors import Refused
from wattahead.domain.names import RULES, checked

GOOD = {
    "zone": ["SE", "US-CAL-CISO", "SY-0001", "AU-NSW-A-B-C"], "key": ["production"], "subkey": ["solar", "p2"],
    "pool": ["solar_us"],
    "provider": ["gfs"], "column": ["weather_wind_speed_10m_plus_1h"], "batch": ["solar_us-0000"],
    "run": ["2021-check", "a"],
    "network": ["rte_case14_realistic"], "grid": ["east_forecast_1"],
    "digest": ["0123456789ab", "f" * 64], "file": ["p50.txt", "calibration.json"],
}  # fmt: skip
BAD = [
    "",
    ".",
    "..",
    "a/b",
    "../a",
    "a%2e",
    "a\\b",
    "a b",
    "a\n",
    "\na",
    "\uff41",
    "\u0430",
    "US-CAL-\u200bCISO",
    "a" * 70,
    "A" * 70,
    "-a",
    "a.b.json",
    ".json",
    "x\x00",
]


@pytest.mark.parametrize(("kind", "name"), [(kind, name) for kind, names in GOOD.items() for name in names])
def test_a_name_that_keeps_its_rule_is_returned(kind: str, name: str) -> None:
    assert checked(kind, name) == name


def test_every_rule_has_an_example() -> None:
    assert set(GOOD) == set(RULES)


@pytest.mark.parametrize("kind", RULES)
@pytest.mark.parametrize("name", BAD)
def test_a_name_that_could_leave_its_place_in_a_key_is_refused(kind: str, name: str) -> None:
    with pytest.raises(Refused, match="E_NAME"):
        checked(kind, name)


@pytest.mark.parametrize("name", [None, 7, b"solar", ["solar"]])
def test_what_is_no_text_is_no_name(name: object) -> None:
    with pytest.raises(Refused, match="E_NAME"):
        checked("key", name)


@given(st.sampled_from(sorted(RULES)), st.text(max_size=30))
def test_whatever_is_accepted_is_plain_ascii_without_separators(kind: str, name: str) -> None:
    try:
        said = checked(kind, name)
    except Refused as refusal:
        said = refusal.code
    assert said.isascii()
    assert not set(said) & set("/\\%?#= \n\r\t\x00")
