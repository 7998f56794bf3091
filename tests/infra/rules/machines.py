"""Rules for the state machines as text; that they do what they should is shown by running them (tests/journeys)."""

import re
from typing import Any

from tests.infra.templates import MACHINES, Deployment, Rule, functions, states
from wattahead.jobs.finish import TOLERATED

THROTTLES = {
    "Lambda.TooManyRequestsException",
    "Lambda.ServiceException",
    "Lambda.AWSLambdaException",
    "Lambda.SdkClientException",
}
FAULTS = {
    "Transient",
    "States.Timeout",
    "Sandbox.Timedout",
    "Runtime.ExitError",
    "Runtime.OutOfMemory",
    "Lambda.Unknown",
    "Lambda.ClientExecutionTimeoutException",
}


def calls(held: Deployment) -> list[tuple[str, Any]]:
    """Return the states that call a function, of all machines."""
    found = [(f"{short} {name}", state) for short in MACHINES for name, state in states(held[short])]
    return [(name, state) for name, state in found if state.get("Resource", "").endswith("lambda:invoke")]


def throttles_and_faults_are_retried_with_jitter(held: Deployment) -> list[str]:
    faults = []
    for name, state in calls(held):
        retries = state.get("Retry", [])
        caught = {error for retry in retries for error in retry["ErrorEquals"]}
        faults += [f"{name} does not retry {error}" for error in sorted((THROTTLES | FAULTS) - caught)]
        faults += [f"{name} retries all at once" for one in retries if one.get("JitterStrategy") != "FULL"]
        faults += [f"{name} retries at once" for one in retries if one["BackoffRate"] < 2 or one["MaxAttempts"] < 2]
    return faults


def states_wait_longer_than_their_functions_run(held: Deployment) -> list[str]:
    limits = {name: one["Timeout"] for name, one in functions(held).items()}
    faults = []
    for name, state in calls(held):
        function = re.sub(r"[${}]", "", state["Parameters"]["FunctionName"])
        longer = state.get("TimeoutSeconds", 0) > limits.get(function, 10**6)
        faults += [] if longer else [f"{name} gives up on {function} before it ends"]
    return faults


def only_the_last_call_is_final_and_only_faults_lead_to_it(held: Deployment) -> list[str]:
    child = dict(states(held["hour"]))
    last = child["LastAttempt"]["Parameters"]["Payload"]
    faults = [] if last.get("final_attempt") is True else ["the last attempt does not say so"]
    caught = [(set(one["ErrorEquals"]), one["Next"]) for one in child["Score"].get("Catch", [])]
    # Wrong code and throttles leave the batch missing: the next hour makes it, and a person sees it.
    faults += [] if caught == [(FAULTS, "LastAttempt")] else ["a last attempt follows on other things than faults"]
    faults += ["rows are written without features"] if "Catch" in child["Features"] else []
    for name in ("Features", "Score"):
        faults += [f"{name} is final at once"] if "final_attempt" in str(child[name]["Parameters"]) else []
    return faults


