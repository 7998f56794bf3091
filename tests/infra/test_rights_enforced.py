"""Who may do what, asked of an S3 server that enforces the policies of the templates.

Every role is made in moto with exactly the policy its template gives it, and taken on; then each cell of role x folder
x action is a real, signed request. TABLE is written by hand from what the jobs do, not from the policies.

What moto's engine reads: Effect, Action and Resource of a role's policies and of a bucket's. What it does not read:
- any Condition. To it a role that may list one folder may list the bucket, so the cells of ListBucket are answered by
  the evaluator in iam.py over the same documents; moto only has to agree on who may list at all. The bucket policy is
  all conditions, and moto would refuse every request for it: it is judged by the evaluator, its text by
  rules/data.py.
- the resource of Lambda, Step Functions and ECS. Who invokes, starts and runs what is the evaluator's word alone.
"""

import json
from collections.abc import Callable, Iterator
from functools import cache, partial
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.infra.enforcing import BUCKET, Enforcer, Keys, enforcer, object_of, refused, sent
from tests.infra.iam import (
    LISTS,
    Document,
    Request,
    arn,
    bucket_policy,
    carriers,
    effects,
    machine_arn,
    permits,
    policy,
    without_conditions,
)
from tests.infra.templates import HOURLY, broken, load

# R reads, W creates, L lists, D deletes. An hour's roles in order, then the training's, then those of grids.
TABLE = """
                       hour ingest plan features score finish night retrain compact task grids verify teach
catalog                -    -      RL   -        -     -      -     RL      RL      RL   -     -      RL
inbox                  -    RL     -    -        -     -      -     -       -       -    -     -      -
actuals                -    RWL    -    RL       -     -      -     -       RL      RL   -     -      -
weather                -    RWL    -    RL       -     -      -     -       RL      RL   -     -      -
external               -    RWL    -    RL       -     -      -     -       RL      RL   -     -      -
states                 -    -      -    RL       -     -      -     -       RL      -    -     -      -
history/actuals        -    RWL    -    RL       -     -      -     -       RWL     RL   -     -      -
history/weather        -    RWL    -    RL       -     -      -     -       RWL     RL   -     -      -
history/external       -    RWL    -    RL       -     -      -     -       RWL     RL   -     -      -
history/states         -    RWL    -    RL       -     -      -     -       RWL     -    -     -      -
plans                  R    -      RW   R        R     R      -     -       -       -    -     R      -
features               -    -      -    RW       R     -      -     -       -       -    -     R      -
models/bundles         -    -      -    -        R     -      -     -       -       RWL  -     -      RW
models/registry        -    -      RL   -        -     -      -     -       -       RWL  -     -      RWL
hindcasts              -    -      -    -        -     -      -     -       -       RWL  -     -      -
datasets               -    -      -    -        -     -      -     -       -       -    -     -      RWL
forecasts              -    -      L    R        RWL   L      -     -       -       -    -     -      -
grid_actions           -    -      L    -        RWL   L      -     -       -       -    -     R      -
grid_actions_verified  -    -      -    -        -     -      -     -       -       -    -     RWL    -
backfills/forecasts    -    -      L    R        RWL   L      -     -       -       -    -     -      -
backfills/grid_actions -    -      L    -        RWL   L      -     -       -       -    -     -      -
backfills/features     -    -      -    RW       R     -      -     -       -       -    -     -      -
metrics                -    -      -    -        -     -      -     -       -       RW   -     -      RW
reports                -    -      -    -        -     -      -     -       -       RW   -     -      RW
tuning                 -    -      -    -        -     -      -     -       -       -    -     -      -
ledger                 -    RW     RW   RW       RW    RW     -     -       RW      RW   -     RW     RW
map-results            RW   -      -    -        -     -      -     -       -       -    -     -      -
forecasts-old          -    -      -    -        -     -      -     -       -       -    -     -      -
elsewhere              -    -      -    -        -     -      -     -       -       -    -     -      -
"""
ROLES = {
    "hour": "HourMachine",
    **dict(zip(("ingest", "plan", "features", "score", "finish"), HOURLY, strict=True)),
    "night": "TrainingMachine",
    "retrain": "RetrainFunction",
    "compact": "CompactFunction",
    "task": "TaskRole",
    "grids": "GridMachine",
    "verify": "VerifyRole",
    "teach": "GridTrainRole",
}
ACTIONS = {"R": "s3:GetObject", "W": "s3:PutObject", "L": LISTS, "D": "s3:DeleteObject"}
ASKING = {
    "plan",
    "features",
    "score",
    "finish",
    "verify",
}  # S3 tells them that a key is not there, which is an everyday state

Cells = dict[tuple[str, str], bool]  # (folder, letter of the action) -> allowed


