"""The policies of the templates as real JSON, and an evaluator for their conditions. What it does not know, it refuses.

The evaluator stands here because moto reads no condition; test_rights_enforced.py says which cells are its word alone
and has it agree with moto on all others.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from tests.infra.templates import TEMPLATES, Deployment, machines, of_type, plenty, statements

Document = dict[str, Any]

PARTITION, REGION, ACCOUNT, STACK = "aws", "us-east-1", "123456789012", "watt"
LISTS = "s3:ListBucket"


# Rendering ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Names:
    """What the names of a template stand for once it is deployed with this bucket."""

    held: Deployment
    bucket: str

    def render(self, short: str, value: Any) -> Any:
        """Return a value of a template with every intrinsic function worked out."""
        if isinstance(value, list):
            return [self.render(short, one) for one in value]
        if not isinstance(value, dict):
            return value
        match list(value.items()):
            case [("Ref", name)]:
                return self.named(short, name)
            case [("Fn::GetAtt", [name, attribute])]:
                return self.named(short, f"{name}.{attribute}")
            case [("Fn::Sub", str(text))]:
                return re.sub(r"\$\{([^}]+)\}", lambda found: self.named(short, found[1]), text)
        unknown = [name for name in value if name.startswith("Fn::") or name == "Ref"]
        assert not unknown, f"{short}: what does {value} stand for?"
        return {name: self.render(short, one) for name, one in value.items()}

    def named(self, short: str, name: str) -> str:
        """Return what a name stands for; a nested stack's parameter is what the root template hands it."""
        if name in PSEUDO:
            return PSEUDO[name]
        if short != "root" and name in self.held[short].get("Parameters", {}):
            nested = of_type(self.held, "AWS::CloudFormation::Stack").values()
            (handed,) = [one["Parameters"] for one in nested if one["TemplateURL"] == TEMPLATES[short]]
            return str(self.render("root", handed[name]))
        resource, _, attribute = name.partition(".")
        if attribute.startswith("Outputs."):
            return self.output(self.held[short]["Resources"][resource], attribute.removeprefix("Outputs."))
        kind = self.held[short]["Resources"].get(resource, {}).get("Type", "nothing")
        assert (kind, attribute) in MADE, f"{short}: what does {name} stand for? {resource} is {kind}"
        return MADE[kind, attribute](self, resource)

    def output(self, nested: Any, name: str) -> str:
        """Return what a nested stack hands back."""
        inner = next(one for one, path in TEMPLATES.items() if path == nested["Properties"]["TemplateURL"])
        return str(self.render(inner, self.held[inner]["Outputs"][name]["Value"]))


PSEUDO = {
    "AWS::Partition": PARTITION,
    "AWS::Region": REGION,
    "AWS::AccountId": ACCOUNT,
    "AWS::StackName": STACK,
}


def arn(service: str, rest: str, *, region: str = REGION) -> str:
    """Return an ARN of this account."""
    return f"arn:{PARTITION}:{service}:{region}:{ACCOUNT}:{rest}"


MADE: dict[tuple[str, str], Callable[[Names, str], str]] = {
    ("AWS::S3::Bucket", ""): lambda names, _: names.bucket,
    ("AWS::S3::Bucket", "Arn"): lambda names, _: f"arn:{PARTITION}:s3:::{names.bucket}",
    ("AWS::Serverless::Function", "Arn"): lambda _, name: arn("lambda", f"function:{STACK}-{name}"),
    ("AWS::SQS::Queue", "Arn"): lambda _, name: arn("sqs", f"{STACK}-{name}"),
    ("AWS::ECS::Cluster", ""): lambda _, name: f"{STACK}-{name}",
    ("AWS::ECS::Cluster", "Arn"): lambda _, name: arn("ecs", f"cluster/{STACK}-{name}"),
    ("AWS::ECS::TaskDefinition", ""): lambda _, name: arn("ecs", f"task-definition/{STACK}-{name}:1"),
    ("AWS::IAM::Role", "Arn"): lambda _, name: arn("iam", f"role/{STACK}-{name}", region=""),
}


