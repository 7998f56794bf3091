"""Rules for who may do what; each is shown to fail on a copy that was broken."""

from itertools import combinations
from typing import Any

from tests.infra.templates import (
    Deployment,
    Rule,
    functions,
    grants,
    machines,
    of_type,
    path_of,
    plenty,
    statements,
)

# What features are made of.
INPUTS = {"actuals/*", "weather/*", "external/*", "history/actuals/*", "history/weather/*", "history/external/*"}
STATES = {"states/*", "history/states/*"}
ROWS = {"forecasts/*", "grid_actions/*", "backfills/forecasts/*", "backfills/grid_actions/*"}

# What the code lists, reads and writes; a grant more or less is a fault. Paths as in storage/keys.py.
EXACT: dict[str, dict[str, set[str]]] = {
    "IngestFunction": {
        "list": {"inbox/*", "actuals/*", "weather/*", "external/*", "history/*"},
        "read": {"inbox/*"},
        "write": {"actuals/*", "weather/*", "external/*", "history/*", "ledger/*"},
    },
    "PlanFunction": {
        "list": {"catalog/*", "models/registry/*", *ROWS, ""},
        "read": {"catalog/*", "models/registry/*"},
        "write": {"plans/*", "ledger/*"},
    },
    "FeaturesFunction": {
        "list": {*INPUTS, *STATES, ""},
        "read": {"plans/*", *INPUTS, *STATES, "forecasts/*", "backfills/forecasts/*"},
        "write": {"features/*", "backfills/features/*", "ledger/*"},
    },
    "ScoreFunction": {
        "list": {*ROWS, ""},
        "read": {"plans/*", "features/*", "backfills/features/*", "models/bundles/*"},
        "write": {*ROWS, "ledger/*"},
    },
    "FinishFunction": {
        "list": {*ROWS, ""},
        "read": {"plans/*"},
        "write": {"ledger/*"},
    },
    "RetrainFunction": {"list": {"catalog/*"}, "read": {"catalog/*"}, "write": set()},
    "CompactFunction": {
        "list": {"catalog/*", *INPUTS, *STATES},
        "read": {"catalog/*", "actuals/*", "weather/*", "external/*", "states/*"},
        "write": {"history/actuals/*", "history/weather/*", "history/external/*", "history/states/*", "ledger/*"},
    },
    "HourMachine": {"list": set(), "read": {"plans/*"}, "write": {"map-results/*"}},
    "TrainingMachine": {"list": set(), "read": set(), "write": set()},
    "TaskRole": {
        "list": {"catalog/*", *INPUTS, "models/*", "hindcasts/*"},
        "read": {"catalog/*", *INPUTS},
        "write": {"models/*", "hindcasts/*", "metrics/*", "reports/*", "ledger/*"},
    },
    "ExecutionRole": {"list": set(), "read": set(), "write": set()},
    "GridMachine": {"list": set(), "read": set(), "write": set()},
    "VerifyRole": {
        "list": {"grid_actions_verified/*", ""},
        "read": {"plans/*", "features/*", "grid_actions/*"},
        "write": {"grid_actions_verified/*", "ledger/*"},
    },
    "GridTrainRole": {
        "list": {"catalog/*", "datasets/*", "models/registry/*"},
        "read": {"catalog/*"},
        "write": {"datasets/*", "models/bundles/*", "models/registry/*", "metrics/*", "reports/*", "ledger/*"},
    },
}  # fmt: skip

# Both write history: an import whole months, compaction copies of days. Their keys differ by the folder `days=`, and
# what one writes the other never needs to change. Both trainings publish: their pools have different names, and what
# they leave is named by its content.
SHARED = {
    ("IngestFunction", "CompactFunction", "history/actuals/*"),
    ("IngestFunction", "CompactFunction", "history/weather/*"),
    ("IngestFunction", "CompactFunction", "history/external/*"),
    ("IngestFunction", "CompactFunction", "history/states/*"),
    ("TaskRole", "GridTrainRole", "models/bundles/*"),
    ("TaskRole", "GridTrainRole", "models/registry/*"),
    ("TaskRole", "GridTrainRole", "metrics/*"),
    ("TaskRole", "GridTrainRole", "reports/*"),
}