def wanted(role: str) -> Cells:
    """Return one column of the table."""
    head, *rows = [line.split() for line in TABLE.strip().splitlines()]
    found = {row[0]: row[1 + head.index(role)] for row in rows}
    return {(folder, letter): letter in rights for folder, rights in found.items() for letter in ACTIONS}


def request_of(folder: str, letter: str, **context: str) -> Request:
    """Return a cell as a policy sees it."""
    place = f"arn:aws:s3:::{BUCKET}"
    if letter == "L":
        return Request(LISTS, place, {"s3:prefix": f"{folder}/"})
    return Request(ACTIONS[letter], f"{place}/{object_of(folder)}", context)


def answered(server: Enforcer, keys: Keys, document: Document) -> Cells:
    """Return what the server lets a role do; lists as the evaluator narrows them down."""
    s3 = server.client("s3", keys)
    cells = {cell: not refused(sent(s3, *cell)) for cell in wanted("hour")}
    blind = {cell: permits(without_conditions(document), request_of(*cell)) for cell in cells}
    assert cells == blind  # the evaluator is only as good as its agreement with moto on what both can read
    return {cell: allowed and permits(document, request_of(*cell)) for cell, allowed in cells.items()}


def wrong(role: str, found: Cells) -> set[str]:
    """Name the cells of a role that are not as the table says."""
    return {" ".join(cell) for cell, allowed in wanted(role).items() if found[cell] != allowed}


@cache
def own(role: str) -> Document:
    """Return a role's policy in the bucket of the cells."""
    return policy(load(), ROLES[role], BUCKET)


@pytest.fixture(scope="module")
def server() -> Iterator[Enforcer]:
    """Give a server of this file's own, locked, with an empty bucket."""
    with enforcer() as running:
        running.client("s3").create_bucket(Bucket=BUCKET)
        yield running


@pytest.fixture(scope="module")
def keys(server: Enforcer) -> dict[str, Keys]:
    """Take on every role."""
    return {role: server.role(name, own(role)) for role, name in ROLES.items()}


# The matrix --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("role", ROLES)
def test_a_role_may_do_in_every_folder_what_its_job_does_and_nothing_else(
    server: Enforcer, keys: dict[str, Keys], role: str
) -> None:
    assert wrong(role, answered(server, keys[role], own(role))) == set()


def test_the_table_covers_every_role_and_hundreds_of_cells() -> None:
    cells = [(role, cell) for role in ROLES for cell in wanted(role)]

    assert len(cells) == 13 * 29 * 4 == 1508
    assert sum(letter != "L" for _, (_, letter) in cells) == 1131  # the server's word; for L the evaluator's as well
    assert set(ROLES.values()) == set(carriers(load()))


@pytest.mark.parametrize("role", ROLES)
def test_nobody_touches_the_bucket_itself_or_another_bucket(server: Enforcer, keys: dict[str, Keys], role: str) -> None:
    s3 = server.client("s3", keys[role])
    tries: dict[str, Callable[[], object]] = {
        "delete": partial(s3.delete_bucket, Bucket=BUCKET),
        "policy": partial(s3.put_bucket_policy, Bucket=BUCKET, Policy="{}"),
        "no policy": partial(s3.delete_bucket_policy, Bucket=BUCKET),
        "ages": partial(s3.put_bucket_lifecycle_configuration, Bucket=BUCKET, LifecycleConfiguration={"Rules": []}),
        "versions": partial(s3.put_bucket_versioning, Bucket=BUCKET, VersioningConfiguration={"Status": "Suspended"}),
        "open": partial(s3.delete_public_access_block, Bucket=BUCKET),
        "create": partial(s3.create_bucket, Bucket="another"),
        "all buckets": s3.list_buckets,
        "root key": partial(s3.put_object, Bucket=BUCKET, Key="x", Body=b"x"),
        "other bucket": partial(s3.get_object, Bucket=f"{BUCKET}-too", Key=object_of("plans")),
    }

    assert [name for name, request in tries.items() if not refused(request)] == []


@pytest.mark.parametrize("role", ROLES)
def test_only_who_meets_missing_keys_every_day_may_ask_without_a_prefix(role: str) -> None:
    asked = Request(LISTS, f"arn:aws:s3:::{BUCKET}")

    assert permits(own(role), asked) == (role in ASKING)


def test_a_list_that_leaves_its_folder_open_is_refused() -> None:
    for prefix in ("f", "forecasts", "forecasts-old/", "models/", "", "/"):
        assert not permits(own("score"), Request(LISTS, f"arn:aws:s3:::{BUCKET}", {"s3:prefix": prefix})), prefix


