"""Rules for what runs, when and for how long; each is shown to fail on a copy that was broken."""

import importlib
import json
import re
import tomllib
from typing import Any

from tests.infra.templates import (
    HOURLY,
    ROOT,
    TEMPLATES,
    Deployment,
    Rule,
    functions,
    machines,
    of_type,
    schedules,
)
from tests.infra.test_images import stages
from wattahead.control.status import ALARMS
from wattahead.storage import objects

# Read by the code, and unset in the template on purpose.
OPTIONAL = {
    "AWS_REGION": "Lambda sets it",
    "AWS_ENDPOINT_URL": "a server of one's own instead of AWS",
    "AWS_ENDPOINT_URL_S3": "a server of one's own instead of AWS",
    "WATTAHEAD_STACK": "commands that a person types read it",
}
# Set in the template, and read by something that is not our code.
FOR_LIBRARIES = {
    "OMP_NUM_THREADS": "LightGBM",
    "HOME": "every library with a cache",
    "POWERTOOLS_LOG_LEVEL": "Powertools",
}
# One request may hang so long, and so often, before storage gives up: a function must outlive it to say so.
STORAGE_GIVES_UP = objects.ATTEMPTS * objects.LONGEST_REQUEST + sum(objects.PAUSES)
QUEUE = ({"Fn::GetAtt": ["DeadLetters", "Arn"]}, {"Ref": "DeadLetters"})


def every_function_of_the_tree_is_deployed(held: Deployment) -> list[str]:
    commands = {function["ImageConfig"]["Command"][0] for function in functions(held).values()}
    wanted = {f"functions.{path.parent.name}.app.handler" for path in (ROOT / "functions").glob("*/app.py")}
    return [f"{one} is not deployed, or not there" for one in sorted(wanted ^ commands)]


def handlers_can_be_imported(held: Deployment) -> list[str]:
    faults = []
    for name, function in functions(held).items():
        module, attribute = function["ImageConfig"]["Command"][0].rsplit(".", 1)
        try:
            found = callable(getattr(importlib.import_module(module), attribute, None))
        except ModuleNotFoundError:
            found = False
        faults += [] if found else [f"{name}: there is no {module}.{attribute}"]
    return faults


def variables_are_set_and_read(held: Deployment) -> list[str]:
    files = [path for folder in ("functions", "shared") for path in (ROOT / folder).rglob("*.py")]
    source = "\n".join(path.read_text(encoding="utf-8") for path in files)
    read = set(re.findall(r"os\.(?:environ(?:\.get\(|\[)|getenv\()\s*[\"'](\w+)", source))
    variables = held["root"]["Globals"]["Function"]["Environment"]["Variables"]
    faults = [f"{name} is read and neither set nor optional" for name in read - set(variables) - set(OPTIONAL)]
    faults += [f"{name} is set and nothing reads it" for name in set(variables) - read - set(FOR_LIBRARIES)]
    return faults + ([] if variables.get("WATTAHEAD_CLOCK") == "" else ["the clock stands"])


def schedules_retry_and_end_in_the_queue(held: Deployment) -> list[str]:
    faults = []
    for name, schedule in schedules(held):
        retry = schedule.get("RetryPolicy", {})
        faults += [] if retry.get("MaximumRetryAttempts", 0) >= 1 else [f"{name} does not retry"]
        faults += [] if 60 <= retry.get("MaximumEventAgeInSeconds", 0) <= 3600 else [f"{name} keeps events too long"]
        faults += [] if schedule.get("DeadLetterConfig", {}).get("Arn") in QUEUE else [f"{name} loses events"]
        faults += [] if schedule.get("OmitName") else [f"{name} has a name that a second stack cannot take"]
        faults += [] if schedule.get("State") == {"Ref": "Schedules"} else [f"{name} cannot be switched off"]
    return faults


