"""Names and keys: what our code could not have built never reaches a bucket."""

import unicodedata
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.storage.faults import quiet
from wattahead.domain.errors import Refused
from wattahead.storage import keys, registry
from wattahead.storage.objects import Bucket, checked_key

BAD_KEYS = (
    "", ".", "..", "/", "../models", "a/../b", "a..b", "a/./b", "a//b", "a/", "/etc/passwd", "~/a", "-a", "a b", " a",
    "a%2e", "a%2f..", "a%252e", "a%252e%252e/b", "a\\b", "..\\b", "a\0b", "a\nb", "a\n", "a\rb", "a*", "a?b", "a&b",
    "\u0421atalog", "e\u0301t\u00e9", "\u200fcatalog", "catalog\u202e", "\uff0fcatalog", "a" * 600,
)  # fmt: skip
BAD_ZONES = (
    *BAD_KEYS,
    "A" * 300, "US-" + "A" * 300, "US=CAL", "US*", "US?", "US-CAL-", "us-cal", "US/CAL", "US.CAL", "US-CAL\n",
    "\u0421A", "U\u00c5", unicodedata.normalize("NFD", "U\u00c5"), "US\u200f", "\uff35\uff33", "US-\u0661",
)  # fmt: skip


def test_a_key_that_our_code_could_not_have_built_never_reaches_the_store(any_bucket: Bucket) -> None:
    bucket, store, _ = quiet(any_bucket)
    codes = {}

    for key in BAD_KEYS:
        asks: list[Callable[[str], object]] = [
            bucket.keys,
            lambda k: bucket.read(k, bytes),
            lambda k: bucket.create(k, b"1"),
        ]
        for ask in asks:
            with pytest.raises(Refused) as refusal:
                ask(key)
            codes[key] = refusal.value.code

    assert set(codes.values()) == {"E_KEY"}
    assert store.calls == []


def test_a_name_that_is_no_name_never_reaches_the_store(any_bucket: Bucket) -> None:
    bucket, store, _ = quiet(any_bucket)

    for name in [*BAD_KEYS, "A" * 300, "a=b", "a*", "a?", "a.b", "a/b", "sol\u0430r"]:
        with pytest.raises(Refused, match="E_NAME: pool"):
            registry.latest(bucket, name)

    assert store.calls == []


@pytest.mark.parametrize("name", BAD_ZONES, ids=ascii)
def test_a_zone_with_a_bad_name_is_refused(name: str) -> None:
    from wattahead.domain.names import checked

    with pytest.raises(Refused, match="E_NAME: zone"):
        checked("zone", name)


def test_a_refused_key_is_shown_in_one_short_line_of_ascii() -> None:
    with pytest.raises(Refused) as refusal:
        checked_key("a\n\u202e" + "x" * 1000)

    assert str(refusal.value).isascii()
    assert str(refusal.value).isprintable()
    assert len(str(refusal.value)) < 200


PART = st.from_regex(r"[a-z0-9_][A-Za-z0-9_=-]{0,20}", fullmatch=True)


@given(st.lists(PART, min_size=1, max_size=5).map("/".join))
def test_a_path_of_plain_parts_is_a_key(path: str) -> None:
    assert checked_key(path) == path


@given(st.text(max_size=30))
def test_a_key_that_passes_is_plain_ascii_and_stays_in_its_folder(text: str) -> None:
    try:
        checked_key(text)
    except Refused:
        return
    assert text.isascii()
    assert text.isprintable()
    assert not {"", ".", ".."} & set(text.split("/"))


def test_a_plan_key_of_a_run_is_a_key() -> None:
    from wattahead.domain.plan import HourEvent

    key = keys.plan(HourEvent(0, "backfill", "better-2"))

    assert checked_key(key) == "plans/run_kind=backfill/run=better-2/issue_date=1970-01-01/issue_hour=00/plan.json"
