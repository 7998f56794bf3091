"""One contract for every kind of bucket, and what becomes of faults on the way."""

import unicodedata
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st
from obstore import exceptions as failures

from tests.storage.fault_proxy import Fault, FaultProxy, fault_proxy
from tests.storage.faults import (
    Around,
    Chosen,
    Crash,
    call,
    change_body,
    crash_after,
    crash_before,
    cut,
    fail,
    flip,
    lose_response,
    nth,
)
from tests.storage.faults import Fault as StoreFault
from wattahead.domain.errors import Damaged, Refused, Transient
from wattahead.storage import keys, registry
from wattahead.storage.objects import ATTEMPTS, PAUSES, Bucket, Put, checked_key, open_bucket, sha256

KEY = "ledger/issue_date=2021-03-01/a.json"

BAD_KEYS = [
    *(
        "",
        ".",
        "..",
        "/",
        "../models",
        "a/../b",
        "a..b",
        "a/./b",
        "a//b",
        "a/",
        "/etc/passwd",
        "~/a",
        "-a",
        "a b",
        " a",
    ),
    *("a%2e", "a%2f..", "a%252e", "a%252e%252e/b", "a\\b", "..\\b", "a\0b", "a\nb", "a\n", "a\rb", "a*", "a?b", "a&b"),
    *("\u0421atalog", "e\u0301t\u00e9", "\u200fcatalog", "catalog\u202e", "\uff0fcatalog", "a" * 600),
]
BAD_ZONES = [
    *(
        *BAD_KEYS,
        "A" * 300,
        "US-" + "A" * 300,
        "US=CAL",
        "US*",
        "US?",
        "US-CAL-",
        "us-cal",
        "US/CAL",
        "US.CAL",
        "US-CAL\n",
    ),
    *("\u0421A", "U\u00c5", unicodedata.normalize("NFD", "U\u00c5"), "US\u200f", "\uff35\uff33", "US-\u0661"),
]


def quiet(bucket: Bucket, fault: StoreFault | None = None) -> tuple[Bucket, Around, list[float]]:
    """Return the bucket seen through a fault, its calls, and the pauses it took without taking them."""
    store = Around(bucket.store, fault) if fault else Around(bucket.store)
    pauses: list[float] = []
    return Bucket(store, bucket.url, pause=pauses.append), store, pauses


def verified(digest: str) -> Callable[[bytes], bytes]:
    """Return a decoder that calls any other body damaged."""

    def decode(body: bytes) -> bytes:
        if sha256(body) != digest:
            raise Damaged("E_BUNDLE_HASH", "the body has another hash", fix="read it again")
        return body

    return decode


# What holds on every kind of bucket


def test_what_was_created_is_read(any_bucket: Bucket) -> None:
    assert any_bucket.create(KEY, b"one") == Put(created=True, body=b"one")
    assert any_bucket.read(KEY, bytes) == b"one"


def test_a_second_create_changes_nothing_and_returns_what_is_held(any_bucket: Bucket) -> None:
    any_bucket.create(KEY, b"one")

    assert any_bucket.create(KEY, b"two") == Put(created=False, body=b"one")
    assert any_bucket.read(KEY, bytes) == b"one"


def test_the_same_body_again_is_not_created_again(any_bucket: Bucket) -> None:
    any_bucket.create(KEY, b"one")

    assert not any_bucket.create(KEY, b"one").created


def test_an_empty_body_is_an_object(any_bucket: Bucket) -> None:
    any_bucket.create(KEY, b"")

    assert not any_bucket.create(KEY, b"one").created


def test_eight_creates_at_once_have_one_winner(any_bucket: Bucket) -> None:
    for number in range(5):
        start = Barrier(8)

        def race(body: bytes, key: str = f"race/{number}", start: Barrier = start) -> Put:
            start.wait()
            return any_bucket.create(key, body)

        with ThreadPoolExecutor(8) as pool:
            puts = list(pool.map(race, [bytes([worker]) * 9000 for worker in range(8)]))

        winners = [put.body for put in puts if put.created]
        assert len(winners) == 1
        assert {put.body for put in puts} == set(winners)