def schedules_send_what_their_machine_takes(held: Deployment) -> list[str]:
    wanted = {
        "HourMachine Hourly": (r"cron\([0-9] \* \* \* \? \*\)", {"scheduled_time": "<aws.scheduler.scheduled-time>"}),
        "CompactFunction Hourly": (
            r"cron\([34][0-9] \* \* \* \? \*\)",
            {"scheduled_time": "<aws.scheduler.scheduled-time>"},
        ),
        "TrainingMachine Nightly": (r"cron\(\d+ \d+ \* \* \? \*\)", {"cadence": "nightly"}),
        "TrainingMachine Weekly": (r"cron\(\d+ \d+ \? \* SUN \*\)", {"cadence": "weekly"}),
        "GridMachine Hourly": (r"cron\(2[0-9] \* \* \* \? \*\)", {"job": "verify"}),
        "GridMachine Nightly": (r"cron\(\d+ \d+ \* \* \? \*\)", {"job": "train", "pools": "${Pools}"}),
    }
    found = dict(schedules(held))
    faults = [f"{name} is missing, or unheard of" for name in sorted(set(wanted) ^ set(found))]
    for name in set(wanted) & set(found):
        when, what = wanted[name]
        faults += [] if re.fullmatch(when, found[name]["ScheduleExpression"]) else [f"{name} runs at a wrong time"]
        sent = found[name]["Input"]
        text = sent if isinstance(sent, str) else sent["Fn::Sub"]
        faults += [] if json.loads(text) == what else [f"{name} sends {text}"]
    return faults


def machines_are_filled_in_and_named(held: Deployment) -> list[str]:
    faults = []
    for name, short in (("HourMachine", "hour"), ("TrainingMachine", "night"), ("GridMachine", "grids")):
        machine = machines(held)[name]
        asked = set(re.findall(r"\$\{(\w+)\}", json.dumps(held[short])))
        given = set(machine.get("DefinitionSubstitutions", {}))
        faults += [f"{name}: {one} is not filled in, or not asked for" for one in sorted(asked ^ given)]
        faults += [] if machine.get("Type") == "STANDARD" else [f"{name} could end after five minutes"]
        named = {"hour": "-hour", "night": "-training", "grids": "-grid"}[short]
        faults += [] if machine.get("Name", {}).get("Fn::Sub", "").endswith(named) else [f"{name} is not named"]
    return faults


def functions_outlive_the_storages_patience_and_end_within_the_hour(held: Deployment) -> list[str]:
    found = {name: one.get("Timeout", 3) for name, one in functions(held).items()}
    return [f"{name} has {seconds} s" for name, seconds in found.items() if not STORAGE_GIVES_UP < seconds <= 900]


def functions_have_one_thread_on_one_cpu(held: Deployment) -> list[str]:
    globals_ = held["root"]["Globals"]["Function"]
    one = globals_["MemorySize"] == 1769 and globals_["Environment"]["Variables"].get("OMP_NUM_THREADS") == "1"
    return [] if one else ["memory and threads do not make one vCPU"]


def logs_are_kept_for_a_time(held: Deployment) -> list[str]:
    groups = of_type(held, "AWS::Logs::LogGroup")
    faults = [f"{name} is kept for ever" for name, group in groups.items() if "RetentionInDays" not in group]
    group = held["root"]["Globals"]["Function"].get("LoggingConfig", {}).get("LogGroup")
    faults += [] if group == {"Ref": "FunctionLogs"} else ["functions log into groups of their own making"]
    for name, task in of_type(held, "AWS::ECS::TaskDefinition").items():
        options = task["ContainerDefinitions"][0].get("LogConfiguration", {}).get("Options", {})
        faults += [] if options.get("awslogs-group", {}).get("Ref") in groups else [f"nobody hears {name}"]
    return faults


def images_are_targets_of_the_dockerfile(held: Deployment) -> list[str]:
    faults = []
    for name in functions(held):
        built = held["root"]["Resources"][name].get("Metadata", {})
        # Without a context `sam build` builds nothing and says nothing.
        right = (built.get("Dockerfile"), built.get("DockerContext")) == ("infra/Dockerfile", ".")
        faults += [] if right else [f"{name} has no image"]
        target = "score" if name == "ScoreFunction" else "tables"
        right = built.get("DockerBuildTarget") == target and target in stages()
        faults += [] if right else [f"{name} is built from {built.get('DockerBuildTarget')}"]
    return faults


