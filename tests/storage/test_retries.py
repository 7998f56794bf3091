"""Lost responses, faults that pass and faults that do not, and races: in memory, and over HTTP."""

from collections.abc import Callable, Iterator

import pytest
from obstore import exceptions as failures

from tests.storage.fault_proxy import Fault, FaultProxy, fault_proxy
from tests.storage.faults import change_body, cut, fail, flip, lose_response, nth, quiet
from wattahead.domain.errors import Damaged, Refused, Transient
from wattahead.storage.objects import ATTEMPTS, PAUSES, Bucket, Put, open_bucket, sha256

KEY = "ledger/issue_date=2021-03-01/a.json"


def verified(digest: str) -> Callable[[bytes], bytes]:
    """Return a decoder that calls any other body damaged."""

    def decode(body: bytes) -> bytes:
        if sha256(body) != digest:
            raise Damaged("E_BUNDLE_HASH", "the body has another hash", fix="read it again")
        return body

    return decode


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