def test_keys_are_sorted_and_stop_at_the_folder(any_bucket: Bucket) -> None:
    for key in ("b/2.json", "b/10.json", "b/1/x.json", "bb/1.json", "a/1.json", "b.json"):
        any_bucket.create(key, b"1")

    assert any_bucket.keys("b") == ["b/1/x.json", "b/10.json", "b/2.json"]


def test_a_folder_is_asked_for_with_its_slash(bucket: Bucket) -> None:
    seen, store, _ = quiet(bucket)

    seen.keys("b")

    assert [call.key for call in store.calls] == ["b/"]  # a store that compares text would give bb/1.json as well


def test_keys_after_a_key_or_a_folder_are_those_behind_it(any_bucket: Bucket) -> None:
    days = [f"actuals/date=2021-03-0{day}/part.parquet" for day in range(1, 5)]
    for key in days:
        any_bucket.create(key, b"1")

    assert any_bucket.keys("actuals", after=days[1]) == days[2:]
    assert any_bucket.keys("actuals", after="actuals/date=2021-03-03") == days[2:]
    assert any_bucket.keys("actuals", after="actuals/date=2021-04-01") == []


def test_a_folder_that_nobody_wrote_has_no_keys(any_bucket: Bucket) -> None:
    assert any_bucket.keys("forecasts") == []


def test_a_missing_object_is_said_at_once(any_bucket: Bucket) -> None:
    bucket, store, pauses = quiet(any_bucket)

    with pytest.raises(Refused, match=f"E_FEAT_MISSING: there is no object {KEY}"):
        bucket.read(KEY, bytes)

    assert (store.verbs, pauses) == (["get"], [])


def test_many_objects_are_read_in_the_order_they_were_asked_for(any_bucket: Bucket) -> None:
    names = [f"many/{number:02d}" for number in range(20)]
    for name in names:
        any_bucket.create(name, name.encode())

    assert any_bucket.read_all([(name, bytes) for name in reversed(names)]) == [
        name.encode() for name in reversed(names)
    ]


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


@pytest.mark.parametrize("crash", [crash_before, crash_after])
@pytest.mark.parametrize("number", [1, 2])
def test_after_a_crash_at_any_call_a_retry_ends_with_whole_objects(
    any_bucket: Bucket, crash: Callable[[Chosen], StoreFault], number: int
) -> None:
    bucket, *_ = quiet(any_bucket, crash(call(number)))
    with pytest.raises(Crash):
        [bucket.create(key, key.encode()) for key in ("a/1", "a/2")]

    for key in ("a/1", "a/2"):
        any_bucket.create(key, key.encode())

    assert any_bucket.read_all([(key, bytes) for key in any_bucket.keys("a")]) == [b"a/1", b"a/2"]


# Names and keys


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


# Lost responses and races


def test_a_lost_response_is_recognised_as_our_own_write(any_bucket: Bucket) -> None:
    bucket, store, _ = quiet(any_bucket, lose_response(nth("create", 1)))

    assert bucket.create(KEY, b"mine") == Put(created=True, body=b"mine")
    assert store.verbs == ["create", "create", "get"]


def test_after_a_failed_attempt_somebody_elses_object_is_not_ours(any_bucket: Bucket) -> None:
    any_bucket.create(KEY, b"theirs")
    bucket, *_ = quiet(any_bucket, fail(nth("create", 1)))

    assert bucket.create(KEY, b"mine") == Put(created=False, body=b"theirs")


def test_a_request_lost_on_the_way_is_sent_again(any_bucket: Bucket) -> None:
    bucket, store, _ = quiet(any_bucket, fail(nth("create", 1)))

    assert bucket.create(KEY, b"mine").created
    assert store.verbs == ["create", "create"]


def test_a_conflict_with_nothing_there_yet_is_tried_again(bucket: Bucket) -> None:
    seen, store, pauses = quiet(bucket, fail(nth("create", 1), failures.AlreadyExistsError("409")))

    assert seen.create(KEY, b"mine").created
    assert store.verbs == ["create", "get", "create"]
    assert len(pauses) == 1


def test_a_conflict_that_never_ends_is_transient(bucket: Bucket) -> None:
    seen, store, _ = quiet(bucket, fail(nth("create"), failures.AlreadyExistsError("409")))

    with pytest.raises(Transient, match="E_STORAGE: .* is being written by somebody else"):
        seen.create(KEY, b"mine")

    assert store.verbs.count("create") == ATTEMPTS