def alarms_watch_what_matters(held: Deployment) -> list[str]:
    alarms = of_type(held, "AWS::CloudWatch::Alarm")
    faults = [f"{name} tells nobody" for name, one in alarms.items() if one.get("AlarmActions") != [{"Ref": "Told"}]]
    faults += [f"{name} does not say what it means" for name, one in alarms.items() if "AlarmDescription" not in one]
    names = [str(one["AlarmName"]["Fn::Sub"]).removeprefix("${Name}-") for one in alarms.values()]
    faults += [f"nobody asks {name} how it is, or it is gone" for name in sorted({*names} ^ {*ALARMS})]
    fresh = alarms.get("NoFreshForecast", {})
    held_metrics = {one["Id"]: one for one in fresh.get("Metrics", [])}
    period = held_metrics.get("age", {}).get("MetricStat", {}).get("Period", 0)
    window = period * fresh.get("EvaluationPeriods", 0) // 60
    filled = held_metrics.get("filled", {}).get("Expression") == "FILL(age, 9999)"
    silent = filled and fresh.get("TreatMissingData") == "breaching" and fresh.get("Threshold") == window == 90
    faults += [] if silent else ["silence is no alarm"]
    watched = re.findall(r"'Ref': '(\w+Function)'", str(alarms.get("Throttled", {})))
    return faults + [f"{name} may be throttled unseen" for name in HOURLY if name not in watched]


def alarms_and_pictures_name_metrics_that_the_code_sends(held: Deployment) -> list[str]:
    files = [*(ROOT / "functions").rglob("*.py"), *(ROOT / "shared/wattahead/jobs").rglob("*.py")]
    source = "\n".join(path.read_text(encoding="utf-8") for path in files)
    alarms = of_type(held, "AWS::CloudWatch::Alarm").values()
    metrics = [
        one["MetricStat"]["Metric"] for alarm in alarms for one in alarm.get("Metrics", []) if "MetricStat" in one
    ]
    own = [one["MetricName"] for one in (*alarms, *metrics) if one.get("Namespace") == {"Ref": "Name"}]
    board = of_type(held, "AWS::CloudWatch::Dashboard")["Dashboard"]["DashboardBody"]["Fn::Sub"]
    json.loads(re.sub(r"\$\{[\w.:]+\}", "x", board))
    drawn = re.findall(r'"\$\{Name\}", "(\w+)"', board)
    return [f"nobody sends {name}" for name in {*own, *drawn} if f'"{name}"' not in source]


def nested_templates_may_be_transformed(held: Deployment) -> list[str]:
    settings = tomllib.loads((ROOT / "samconfig.toml").read_text(encoding="utf-8"))
    allowed = settings["default"]["deploy"]["parameters"]["capabilities"].split()
    transformed = any("Transform" in held[name] for name in TEMPLATES if name != "root")
    nested = of_type(held, "AWS::CloudFormation::Stack")
    faults = ["the deploy would be refused"] if transformed and "CAPABILITY_AUTO_EXPAND" not in allowed else []
    paths = {one.get("TemplateURL") for one in nested.values()}
    return faults + ([] if paths == set(TEMPLATES.values()) - {"template.yaml"} else ["a part is not deployed"])


def the_outputs_say_how_to_go_on(held: Deployment) -> list[str]:
    outputs = held["root"].get("Outputs", {})
    line = outputs.get("DuckDb", {}).get("Value", {}).get("Fn::Sub", "")
    wanted = "read_parquet('s3://${Bucket}/forecasts/**/*.parquet', hive_partitioning=true, union_by_name=true)"
    faults = [] if wanted in line else ["nobody is told how to read the forecasts"]
    names = {"Bucket", "HourMachine", "TrainingMachine", "TrainingRepository", "DeadLetters", "Dashboard",
             "GridMachine", "GridRepository"}  # fmt: skip
    return faults + [f"there is no output {name}" for name in sorted(names - set(outputs))]


