"""The handlers, called as Lambda calls them, with the events that AWS and people send."""

import ast
import shutil
import subprocess
import sys
from collections.abc import Callable
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import pytest

from tests.functions.conftest import BESIDE, EVENTS, NAMES, Deployment, event, refusal
from tests.infra.templates import functions, grants, load
from tests.storage.test_timeseries import table
from wattahead.storage.objects import ObStore, open_bucket
from wattahead.storage.timeseries import actuals, store

ROOT = Path(__file__).parent.parent.parent
POOLS = ("demand", "solar", "wind")
LIVE = "forecasts/issue_date=2026-03-01/issue_hour=05"
SERVED = {"ok", "degraded"}  # a pool without a champion is served by its baseline, and the answer says so


# Events of one hour ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["scheduler", "eventbridge_scheduled", "hour"])
def test_every_form_of_the_hour_ends_in_the_same_forecasts(deployed: Deployment, name: str) -> None:
    answer = deployed.run(event(name))

    assert answer["issue_time"] == "2026-03-01T05:00Z"
    assert answer["outcome"] in SERVED
    assert answer["rows"] == 3 * 2 * 24
    assert list(deployed.objects("forecasts/")) == [f"{LIVE}/{pool}-0000.parquet" for pool in POOLS]


def test_an_hour_goes_through_its_functions_and_is_whole(deployed: Deployment) -> None:
    answers = {name: deployed.call(name, event("scheduler")) for name in NAMES}

    assert answers["plan"]["items"] == len(POOLS)
    assert answers["features"]["outcome"] == "ok"
    assert answers["score"]["outcome"] in SERVED
    assert (answers["finish"]["outcome"], answers["finish"]["missing"]) == ("ok", [])


def test_the_same_event_again_is_a_duplicate_and_moves_no_byte(deployed: Deployment) -> None:
    deployed.run(event("scheduler"))
    written = {root: deployed.objects(root) for root in ("plans/", "features/", "forecasts/")}

    deployed.reset()
    again = {name: deployed.call(name, event("scheduler"))["outcome"] for name in ("plan", "features", "score")}

    assert again == dict.fromkeys(("plan", "features", "score"), "duplicate")
    assert {root: deployed.objects(root) for root in written} == written


def test_files_of_the_inbox_are_ingested_once(deployed: Deployment, baselines_only: Path) -> None:
    shutil.copytree(baselines_only / "files", deployed.bucket / "inbox" / "synthetic" / "date=2026-03-01")
    for root in ("actuals", "weather", "history"):  # nothing of it is in the bucket yet
        shutil.rmtree(deployed.bucket / root, ignore_errors=True)

    outcomes = [deployed.call("ingest", event("scheduler"))["outcome"] for _ in range(2)]

    assert outcomes == ["ok", "duplicate"]
    assert any("date=2026-02-28" in key for key in deployed.objects("actuals/"))  # not closed at this clock: a day


def test_an_empty_inbox_is_nothing_to_do(deployed: Deployment) -> None:
    assert deployed.call("ingest", event("hour"))["outcome"] == "duplicate"


def test_finish_names_the_batches_that_are_missing(deployed: Deployment) -> None:
    deployed.call("plan", event("hour"))
    deployed.call("features", event("hour"))
    deployed.call("score", event("batch"))

    answer = deployed.call("finish", event("hour"))

    assert (answer["outcome"], answer["again_at"]) == ("waiting", "2026-03-01T05:16:00Z")
    assert (answer["missing"], answer["missing_share"]) == (["demand-0000", "wind-0000"], 0.6667)


def test_past_the_input_deadline_a_missing_batch_is_a_failure_and_nobody_waits(
    deployed: Deployment, monkeypatch: pytest.MonkeyPatch
) -> None:
    deployed.call("plan", event("hour"))
    monkeypatch.setenv("WATTAHEAD_CLOCK", "2026-03-01T05:20Z")
    deployed.reset()

    answer = deployed.call("finish", event("hour"))

    assert answer["outcome"] == "failed"
    assert "again_at" not in answer


