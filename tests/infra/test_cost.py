"""The cost page tells what the model computes, and the model counts what is deployed."""

import math
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infra.cost import limits, machine, measured, model, page, prices, steps
from infra.cost.__main__ import main
from infra.cost.steps import Shape
from wattahead.storage.compaction import MOST_ROWS
from wattahead.storage.objects import PARALLEL

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "infra/COST.md"
whole_pools = st.integers(1, 3_000).map(lambda pools: pools * steps.BATCH)


def test_the_tables_of_the_page_are_those_the_command_prints(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.argv", ["infra.cost", "--markdown"])

    assert main() == 0

    printed = capsys.readouterr().out.strip().split("\n\n")
    shown = re.findall(r"(?:^\|.*\n)+", PAGE.read_text(encoding="utf-8"), flags=re.MULTILINE)
    assert [table.strip() for table in shown] == printed


def test_the_figures_in_the_sentences_of_the_page_are_the_models() -> None:
    text, known = PAGE.read_text(encoding="utf-8"), measured.measured()
    largest = Shape(1_000_000)
    breaks = {limit.name: f"{limits.binds_at(limit.name) / 1_000:.0f},000" for limit in limits.limits(largest)}
    transitions, slow = machine.hour(), Shape(100_000, s3_seconds=0.1)
    starts = [seconds for name, seconds in known.items() if name.startswith("start_")]

    told = [
        *_costs(),
        *_of_history(known),
        f"{steps.training(Shape(1_000)).asked / 1e6:.0f} million rows",
        f"a task of 8 GB holds about {steps.most_rows() / 1e6:.0f} million",
        f"A pool takes {steps.training(Shape(1_000)).seconds / 3600:.1f} h",
        f"{machine.most_at_once(machine.machine('training'))} train at once",
        f"12 h break at {breaks['training, one night']} series",
        f"{steps.ingest(largest).seconds(largest):,.0f} s against {measured.deployed().timeouts['ingest']} s",
        f"breaks at {breaks['ingest, one call']} series",
        f"ingest takes {steps.ingest(slow).seconds(slow):.0f} s at 100,000 series",
        f"10 concurrent calls ({breaks['the same on a new account']})",
        f"the memory of plan ({breaks['plan, memory']})",
        f"{known['plan_bytes']:.0f} bytes a series",
        f"decoded in {known['plan_read_s'] * 1e6:.1f} s and {known['plan_read_mb'] * 1e6 / 1e3:.1f} GB",
        f"imports {min(starts):.2f} to {max(starts):.2f} s",
        f"{transitions.fixed} an hour and {transitions.per_item} a batch",
        f"Metrics: {len(measured.METRICS)} of our own",
        f"{measured.deployed().alarms} for 7 alarms",
    ]
    assert [sentence for sentence in told if sentence not in text] == []


def _costs() -> list[str]:
    """What the page says about the first table."""
    one, many, largest = (Shape(series) for series in (1_000, 100_000, 1_000_000))
    fixed = [
        prices.usd("CloudWatch metric", len(measured.METRICS)),
        prices.usd("CloudWatch alarm", measured.deployed().alarms),
        prices.usd("CloudWatch dashboard", measured.deployed().dashboards),
    ]
    months = [model.month(shape) for shape in (many, largest)]
    weekly = [month.total - month.fargate * 6 / 7 for month in months]
    stored = model.stored(largest, 365)
    shown = sorted(stored, key=lambda name: -stored[name])
    return [
        f"USD {sum(fixed):.2f} whatever the size",
        f"every night is {months[0].fargate / months[0].total:.0%}".replace("%", " %"),
        f"the total is USD {weekly[0]:,.0f} and USD {weekly[1]:,.0f}",
        f"takes {steps.features(one).seconds(one):.1f} s, {steps.features(one).cpu:.1f} s of them CPU",
        f"scoring 1,000 series takes {steps.score(one).cpu:.1f} CPU s",
        ", ".join(f"{name} {stored[name] / 1_000:.1f}" for name in shown),
    ]


def _of_history(known: dict[str, float]) -> list[str]:
    """What the page says about history in few objects."""
    one, many, largest = (Shape(series) for series in (1_000, 100_000, 1_000_000))
    raw, lived = replace(one, compacted=False), replace(many, compacted=False)
    before, after = (model.lambda_usd(shape) + model.requests_usd(shape) for shape in (lived, many))
    copies = prices.usd("S3 storage", model.stored(many, 365)["copies"])
    weather = known["weather_copy_bytes"] * 24 * 365 * largest.series / model.GB
    share = many.batches * steps.features(many).seconds(many) / model.lambda_seconds(many)
    hour = steps.compact(one)
    return [
        f"takes {steps.SIGNAL_OBJECTS} objects of the signal on average",
        f"and {known['features_weather_gets']:.0f} of the weather",
        f"made {known['features_gets']:,.0f} GET, {PARALLEL} at a time",
        f"and took {steps.features(raw).seconds(raw):.1f} s instead of {steps.features(one).seconds(one):.1f} s",
        f"were USD {before:.0f} a month at 100,000 series; they are USD {after:.0f}",
        f"copies take USD {copies:.2f} of storage",
        f"takes {hour.cpu:.2f} CPU s, {hour.gets:.0f} GET, {known['compact_puts']:.0f} PUT",
        f"and {hour.writes - known['compact_puts']:.0f} LIST",
        f"At 100,000 series a call takes {steps.compact(many).seconds(many):.0f} s",
        f"weather are {known['weather_copy_bytes']:.0f} bytes a series and hour",
        f"those of actuals {known['actuals_copy_bytes']:.0f}",
        f"the former cost USD {prices.usd('S3 storage', weather):.0f} a month",
        f"a dozen GET a call, USD {prices.usd('S3 GET', 12 * measured.HOURS * largest.batches):.2f}",
        f"of its own takes {known['features_batch_s'] * 1e3:.2f} ms of CPU",
        f"only decoded {known['features_stored_s'] * 1e3:.2f} ms",
        f"at 100,000 series {share:.0%} of the Lambda".replace("%", " %"),
    ]


def test_above_the_series_that_the_page_names_memory_does_not_hold_one_signal() -> None:
    memory = measured.deployed().memory_mb
    below, above = (steps.features_mb(Shape(series, per_pool=series)) for series in (8_800, 8_900))

    assert below <= memory < above
    assert MOST_ROWS / (4_100 * 24) < 31 <= MOST_ROWS / (4_000 * 24)


def test_without_arguments_the_command_draws_every_table(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.argv", ["infra.cost"])

    assert main() == 0

    shown = capsys.readouterr().out
    assert all(table.title in shown for table in page.tables())


def test_an_hour_of_one_batch_is_nineteen_transitions_by_hand() -> None:
    before = ["OneOrMany", "OneHour", "Hours", "Kind", "Ingest", "Plan", "AnythingToDo"]
    stage = ["Stages", "Batches", "StageOver"]
    batch = ["start of the child", "Features", "SourcesThere", "Score"]
    after = ["Finish", "Whole", "HourDone", "Failed", "Done"]

    counted = machine.hour()

    assert (counted.fixed, counted.per_item) == (len(before) + len(stage) + len(after), len(batch))
    assert counted.of(1) == 19


def test_a_night_of_one_pool_is_seven_transitions_by_hand() -> None:
    assert machine.night() == machine.Transitions(
        len(["Due", "Stages", "Pools", "Failed", "Done"]), len(["Train", "PoolDone"])
    )


def test_a_state_more_in_the_machine_is_a_transition_more() -> None:
    held: dict[str, Any] = machine.machine("hour")
    stages = held["States"]["Hours"]["ItemProcessor"]["States"]["Stages"]["ItemProcessor"]
    child = stages["States"]["Batches"]["ItemProcessor"]
    child["States"]["Before"] = {"Type": "Pass", "Next": child["StartAt"]}
    child["StartAt"] = "Before"

    assert machine.walk(held, one_item=("Hours", "Stages")).per_item == machine.hour().per_item + 1


@pytest.mark.parametrize(
    ("series", "pools", "batches"),
    [(10, 1, 1), (1_000, 1, 1), (1_001, 2, 2), (100_000, 100, 100), (1_000_000, 1_000, 1_000)],
)
def test_series_are_cut_into_batches_of_at_most_a_thousand(series: int, pools: int, batches: int) -> None:
    assert (Shape(series).pools, Shape(series).batches) == (pools, batches)


@given(series=st.integers(1, 2_000_000), per_pool=st.integers(1, 50_000))
def test_batches_hold_every_series_and_none_too_many(series: int, per_pool: int) -> None:
    shape = Shape(series, per_pool=per_pool)

    assert shape.batches * shape.in_batch >= series
    assert math.ceil(series / steps.BATCH) <= shape.batches <= series / steps.BATCH + shape.pools
    assert shape.in_batch <= steps.BATCH


@given(fewer=whole_pools, more=whole_pools)
def test_more_series_never_cost_less_whatever_the_service(fewer: int, more: int) -> None:
    fewer, more = sorted((fewer, more))
    few, many = (vars(model.month(Shape(series))) for series in (fewer, more))

    assert all(many[service] >= few[service] > 0 for service in few)


def test_the_totals_of_the_page_grow_with_the_series() -> None:
    totals = [model.month(Shape(series)).total for series in page.SIZES]

    assert totals == sorted(totals)


@given(series=whole_pools)
def test_history_in_few_objects_costs_less_whatever_it_takes_to_copy_it(series: int) -> None:
    live = model.month(replace(Shape(series), compacted=False))
    compacted = model.month(Shape(series))

    assert compacted.lambda_ < live.lambda_
    assert compacted.s3_requests < live.s3_requests
    assert compacted.s3_first_year > live.s3_first_year


def test_the_model_of_a_features_call_meets_one_that_was_measured_on_copied_history() -> None:
    assert steps.features(Shape(100)).cpu == pytest.approx(measured.measured()["features_compacted_s"], rel=0.3)


def test_requests_that_go_together_are_waited_for_together_and_never_in_less_than_their_turns() -> None:
    shape = Shape(1_000, s3_seconds=1.0)

    assert steps.Call(0.5, gets=33, writes=2, together=32).seconds(shape) == 0.5 + 3 + 2
    assert steps.Call(0.5, gets=11, writes=2, together=10, turns=4).seconds(shape) == 0.5 + 3 + 4
    assert steps.Call(0.5, gets=11, writes=2).seconds(shape) == 0.5 + 13


def test_storage_stops_growing_where_a_rule_of_the_template_ends_it() -> None:
    kept = measured.deployed().kept_days
    shape = Shape(1_000)
    daily = [
        model.stored_gb(shape, days + 1) - model.stored_gb(shape, days)
        for days in (kept["features"] - 1, kept["features"])
    ]

    assert kept["features"] == 60
    assert kept["ledger"] == 400
    assert daily[0] - daily[1] == pytest.approx(measured.measured()["features_bytes"] * 24 * 1_000 / model.GB)


@pytest.mark.parametrize("name", [limit.name for limit in limits.limits(Shape(1))])
def test_a_bound_breaks_where_the_page_says_and_not_before(name: str) -> None:
    def share(series: int) -> float:
        return next(limit.share for limit in limits.limits(Shape(series)) if limit.name == name)

    breaks = limits.binds_at(name)

    assert share(breaks) > 1 if breaks else share(limits.MOST_SERIES) <= 1
    assert breaks == 0 or share(breaks - 1) <= 1


def test_what_the_templates_say_is_what_is_paid_for() -> None:
    held = measured.deployed()

    assert (held.memory_mb, held.task_vcpu, held.task_gb) == (1769, 1, 8)
    assert (held.alarms, held.dashboards) == (14, 1)
    assert set(held.timeouts) >= {"ingest", "plan", "features", "score", "finish", "compact"}


def test_every_price_says_what_for_where_and_when_it_was_read() -> None:
    assert all(price.unit and price.source and price.usd > 0 for price in prices.PRICES.values())
    assert {price.read for price in prices.PRICES.values() if price.source == prices.MEMORY} == {prices.NOT_READ}
    assert prices.usd("S3 PUT or LIST", 2_000) == pytest.approx(0.01)