RULES: dict[str, Rule] = {
    rule.__name__: rule
    for rule in (
        every_function_of_the_tree_is_deployed,
        handlers_can_be_imported,
        variables_are_set_and_read,
        schedules_retry_and_end_in_the_queue,
        schedules_send_what_their_machine_takes,
        machines_are_filled_in_and_named,
        functions_outlive_the_storages_patience_and_end_within_the_hour,
        functions_have_one_thread_on_one_cpu,
        logs_are_kept_for_a_time,
        images_are_targets_of_the_dockerfile,
        alarms_watch_what_matters,
        alarms_and_pictures_name_metrics_that_the_code_sends,
        nested_templates_may_be_transformed,
        the_outputs_say_how_to_go_on,
    )
}
SCORE = "root/Resources/ScoreFunction"
COMMAND = f"{SCORE}/Properties/ImageConfig/Command/0"
HOURLY_EVENT = "root/Resources/HourMachine/Properties/Events/Hourly/Properties"
COMPACTING = "root/Resources/CompactFunction/Properties/Events/Hourly/Properties"
NIGHTLY = "training/Resources/TrainingMachine/Properties/Events/Nightly/Properties"
WEEKLY = "training/Resources/TrainingMachine/Properties/Events/Weekly"
VARIABLES = "root/Globals/Function/Environment/Variables"
CONTAINER = "training/Resources/Task/Properties/ContainerDefinitions/0"
VERIFY_CONTAINER = "grid/Resources/VerifyTask/Properties/ContainerDefinitions/0"
VERIFYING = "grid/Resources/GridMachine/Properties/Events/Hourly/Properties"
WATCHING = "watching/Resources"
BROKEN: list[tuple[Rule, str, Any]] = [
    (every_function_of_the_tree_is_deployed, COMMAND, "functions.plan.app.handler"),
    (handlers_can_be_imported, COMMAND, "functions.score.handler"),
    (handlers_can_be_imported, COMMAND, "functions.score.app.main"),
    (variables_are_set_and_read, f"{VARIABLES}/WATTAHEAD_BUCKET", None),
    (variables_are_set_and_read, f"{VARIABLES}/WATTAHEAD_BUKCET", "s3://bucket"),
    (variables_are_set_and_read, f"{VARIABLES}/WATTAHEAD_CLOCK", "2026-03-01T05:00Z"),
    (schedules_retry_and_end_in_the_queue, f"{HOURLY_EVENT}/RetryPolicy", None),
    (schedules_retry_and_end_in_the_queue, f"{HOURLY_EVENT}/RetryPolicy/MaximumEventAgeInSeconds", 86400),
    (schedules_retry_and_end_in_the_queue, f"{NIGHTLY}/DeadLetterConfig", None),
    (schedules_retry_and_end_in_the_queue, f"{HOURLY_EVENT}/OmitName", None),
    (schedules_retry_and_end_in_the_queue, f"{NIGHTLY}/State", "ENABLED"),
    (schedules_retry_and_end_in_the_queue, f"{COMPACTING}/RetryPolicy", None),
    (schedules_retry_and_end_in_the_queue, f"{COMPACTING}/DeadLetterConfig", None),
    (schedules_retry_and_end_in_the_queue, f"{COMPACTING}/OmitName", None),
    (schedules_retry_and_end_in_the_queue, f"{COMPACTING}/State", None),
    (schedules_send_what_their_machine_takes, f"{HOURLY_EVENT}/Input", '{"time": "<aws.scheduler.scheduled-time>"}'),
    (schedules_send_what_their_machine_takes, f"{HOURLY_EVENT}/ScheduleExpression", "cron(5 5 * * ? *)"),
    (schedules_send_what_their_machine_takes, f"{HOURLY_EVENT}/ScheduleExpression", "cron(40 * * * ? *)"),
    (schedules_send_what_their_machine_takes, f"{NIGHTLY}/Input", '{"cadence": "hourly"}'),
    (schedules_send_what_their_machine_takes, WEEKLY, None),
    (schedules_send_what_their_machine_takes, f"{COMPACTING}/ScheduleExpression", "cron(5 * * * ? *)"),
    (schedules_send_what_their_machine_takes, "root/Resources/CompactFunction/Properties/Events", None),
    (machines_are_filled_in_and_named, "root/Resources/HourMachine/Properties/DefinitionSubstitutions/Bucket", None),
    (machines_are_filled_in_and_named, "root/Resources/HourMachine/Properties/Type", "EXPRESS"),
    (machines_are_filled_in_and_named, "root/Resources/HourMachine/Properties/Name", None),
    (machines_are_filled_in_and_named, "night/States/Due/Parameters/FunctionName", "${Retrain}"),
    (functions_outlive_the_storages_patience_and_end_within_the_hour, f"{SCORE}/Properties/Timeout", 3600),
    (functions_outlive_the_storages_patience_and_end_within_the_hour, f"{SCORE}/Properties/Timeout", None),
    (functions_outlive_the_storages_patience_and_end_within_the_hour, f"{SCORE}/Properties/Timeout", 120),
    (functions_have_one_thread_on_one_cpu, f"{VARIABLES}/OMP_NUM_THREADS", "2"),
    (functions_have_one_thread_on_one_cpu, "root/Globals/Function/MemorySize", 512),
    (logs_are_kept_for_a_time, "root/Resources/FunctionLogs/Properties/RetentionInDays", None),
    (logs_are_kept_for_a_time, "root/Globals/Function/LoggingConfig", None),
    (logs_are_kept_for_a_time, f"{CONTAINER}/LogConfiguration", None),
    (images_are_targets_of_the_dockerfile, f"{SCORE}/Metadata/DockerBuildTarget", "scoring"),
    (images_are_targets_of_the_dockerfile, f"{SCORE}/Metadata/DockerBuildTarget", "training"),
    (images_are_targets_of_the_dockerfile, f"{SCORE}/Metadata/DockerContext", None),
    (schedules_send_what_their_machine_takes, f"{VERIFYING}/Input", '{"job": "train"}'),
    (schedules_send_what_their_machine_takes, f"{VERIFYING}/ScheduleExpression", "cron(0 * * * ? *)"),
    (machines_are_filled_in_and_named, "grid/Resources/GridMachine/Properties/DefinitionSubstitutions/Cluster", None),
    (logs_are_kept_for_a_time, f"{VERIFY_CONTAINER}/LogConfiguration", None),
    (alarms_watch_what_matters, "grid/Resources/GridFailed", None),
    (alarms_watch_what_matters, f"{WATCHING}/NoFreshForecast", None),
    (alarms_watch_what_matters, f"{WATCHING}/NoFreshForecast/Properties/TreatMissingData", "notBreaching"),
    (alarms_watch_what_matters, f"{WATCHING}/NoFreshForecast/Properties/EvaluationPeriods", 12),
    (alarms_watch_what_matters, f"{WATCHING}/ChampionStale", None),
    (alarms_watch_what_matters, f"{WATCHING}/HourFailed/Properties/AlarmActions", []),
    (alarms_watch_what_matters, f"{WATCHING}/Throttled/Properties/Metrics/3", None),
    (alarms_and_pictures_name_metrics_that_the_code_sends, f"{WATCHING}/ChampionStale/Properties/MetricName", "years"),
    (alarms_watch_what_matters, f"{WATCHING}/NoFreshForecast/Properties/Metrics/0/Expression", "age"),
    (nested_templates_may_be_transformed, "root/Resources/Watching", None),
    (the_outputs_say_how_to_go_on, "root/Outputs/DuckDb", None),
    (the_outputs_say_how_to_go_on, "root/Outputs/HourMachine", None),
]
