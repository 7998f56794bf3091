"""The tasks of grids as AWS starts them: `infra/states/grid.asl.json`, interpreted, on a cluster of moto.

As in test_training_machine.py no container runs: what is asserted is which tasks are started, with which words, and
what a task that fails comes to. The words themselves are typed in `tests/training/grid`.
"""

from collections.abc import Callable, Iterator
from typing import Any

import boto3
import pytest

from tests.journeys.machine import definition, run, take_away
from tests.journeys.test_training_machine import Night

HOUR = ["verify", "--hours-back", "3"]


class Grids(Night):
    """The machine of grids; `tasks` holds which task definition each command was for."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.tasks: list[str] = []
        super().__init__(monkeypatch)
        shared = ("Cluster", "SubnetA", "SubnetB", "SecurityGroup")
        self.substitutions = {**{name: self.substitutions[name] for name in shared}, **tasks()}

    def run(self, sent: Any) -> dict[str, Any]:
        """Run the machine to its end."""
        return run(definition("grid", **self.substitutions), sent)

    def _noting(self, real: Callable[..., Any]) -> Callable[..., Any]:
        inner = super()._noting(real)

        def run_task(backend: Any, place: str, task: str, *more: Any) -> Any:
            self.tasks.append(task)
            return inner(backend, place, task, *more)

        return run_task


def tasks() -> dict[str, str]:
    """Register both tasks and return their ARNs."""
    ecs, container = boto3.client("ecs"), {"name": "grid", "image": "grid:0.1.0", "cpu": 1024, "memory": 2048}
    fargate: dict[str, Any] = {"requiresCompatibilities": ["FARGATE"], "networkMode": "awsvpc", "cpu": "1024"}
    return {
        name: ecs.register_task_definition(family=name, memory="2048", containerDefinitions=[container], **fargate)[
            "taskDefinition"
        ]["taskDefinitionArn"]
        for name in ("VerifyTask", "TrainTask")
    }


@pytest.fixture
def grids(s3_url: str, interpreter: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[Grids]:
    """Give the machine; its tasks read no bucket."""
    del s3_url, interpreter
    yield Grids(monkeypatch)
    take_away(["retrain"])


def test_an_hour_is_verified_by_one_task_that_also_looks_back(grids: Grids) -> None:
    ended = grids.run({"job": "verify"})

    assert ended["status"] == "SUCCEEDED"
    assert grids.commands == [HOUR]


def test_a_night_trains_each_named_pool_once_one_after_another(grids: Grids) -> None:
    ended = grids.run({"job": "train", "pools": "screen,north,screen"})

    assert ended["status"] == "SUCCEEDED"
    assert grids.commands == [["train", "--pool", "screen"], ["train", "--pool", "north"]]


def test_each_job_runs_the_task_with_its_own_role(grids: Grids) -> None:
    grids.run({"job": "verify"})
    grids.run({"job": "train", "pools": "screen"})

    assert grids.tasks == [grids.substitutions["VerifyTask"], grids.substitutions["TrainTask"]]


def test_verifying_that_fails_is_tried_twice_more_and_then_told(grids: Grids) -> None:
    grids.refused = {HOUR[-1]}

    ended = grids.run({"job": "verify"})

    assert (ended["status"], ended["error"]) == ("FAILED", "States.TaskFailed")
    assert grids.commands == [HOUR] * 3


def test_a_pool_that_fails_is_tried_again_and_stops_no_other(grids: Grids) -> None:
    grids.refused = {"screen"}

    ended = grids.run({"job": "train", "pools": "screen,north"})

    assert (ended["status"], ended["error"]) == ("FAILED", "PoolNotTrained")
    assert grids.commands == [["train", "--pool", "screen"]] * 5 + [["train", "--pool", "north"]]


@pytest.mark.parametrize("sent", [{"job": "simulate"}, {"job": "train"}, {}])
def test_what_nobody_knows_fails_before_a_task_is_started(grids: Grids, sent: dict[str, str]) -> None:
    assert grids.run(sent)["status"] == "FAILED"
    assert grids.commands == []