@pytest.mark.parametrize("folder", sorted({folder for folder, _ in wanted("hour")}))
def test_a_put_that_could_overwrite_is_denied_to_everybody_where_objects_are_written_once(folder: str) -> None:
    document = bucket_policy(load(), BUCKET)
    whole = {"s3:ObjectCreationOperation": "true", "aws:SecureTransport": "true"}
    once = folder not in {"inbox", "map-results", "forecasts-old", "elsewhere"}

    assert effects(document, request_of(folder, "W", **whole)) == ({"Deny"} if once else set())
    assert effects(document, request_of(folder, "W", **whole, **{"s3:if-none-match": "*"})) == set()
    assert effects(document, request_of(folder, "W", **{**whole, "s3:ObjectCreationOperation": "false"})) == set()
    assert effects(document, request_of(folder, "R", **{"aws:SecureTransport": "false"})) == {"Deny"}


def services() -> dict[tuple[str, str, str, str], set[str]]:
    """Return who may do what outside S3: (action, resource, condition key, its value) -> roles."""
    held = load()
    hour, night, grids = (machine_arn(held, f"{name}Machine", BUCKET) for name in ("Hour", "Training", "Grid"))
    handed, cluster, task = "iam:PassedToService", "ecs:cluster", arn("ecs", "task-definition/watt-Task:1")
    verifying, teaching = (arn("ecs", f"task-definition/watt-{name}:1") for name in ("VerifyTask", "GridTrainTask"))
    execution = hour.replace(":stateMachine:", ":execution:") + "/4a1c"
    return {
        **{("lambda:InvokeFunction", arn("lambda", f"function:watt-{name}"), "", ""): {"hour"} for name in HOURLY},
        ("lambda:InvokeFunction", arn("lambda", "function:watt-RetrainFunction"), "", ""): {"night"},
        ("lambda:InvokeFunction", arn("lambda", "function:watt-CompactFunction"), "", ""): set(),  # its schedule does
        ("lambda:InvokeFunction", arn("lambda", "function:other"), "", ""): set(),
        ("lambda:UpdateFunctionCode", arn("lambda", "function:watt-ScoreFunction"), "", ""): set(),
        ("states:StartExecution", hour, "", ""): {"hour"},
        ("states:StartExecution", night, "", ""): set(),
        ("states:StartExecution", grids, "", ""): set(),
        ("states:StartExecution", f"{hour}-other", "", ""): set(),
        ("states:StopExecution", execution, "", ""): {"hour"},
        ("states:StopExecution", execution.replace("-hour", "-training"), "", ""): set(),
        ("ecs:RunTask", task, cluster, arn("ecs", "cluster/watt-Cluster")): {"night"},
        ("ecs:RunTask", task, cluster, arn("ecs", "cluster/default")): set(),
        ("ecs:RunTask", task, "", ""): set(),
        ("ecs:RunTask", arn("ecs", "task-definition/other:1"), cluster, arn("ecs", "cluster/watt-Cluster")): set(),
        ("ecs:RunTask", verifying, cluster, arn("ecs", "cluster/watt-Cluster")): {"grids"},
        ("ecs:RunTask", verifying, cluster, arn("ecs", "cluster/default")): set(),
        ("ecs:RunTask", teaching, cluster, arn("ecs", "cluster/watt-Cluster")): {"grids"},
        ("ecs:StopTask", arn("ecs", "task/watt-Cluster/7"), "", ""): {"night", "grids"},
        ("ecs:StopTask", arn("ecs", "task/default/7"), "", ""): set(),
        ("iam:PassRole", arn("iam", "role/watt-TaskRole", region=""), handed, "ecs-tasks.amazonaws.com"): {"night"},
        ("iam:PassRole", arn("iam", "role/watt-TaskRole", region=""), handed, "ec2.amazonaws.com"): set(),
        ("iam:PassRole", arn("iam", "role/watt-ExecutionRole", region=""), handed, "ecs-tasks.amazonaws.com"): {
            "night",
            "grids",
        },
        ("iam:PassRole", arn("iam", "role/watt-VerifyRole", region=""), handed, "ecs-tasks.amazonaws.com"): {"grids"},
        ("iam:PassRole", arn("iam", "role/watt-GridTrainRole", region=""), handed, "ecs-tasks.amazonaws.com"): {
            "grids"
        },
        ("iam:PassRole", arn("iam", "role/administrator", region=""), handed, "ecs-tasks.amazonaws.com"): set(),
    }


@pytest.mark.parametrize(("cell", "who"), services().items(), ids=lambda value: " ".join(value) if value else "nobody")
def test_only_the_machines_invoke_start_and_run_and_only_their_own(
    cell: tuple[str, str, str, str], who: set[str]
) -> None:
    action, resource, key, value = cell
    asked = Request(action, resource, {key: value} if key else {})

    assert {role for role in ROLES if permits(own(role), asked)} == who


# That all this can fail --------------------------------------------------------------------------------------------

