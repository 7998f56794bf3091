"""The night as AWS runs it: `infra/states/training.asl.json`, interpreted, with moto's ECS in place of Fargate.

moto's tasks run no container: what is asserted is which tasks are started, with which command, and what a task that
fails comes to. The container itself is run in `tests/training`.
"""

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import boto3
import pytest
from moto.ecs.models import EC2ContainerServiceBackend
from moto.stepfunctions.parser.api import HistoryEventType
from moto.stepfunctions.parser.asl.component.common.error_name.failure_event import FailureEvent, FailureEventException
from moto.stepfunctions.parser.asl.component.common.error_name.states_error_name import StatesErrorName
from moto.stepfunctions.parser.asl.component.common.error_name.states_error_name_type import StatesErrorNameType
from moto.stepfunctions.parser.asl.component.state.exec.state_task.service import state_task_service_callback
from moto.stepfunctions.parser.asl.component.state.exec.state_task.service.state_task_service_ecs import (
    StateTaskServiceEcs,
)
from moto.stepfunctions.parser.asl.eval.event.event_detail import EventDetails

from functions.retrain import app
from tests.journeys.machine import Clock, Functions, definition, run, serve, take_away
from tests.journeys.stores import DictStore
from training.question import chosen, parser
from wattahead.domain.catalog import Signal
from wattahead.domain.hours import instant
from wattahead.jobs.settings import settings
from wattahead.storage.catalogs import latest_catalog, publish_catalog
from wattahead.storage.objects import Bucket, open_bucket

POOLS = ["demand", "solar", "wind"]


