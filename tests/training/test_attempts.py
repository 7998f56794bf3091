"""Every training leaves one ledger entry, and a SIGTERM at any moment leaves registry and ledger telling the same."""

import io
import signal
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace

import pytest
from rich.console import Console

from tests.journeys.stores import DictStore, bucket_of
from tests.journeys.world import UNTIL
from training import __main__ as program
from training.attempts import run_id
from training.parsing import FAILED, USAGE
from training.question import Question, parser
from training.stopping import CODE, Stop, Stopped
from training.trainers import trainer
from wattahead.domain.catalog import Catalog
from wattahead.domain.errors import Transient
from wattahead.storage.catalogs import latest_catalog
from wattahead.storage.ledger import Entry, entries
from wattahead.storage.objects import Bucket, open_bucket


@dataclass
class SignalledStore(DictStore):
    """Sends this process SIGTERM at one call, by its number or by the key that it writes."""

    at: int = 0
    when: str = "never"
    calls: list[str] = field(default_factory=list)

    def get(self, key: str) -> bytes:
        self._told("get " + key)
        return super().get(key)

    def create(self, key: str, body: bytes) -> None:
        try:
            super().create(key, body)
        finally:  # a key that is taken was a request too
            self._told("put " + key)

    def keys(self, prefix: str, after: str) -> Iterator[str]:
        self._told("list " + prefix)
        return super().keys(prefix, after)

    def _told(self, call: str) -> None:
        self.calls.append(call)
        if len(self.calls) == self.at or call.startswith(self.when):
            signal.raise_signal(signal.SIGTERM)


@pytest.fixture(scope="module")
def few_trees(untrained_world: DictStore) -> Catalog:
    """The world's catalog with so few trees that a training takes a second."""
    return with_parameters(latest_catalog(bucket_of(untrained_world))[1], rounds=10, leaves=4, folds=2, spread_rounds=4)


def with_parameters(catalog: Catalog, **parameters: float) -> Catalog:
    pools = {name: replace(pool, parameters={**pool.parameters, **parameters}) for name, pool in catalog.pools.items()}
    return replace(catalog, pools=pools)


def ask(bucket: Bucket, catalog: Catalog, *pools: str, stop: Stop | None = None) -> int:
    """Train as the program does, with its answer to SIGTERM."""
    stop = stop or Stop()
    with stop.listening():
        asked = Question(bucket, catalog, pools, UNTIL, seed=1)
        return program.train_all(asked, Console(file=io.StringIO()), stop)


def registry_of(store: DictStore) -> dict[str, bytes]:
    return {key: body for key, body in store.objects.items() if key.startswith("models/registry/")}


def told(store: DictStore) -> list[Entry]:
    return entries(bucket_of(store))


@pytest.fixture
def copied(untrained_world: DictStore) -> Callable[..., SignalledStore]:
    """Give copies of the untrained world that send a signal when they are told to."""
    return lambda **when: SignalledStore(dict(untrained_world.objects), **when)


def test_a_promotion_is_an_entry_with_its_series_reason_time_and_requests(
    copied: Callable[..., SignalledStore], few_trees: Catalog
) -> None:
    store = copied()

    assert ask(bucket_of(store), few_trees, "wind") == 0

    kinds = [call.split()[0] for call in store.calls]
    (entry,) = told(store)
    assert (entry.job, entry.outcome, entry.pool, entry.issue_time) == ("train", "ok", "wind", UNTIL)
    assert entry.outcomes == {"promoted": ("SY-0001/production/wind", "SY-0002/production/wind")}
    assert entry.reason.startswith("better than seasonal_naive: mean pinball loss candidate 0.")
    assert entry.seconds["total"] * 1e6 == pytest.approx(entry.finished_at - entry.started_at, abs=2)
    # The entry itself is the one call that it cannot count.
    assert entry.requests == {
        "gets": kinds.count("get"),
        "puts": kinds.count("put") - 1,
        "lists": kinds.count("list"),
    }


def test_training_the_same_again_is_a_second_attempt_that_keeps_the_champion(
    copied: Callable[..., SignalledStore], few_trees: Catalog
) -> None:
    store = copied()

    codes = [ask(bucket_of(store), few_trees, "wind") for _ in range(2)]

    first, second = sorted(told(store), key=lambda entry: entry.started_at)
    assert codes == [0, 0]
    assert first.run_id == second.run_id == run_id("wind", UNTIL, 1)
    assert list(second.outcomes) == ["kept"]
    assert second.reason.startswith("not better than champion")


def test_a_pool_that_fails_says_why_and_does_not_keep_the_others_from_training(
    copied: Callable[..., SignalledStore], few_trees: Catalog
) -> None:
    store = copied()
    short = replace(few_trees.pools["solar"], training_window="P20D")
    catalog = replace(few_trees, pools={**few_trees.pools, "solar": short})

    assert ask(bucket_of(store), catalog, "solar", "wind") == 1

    found = {entry.pool: entry for entry in told(store)}
    assert {pool: entry.outcome for pool, entry in found.items()} == {"solar": "failed", "wind": "ok"}
    assert found["solar"].errors[""].startswith("E_TRAIN_ROWS: ")


