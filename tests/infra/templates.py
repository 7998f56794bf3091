"""The templates and state machines as plain values, for rules to look at and to break."""

import copy
import json
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

from cfnlint.decode import decode

ROOT = Path(__file__).parent.parent.parent
TEMPLATES = {
    "root": "template.yaml",
    "training": "infra/training.yaml",
    "grid": "infra/grid.yaml",
    "watching": "infra/watching.yaml",
}
MACHINES = {
    "hour": "infra/states/hour.asl.json",
    "night": "infra/states/training.asl.json",
    "grids": "infra/states/grid.asl.json",
}
HOURLY = ("IngestFunction", "PlanFunction", "FeaturesFunction", "ScoreFunction", "FinishFunction")

Template = dict[str, Any]
Deployment = dict[str, Template]  # every template and machine by its short name
Rule = Callable[[Deployment], list[str]]


def load() -> Deployment:
    """Return everything that is deployed as plain values; every caller gets a copy of its own."""
    return json.loads(_decoded())


@cache
def _decoded() -> str:
    found = {}
    for name, path in TEMPLATES.items():
        template, problems = decode(str(ROOT / path))
        assert problems == []
        found[name] = template
    for name, path in MACHINES.items():
        found[name] = json.loads((ROOT / path).read_text(encoding="utf-8"))
    return json.dumps(found)


def broken(held: Deployment, where: str, instead: Any) -> Deployment:
    """Return a copy with one place changed; None takes it away."""
    made = copy.deepcopy(held)
    *path, last = [int(part) if part.isdigit() else part for part in where.split("/")]
    place: Any = made
    for part in path:
        place = place[part]
    if instead is None:
        del place[last]
    else:
        place[last] = instead
    assert made != held
    return made


def of_type(held: Deployment, kind: str) -> dict[str, Any]:
    """Return the resources of a type in all templates: name -> properties."""
    resources = [(name, one) for short in TEMPLATES for name, one in held[short]["Resources"].items()]
    return {name: one.get("Properties", {}) for name, one in resources if one["Type"] == kind}


def functions(held: Deployment) -> dict[str, Any]:
    """Return the functions."""
    return of_type(held, "AWS::Serverless::Function")


def machines(held: Deployment) -> dict[str, Any]:
    """Return the state machines."""
    return of_type(held, "AWS::Serverless::StateMachine")


def schedules(held: Deployment) -> Iterator[tuple[str, Any]]:
    """Yield the name and properties of every schedule."""
    for name, one in {**machines(held), **functions(held)}.items():
        yield from ((f"{name} {at}", event["Properties"]) for at, event in one.get("Events", {}).items())


def states(machine: Template) -> Iterator[tuple[str, Any]]:
    """Yield every state of a machine, those inside its maps too."""
    for name, state in machine["States"].items():
        yield name, state
        if "ItemProcessor" in state:
            yield from states(state["ItemProcessor"])


def statements(resource: Any) -> list[Any]:
    """Return the statements of a function's, machine's or role's own policies."""
    policies = [policy.get("PolicyDocument", policy) for policy in resource.get("Policies", [])]
    return [one for policy in policies if isinstance(policy, dict) for one in policy.get("Statement", [])]


def plenty(value: Any) -> list[Any]:
    """Return a value that may stand alone as a list."""
    return value if isinstance(value, list) else [value]


def grants(resource: Any) -> dict[str, set[str]]:
    """Return what a role may list, read and write of the bucket; "" is the question whether a key is there."""
    found: dict[str, set[str]] = {"list": set(), "read": set(), "write": set()}
    for one in statements(resource):
        actions = set(plenty(one["Action"]))
        if "s3:ListBucket" in actions:
            condition = one.get("Condition", {})
            asks = condition == {"Null": {"s3:prefix": "true"}}
            found["list"] |= {""} if asks else set(condition.get("StringLike", {}).get("s3:prefix", ["*"]))
        elif actions & {"s3:GetObject", "s3:PutObject"}:
            found["write" if "s3:PutObject" in actions else "read"] |= {path_of(r) for r in plenty(one["Resource"])}
    return found


def path_of(resource: Any) -> str:
    """Return the path inside the bucket that a resource stands for."""
    text = resource.get("Fn::Sub", "") if isinstance(resource, dict) else resource
    for bucket in ("${Bucket.Arn}/", "arn:${AWS::Partition}:s3:::${BucketName}/"):
        if text.startswith(bucket):
            return str(text.removeprefix(bucket))
    return f"outside: {resource}"