def test_a_read_back_that_is_denied_is_not_tried_again(bucket: Bucket) -> None:
    bucket.create(KEY, b"theirs")
    seen, store, pauses = quiet(bucket, fail(nth("get"), failures.PermissionDeniedError("403")))

    with pytest.raises(Refused, match="E_S3_DENIED"):
        seen.create(KEY, b"mine")

    assert (store.verbs, pauses) == (["create", "get"], [])


# Faults that pass, and faults that do not


def ask_read(bucket: Bucket) -> object:
    return bucket.read("a/held", bytes)


def ask_create(bucket: Bucket) -> object:
    return bucket.create("a/new", b"1").created


def ask_keys(bucket: Bucket) -> object:
    return bucket.keys("a")


ASKED = pytest.mark.parametrize(
    ("ask", "verb", "answer"),
    [(ask_read, "get", b"held"), (ask_create, "create", True), (ask_keys, "keys", ["a/held"])],
)


@ASKED
@pytest.mark.parametrize(
    "error", [failures.GenericError("503"), TimeoutError("60 s"), ConnectionResetError()], ids=repr
)
def test_two_faults_and_then_an_answer_is_an_answer(
    bucket: Bucket, ask: Callable[[Bucket], object], verb: str, answer: object, error: Exception
) -> None:
    bucket.create("a/held", b"held")
    seen, store, pauses = quiet(bucket, fail(nth(verb, 1, 2), error))

    assert ask(seen) == answer
    assert store.verbs == [verb] * 3
    assert len(pauses) == 2


@ASKED
def test_a_fault_that_stays_is_transient(
    bucket: Bucket, ask: Callable[[Bucket], object], verb: str, answer: object
) -> None:
    seen, store, pauses = quiet(bucket, fail(nth(verb)))

    with pytest.raises(Transient, match="E_STORAGE: no answer for a"):
        ask(seen)

    assert len(store.calls) == ATTEMPTS
    assert all(longest / 2 <= pause <= longest for pause, longest in zip(pauses, PAUSES, strict=True))


@ASKED
@pytest.mark.parametrize("kind", [failures.PermissionDeniedError, failures.UnauthenticatedError])
def test_what_is_denied_is_asked_once(
    bucket: Bucket, ask: Callable[[Bucket], object], verb: str, answer: object, kind: type[Exception]
) -> None:
    seen, store, pauses = quiet(bucket, fail(nth(verb), kind("403")))

    with pytest.raises(Refused, match="E_S3_DENIED: the storage refused a"):
        ask(seen)

    assert (store.verbs, pauses) == ([verb], [])


@pytest.mark.parametrize("change", [cut, flip, lambda _: b""], ids=["cut", "flipped", "empty"])
def test_a_body_damaged_on_the_way_is_fetched_again(bucket: Bucket, change: Callable[[bytes], bytes]) -> None:
    bucket.create(KEY, b"whole body")
    seen, store, _ = quiet(bucket, change_body(nth("get", 1), change))

    assert seen.read(KEY, verified(sha256(b"whole body"))) == b"whole body"
    assert store.verbs == ["get", "get"]


def test_a_body_damaged_for_good_is_refused_after_all_attempts(bucket: Bucket) -> None:
    bucket.create(KEY, b"whole body")
    seen, store, _ = quiet(bucket, change_body(nth("get"), cut))

    with pytest.raises(Damaged, match="E_BUNDLE_HASH"):
        seen.read(KEY, verified(sha256(b"whole body")))

    assert store.verbs == ["get"] * ATTEMPTS


def test_what_a_decoder_refuses_is_not_fetched_again(bucket: Bucket) -> None:
    bucket.create(KEY, b"1")
    seen, store, _ = quiet(bucket)

    def decode(_: bytes) -> bytes:
        raise Refused("E_FEAT_NO_ROWS", "no rows", fix="write some")

    with pytest.raises(Refused, match="E_FEAT_NO_ROWS"):
        seen.read(KEY, decode)

    assert store.verbs == ["get"]


