"""An answer on the spot is what the handlers would have written, from what was known then, and writes nothing."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from tests.journeys.conftest import world, worlds
from tests.journeys.futures import changed, rewritten
from tests.journeys.stores import DictStore, bucket_of
from tests.journeys.world import ISSUE, NOW, UNTIL, rows, whole_hour
from wattahead.domain.catalog import Catalog
from wattahead.domain.errors import Refused, Transient
from wattahead.domain.hours import DAY, HOUR, MINUTE
from wattahead.domain.plan import HourEvent
from wattahead.domain.quality import Quality
from wattahead.jobs.forecast_now import Found, forecast_now, select
from wattahead.jobs.plan import plan
from wattahead.storage.catalogs import latest_catalog, publish_catalog
from wattahead.storage.registry import registry
from wattahead.storage.tables import read_parquet

__all__ = ["world", "worlds"]

SOLAR, WIND, DEMAND = "SY-0001/production/solar", "SY-0002/production/wind", "SY-0001/consumption/demand"
ALL = ("*",)


def written(store: DictStore, root: str = "forecasts/") -> list[dict[str, object]]:
    """Return the rows that the handlers wrote, by series and valid time."""
    found = [
        row for key, body in rows(store.objects, root).items() for row in read_parquet(body, where=key).to_pylist()
    ]
    return sorted(found, key=lambda row: (row["series_id"], row["valid_time"]))


def without_run(listed: list[dict[str, object]]) -> list[dict[str, object]]:
    return [{name: value for name, value in row.items() if name != "run_id"} for row in listed]


def asked(store: DictStore, wanted: tuple[str, ...] = ALL, issue_time: int = ISSUE, now: int = NOW) -> Found:
    return forecast_now(bucket_of(store), wanted, issue_time, now=now)


def test_on_the_spot_the_rows_are_those_the_handlers_write_and_the_bucket_stays_as_it_was(
    world: DictStore, worlds: Callable[[], DictStore]
) -> None:
    scored = worlds()
    whole_hour(bucket_of(scored))
    before = dict(world.objects)

    found = asked(world)

    assert without_run(found.rows.to_pylist()) == without_run(written(scored))
    assert set(found.rows["run_id"].to_pylist()) == {""}
    assert len(found.on_the_spot) == 6
    assert world.objects == before


@pytest.mark.parametrize("hours", [1, 30, 90])
def test_a_past_hour_is_what_its_backfill_writes_and_knows_no_later_decision(world: DictStore, hours: int) -> None:
    at = ISSUE - hours * HOUR

    found = asked(world, issue_time=at)
    whole_hour(bucket_of(world), HourEvent(at, "backfill", "again"))

    assert without_run(found.rows.to_pylist()) == without_run(written(world, "backfills/forecasts"))
    served = {row["fallback_level"] for row in found.rows.to_pylist() if row["series_id"] == SOLAR}
    assert served == ({0} if at >= UNTIL else {2})  # before the champion was decided on there was none


def test_one_series_alone_gets_the_rows_it_has_among_all(world: DictStore) -> None:
    everything = asked(world).rows.to_pylist()

    alone = asked(world, (WIND,))

    assert alone.rows.to_pylist() == [row for row in everything if row["series_id"] == WIND]
    assert alone.on_the_spot == (WIND,)


def test_what_becomes_known_after_the_issue_time_does_not_move_a_past_hour(world: DictStore) -> None:
    at = ISSUE - 2 * DAY
    other = rewritten(world, lambda body, key: changed(body, key, 1, at), "weather/")
    other = rewritten(other, lambda body, key: changed(body, key, 1, at), "actuals/")

    assert len(set(other.objects) - set(world.objects)) > 3
    assert asked(other, issue_time=at).rows.equals(asked(world, issue_time=at).rows)


def test_live_rows_are_final_and_returned_as_they_are(world: DictStore) -> None:
    whole_hour(bucket_of(world))
    live = written(world)
    late = rewritten(world, lambda body, key: changed(body, key, 1, 0), "actuals/")

    found = asked(late)

    assert found.rows.to_pylist() == live
    assert found.on_the_spot == ()


def test_series_without_live_rows_are_scored_beside_those_that_have_them(world: DictStore) -> None:
    whole_hour(bucket_of(world))
    live = written(world)
    for key in [key for key in rows(world.objects) if "wind" in key]:
        del world.objects[key]

    found = asked(world)

    assert without_run(found.rows.to_pylist()) == without_run(live)
    assert found.on_the_spot == ("SY-0001/production/wind", WIND)


def test_an_hour_that_is_planned_is_scored_from_its_plan_whatever_was_decided_since(world: DictStore) -> None:
    _, catalog = latest_catalog(bucket_of(world))
    plan(bucket_of(world), HourEvent(ISSUE), now=NOW)
    publish_catalog(bucket_of(world), without_quantile(catalog, "p10"))

    assert "p10" in asked(world, (SOLAR,)).rows.column_names


def without_quantile(catalog: Catalog, name: str) -> Catalog:
    def fewer(quantiles: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(one for one in quantiles if one != name)

    pools = {one: replace(pool, quantiles=fewer(pool.quantiles)) for one, pool in catalog.pools.items()}
    return replace(catalog, pools=pools)


def test_sources_that_are_late_are_flagged_and_not_waited_for(world: DictStore) -> None:
    late = ISSUE + 3 * DAY  # no actuals and no weather of these days are in the bucket

    found = asked(world, (SOLAR,), late, late + MINUTE)

    assert all(value & Quality.TARGET_STALE for value in found.rows["quality_flags"].to_pylist())
    assert all(value & Quality.DEADLINE_PASSED for value in found.rows["quality_flags"].to_pylist())


def test_forecasts_that_another_signal_reads_are_made_first_and_not_shown(world: DictStore) -> None:
    reading_solar(world, "demand")

    found = asked(world, (DEMAND,))

    assert set(found.rows["series_id"].to_pylist()) == {DEMAND}
    assert found.on_the_spot == (DEMAND,)
    assert not any(value & Quality.INPUT_MISSING for value in found.rows["quality_flags"].to_pylist())
    for key in [key for key in world.objects if key.startswith("models/registry/solar/")]:
        del world.objects[key]
    assert all(value & Quality.INPUT_MISSING for value in asked(world, (DEMAND,)).rows["quality_flags"].to_pylist())


def reading_solar(store: DictStore, pool: str) -> None:
    """Let what serves a pool ask for the forecast of solar power."""
    log = registry(bucket_of(store), pool)
    held = log.entry(log.sequences()[-1])
    rungs = tuple(replace(rung, features=(*rung.features, "forecast_solar")) for rung in held.rungs)
    log.append(
        replace(held, sequence=held.sequence + 1, decided_against=held.sequence, rungs=rungs), after=held.sequence
    )


def test_a_pool_nobody_has_decided_on_gives_null_rows_that_say_so(world: DictStore) -> None:
    for key in [key for key in world.objects if key.startswith("models/registry/demand/")]:
        del world.objects[key]

    found = asked(world, (DEMAND, SOLAR))

    empty = [row for row in found.rows.to_pylist() if row["series_id"] == DEMAND]
    assert {(row["p50"], row["fallback_level"], row["model_name"]) for row in empty} == {(None, 4, "none")}
    assert all(row["quality_flags"] & Quality.NO_FORECAST for row in empty)
    assert found.degraded


def test_a_damaged_champion_is_passed_over_and_named(world: DictStore) -> None:
    for key in [key for key in world.objects if key.startswith("models/bundles/solar/") and key.endswith(".txt")]:
        world.objects[key] = world.objects[key][:-1] + b"#"

    found = asked(world, (SOLAR,))

    assert found.degraded
    assert {row["fallback_level"] for row in found.rows.to_pylist()} == {2}
    assert "E_BUNDLE" in found.errors["solar-0000 champion"]


@pytest.mark.parametrize("part", ["models/bundles/", "actuals/"])
def test_storage_that_does_not_answer_is_raised_and_never_falls_back(world: DictStore, part: str) -> None:
    class Away(DictStore):
        def get(self, key: str) -> bytes:
            if key.startswith((part, f"history/{part}")):
                raise OSError(key)
            return super().get(key)

    with pytest.raises(Transient):
        asked(Away(world.objects), (SOLAR,))


def test_only_champions_are_not_degraded(world: DictStore) -> None:
    assert not asked(world, ("*/solar", WIND)).degraded
    assert asked(world, ("*/solar", DEMAND)).degraded  # demand has no champion, and is served by its baseline


def test_an_hour_ahead_of_the_clock_is_refused(world: DictStore) -> None:
    with pytest.raises(Refused, match="E_EVENT_FUTURE"):
        asked(world, issue_time=ISSUE + HOUR)


def test_patterns_and_names_choose_each_series_once() -> None:
    known = (DEMAND, SOLAR, WIND)

    assert select(known, [WIND, "SY-*/production/*", SOLAR]) == (SOLAR, WIND)
    assert select(known, ["*"]) == known


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("SY-0001/production/solr", "E_CONFIG: there is no series .* use one of SY-0001/production/solar,"),
        ("sy-0001/production/SOLAR", "use one of SY-0001/production/solar, .* `wattahead catalog` prints all"),
        ("XX-*/production/solar", "E_CONFIG: no series matches 'XX-"),
        ("solar", "E_NAME: series 'solar' is not zone/key/subkey"),
    ],
)
def test_an_unknown_series_is_answered_with_near_ones_and_how_to_list_all(name: str, said: str) -> None:
    with pytest.raises(Refused, match=said):
        select((DEMAND, SOLAR, WIND), [name])