def roles(held: Deployment) -> dict[str, Any]:
    """Return everything that carries policies."""
    return {**functions(held), **machines(held), **of_type(held, "AWS::IAM::Role")}


def no_right_is_wider_than_a_folder(held: Deployment) -> list[str]:
    faults = []
    for name, role in roles(held).items():
        ready_made = [one for one in role.get("Policies", []) if "Statement" not in one and "PolicyDocument" not in one]
        faults += [f"{name} uses the ready-made {policy}" for policy in ready_made]
        for one in statements(role):
            faults += [f"{name}: action {action}" for action in plenty(one["Action"]) if "*" in action]
            faults += [f"{name}: {place}" for place in plenty(one["Resource"]) if place == "*" or path_of(place) == "*"]
    return faults


def each_role_may_do_exactly_what_its_code_does(held: Deployment) -> list[str]:
    found = {name: grants(role) for name, role in roles(held).items()}
    return [f"{name}: {found.get(name)}" for name in {*EXACT, *found} if found.get(name) != EXACT.get(name)]


def nobody_may_delete(held: Deployment) -> list[str]:
    return [
        f"{name}: {action}"
        for name, role in roles(held).items()
        for one in statements(role)
        for action in plenty(one["Action"])
        if "Delete" in action or "PutBucket" in action
    ]


def a_folder_has_one_writer(held: Deployment) -> list[str]:
    writes = {name: grants(role)["write"] - {"ledger/*"} for name, role in roles(held).items()}
    pairs = combinations(writes.items(), 2)
    both = {(one, other, path) for (one, a), (other, b) in pairs for path in overlap(a, b)}
    faults = [f"{one} and {other} write {path}" for one, other, path in sorted(both - SHARED)]
    return faults + [f"{one} and {other} no longer share {path}" for one, other, path in sorted(SHARED - both)]


def overlap(some: set[str], others: set[str]) -> set[str]:
    """Return the narrower folder of every two of which one lies in the other."""
    pairs = {pair for a in some for b in others for pair in ((a, b), (b, a))}
    return {inner for inner, outer in pairs if inner.startswith(outer.removesuffix("*"))}


def only_training_touches_models(held: Deployment) -> list[str]:
    return [
        f"{name} writes {path}"
        for name, role in roles(held).items()
        for path in grants(role)["write"]
        if path.startswith(("models", "catalog")) and name not in {"TaskRole", "GridTrainRole"}
    ]


def roles_are_for_one_service_each(held: Deployment) -> list[str]:
    faults = []
    for name, role in of_type(held, "AWS::IAM::Role").items():
        for one in role["AssumeRolePolicyDocument"]["Statement"]:
            right = one["Principal"] == {"Service": "ecs-tasks.amazonaws.com"} and "Condition" in one
            faults += [] if right else [f"{name} may be taken on by {one['Principal']}"]
    for name, machine in machines(held).items():
        for one in statements(machine):
            if one["Action"] == "iam:PassRole" and "iam:PassedToService" not in str(one.get("Condition")):
                faults.append(f"{name} hands its roles to anybody")
    return faults