def test_one_failing_read_of_many_is_the_error_of_all(bucket: Bucket) -> None:
    bucket.create("a/held", b"1")

    with pytest.raises(Refused, match="E_FEAT_MISSING: there is no object a/lost"):
        bucket.read_all([("a/held", bytes), ("a/lost", bytes)])


def test_traffic_counts_attempts_and_bytes(bucket: Bucket) -> None:
    seen, *_ = quiet(bucket, fail(nth("create", 1)))

    seen.create("a/1", b"12345")
    seen.read("a/1", bytes)
    seen.keys("a")

    assert seen.traffic == {"puts": 2, "gets": 1, "lists": 1, "written": 5, "read": 5}


# Opening


def test_a_memory_bucket_is_the_same_bucket_under_its_name() -> None:
    name = f"memory://{uuid4().hex}"
    open_bucket(name).create("a/1", b"1")

    assert open_bucket(name).keys("a") == ["a/1"]


def test_a_folder_is_opened_by_path_or_by_url(tmp_path: Path) -> None:
    open_bucket(str(tmp_path)).create("a/1", b"1")

    assert open_bucket(tmp_path.as_uri()).keys("a") == ["a/1"]
    assert (tmp_path / "a" / "1").read_bytes() == b"1"


def test_a_prefix_keeps_two_systems_in_one_s3_bucket_apart(s3_url: str) -> None:
    open_bucket(f"{s3_url}/one").create("a/1", b"1")

    assert open_bucket(f"{s3_url}/two/").keys("a") == []
    assert open_bucket(f"{s3_url}/one").keys("a") == ["a/1"]
    assert open_bucket(s3_url).keys("one") == ["one/a/1"]


@pytest.mark.parametrize("url", ["gs://b", "https://b.s3.amazonaws.com", "S4://b"])
def test_a_bucket_of_another_kind_is_refused(url: str) -> None:
    with pytest.raises(Refused, match="E_CONFIG: bucket .* is of no known kind"):
        open_bucket(url)


# Over HTTP: requests and answers that are really lost


@pytest.fixture
def proxied(s3_url: str, s3_server: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Bucket, FaultProxy]]:
    with fault_proxy(s3_server) as proxy:
        monkeypatch.setenv("AWS_ENDPOINT_URL", proxy.url)
        bucket = open_bucket(s3_url)
        bucket.pause = lambda _: None
        yield bucket, proxy


@pytest.mark.parametrize(
    ("faults", "requests"),
    [
        (["pass"], ["PUT"]),
        (["503"], ["PUT", "PUT"]),
        (["503", "503"], ["PUT", "PUT", "PUT"]),
        (["drop before"], ["PUT", "PUT"]),
        (["drop after"], ["PUT", "PUT", "GET"]),
        (["503", "drop before", "drop after"], ["PUT", "PUT", "PUT", "PUT", "GET"]),
    ],
    ids=" then ".join,
)
def test_s3_knows_its_own_write_whatever_was_lost(
    proxied: tuple[Bucket, FaultProxy], faults: list[Fault], requests: list[str]
) -> None:
    bucket, proxy = proxied
    proxy.faults.extend(faults)

    assert bucket.create(KEY, b"mine") == Put(created=True, body=b"mine")
    assert proxy.seen == requests


def test_s3_does_not_take_somebody_elses_object_for_its_own(proxied: tuple[Bucket, FaultProxy], s3_url: str) -> None:
    bucket, proxy = proxied
    bucket.create(KEY, b"theirs")
    proxy.faults.extend(["drop before"])

    assert bucket.create(KEY, b"mine") == Put(created=False, body=b"theirs")


def test_s3_that_stays_busy_is_transient(proxied: tuple[Bucket, FaultProxy]) -> None:
    bucket, proxy = proxied
    proxy.faults.extend(["503"] * ATTEMPTS)

    with pytest.raises(Transient, match="E_STORAGE"):
        bucket.create(KEY, b"mine")

    assert proxy.seen == ["PUT"] * ATTEMPTS


def test_a_plan_key_of_a_run_is_a_key() -> None:
    from wattahead.domain.plan import HourEvent

    key = keys.plan(HourEvent(0, "backfill", "better-2"))

    assert checked_key(key) == "plans/run_kind=backfill/run=better-2/issue_date=1970-01-01/issue_hour=00/plan.json"