def test_a_fault_in_the_code_is_recorded_and_told_and_the_next_pool_is_trained(
    copied: Callable[..., SignalledStore],
    few_trees: Catalog,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    faults = iter([ZeroDivisionError("a fault")])

    def faulty(name: str) -> object:
        for fault in faults:
            raise fault
        return trainer(name)

    monkeypatch.setattr("training.candidate.trainer", faulty)
    store = copied()

    assert ask(bucket_of(store), few_trees, "solar", "wind") == FAILED

    found = {entry.pool: entry.errors.get("", "") for entry in told(store)}
    assert found == {"solar": "ZeroDivisionError: a fault", "wind": ""}


class Refusing(DictStore):
    """Storage that answers nothing but lists."""

    def get(self, key: str) -> bytes:
        raise OSError(key)

    def create(self, key: str, body: bytes) -> None:
        raise OSError(key)


def test_storage_that_refuses_the_entry_too_does_not_hide_what_failed_first(
    untrained_world: DictStore, few_trees: Catalog
) -> None:
    bucket = bucket_of(Refusing(dict(untrained_world.objects)))

    with pytest.raises(Transient, match="models/registry/wind/00000001.json"):
        program.train_one(Question(bucket, few_trees, ("wind",), UNTIL, 1), "wind", Console(quiet=True), Stop())


@pytest.mark.parametrize(
    "call",
    [
        "list models/registry/wind",  # the first thing it reads
        "get actuals/",
        "put models/bundles/wind/",  # after the first file of the candidate, before its manifest
    ],
)
def test_sigterm_before_the_decision_leaves_the_registry_as_it_was_and_an_entry(
    call: str, copied: Callable[..., SignalledStore], few_trees: Catalog
) -> None:
    store = copied(when=call)
    before = registry_of(store)

    with pytest.raises(Stopped):
        ask(bucket_of(store), few_trees, "wind", "solar")

    assert registry_of(store) == before
    assert [(entry.pool, entry.outcome) for entry in told(store)] == [("wind", "failed")]
    assert told(store)[0].errors == {"": "stopped by SIGTERM before the registry was written. Fix: train again."}


def test_sigterm_after_the_last_bundle_and_before_the_decision_leaves_the_registry_as_it_was(
    copied: Callable[..., SignalledStore], few_trees: Catalog
) -> None:
    whole = copied()
    ask(bucket_of(whole), few_trees, "wind")
    last_bundle = max(n for n, call in enumerate(whole.calls, 1) if call.startswith("put models/bundles/"))
    decision = next(n for n, call in enumerate(whole.calls, 1) if call.startswith("put models/registry/"))

    for at in range(last_bundle, decision):
        store = copied(at=at)
        before = registry_of(store)
        with pytest.raises(Stopped):
            ask(bucket_of(store), few_trees, "wind")
        assert registry_of(store) == before
        assert [entry.outcome for entry in told(store)] == ["failed"]


@pytest.mark.parametrize("call", ["put models/registry/wind/", "put ledger/"])
def test_sigterm_while_the_decision_is_written_ends_after_the_ledger_tells_of_it(
    call: str, copied: Callable[..., SignalledStore], few_trees: Catalog
) -> None:
    store = copied(when=call)

    with pytest.raises(Stopped):
        ask(bucket_of(store), few_trees, "wind", "solar")

    assert [(entry.pool, entry.outcome) for entry in told(store)] == [("wind", "ok")]
    assert "models/registry/wind/00000002.json" in store.objects
    assert "models/registry/solar/00000002.json" not in store.objects


def test_a_second_sigterm_does_not_break_the_ledger_entry() -> None:
    stop = Stop()

    with stop.listening():
        with pytest.raises(Stopped):
            signal.raise_signal(signal.SIGTERM)
        signal.raise_signal(signal.SIGTERM)


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_a_stop_that_python_drops_is_raised_at_the_next_progress() -> None:
    class Last:
        def __del__(self) -> None:
            signal.raise_signal(signal.SIGTERM)

    stop = Stop()
    with stop.listening():
        Last()

        with (
            pytest.raises(Stopped),
            program._progress(Console(file=io.StringIO()), "wind", stop) as say,
        ):
            say("p10: 40 rounds")


def test_the_former_answer_to_sigterm_comes_back() -> None:
    former = signal.getsignal(signal.SIGTERM)

    with Stop().listening():
        assert signal.getsignal(signal.SIGTERM) is not former

    assert signal.getsignal(signal.SIGTERM) is former


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--seed", "x"], "invalid int value"),
        (["--colour", "red"], "unrecognized arguments"),
    ],
)
def test_a_mistake_on_the_command_line_is_64(words: list[str], said: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        program.main(words)

    assert ended.value.code == 64
    assert said in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--bucket", "gs://elsewhere"], "is of no known kind"),
        (["--bucket", "memory://nothing-was-ever-put-here"], "E_CATALOG_EMPTY"),
        (["--bucket", "/dev/null/bucket"], "cannot be opened"),
    ],
)
def test_a_bucket_that_cannot_be_asked_is_64(words: list[str], said: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert program.main(words) == 64
    assert said in capsys.readouterr().err


def test_an_unknown_pool_is_64_and_leaves_no_entry(
    untrained_world: DictStore, capsys: pytest.CaptureFixture[str]
) -> None:
    bucket = open_bucket("memory://pools-of-test-attempts")
    for key, body in untrained_world.objects.items():
        bucket.create(key, body)

    assert program.main(["--bucket", bucket.url, "--pools", "wnd"]) == 64
    assert "use demand, solar, wind" in capsys.readouterr().err
    assert entries(bucket) == []


def test_every_exit_code_is_in_the_help() -> None:
    shown = parser().format_help()

    for code in (0, FAILED, USAGE, CODE, 128 + signal.SIGKILL):
        assert f"\n  {code:<5}" in shown
