"""The template, the Dockerfile and what they must keep: every rule is also shown to fail on a broken copy."""

import copy
import importlib
import json
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from cfnlint.decode import decode

ROOT = Path(__file__).parent.parent.parent
Template = dict[str, Any]
Rule = Callable[[Template], list[str]]

# Read by the code, and unset in the template on purpose.
OPTIONAL = {
    "AWS_REGION": "Lambda sets it",
    "AWS_ENDPOINT_URL": "a server of one's own instead of AWS",
    "AWS_ENDPOINT_URL_S3": "a server of one's own instead of AWS",
}
# Set in the template, and read by something that is not our code.
FOR_LIBRARIES = {
    "OMP_NUM_THREADS": "LightGBM",
    "HOME": "every library with a cache",
    "POWERTOOLS_LOG_LEVEL": "Powertools",
}

# What each function's code lists, reads and writes; a grant more or less is a fault. Paths as in storage/keys.py.
EXACT: dict[str, dict[str, set[str]]] = {
    "IngestFunction": {
        "list": {"inbox/*", "actuals/*", "weather/*", "external/*", "history/*"},
        "read": {"inbox/*"},
        "write": {"actuals/*", "weather/*", "external/*", "history/*", "ledger/*"},
    },
    "PlanFunction": {
        "list": {"catalog/*", "models/registry/*", "forecasts/*", ""},
        "read": {"catalog/*", "models/registry/*"},
        "write": {"plans/*", "ledger/*"},
    },
    "FeaturesFunction": {
        "list": {"actuals/*", "weather/*", "history/actuals/*", "history/weather/*", ""},
        "read": {"plans/*", "actuals/*", "weather/*", "history/actuals/*", "history/weather/*"},
        "write": {"features/*", "backfills/features/*", "ledger/*"},
    },
    "ScoreFunction": {
        "list": {"forecasts/*", "backfills/forecasts/*", ""},
        "read": {"plans/*", "features/*", "backfills/features/*", "models/bundles/*"},
        "write": {"forecasts/*", "backfills/forecasts/*", "ledger/*"},
    },
    "FinishFunction": {
        "list": {"forecasts/*", "backfills/forecasts/*", ""},
        "read": {"plans/*"},
        "write": {"ledger/*"},
    },
}


def load() -> Template:
    """Return the template as plain values; every caller gets a copy of its own."""
    return json.loads(_decoded())


@cache
def _decoded() -> str:
    template, problems = decode(str(ROOT / "template.yaml"))
    assert problems == []
    return json.dumps(template)


# Looking at a template ---------------------------------------------------------------------------------------------


def of_type(template: Template, kind: str) -> dict[str, Any]:
    return {name: one["Properties"] for name, one in template["Resources"].items() if one["Type"] == kind}


def functions(template: Template) -> dict[str, Any]:
    return of_type(template, "AWS::Serverless::Function")


def schedules(template: Template) -> Iterator[tuple[str, Any]]:
    for name, function in functions(template).items():
        yield from ((f"{name} {at}", event["Properties"]) for at, event in function["Events"].items())


def statements(function: Any) -> list[Any]:
    return [one for policy in function["Policies"] if isinstance(policy, dict) for one in policy.get("Statement", [])]


def plenty(value: Any) -> list[Any]:
    """Return a value that may stand alone as a list."""
    return value if isinstance(value, list) else [value]


def grants(function: Any) -> dict[str, set[str]]:
    """Return what a function may list, read and write; "" is the question whether a key is there."""
    found: dict[str, set[str]] = {"list": set(), "read": set(), "write": set()}
    for one in statements(function):
        actions = set(plenty(one["Action"]))
        if "s3:ListBucket" in actions:
            condition = one.get("Condition", {})
            asks = condition == {"Null": {"s3:prefix": "true"}}
            found["list"] |= {""} if asks else set(condition.get("StringLike", {}).get("s3:prefix", ["*"]))
            continue
        paths = {_path(resource) for resource in plenty(one["Resource"])}
        found["write" if "s3:PutObject" in actions else "read"] |= paths
    return found


