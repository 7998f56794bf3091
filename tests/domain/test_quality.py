"""Quality flags."""

from hypothesis import given
from hypothesis import strategies as st

from wattahead.domain.quality import Quality, names


def test_flags_are_written_in_words_lowest_bit_first() -> None:
    assert names(Quality.REORDERED | Quality.FALLBACK | Quality.TARGET_STALE) == [
        "target_stale",
        "fallback",
        "reordered",
    ]


def test_a_row_without_flags_has_nothing_to_say() -> None:
    assert names(0) == []


def test_each_flag_is_one_bit_that_an_int32_column_holds() -> None:
    assert [flag.value for flag in Quality] == [1 << bit for bit in range(len(Quality))]
    assert max(Quality) < 2**31


@given(st.sets(st.sampled_from(list(Quality))))
def test_names_tell_every_set_of_flags_apart(flags: set[Quality]) -> None:
    assert {Quality[name.upper()] for name in names(sum(flags))} == flags
