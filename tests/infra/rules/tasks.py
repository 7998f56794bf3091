"""Rules for the tasks that run in containers; each is shown to fail on a copy that was broken."""

from typing import Any

from tests.infra.templates import Deployment, Rule, of_type, states

# What `python -m training grid` takes; tests/training/grid types these words.
VERIFYING = ["verify", "--hours-back", "3"]
TRAINING = "States.Array('train', '--pool', $.pool)"


def no_task_can_change_its_system(held: Deployment) -> list[str]:
    faults = []
    for task_name, task in of_type(held, "AWS::ECS::TaskDefinition").items():
        container = task["ContainerDefinitions"][0]
        mounts = [(mount["SourceVolume"], mount["ContainerPath"]) for mount in container.get("MountPoints", [])]
        found = {
            "is root": container.get("User") in (None, "0", "root"),
            "can write its system": container.get("ReadonlyRootFilesystem") is not True,
            "cannot write /tmp": mounts != [("scratch", "/tmp")] or task.get("Volumes") != [{"Name": "scratch"}],  # noqa: S108 - in the container
            "has no time to say that it was stopped": container.get("StopTimeout", 30) < 30,
            "has other threads than vCPUs": {"Name": "OMP_NUM_THREADS", "Value": str(int(task["Cpu"]) // 1024)}
            not in container["Environment"],
            "is not where its machine looks": container["Name"] != ("training" if task_name == "Task" else "grid"),
        }
        faults += [f"{task_name} {fault}" for fault, holds in found.items() if holds]
    images = of_type(held, "AWS::ECR::Repository")
    faults += [f"{name} may change" for name, one in images.items() if one.get("ImageTagMutability") != "IMMUTABLE"]
    return faults


def a_machine_says_what_the_container_of_its_tasks_takes(held: Deployment) -> list[str]:
    told = {}
    for name, state in states(held["grids"]):
        (override,) = state.get("Parameters", {}).get("Overrides", {}).get("ContainerOverrides", [{}])
        told[name] = override.get("Command", override.get("Command.$"))
    verifies, trains = told.get("Verify"), told.get("Train")
    faults = [] if trains == TRAINING else [f"it trains by {trains}"]
    return faults + ([] if verifies == VERIFYING else [f"it verifies by {verifies}"])


RULES: dict[str, Rule] = {
    rule.__name__: rule
    for rule in (
        no_task_can_change_its_system,
        a_machine_says_what_the_container_of_its_tasks_takes,
    )
}
CONTAINER = "training/Resources/Task/Properties/ContainerDefinitions/0"
VERIFY_CONTAINER = "grid/Resources/VerifyTask/Properties/ContainerDefinitions/0"
GRID_TRAIN = "grids/States/Pools/ItemProcessor/States/Train/Parameters/Overrides/ContainerOverrides/0"
BROKEN: list[tuple[Rule, str, Any]] = [
    (no_task_can_change_its_system, f"{CONTAINER}/User", None),
    (no_task_can_change_its_system, f"{CONTAINER}/ReadonlyRootFilesystem", False),
    (no_task_can_change_its_system, f"{CONTAINER}/MountPoints", None),
    (no_task_can_change_its_system, f"{CONTAINER}/StopTimeout", 5),
    (no_task_can_change_its_system, "training/Resources/Task/Properties/Cpu", "2048"),
    (no_task_can_change_its_system, "training/Resources/Repository/Properties/ImageTagMutability", None),
    (no_task_can_change_its_system, f"{VERIFY_CONTAINER}/ReadonlyRootFilesystem", None),
    (no_task_can_change_its_system, f"{VERIFY_CONTAINER}/Name", "training"),
    (a_machine_says_what_the_container_of_its_tasks_takes, "grids/States/Verify/Parameters/Overrides", {}),
    (a_machine_says_what_the_container_of_its_tasks_takes, f"{GRID_TRAIN}/Command.$", "$.pool"),
]