SCORE, PLAN, FINISH, FEATURES = (
    f"root/Resources/{name}Function/Properties/Policies/0/Statement" for name in ("Score", "Plan", "Finish", "Features")
)
VERIFY = "grid/Resources/VerifyRole/Properties/Policies/0/PolicyDocument/Statement"
WHOLE = [{"Fn::GetAtt": ["Bucket", "Arn"]}, {"Fn::Sub": "${Bucket.Arn}/*"}]
FAULTS: dict[str, tuple[str, str, Any, set[str]]] = {
    "score may do anything": (
        "score", f"{SCORE}/2", {"Effect": "Allow", "Action": "s3:*", "Resource": WHOLE},
        {f"{folder} {letter}" for (folder, letter), allowed in wanted("score").items() if not allowed}),
    "plan may not write": ("plan", f"{PLAN}/3", None, {"plans R", "plans W", "ledger R", "ledger W"}),
    "plan writes but cannot read back": (
        "plan", f"{PLAN}/3/Action", "s3:PutObject", {"plans R", "ledger R"}),
    "finish deletes": (
        "finish", f"{FINISH}/3/Action", ["s3:GetObject", "s3:PutObject", "s3:DeleteObject"], {"ledger D"}),
    "score writes beside its folder": (
        "score", f"{SCORE}/3/Resource/0", {"Fn::Sub": "${Bucket.Arn}/forecasts*"},
        {"forecasts-old R", "forecasts-old W"}),
    "features are written to another bucket": (
        "features", f"{FEATURES}/3/Resource/0", "arn:aws:s3:::cells-too/features/*", {"features R", "features W"}),
    "features list everything": (
        "features", f"{FEATURES}/0/Condition", None,
        {f"{folder} L" for (folder, letter), allowed in wanted("features").items() if letter == "L" and not allowed}),
    "verifying lists what is screened": (
        "verify", f"{VERIFY}/0/Condition/StringLike/s3:prefix/0", "grid_actions*",
        {"grid_actions L"}),
    "verifying overwrites the screening": (
        "verify", f"{VERIFY}/3/Resource/0", {"Fn::Sub": "arn:${AWS::Partition}:s3:::${BucketName}/grid_actions*"},
        {"grid_actions W"}),
    "plan lists the wrong folder": (
        "plan", f"{PLAN}/0/Condition/StringLike/s3:prefix/2", "forecast/*", {"forecasts L"}),
}  # fmt: skip


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_in_a_policy_is_named_cell_by_cell(server: Enforcer, name: str) -> None:
    role, where, instead, cells = FAULTS[name]
    document = policy(broken(load(), where, instead), ROLES[role], BUCKET)

    found = answered(server, server.role(name.replace(" ", "-"), document), document)

    assert cells
    assert wrong(role, found) == cells


# What moto does not read -------------------------------------------------------------------------------------------


def test_moto_reads_no_condition_of_a_role(server: Enforcer, keys: dict[str, Keys]) -> None:
    assert not permits(own("score"), request_of("catalog", "L"))
    assert not refused(sent(server.client("s3", keys["score"]), "catalog", "L"))


def test_moto_reads_no_condition_of_a_bucket_policy(server: Enforcer) -> None:
    s3 = server.client("s3")
    s3.create_bucket(Bucket="guarded")
    s3.put_bucket_policy(Bucket="guarded", Policy=json.dumps(bucket_policy(load(), "guarded")))

    with pytest.raises(ClientError, match="403"):
        s3.put_object(Bucket="guarded", Key=object_of("plans"), Body=b"x", IfNoneMatch="*")


def test_moto_reads_no_resource_of_step_functions(server: Enforcer, keys: dict[str, Keys]) -> None:
    machine = machine_arn(load(), "HourMachine", BUCKET)

    assert permits(own("hour"), Request("states:StartExecution", machine))
    with pytest.raises(ClientError, match="AccessDenied"):
        server.client("stepfunctions", keys["hour"]).start_execution(stateMachineArn=machine)


@pytest.mark.parametrize(
    ("where", "instead", "said"),
    [
        ("3/Resource/0", {"Fn::ImportValue": "x"}, "what does"),
        ("3/Resource/0", {"Fn::Sub": "${Buckett.Arn}/plans/*"}, "what does Buckett.Arn stand for"),
        ("0/Condition", {"IpAddress": {"aws:SourceIp": "10.0.0.0/8"}}, "IpAddress"),
        ("0/NotAction", "s3:GetObject", "what does {'NotAction'} mean"),
    ],
)
def test_what_is_not_known_is_not_guessed(where: str, instead: Any, said: str) -> None:
    held = broken(load(), f"{PLAN}/{where}", instead)

    with pytest.raises((AssertionError, KeyError), match=said):
        permits(policy(held, "PlanFunction", BUCKET), request_of("plans", "L"))
