"""Frozen dataclasses to canonical JSON and back."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wattahead.domain.bundle import RegistryEntry, Rung, Runtime
from wattahead.domain.errors import Refused
from wattahead.domain.plan import HourEvent
from wattahead.storage.documents import build, canonical, decode, encode


@dataclass(frozen=True)
class Inner:
    hours: tuple[int, ...]


@dataclass(frozen=True)
class Outer:
    name: str
    inner: Inner
    share: float = 0.5
    labels: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


PLAIN = {"name": "x", "inner": {"hours": [1, 2]}}

RUNGS = st.builds(
    Rung,
    st.sampled_from(("champion", "previous")),
    st.from_regex(r"[0-9a-f]{12}", fullmatch=True),
    st.text(),
    st.lists(st.text()).map(tuple),
    st.none() | st.builds(Runtime, st.text(), st.text(), st.text()),
)


@given(
    st.builds(
        RegistryEntry,
        st.text(),
        st.integers(),
        st.integers(),
        st.integers(),
        st.text(),
        st.text(),
        st.lists(RUNGS).map(tuple),
    )
)
def test_a_document_read_back_is_the_document(entry: RegistryEntry) -> None:
    body = encode(entry)

    assert decode(RegistryEntry, body, where="x") == entry
    assert encode(decode(RegistryEntry, body, where="x")) == body


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_a_number_keeps_its_last_bit(share: float) -> None:
    assert decode(Outer, encode(Outer("x", Inner(()), share)), where="x").share == share


def test_a_document_has_sorted_keys_and_no_spaces() -> None:
    assert encode(Outer("x", Inner((1,)))) == b'{"inner":{"hours":[1]},"labels":{},"name":"x","share":0.5}'


def test_the_order_in_which_a_mapping_was_filled_does_not_move_a_byte() -> None:
    one, two = ({name: (name,) for name in names} for names in ("ab", "ba"))

    assert encode(Outer("x", Inner(()), labels=one)) == encode(Outer("x", Inner(()), labels=two))


@pytest.mark.parametrize("number", [float("nan"), float("inf")])
def test_a_number_that_json_does_not_know_is_not_written(number: float) -> None:
    with pytest.raises(ValueError, match="not JSON compliant"):
        encode(Outer("x", Inner(()), number))


def test_plain_values_are_canonical_too() -> None:
    assert canonical({"b": [1, None], "a": "é"}) == b'{"a":"\\u00e9","b":[1,null]}'


def test_defaults_may_be_left_out() -> None:
    assert build(Outer, PLAIN, where="x") == Outer("x", Inner((1, 2)))


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"nme": "x"}, "at.toml: nme: Unexpected keyword argument"),
        ({"inner": {"hours": [1], "days": 2}}, "at.toml: inner.days: Unexpected keyword argument"),
        ({"inner": {}}, "at.toml: inner.hours: Field required"),
        ({"inner": {"hours": [1, "two"]}}, r"at.toml: inner.hours.1: Input should be a valid integer"),
        ({"name": 3}, "at.toml: name: Input should be a valid string"),
        ({"inner": 3}, "at.toml: inner: Input should be an? (dictionary|object)"),
    ],
)
def test_a_wrong_value_is_named_by_its_place(change: dict[str, object], told: str) -> None:
    with pytest.raises(Refused, match=f"E_CONFIG: {told}"):
        build(Outer, PLAIN | change, where="at.toml")
    with pytest.raises(Refused, match=f"E_CONFIG: {told}"):
        decode(Outer, canonical(PLAIN | change), where="at.toml")


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"null", b"\xff", b'{"name":"x"'])
def test_bytes_that_are_no_document_are_refused(body: bytes) -> None:
    with pytest.raises(Refused, match="E_CONFIG: a/1.json: "):
        decode(Outer, body, where="a/1.json")


def test_a_rule_of_the_domain_keeps_its_own_code() -> None:
    body = encode(HourEvent(0)).replace(b'"issue_time":0', b'"issue_time":1')

    with pytest.raises(Refused, match="E_EVENT_ALIGN"):
        decode(HourEvent, body, where="x")


def test_two_documents_that_differ_have_other_bytes() -> None:
    first = Outer("x", Inner((1,)))

    assert len({encode(first), encode(replace(first, name="y")), encode(replace(first, inner=Inner((2,))))}) == 3