def _path(resource: Any) -> str:
    text = resource.get("Fn::Sub", "") if isinstance(resource, dict) else resource
    return text.removeprefix("${Bucket.Arn}/") if text.startswith("${Bucket.Arn}/") else f"outside: {resource}"


# The rules: each returns the faults it finds -----------------------------------------------------------------------


def handlers_can_be_imported(template: Template) -> list[str]:
    faults = []
    for name, function in functions(template).items():
        module, attribute = function["ImageConfig"]["Command"][0].rsplit(".", 1)
        try:
            found = callable(getattr(importlib.import_module(module), attribute, None))
        except ModuleNotFoundError:
            found = False
        faults += [] if found else [f"{name}: there is no {module}.{attribute}"]
    return faults


def every_function_of_the_tree_is_deployed(template: Template) -> list[str]:
    commands = {function["ImageConfig"]["Command"][0] for function in functions(template).values()}
    wanted = {f"functions.{path.parent.name}.app.handler" for path in (ROOT / "functions").glob("*/app.py")}
    return [f"{one} is not deployed" for one in sorted(wanted - commands)]


def variables_are_set_and_read(template: Template) -> list[str]:
    files = [path for folder in ("functions", "shared") for path in (ROOT / folder).rglob("*.py")]
    source = "\n".join(path.read_text(encoding="utf-8") for path in files)
    read = set(re.findall(r"os\.(?:environ(?:\.get\(|\[)|getenv\()\s*[\"'](\w+)", source))
    held = set(template["Globals"]["Function"]["Environment"]["Variables"])
    held |= {name for one in functions(template).values() for name in one.get("Environment", {}).get("Variables", {})}
    unset = [f"{name} is read and neither set nor optional" for name in sorted(read - held - set(OPTIONAL))]
    unread = [f"{name} is set and nothing reads it" for name in sorted(held - read - set(FOR_LIBRARIES))]
    clock = template["Globals"]["Function"]["Environment"]["Variables"].get("WATTAHEAD_CLOCK")
    return unset + unread + ([] if clock == "" else [f"the clock stands at {clock}"])