def test_the_catalog_says_which_pools_a_nightly_tick_trains(deployed: Deployment) -> None:
    assert deployed.call("retrain", {"cadence": "nightly"}) == {"stages": [list(POOLS)]}
    assert deployed.call("retrain", {"cadence": "weekly"}) == {"stages": []}
    assert refusal(deployed, "retrain", {"cadence": "hourly"}) == "E_EVENT_SHAPE"
    assert refusal(deployed, "retrain", ["nightly"]) == "E_EVENT_SHAPE"


def test_a_day_that_came_in_hours_is_compacted_once_and_within_the_role(
    deployed: Deployment, monkeypatch: pytest.MonkeyPatch
) -> None:
    hours(deployed, 5)
    asked: list[tuple[str, str]] = []
    for method in ("get", "create", "keys"):
        monkeypatch.setattr(ObStore, method, recording(method, asked))

    answers = [deployed.call("compact", event("scheduler")) for _ in range(2)]

    assert [answer["outcome"] for answer in answers] == ["ok", "duplicate"]
    assert (answers[0]["copies"], answers[0]["rows"], answers[0]["left"]) == (1, 5, False)
    assert deployed.ledger() == [("compact", "duplicate"), ("compact", "ok")]
    assert denied("compact", asked) == set()


def hours(deployed: Deployment, count: int) -> None:
    """Store a value of wind for each of the first hours of a day, in an object of its own."""
    for at in (f"2026-02-27T{hour:02}:00Z" for hour in range(count)):
        rows = table([("SY-0001", at, 1.0, at)])
        store(open_bucket(str(deployed.bucket)), actuals("production", "wind"), rows, closed_before=0)


def test_an_hour_whose_features_are_not_there_waits_and_writes_no_row(deployed: Deployment) -> None:
    deployed.call("plan", event("hour"))

    answer = deployed.call("score", event("hour"))

    assert answer["outcome"] == "waiting"
    assert deployed.objects("forecasts/") == {}


# Events of one batch -----------------------------------------------------------------------------------------------


def test_a_batch_event_scores_that_batch_alone(deployed: Deployment) -> None:
    deployed.call("plan", event("hour"))
    deployed.call("features", event("batch"))

    answers = [deployed.call("score", event("batch")) for _ in range(2)]

    assert answers[0]["outcome"] in SERVED
    assert answers[1]["outcome"] == "duplicate"
    assert list(deployed.objects("forecasts/")) == [f"{LIVE}/solar-0000.parquet"]


def test_a_batch_without_features_is_refused_until_the_final_attempt(deployed: Deployment) -> None:
    deployed.call("plan", event("hour"))

    assert refusal(deployed, "score", event("batch")) == "E_FEAT_MISSING"
    last = deployed.call("score", event("batch_final_attempt"))

    assert last["outcome"] == "degraded"
    assert list(deployed.objects("forecasts/")) == [f"{LIVE}/solar-0000.parquet"]


def test_a_final_attempt_after_a_success_changes_nothing(deployed: Deployment) -> None:
    deployed.run(event("hour"))
    written = deployed.objects("forecasts/")

    answer = deployed.call("score", event("batch_final_attempt"))

    assert answer["outcome"] == "duplicate"
    assert deployed.objects("forecasts/") == written


# Old and coming hours ----------------------------------------------------------------------------------------------


def test_a_backfill_stands_in_a_root_of_its_own(deployed: Deployment) -> None:
    answer = deployed.run(event("backfill_hour"))

    root = "backfills/forecasts/run=first-look/issue_date=2026-02-15/issue_hour=05"
    assert answer["outcome"] in SERVED
    assert list(deployed.objects("backfills/forecasts/")) == [f"{root}/{pool}-0000.parquet" for pool in POOLS]
    assert deployed.objects("forecasts/") == {}
    assert deployed.run(event("backfill_hour"))["outcome"] == "duplicate"


@pytest.mark.parametrize("name", NAMES)
def test_a_live_hour_older_than_a_week_is_recorded_as_too_old(deployed: Deployment, name: str) -> None:
    answer = deployed.call(name, {"issue_time": "2026-02-15T05:00Z"})

    assert answer["outcome"] == "too_old"
    assert deployed.ledger() == [(name, "too_old")]