def no_batch_stops_another(held: Deployment) -> list[str]:
    batches = dict(states(held["hour"]))["Batches"]
    mode = batches["ItemProcessor"]["ProcessorConfig"]
    found = {
        "children could end after five minutes": mode != {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"},
        "a failed child stops the others": batches.get("ToleratedFailurePercentage") != 100,
        "the map takes all of the account's Lambdas": not 1 <= batches.get("MaxConcurrency", 0) <= 1000,
        "later stages are skipped": [one["Next"] for one in batches.get("Catch", [])] != ["StageOver"],
        "results lie among the data": batches["ResultWriter"]["Parameters"]["Prefix"] != "map-results",
    }
    return [fault for fault, holds in found.items() if holds]


def stages_follow_each_other_and_none_stops_the_next(held: Deployment) -> list[str]:
    hour = dict(states(held["hour"]))
    stages, batches = hour["Stages"], hour["Batches"]
    found = {
        "stages run side by side": stages.get("MaxConcurrency") != 1,
        "stages are not those of the plan": stages.get("ItemsPath") != "$.plan.answer.work",
        "a stage reads another's batches": batches["ItemReader"]["Parameters"].get("Key.$") != "$.work"
        or stages.get("ItemSelector") != {"work.$": "$$.Map.Item.Value"},
        "what a stage came to grows the state": (stages.get("ResultPath", ""), batches.get("ResultPath", ""))
        != (None, None)
        or hour["StageOver"].get("Result") != {},
        "finish is skipped": [one["Next"] for one in stages.get("Catch", [])] != ["Finish"],
    }
    return [fault for fault, holds in found.items() if holds]


def waiting_ends(held: Deployment) -> list[str]:
    whole = dict(states(held["hour"]))["Whole"]["Choices"]
    looks = [one for one in whole if one["Next"] == "SourcesMayCome"]
    closed = {"Variable": "$.finish.answer.outcome", "StringEquals": "too_old", "Next": "HourDone"}
    asked = [{"Variable": "$.finish.answer.again_at", "IsPresent": True, "Next": "SourcesMayCome"}]
    faults = [] if looks == asked else ["the machine decides by itself to wait"]
    faults += [] if whole[0] == closed else ["a closed hour is asked for a share that it has not"]
    share = [one.get("NumericGreaterThan") for one in whole if one["Variable"].endswith("missing_share")]
    faults += [] if share == [TOLERATED] else ["nobody says how many missing batches are too many"]
    return faults + [f"{short} may run for ever" for short in MACHINES if "TimeoutSeconds" not in held[short]]


RULES: dict[str, Rule] = {
    rule.__name__: rule
    for rule in (
        throttles_and_faults_are_retried_with_jitter,
        states_wait_longer_than_their_functions_run,
        only_the_last_call_is_final_and_only_faults_lead_to_it,
        no_batch_stops_another,
        stages_follow_each_other_and_none_stops_the_next,
        waiting_ends,
    )
}
HOUR = "hour/States/Hours/ItemProcessor/States"
STAGE = f"{HOUR}/Stages/ItemProcessor/States"
CHILD = f"{STAGE}/Batches/ItemProcessor/States"
BROKEN: list[tuple[Rule, str, Any]] = [
    (throttles_and_faults_are_retried_with_jitter, f"{CHILD}/Score/Retry/0", None),
    (throttles_and_faults_are_retried_with_jitter, f"{CHILD}/Features/Retry/1/ErrorEquals/0", None),
    (throttles_and_faults_are_retried_with_jitter, f"{HOUR}/Plan/Retry/0/JitterStrategy", None),
    (throttles_and_faults_are_retried_with_jitter, "night/States/Due/Retry/1/BackoffRate", 1),
    (states_wait_longer_than_their_functions_run, f"{CHILD}/Score/TimeoutSeconds", 200),
    (states_wait_longer_than_their_functions_run, f"{HOUR}/Finish/TimeoutSeconds", None),
    (states_wait_longer_than_their_functions_run, "root/Resources/PlanFunction/Properties/Timeout", 800),
    (only_the_last_call_is_final_and_only_faults_lead_to_it, f"{CHILD}/LastAttempt/Parameters/Payload", {}),
    (only_the_last_call_is_final_and_only_faults_lead_to_it, f"{CHILD}/Score/Catch", None),
    (only_the_last_call_is_final_and_only_faults_lead_to_it, f"{CHILD}/Score/Catch/0/ErrorEquals", ["States.ALL"]),
    (only_the_last_call_is_final_and_only_faults_lead_to_it, f"{CHILD}/Features/Catch", [{"Next": "LastAttempt"}]),
    (only_the_last_call_is_final_and_only_faults_lead_to_it, f"{CHILD}/Score/Parameters/final_attempt", True),
    (no_batch_stops_another, f"{STAGE}/Batches/ToleratedFailurePercentage", 5),
    (no_batch_stops_another, f"{STAGE}/Batches/MaxConcurrency", 0),
    (no_batch_stops_another, f"{STAGE}/Batches/ItemProcessor/ProcessorConfig/ExecutionType", "EXPRESS"),
    (no_batch_stops_another, f"{STAGE}/Batches/Catch", None),
    (no_batch_stops_another, f"{STAGE}/Batches/ResultWriter/Parameters/Prefix", "forecasts"),
    (stages_follow_each_other_and_none_stops_the_next, f"{HOUR}/Stages/MaxConcurrency", 2),
    (stages_follow_each_other_and_none_stops_the_next, f"{HOUR}/Stages/ItemsPath", "$.plan.answer.batches"),
    (stages_follow_each_other_and_none_stops_the_next, f"{STAGE}/Batches/ItemReader/Parameters/Key.$", "$.plan.work"),
    (stages_follow_each_other_and_none_stops_the_next, f"{STAGE}/Batches/ResultPath", "$.results"),
    (stages_follow_each_other_and_none_stops_the_next, f"{STAGE}/StageOver/Result", None),
    (stages_follow_each_other_and_none_stops_the_next, f"{HOUR}/Stages/Catch", None),
    (waiting_ends, f"{HOUR}/Whole/Choices/0", None),
    (waiting_ends, f"{HOUR}/Whole/Choices/1", None),
    (waiting_ends, f"{HOUR}/Whole/Choices/2/NumericGreaterThan", 0.9),
    (waiting_ends, "night/TimeoutSeconds", None),
]  # fmt: skip