def only_tls_reaches_the_bucket_and_the_queue(template: Template) -> list[str]:
    whole = {
        "AWS::S3::BucketPolicy": [{"Fn::GetAtt": ["Bucket", "Arn"]}, {"Fn::Sub": "${Bucket.Arn}/*"}],
        "AWS::SQS::QueuePolicy": [{"Fn::GetAtt": ["DeadLetters", "Arn"]}],
    }
    faults = []
    for kind, resources in whole.items():
        held = [one for policy in of_type(template, kind).values() for one in policy["PolicyDocument"]["Statement"]]
        denied = [
            one
            for one in held
            if one["Effect"] == "Deny"
            and one["Principal"] == "*"
            and one["Action"] in ("s3:*", "sqs:*")
            and plenty(one["Resource"]) == resources
            and one["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}
        ]
        faults += [] if denied else [f"{kind} lets requests in without TLS"]
    return faults


def the_bucket_is_private_versioned_and_kept(template: Template) -> list[str]:
    faults = []
    for name, bucket in of_type(template, "AWS::S3::Bucket").items():
        resource = template["Resources"][name]
        blocks = ("BlockPublicAcls", "BlockPublicPolicy", "IgnorePublicAcls", "RestrictPublicBuckets")
        held = {
            "kept": resource.get("DeletionPolicy") == resource.get("UpdateReplacePolicy") == "Retain",
            "encrypted": bool(bucket.get("BucketEncryption")),
            "versioned": bucket.get("VersioningConfiguration") == {"Status": "Enabled"},
            "private": bucket.get("PublicAccessBlockConfiguration") == dict.fromkeys(blocks, True),
        }
        faults += [f"{name} is not {word}" for word, holds in held.items() if not holds]
    return faults


def schedules_retry_and_end_in_a_queue(template: Template) -> list[str]:
    faults = []
    for name, held in schedules(template):
        retry = held.get("RetryPolicy", {})
        faults += [] if retry.get("MaximumRetryAttempts", 0) >= 1 else [f"{name} does not retry"]
        faults += [] if 60 <= retry.get("MaximumEventAgeInSeconds", 0) < 3600 else [f"{name} keeps events for an hour"]
        queue = {"Fn::GetAtt": ["DeadLetters", "Arn"]}
        faults += [] if held.get("DeadLetterConfig") == {"Arn": queue} else [f"{name} loses what it cannot deliver"]
        faults += [] if held.get("OmitName") else [f"{name} has a name that a second stack cannot take"]
    return faults


def schedules_send_what_the_handlers_take(template: Template) -> list[str]:
    wanted = {"scheduled_time": "<aws.scheduler.scheduled-time>"}
    return [
        f"{name} sends {held['Input']}"
        for name, held in schedules(template)
        if json.loads(held["Input"]) not in (wanted, wanted | {"final_attempt": True})
    ]


def every_step_runs_hourly_after_the_one_before(template: Template) -> list[str]:
    found = {}
    for name, held in schedules(template):
        match = re.fullmatch(r"cron\(([0-9,]+) \* \* \* \? \*\)", held["ScheduleExpression"])
        found[name] = [int(minute) for minute in match[1].split(",")] if match else []
    faults = [f"{name} does not run every hour" for name, minutes in found.items() if not minutes]
    order = [f"{step}Function Hourly" for step in ("Ingest", "Plan", "Features", "Score", "Finish")]
    firsts = [min(found.get(name) or [60]) for name in order]
    faults += [] if firsts == sorted(set(firsts)) else [f"the steps begin at {firsts}"]
    lasts = [max(found.get(name) or [60]) for name in order if name != "PlanFunction Hourly"]
    return faults + ([] if lasts == sorted(set(lasts)) else [f"the last runs of the steps begin at {lasts}"])


def failed_calls_are_retried_and_end_in_the_queue(template: Template) -> list[str]:
    held = template["Globals"]["Function"].get("EventInvokeConfig", {})
    queue = {"Type": "SQS", "Destination": {"Fn::GetAtt": ["DeadLetters", "Arn"]}}
    retried = held.get("MaximumRetryAttempts", 0) >= 1 and held.get("MaximumEventAgeInSeconds", 3600) < 3600
    kept = held.get("DestinationConfig", {}).get("OnFailure") == queue
    return ([] if retried else ["failed calls are not retried within the hour"]) + (
        [] if kept else ["failures get lost"]
    )


def no_right_is_wider_than_a_folder(template: Template) -> list[str]:
    faults = []
    for name, function in functions(template).items():
        faults += [
            f"{name} uses the ready-made {policy}" for policy in function["Policies"] if "Statement" not in policy
        ]
        for one in statements(function):
            faults += [f"{name}: action {action}" for action in plenty(one["Action"]) if "*" in action]
            faults += [
                f"{name}: resource {place}" for place in plenty(one["Resource"]) if place == "*" or _path(place) == "*"
            ]
    return faults


def each_function_may_do_exactly_what_its_code_does(template: Template) -> list[str]:
    found = {name: grants(function) for name, function in functions(template).items()}
    return [f"{name}: {found.get(name)}, not {wanted}" for name, wanted in EXACT.items() if found.get(name) != wanted]


def score_cannot_delete_list_elsewhere_or_touch_models(template: Template) -> list[str]:
    score = functions(template)["ScoreFunction"]
    actions = {action for one in statements(score) for action in plenty(one["Action"])}
    may = grants(score)
    elsewhere = {path for path in may["list"] if path and not path.startswith(("forecasts/", "backfills/forecasts/"))}
    models = {path for path in may["write"] if path.startswith(("models", "outside", "*"))}
    allowed = {"s3:GetObject", "s3:PutObject", "s3:ListBucket"}
    return [f"score: {one}" for one in sorted((actions - allowed) | elsewhere | models)]


def nobody_may_delete_or_write_models(template: Template) -> list[str]:
    faults = []
    for name, function in functions(template).items():
        actions = {action for one in statements(function) for action in plenty(one["Action"])}
        faults += [f"{name}: {action}" for action in actions if "Delete" in action]
        faults += [
            f"{name} writes {path}" for path in grants(function)["write"] if path.startswith(("models", "catalog"))
        ]
    return faults


def functions_end_within_the_hour(template: Template) -> list[str]:
    # Lambda's own limit is 900 s; one retried storage fault costs about 2 s, and 30 s is the longest single request.
    late = [name for name, one in functions(template).items() if not 60 <= one.get("Timeout", 3) <= 900]
    return [f"{name} has {functions(template)[name].get('Timeout', 3)} s" for name in late]


def functions_have_one_thread_on_one_cpu(template: Template) -> list[str]:
    held = template["Globals"]["Function"]
    one = held["MemorySize"] == 1769 and held["Environment"]["Variables"].get("OMP_NUM_THREADS") == "1"
    return [] if one else ["memory and threads do not make one vCPU"]


def logs_are_kept_for_a_time(template: Template) -> list[str]:
    groups = of_type(template, "AWS::Logs::LogGroup")
    faults = [f"{name} is kept for ever" for name, group in groups.items() if "RetentionInDays" not in group]
    for name, function in functions(template).items():
        group = function.get("LoggingConfig", {}).get("LogGroup", {}).get("Ref")
        faults += [] if group in groups else [f"{name} logs into a group of its own making"]
    return faults


def images_are_targets_of_the_dockerfile(template: Template) -> list[str]:
    faults = []
    for name in functions(template):
        held = template["Resources"][name].get("Metadata", {})
        # Without a context `sam build` builds nothing and says nothing.
        faults += (
            []
            if (held.get("Dockerfile"), held.get("DockerContext")) == ("infra/Dockerfile", ".")
            else [f"{name} has no image"]
        )
        target = "score" if name == "ScoreFunction" else "tables"
        right = held.get("DockerBuildTarget") == target and target in stages()
        faults += [] if right else [f"{name} is built from {held.get('DockerBuildTarget')}"]
    return faults


def the_outputs_hold_the_duckdb_line(template: Template) -> list[str]:
    line = template.get("Outputs", {}).get("DuckDb", {}).get("Value", {}).get("Fn::Sub", "")
    wanted = "read_parquet('s3://${Bucket}/forecasts/**/*.parquet', hive_partitioning=true, union_by_name=true)"
    return [] if wanted in line else ["nobody is told how to read the forecasts"]


RULES: dict[str, Rule] = {
    rule.__name__: rule
    for rule in (
        handlers_can_be_imported,
        every_function_of_the_tree_is_deployed,
        variables_are_set_and_read,
        only_tls_reaches_the_bucket_and_the_queue,
        the_bucket_is_private_versioned_and_kept,
        schedules_retry_and_end_in_a_queue,
        schedules_send_what_the_handlers_take,
        every_step_runs_hourly_after_the_one_before,
        failed_calls_are_retried_and_end_in_the_queue,
        no_right_is_wider_than_a_folder,
        each_function_may_do_exactly_what_its_code_does,
        score_cannot_delete_list_elsewhere_or_touch_models,
        nobody_may_delete_or_write_models,
        functions_end_within_the_hour,
        functions_have_one_thread_on_one_cpu,
        logs_are_kept_for_a_time,
        images_are_targets_of_the_dockerfile,
        the_outputs_hold_the_duckdb_line,
    )
}

# Broken copies: the rule, where, and what stands there instead (None: nothing).
SCORE = "Resources/ScoreFunction/Properties"
GRANTS = f"{SCORE}/Policies/0/Statement"
HOURLY = f"{SCORE}/Events/Hourly/Properties"
VARIABLES = "Globals/Function/Environment/Variables"
TLS = "Resources/BucketPolicy/Properties/PolicyDocument/Statement/0"
BUCKET = "Resources/Bucket"
IMAGE = "Resources/ScoreFunction/Metadata"
BROKEN: list[tuple[Rule, str, Any]] = [
    (handlers_can_be_imported, f"{SCORE}/ImageConfig/Command/0", "functions.score.handler"),
    (handlers_can_be_imported, f"{SCORE}/ImageConfig/Command/0", "functions.score.app.main"),
    (every_function_of_the_tree_is_deployed, f"{SCORE}/ImageConfig/Command/0", "functions.plan.app.handler"),
    (variables_are_set_and_read, f"{VARIABLES}/WATTAHEAD_BUCKET", None),
    (variables_are_set_and_read, f"{VARIABLES}/WATTAHEAD_BUKCET", "s3://bucket"),
    (variables_are_set_and_read, f"{VARIABLES}/WATTAHEAD_CLOCK", "2026-03-01T05:00Z"),
    (only_tls_reaches_the_bucket_and_the_queue, f"{TLS}/Effect", "Allow"),
    (only_tls_reaches_the_bucket_and_the_queue, f"{TLS}/Condition/Bool", {"aws:SecureTransport": "true"}),
    (only_tls_reaches_the_bucket_and_the_queue, f"{TLS}/Resource/1", None),
    (only_tls_reaches_the_bucket_and_the_queue, "Resources/DeadLettersPolicy", None),
    (the_bucket_is_private_versioned_and_kept, f"{BUCKET}/DeletionPolicy", None),
    (the_bucket_is_private_versioned_and_kept, f"{BUCKET}/UpdateReplacePolicy", "Delete"),
    (the_bucket_is_private_versioned_and_kept, f"{BUCKET}/Properties/BucketEncryption", None),
    (the_bucket_is_private_versioned_and_kept, f"{BUCKET}/Properties/VersioningConfiguration/Status", "Suspended"),
    (
        the_bucket_is_private_versioned_and_kept,
        f"{BUCKET}/Properties/PublicAccessBlockConfiguration/BlockPublicAcls",
        False,
    ),
    (schedules_retry_and_end_in_a_queue, f"{HOURLY}/RetryPolicy", None),
    (schedules_retry_and_end_in_a_queue, f"{HOURLY}/RetryPolicy/MaximumEventAgeInSeconds", 86400),
    (schedules_retry_and_end_in_a_queue, f"{HOURLY}/DeadLetterConfig", None),
    (schedules_retry_and_end_in_a_queue, f"{HOURLY}/OmitName", None),
    (schedules_send_what_the_handlers_take, f"{HOURLY}/Input", '{"time": "<aws.scheduler.scheduled-time>"}'),
    (every_step_runs_hourly_after_the_one_before, f"{HOURLY}/ScheduleExpression", "cron(4,30 * * * ? *)"),
    (every_step_runs_hourly_after_the_one_before, f"{HOURLY}/ScheduleExpression", "cron(10 * * * ? *)"),
    (every_step_runs_hourly_after_the_one_before, f"{HOURLY}/ScheduleExpression", "cron(10 5 * * ? *)"),
    (failed_calls_are_retried_and_end_in_the_queue, "Globals/Function/EventInvokeConfig/MaximumRetryAttempts", 0),
    (
        failed_calls_are_retried_and_end_in_the_queue,
        "Globals/Function/EventInvokeConfig/MaximumEventAgeInSeconds",
        21600,
    ),
    (failed_calls_are_retried_and_end_in_the_queue, "Globals/Function/EventInvokeConfig/DestinationConfig", None),
    (no_right_is_wider_than_a_folder, f"{GRANTS}/2/Action", "s3:Get*"),
    (no_right_is_wider_than_a_folder, f"{GRANTS}/2/Resource", "*"),
    (no_right_is_wider_than_a_folder, f"{GRANTS}/3/Resource/0", {"Fn::Sub": "${Bucket.Arn}/*"}),
    (no_right_is_wider_than_a_folder, f"{SCORE}/Policies", [{"S3CrudPolicy": {"BucketName": {"Ref": "Bucket"}}}]),
    (each_function_may_do_exactly_what_its_code_does, f"{GRANTS}/2/Resource/0", {"Fn::Sub": "${Bucket.Arn}/actuals/*"}),
    (each_function_may_do_exactly_what_its_code_does, f"{GRANTS}/3/Resource/2", None),
    (each_function_may_do_exactly_what_its_code_does, f"{GRANTS}/1", None),
    (score_cannot_delete_list_elsewhere_or_touch_models, f"{GRANTS}/3/Action", ["s3:PutObject", "s3:DeleteObject"]),
    (score_cannot_delete_list_elsewhere_or_touch_models, f"{GRANTS}/0/Condition/StringLike/s3:prefix/0", "*"),
    (score_cannot_delete_list_elsewhere_or_touch_models, f"{GRANTS}/0/Condition", None),
    (
        score_cannot_delete_list_elsewhere_or_touch_models,
        f"{GRANTS}/3/Resource/0",
        {"Fn::Sub": "${Bucket.Arn}/models/bundles/*"},
    ),
    (
        nobody_may_delete_or_write_models,
        "Resources/PlanFunction/Properties/Policies/0/Statement/3/Action",
        ["s3:PutObject", "s3:DeleteObject"],
    ),
    (
        nobody_may_delete_or_write_models,
        "Resources/PlanFunction/Properties/Policies/0/Statement/3/Resource/0",
        {"Fn::Sub": "${Bucket.Arn}/models/registry/*"},
    ),
    (functions_end_within_the_hour, f"{SCORE}/Timeout", 3600),
    (functions_end_within_the_hour, f"{SCORE}/Timeout", None),
    (functions_have_one_thread_on_one_cpu, f"{VARIABLES}/OMP_NUM_THREADS", "2"),
    (functions_have_one_thread_on_one_cpu, "Globals/Function/MemorySize", 512),
    (logs_are_kept_for_a_time, "Resources/ScoreLogs/Properties/RetentionInDays", None),
    (logs_are_kept_for_a_time, f"{SCORE}/LoggingConfig", None),
    (images_are_targets_of_the_dockerfile, f"{IMAGE}/DockerBuildTarget", "scoring"),
    (images_are_targets_of_the_dockerfile, f"{IMAGE}/DockerBuildTarget", "training"),
    (images_are_targets_of_the_dockerfile, f"{IMAGE}/DockerContext", None),
    (the_outputs_hold_the_duckdb_line, "Outputs/DuckDb", None),
]


def broken(template: Template, where: str, instead: Any) -> Template:
    """Return a copy with one place changed."""
    made = copy.deepcopy(template)
    *path, last = [int(part) if part.isdigit() else part for part in where.split("/")]
    place: Any = made
    for part in path:
        place = place[part]
    if instead is None:
        del place[last]
    else:
        place[last] = instead
    assert made != template
    return made


@pytest.mark.parametrize("name", RULES)
def test_the_template_keeps_the_rule(name: str) -> None:
    assert RULES[name](load()) == []


@pytest.mark.parametrize(("rule", "where", "instead"), BROKEN, ids=lambda value: getattr(value, "__name__", None))
def test_the_rule_notices_a_broken_copy(rule: Rule, where: str, instead: Any) -> None:
    assert rule(broken(load(), where, instead)) != []


def test_no_rule_goes_untried() -> None:
    assert {rule.__name__ for rule, _, _ in BROKEN} == set(RULES)


def test_cfn_lint_finds_nothing_and_would_find_a_slip(tmp_path: Path) -> None:
    slip = tmp_path / "template.yaml"
    text = (ROOT / "template.yaml").read_text(encoding="utf-8")
    slip.write_text(text.replace("!GetAtt Bucket.Arn", "!GetAtt Bucket.Arm", 1), encoding="utf-8")

    assert lint(ROOT / "template.yaml") == (0, "")
    assert lint(slip)[0] != 0


def lint(path: Path) -> tuple[int, str]:
    """Return how cfn-lint ends and what it says."""
    # It has no `python -m cfnlint`: this is what its command runs.
    command = [sys.executable, "-c", "import sys; from cfnlint.runner import main; sys.exit(main())", str(path)]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    return done.returncode, done.stdout.strip()


# The images --------------------------------------------------------------------------------------------------------

DOCKERFILE = (ROOT / "infra" / "Dockerfile").read_text(encoding="utf-8")
LOCKS = sorted(set(re.findall(r"infra/locks/\w+\.txt", DOCKERFILE)))


def stages() -> dict[str, str]:
    """Return the stages of the Dockerfile: name -> instructions."""
    parts = re.split(r"^FROM (\S+) AS (\S+)$", DOCKERFILE, flags=re.MULTILINE)[1:]
    return {name: f"FROM {base}\n{body}" for base, name, body in zip(parts[::3], parts[1::3], parts[2::3], strict=True)}


def test_the_dockerfile_has_a_target_per_image() -> None:
    assert {"deps", "score", "tables", "training"} == set(stages())


@pytest.mark.parametrize("target", ["score", "tables", "training"])
def test_an_image_installs_its_own_lock_with_hashes_and_nothing_else(target: str) -> None:
    stage = stages()[target]
    installs = [line for line in stage.splitlines() if "pip install" in line]

    assert f"COPY infra/locks/{target}.txt /tmp/lock.txt" in stage
    assert len(installs) == 1
    assert "--require-hashes" in installs[0]
    assert "-r /tmp/lock.txt" in installs[0]


def test_the_training_image_does_not_run_as_root() -> None:
    stage = stages()["training"]

    assert re.search(r"^USER [1-9]\d*$", stage, flags=re.MULTILINE)
    assert stage.strip().splitlines()[-1] == 'ENTRYPOINT ["python", "-m", "training"]'


def test_every_folder_that_is_copied_exists_and_gets_into_the_context() -> None:
    copied = set(re.findall(r"^COPY (\S+) ", DOCKERFILE, flags=re.MULTILINE))
    lines = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()

    assert [path for path in sorted(copied) if not (ROOT / path).exists()] == []
    assert copied | {"infra/Dockerfile"} == {line[1:] for line in lines if line.startswith("!")}
    assert next(line for line in lines if not line.startswith("#")) == "*"


@pytest.mark.parametrize("lock", LOCKS)
def test_a_lock_pins_every_package_by_hash_and_names_no_address(lock: str) -> None:
    text = (ROOT / lock).read_text(encoding="utf-8")
    packages = [line for line in text.splitlines() if line and not line.startswith((" ", "#"))]

    assert "http" not in text
    assert "://" not in text
    assert [line for line in packages if not re.match(r"[a-z0-9._-]+==[0-9][^ ]* .*\\$", line)] == []
    assert text.count("--hash=sha256:") >= len(packages)


def test_the_score_image_lacks_what_would_slow_its_cold_start() -> None:
    names = set(re.findall(r"^([a-z0-9._-]+)==", (ROOT / "infra/locks/score.txt").read_text("utf-8"), re.MULTILINE))

    assert names & {"pandas", "scikit-learn", "polars", "duckdb", "boto3", "botocore"} == set()
    assert {"lightgbm", "pyarrow", "obstore"} <= names