@pytest.mark.parametrize(("moment", "outcome"), [("2026-02-22T05:00Z", "too_old"), ("2026-02-22T06:00Z", "ok")])
def test_the_live_window_is_seven_days_to_the_minute(deployed: Deployment, moment: str, outcome: str) -> None:
    assert deployed.call("plan", {"issue_time": moment})["outcome"] == outcome


@pytest.mark.parametrize("name", NAMES)
def test_an_hour_that_has_not_begun_is_refused(deployed: Deployment, name: str) -> None:
    assert refusal(deployed, name, {"issue_time": "2026-03-01T06:00Z"}) == "E_EVENT_FUTURE"
    assert deployed.ledger() == []


def test_an_hour_may_come_five_minutes_before_the_clock(deployed: Deployment, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WATTAHEAD_CLOCK", "2026-03-01T04:55:00Z")
    deployed.reset()

    assert deployed.call("plan", event("hour"))["outcome"] == "ok"


# Least privilege -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("about", ["hour", "backfill_hour"])
@pytest.mark.parametrize("name", NAMES)
def test_a_function_asks_of_the_bucket_only_what_its_role_allows(
    deployed: Deployment, baselines_only: Path, name: str, about: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(
        baselines_only / "files", deployed.bucket / "inbox/synthetic" / f"date={event(about)['issue_time'][:10]}"
    )
    for earlier in NAMES[: NAMES.index(name)]:
        deployed.call(earlier, event(about))
    deployed.reset()
    asked: list[tuple[str, str]] = []
    for method in ("get", "create", "keys"):
        monkeypatch.setattr(ObStore, method, recording(method, asked))

    for _ in range(2):  # a duplicate also reads what it meets
        deployed.call(name, event(about))

    assert asked != []
    assert denied(name, asked) == set()


@pytest.mark.parametrize("name", ["plan", "features", "score", "finish"])
def test_a_function_that_meets_missing_objects_may_ask_whether_they_are_there(name: str) -> None:
    assert "" in grants(functions(load())[f"{name.title()}Function"])["list"]


def denied(name: str, asked: list[tuple[str, str]]) -> set[tuple[str, str]]:
    """Return what a function asked of the bucket that its role does not allow."""
    may = grants(functions(load())[f"{name.title()}Function"])
    reach = {"get": may["read"] | may["write"], "create": may["write"], "keys": may["list"] - {""}}
    return {(method, key) for method, key in asked if not any(fnmatchcase(key, path) for path in reach[method])}


def recording(method: str, asked: list[tuple[str, str]]) -> Callable[..., Any]:
    """Return `ObStore.<method>` that also notes what it is asked; a list is asked with its prefix."""
    real = getattr(ObStore, method)

    def ask(store: ObStore, key: str, *more: Any) -> Any:
        asked.append((method, key))
        return real(store, key, *more)

    return ask


# The files ---------------------------------------------------------------------------------------------------------


def test_every_event_file_is_used_here() -> None:
    source = Path(__file__).read_text(encoding="utf-8")

    assert [path.stem for path in EVENTS.glob("*.json") if f'"{path.stem}"' not in source] == []


@pytest.mark.parametrize("name", [*NAMES, *BESIDE])
def test_a_handler_file_is_short_and_decides_nothing(name: str) -> None:
    source = (ROOT / "functions" / name / "app.py").read_text(encoding="utf-8")

    assert len(source.splitlines()) <= 45
    assert [
        node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.If | ast.While | ast.Try | ast.IfExp)
    ] == []


def test_the_handlers_are_the_functions_of_the_tree() -> None:
    assert sorted(path.parent.name for path in (ROOT / "functions").glob("*/app.py")) == sorted((*NAMES, *BESIDE))


def test_score_starts_without_any_package_that_its_image_lacks() -> None:
    heavy = ("pandas", "polars", "duckdb", "boto3", "sklearn", "matplotlib", "rich")
    child = f"import sys, functions.score.app; print(sorted({set(heavy)!r} & set(sys.modules)))"

    done = subprocess.run([sys.executable, "-c", child], check=True, capture_output=True, text=True, cwd=ROOT)

    assert done.stdout.strip() == "[]"
