"""The name of a series."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wattahead.domain.errors import Refused
from wattahead.domain.names import RULES
from wattahead.domain.series import Series

PARTS = {part: st.from_regex(RULES[part], fullmatch=True) for part in ("zone", "key", "subkey")}


@given(st.builds(Series, **PARTS))
def test_a_series_survives_as_text(series: Series) -> None:
    assert Series.parse(str(series)) == series


@pytest.mark.parametrize(
    "text",
    [
        "",
        "SE",
        "SE/production",
        "SE/production/solar/x",
        "se/production/solar",
        "SE//solar",
        "SE/production/solar\n",
        "SE/../solar",
    ],
)
def test_another_text_names_no_series(text: str) -> None:
    with pytest.raises(Refused, match="E_NAME"):
        Series.parse(text)


def test_series_are_sorted_by_zone_then_key_then_subkey() -> None:
    names = ["US-B/a/a", "US-A/b/a", "US-A/a/b", "US-A/a/a"]

    assert [str(series) for series in sorted(map(Series.parse, names))] == sorted(names)