RULES: dict[str, Rule] = {
    rule.__name__: rule
    for rule in (
        no_right_is_wider_than_a_folder,
        each_role_may_do_exactly_what_its_code_does,
        nobody_may_delete,
        a_folder_has_one_writer,
        only_training_touches_models,
        roles_are_for_one_service_each,
    )
}
SCORE = "root/Resources/ScoreFunction/Properties/Policies"
PLAN = "root/Resources/PlanFunction/Properties/Policies/0/Statement"
COMPACT = "root/Resources/CompactFunction/Properties/Policies/0/Statement"
TASK = "training/Resources/TaskRole/Properties"
MACHINE = "training/Resources/TrainingMachine/Properties/Policies/0/Statement"
VERIFY = "grid/Resources/VerifyRole/Properties/Policies/0/PolicyDocument/Statement"
GRID_MACHINE = "grid/Resources/GridMachine/Properties/Policies/0/Statement"
BROKEN: list[tuple[Rule, str, Any]] = [
    (no_right_is_wider_than_a_folder, f"{SCORE}/0/Statement/2/Action", "s3:Get*"),
    (no_right_is_wider_than_a_folder, f"{SCORE}/0/Statement/2/Resource", "*"),
    (no_right_is_wider_than_a_folder, f"{SCORE}/0/Statement/3/Resource/0", {"Fn::Sub": "${Bucket.Arn}/*"}),
    (no_right_is_wider_than_a_folder, SCORE, [{"S3CrudPolicy": {"BucketName": {"Ref": "Bucket"}}}]),
    (no_right_is_wider_than_a_folder, f"{MACHINE}/2/Resource", "*"),
    (each_role_may_do_exactly_what_its_code_does, f"{SCORE}/0/Statement/2/Resource/0", None),
    (each_role_may_do_exactly_what_its_code_does, f"{SCORE}/0/Statement/3/Resource/2", None),
    (each_role_may_do_exactly_what_its_code_does, f"{SCORE}/0/Statement/1", None),
    (each_role_may_do_exactly_what_its_code_does, f"{SCORE}/0/Statement/0/Condition/StringLike/s3:prefix/0", "*"),
    (each_role_may_do_exactly_what_its_code_does, f"{SCORE}/0/Statement/0/Condition", None),
    (each_role_may_do_exactly_what_its_code_does, f"{TASK}/Policies/0/PolicyDocument/Statement/1/Resource/0", None),
    (each_role_may_do_exactly_what_its_code_does, "root/Resources/Other", {
        "Type": "AWS::IAM::Role", "Properties": {"Policies": []}}),
    (each_role_may_do_exactly_what_its_code_does, f"{VERIFY}/1", None),
    (each_role_may_do_exactly_what_its_code_does, f"{VERIFY}/2/Resource/2", None),
    (nobody_may_delete, f"{PLAN}/3/Action", ["s3:PutObject", "s3:DeleteObject"]),
    (nobody_may_delete, f"{TASK}/Policies/0/PolicyDocument/Statement/2/Action", "s3:DeleteObjectVersion"),
    (a_folder_has_one_writer, f"{PLAN}/3/Resource/0", {"Fn::Sub": "${Bucket.Arn}/features/*"}),
    (a_folder_has_one_writer, f"{PLAN}/3/Resource/0", {"Fn::Sub": "${Bucket.Arn}/features/workload=forecast/*"}),
    (a_folder_has_one_writer, f"{COMPACT}/2/Resource/0", {"Fn::Sub": "${Bucket.Arn}/actuals/*"}),
    (only_training_touches_models, f"{PLAN}/3/Resource/0", {"Fn::Sub": "${Bucket.Arn}/models/registry/*"}),
    (only_training_touches_models, f"{PLAN}/3/Resource/0", {"Fn::Sub": "${Bucket.Arn}/catalog/*"}),
    (only_training_touches_models, f"{VERIFY}/3/Resource/0", {
        "Fn::Sub": "arn:${AWS::Partition}:s3:::${BucketName}/models/registry/*"}),
    (roles_are_for_one_service_each, f"{TASK}/AssumeRolePolicyDocument/Statement/0/Principal", {"AWS": "*"}),
    (roles_are_for_one_service_each, f"{TASK}/AssumeRolePolicyDocument/Statement/0/Condition", None),
    (roles_are_for_one_service_each, f"{MACHINE}/3/Condition", None),
    (roles_are_for_one_service_each, f"{GRID_MACHINE}/2/Condition", None),
]  # fmt: skip