class Night:
    """The training machine on a cluster of moto; `commands` holds what each task was told."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.commands: list[list[str]] = []
        self.refused: set[str] = set()
        self.functions = Functions({"retrain": app.handler})
        self.clock = Clock(instant("2026-03-01T02:30Z"))
        serve(monkeypatch, self.functions, self.clock)
        monkeypatch.setattr(state_task_service_callback, "_DELAY_SECONDS_SYNC_CONDITION_CHECK", 0)
        monkeypatch.setattr(StateTaskServiceEcs, "_normalise_parameters", as_ecs_spells_it)
        monkeypatch.setattr(StateTaskServiceEcs, "_normalise_response", as_step_functions_spells_it)
        followed = self._ending(StateTaskServiceEcs._build_sync_resolver)
        monkeypatch.setattr(StateTaskServiceEcs, "_build_sync_resolver", followed)
        monkeypatch.setattr(EC2ContainerServiceBackend, "run_task", self._noting(EC2ContainerServiceBackend.run_task))
        self.substitutions = {"RetrainFunction": "retrain", **network(), **cluster()}

    def run(self, sent: Any) -> dict[str, Any]:
        """Run the machine to its end."""
        return run(definition("training", **self.substitutions), sent)

    def _ending(self, real: Callable[..., Any]) -> Callable[..., Any]:
        """Let the tasks of refused pools end as Step Functions reports an exit code that is not zero."""

        def follow(task: Any, env: Any, **named: Any) -> Any:
            (begun,) = env.stack[-1]["Tasks"]
            if begun["Overrides"]["ContainerOverrides"][0]["Command"][-1] not in self.refused:
                return real(task, env, **named)
            name = StatesErrorName(typ=StatesErrorNameType.StatesTaskFailed)
            told = {"error": "States.TaskFailed", "cause": "exit code 1"}
            details = EventDetails(taskFailedEventDetails=told)  # type: ignore[typeddict-item]
            raise FailureEventException(FailureEvent(env, name, HistoryEventType.TaskFailed, details))

        return follow

    def _noting(self, real: Callable[..., Any]) -> Callable[..., Any]:
        def run_task(backend: Any, place: str, task: str, count: int, overrides: Any, *more: Any) -> Any:
            command = overrides["containerOverrides"][0]["command"]
            self.commands.append(command)
            return real(backend, place, task, count, overrides, *more)

        return run_task


def as_ecs_spells_it(task: Any, parameters: dict[str, Any], **_: Any) -> None:
    """Turn `LaunchType` into `launchType`: Step Functions does, and moto has the means but does not use them."""
    task._to_boto_request(parameters, boto3.client("ecs").meta.service_model.operation_model("RunTask").input_shape)


def as_step_functions_spells_it(task: Any, response: Any, service_action_name: str = "run_task", **_: Any) -> None:
    """Turn `taskArn` into `TaskArn`."""
    operation = {"run_task": "RunTask", "describe_tasks": "DescribeTasks"}[service_action_name]
    shape = boto3.client("ecs").meta.service_model.operation_model(operation).output_shape
    task._from_boto_response(response, shape)


def network() -> dict[str, str]:
    """Make a network and return its names as the definition asks for them."""
    ec2 = boto3.client("ec2")
    vpc = ec2.create_vpc(CidrBlock="10.90.0.0/24")["Vpc"]["VpcId"]
    ec2.modify_vpc_attribute(VpcId=vpc, EnableDnsHostnames={"Value": True})
    halves = {"SubnetA": "10.90.0.0/25", "SubnetB": "10.90.0.128/25"}
    subnets = {
        name: ec2.create_subnet(VpcId=vpc, CidrBlock=part)["Subnet"]["SubnetId"] for name, part in halves.items()
    }
    group = ec2.create_security_group(GroupName=f"training-{vpc}", Description="out only", VpcId=vpc)["GroupId"]
    return {**subnets, "SecurityGroup": group}


def cluster() -> dict[str, str]:
    """Make a cluster and a task definition and return their ARNs."""
    ecs = boto3.client("ecs")
    made = ecs.create_cluster(clusterName="training")["cluster"]["clusterArn"]
    container = {"name": "training", "image": "training:0.1.0", "cpu": 2048, "memory": 8192}
    task = ecs.register_task_definition(
        family="training",
        requiresCompatibilities=["FARGATE"],
        networkMode="awsvpc",
        cpu="2048",
        memory="8192",
        containerDefinitions=[container],
    )
    return {"Cluster": made, "Task": task["taskDefinition"]["taskDefinitionArn"]}


@pytest.fixture
def night(
    s3_url: str, interpreter: None, monkeypatch: pytest.MonkeyPatch, untrained_world: DictStore
) -> Iterator[Night]:
    """Give the machine, and a bucket with a catalog of three pools."""
    del interpreter
    monkeypatch.setenv("WATTAHEAD_BUCKET", s3_url)
    settings.cache_clear()
    app.bucket.cache_clear()
    for key, body in untrained_world.objects.items():
        if key.startswith("catalog/"):
            boto3.client("s3").put_object(Bucket=s3_url.removeprefix("s3://"), Key=key, Body=body)
    yield Night(monkeypatch)
    take_away(["retrain"])
    settings.cache_clear()
    app.bucket.cache_clear()


def test_a_night_trains_every_pool_that_is_due_in_a_task_of_its_own(night: Night, s3_url: str) -> None:
    ended = night.run({"cadence": "nightly"})

    _, catalog = latest_catalog(open_bucket(s3_url))
    assert ended["status"] == "SUCCEEDED"
    assert sorted(night.commands) == [["--pools", pool] for pool in POOLS]
    # The words are the container's own: its entry point takes them.
    assert sorted(chosen(catalog, parser().parse_args(command).pools)[0] for command in night.commands) == POOLS


def test_a_week_trains_the_pools_whose_catalog_entry_says_so(night: Night, s3_url: str) -> None:
    bucket = open_bucket(s3_url)
    _, catalog = latest_catalog(bucket)
    weekly = replace(catalog, pools={**catalog.pools, "wind": replace(catalog.pools["wind"], retrain="weekly")})
    publish_catalog(bucket, weekly)

    night.run({"cadence": "weekly"})
    night.run({"cadence": "nightly"})

    assert sorted(night.commands[1:]) == [["--pools", "demand"], ["--pools", "solar"]]
    assert night.commands[0] == ["--pools", "wind"]


def test_pools_that_somebody_names_are_trained_whatever_is_due(night: Night) -> None:
    ended = night.run({"pools": ["solar", "solar"]})

    assert ended["status"] == "SUCCEEDED"
    assert night.commands == [["--pools", "solar"]]


def test_a_night_on_which_nothing_is_due_ends_well_without_a_task(night: Night) -> None:
    ended = night.run({"cadence": "weekly"})

    assert (ended["status"], night.commands) == ("SUCCEEDED", [])


@pytest.mark.parametrize("asked", [{"cadence": "nightly"}, {"pools": ["carbon", "demand", "solar", "wind"]}])
def test_a_pool_that_reads_forecasts_of_others_is_trained_behind_them(
    asked: dict[str, Any], night: Night, s3_url: str
) -> None:
    with_carbon(open_bucket(s3_url))

    ended = night.run(asked)

    assert ended["status"] == "SUCCEEDED"
    assert sorted(night.commands[:3]) == [["--pools", pool] for pool in POOLS]
    assert night.commands[3:] == [["--pools", "carbon"]]


def test_a_pool_whose_forecasts_others_read_fails_without_keeping_them_from_training(night: Night, s3_url: str) -> None:
    with_carbon(open_bucket(s3_url))
    night.refused = {"wind"}

    ended = night.run({"cadence": "nightly"})

    assert (ended["status"], ended["error"]) == ("FAILED", "PoolNotTrained")
    assert night.commands[-1] == ["--pools", "carbon"]
    assert night.commands.count(["--pools", "carbon"]) == 1


def with_carbon(bucket: Bucket) -> None:
    """Add a pool that reads the forecasts of solar and wind; its name comes before theirs."""
    _, catalog = latest_catalog(bucket)
    signal = Signal("carbon_intensity", "direct", "g/kWh", "none")
    carbon = replace(catalog.pools["wind"], signal="carbon", feature_set="carbon", parameters={})
    publish_catalog(
        bucket,
        replace(
            catalog,
            signals={**catalog.signals, "carbon": signal},
            feature_sets={**catalog.feature_sets, "carbon": ("lead", "forecast_solar", "forecast_wind")},
            pools={**catalog.pools, "carbon": carbon},
        ),
    )


def test_a_task_that_fails_is_tried_again_and_stops_no_other_pool(night: Night) -> None:
    night.refused = {"solar"}

    ended = night.run({"cadence": "nightly"})

    assert (ended["status"], ended["error"]) == ("FAILED", "PoolNotTrained")
    assert night.commands.count(["--pools", "solar"]) == 5
    assert [pool for pool in POOLS if ["--pools", pool] in night.commands] == POOLS


@pytest.mark.parametrize("asked", [{"cadence": "hourly"}, {"pools": ["wnd"]}, {"pools": "wind"}, {}])
def test_what_nobody_knows_fails_before_a_task_is_started(asked: dict[str, Any], night: Night) -> None:
    ended = night.run(asked)

    assert (ended["status"], ended["error"]) == ("FAILED", "Refused")
    assert night.commands == []
