"""The score function in Lambda's own runtime process: answers, errors, time-outs, memory and threads."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from infra.runtime.function import Function, deployed
from infra.runtime.images import Image
from infra.runtime.measure import Times, warm_pair
from infra.runtime.stage import Stage, Start
from tests.runtime.conftest import EVENTS, SERIES, Runtime, begin, event, odd_image, ours, python
from tests.runtime.gate import gate

ROWS = SERIES * 24
VCPU_MB = 1769  # memory that comes with one whole vCPU
BOUND = 1.3 * 1.25  # machines that run tests are busy with other things
TRIES = 4  # the quickest of all calls counts: the busier the machine, the longer it takes to meet an undisturbed one

# What the deployed function answers to the events that people send with `sam local invoke`: kind, outcome or error.
ANSWERS = {
    "batch": ("ok", "ok"),
    "batch_final_attempt": ("ok", "degraded"),
    "hour": ("ok", "ok"),
    "scheduler": ("ok", "ok"),
    "eventbridge_scheduled": ("ok", "ok"),
    "backfill_hour": ("error", "Refused"),
}

Behind = Callable[[Start], Runtime]


# Cold and warm -----------------------------------------------------------------------------------------------------


def test_a_cold_start_scores_and_a_warm_one_in_the_same_process_meets_its_rows(image: Image, stage: Stage) -> None:
    with ours(begin(image, stage.score())) as runtime:
        cold, first = runtime.invoke(event("batch")), runtime.pid
        written = {key: stage.read(key) for key in stage.keys("forecasts/")}
        warm, second = runtime.invoke(event("batch")), runtime.pid

    assert (cold.kind, cold.cold, cold.body["outcome"], cold.body["rows"]) == ("ok", True, "ok", ROWS)
    assert (warm.kind, warm.cold, warm.body["outcome"], warm.body["rows"]) == ("ok", False, "duplicate", 0)
    assert first == second
    assert len(written) == 1
    assert {key: stage.read(key) for key in stage.keys("forecasts/")} == written


def test_every_event_file_is_answered_as_in_aws(machine_image: Image, stage: Stage, behind: Behind) -> None:
    runtime = behind(begin(machine_image, stage.score()))
    found = {}
    for path in sorted(EVENTS.glob("*.json")):
        stage.forget()
        reply = runtime.invoke(event(path.stem))
        found[path.stem] = (reply.kind, reply.body.get("outcome", reply.body.get("errorType")))

    assert found == ANSWERS


# Errors ------------------------------------------------------------------------------------------------------------


def test_an_error_says_its_class_its_sentence_and_its_trace(machine_image: Image, stage: Stage, behind: Behind) -> None:
    runtime = behind(begin(machine_image, stage.score()))

    wrong = runtime.invoke({**event("hour"), "batch": "solar-0001"})
    after = runtime.invoke(event("batch"))

    assert (wrong.kind, wrong.body["errorType"]) == ("error", "Refused")
    assert wrong.body["errorMessage"].startswith("E_BATCH_UNKNOWN: ")
    assert any("functions/score/app.py" in line for line in wrong.body["stackTrace"])
    assert (after.kind, after.body["outcome"], after.cold) == ("ok", "ok", False)


def test_a_storage_that_is_away_is_an_error_that_may_be_retried(machine_image: Image, stage: Stage) -> None:
    nowhere = led(stage.score(), AWS_ENDPOINT_URL="http://127.0.0.1:9")

    with ours(begin(machine_image, nowhere)) as runtime:
        reply = runtime.invoke(event("batch"))

    assert (reply.kind, reply.body["errorType"]) == ("error", "Transient")
    assert reply.body["errorMessage"].startswith("E_STORAGE: ")


def test_a_handler_that_does_not_import_says_why(machine_image: Image, stage: Stage) -> None:
    misnamed = replace(stage.score(), handler="functions.scoring.app.handler")

    with ours(begin(machine_image, misnamed)) as runtime:
        reply = runtime.invoke(event("batch"))

    assert (reply.kind, reply.body["errorType"]) == ("init error", "Runtime.ImportModuleError")
    assert "functions.scoring" in reply.body["errorMessage"]


def test_a_process_that_ends_is_replaced(machine_image: Image, tmp_path: Path, behind: Behind) -> None:
    runtime = behind(odd(machine_image, tmp_path))
    first = runtime.invoke({})

    died = runtime.invoke({"exit": 3})
    after = runtime.invoke({})

    assert (died.kind, died.body["errorType"]) == ("exit", "Runtime.ExitError")
    assert after.kind == "ok"
    assert after.body["pid"] != first.body["pid"]


def test_a_call_past_its_deadline_is_killed_and_the_next_one_starts_anew(
    machine_image: Image, stage: Stage, behind: Behind
) -> None:
    with gate(stage.endpoint) as storage:
        runtime = behind(begin(machine_image, replace(led(stage.score(), AWS_ENDPOINT_URL=storage.url), timeout=5.0)))
        late = runtime.invoke(event("batch"))
        storage.opened.set()
        after = runtime.invoke(event("batch"))

    assert (late.kind, late.body["errorMessage"]) == ("timeout", "Task timed out after 5.00 seconds")
    assert 5.0 <= late.seconds < 20.0
    assert (after.kind, after.body["outcome"], after.body["rows"]) == ("ok", "ok", ROWS)
    assert len(stage.keys("forecasts/")) == 1


# Memory and threads --------------------------------------------------------------------------------------------------


def test_a_batch_of_a_hundred_series_fits_the_memory_of_one_vcpu(image: Image, stage: Stage, behind: Behind) -> None:
    function = stage.score()

    reply = behind(begin(image, function)).invoke(event("batch"))

    assert function.memory_mb == VCPU_MB
    assert (reply.kind, reply.body["rows"]) == ("ok", ROWS)


def test_more_memory_than_the_function_has_is_an_error_and_no_hang(
    machine_image: Image, tmp_path: Path, behind: Behind
) -> None:
    runtime = behind(odd(machine_image, tmp_path))

    fits = runtime.invoke({"hold_mb": VCPU_MB - 300})
    over = runtime.invoke({"hold_mb": VCPU_MB + 1})
    after = runtime.invoke({"hold_mb": 1})

    assert (fits.kind, fits.body) == ("ok", {"held": VCPU_MB - 300})
    assert (over.kind, over.body["errorType"]) == ("error", "MemoryError")
    assert over.seconds < 10.0
    assert (after.kind, after.cold) == ("ok", False)


@pytest.mark.skipif(not Path("/proc/self/task").is_dir(), reason="this system does not list the threads of a process")
def test_threads_follow_the_vcpus(machine_image: Image, stage: Stage) -> None:
    function = stage.score()

    one = threads_of(machine_image, stage, function)
    four = threads_of(machine_image, stage, led(function, OMP_NUM_THREADS="4"))

    assert function.variables["OMP_NUM_THREADS"] == str(max(1, function.memory_mb // VCPU_MB))
    assert one <= 3  # the handler's, Arrow's one, and the runtime's where it waits for events in a thread
    assert four - one >= 3  # LightGBM's team as it loads its models; predictions take one thread all the same


def threads_of(image: Image, stage: Stage, function: Function) -> int:
    """Return the threads of a process that has scored a batch, those left out that name themselves as others' own."""
    stage.forget()
    with ours(begin(image, function)) as runtime:
        assert runtime.invoke(event("batch")).body["outcome"] == "ok"
        names = [path.read_text(encoding="utf-8") for path in Path(f"/proc/{runtime.pid}/task").glob("*/comm")]
        return names.count(Path(f"/proc/{runtime.pid}/comm").read_text(encoding="utf-8"))


# Time --------------------------------------------------------------------------------------------------------------


@pytest.mark.perf
def test_the_runtime_adds_little_to_a_warm_run(machine_image: Image, stage: Stage) -> None:
    runtime, plain = Times("runtime"), Times("plain")
    for _ in range(TRIES):
        for times, more in zip((runtime, plain), warm_pair(stage, python(machine_image.python), turns=10), strict=True):
            times.seconds += more.seconds
        if runtime.least / plain.least <= BOUND:
            break

    assert runtime.least / plain.least <= BOUND, (runtime.least, plain.least)


def led(function: Function, **variables: str) -> Function:
    """Return a function with some variables changed."""
    return replace(function, variables={**function.variables, **variables})


def odd(image: Image, folder: Path) -> Start:
    """Return the runtime with `odd.py` in it, under the limits of the score function."""
    function = replace(deployed("ScoreFunction"), handler="odd.handler")
    return begin(odd_image(image, folder), function)