def carriers(held: Deployment) -> dict[str, tuple[str, Any]]:
    """Return everything with policies of its own: name -> (template, properties)."""
    kinds = ("AWS::Serverless::Function", "AWS::Serverless::StateMachine", "AWS::IAM::Role")
    resources = [
        (short, name, one) for short, template in held.items() for name, one in template.get("Resources", {}).items()
    ]
    found = {name: (short, one["Properties"]) for short, name, one in resources if one["Type"] in kinds}
    return {name: place for name, place in found.items() if statements(place[1])}


def policy(held: Deployment, role: str, bucket: str) -> Document:
    """Return the policy document of a role as AWS would be handed it."""
    short, properties = carriers(held)[role]
    return {"Version": "2012-10-17", "Statement": Names(held, bucket).render(short, statements(properties))}


def bucket_policy(held: Deployment, bucket: str) -> Document:
    """Return the bucket's own policy document."""
    (found,) = of_type(held, "AWS::S3::BucketPolicy").values()
    document: Document = Names(held, bucket).render("root", found["PolicyDocument"])
    return document


def machine_arn(held: Deployment, name: str, bucket: str) -> str:
    """Return the ARN of a state machine, by the name that the template gives it."""
    short = next(short for short, one in held.items() if name in one.get("Resources", {}))
    return arn("states", "stateMachine:" + Names(held, bucket).render(short, machines(held)[name]["Name"]))


# Evaluating --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Request:
    """One request as a policy sees it; `context` holds the condition keys that are present."""

    action: str
    resource: str
    context: Mapping[str, str] = field(default_factory=dict)


def like(pattern: str, text: str) -> bool:
    """Tell whether `text` fits a pattern of IAM, in which * and ? alone are special."""
    parts = {"*": ".*", "?": "."}
    return re.fullmatch("".join(parts.get(one, re.escape(one)) for one in pattern), text, re.DOTALL) is not None


OPERATORS: dict[str, Callable[[str | None, list[str]], bool]] = {
    "StringLike": lambda value, wanted: value is not None and any(like(one, value) for one in wanted),
    "StringEquals": lambda value, wanted: value in wanted,
    "ArnEquals": lambda value, wanted: value is not None and any(like(one, value) for one in wanted),
    "Bool": lambda value, wanted: value in wanted,
    "Null": lambda value, wanted: wanted == ["true" if value is None else "false"],
}


def applies(statement: Document, asked: Request) -> bool:
    """Tell whether a statement speaks about a request."""
    unknown = set(statement) - {"Sid", "Effect", "Principal", "Action", "Resource", "Condition"}
    assert not unknown, f"what does {unknown} mean?"
    assert statement.get("Principal", "*") == "*", statement
    return (
        any(like(one, asked.action) for one in plenty(statement["Action"]))
        and any(like(one, asked.resource) for one in plenty(statement["Resource"]))
        and all(
            OPERATORS[operator](asked.context.get(key), plenty(wanted))
            for operator, keys in statement.get("Condition", {}).items()
            for key, wanted in keys.items()
        )
    )


def effects(document: Document, asked: Request) -> set[str]:
    """Return the effects of the statements that speak about a request."""
    found = {one["Effect"] for one in document["Statement"] if applies(one, asked)}
    assert found <= {"Allow", "Deny"}
    return found


def permits(document: Document, asked: Request) -> bool:
    """Tell whether a policy lets a request through: something allows it and nothing denies it."""
    return effects(document, asked) == {"Allow"}


def without_conditions(document: Document) -> Document:
    """Return a policy as moto reads it."""
    bare = [{name: part for name, part in one.items() if name != "Condition"} for one in document["Statement"]]
    return {**document, "Statement": bare}
