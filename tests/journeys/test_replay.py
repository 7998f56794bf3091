"""Same inputs, plan and bundle: same bytes, on any machine's settings; and nothing of the future in them."""

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from tests.journeys.futures import changed, rewritten
from tests.journeys.stores import DictStore, bucket_of
from tests.journeys.world import EVENT, ISSUE, NOW, rows, table, whole_hour
from wattahead.domain.hours import DAY, HOUR
from wattahead.domain.plan import HourEvent
from wattahead.jobs.build_features import build_features
from wattahead.jobs.plan import plan
from wattahead.storage.objects import open_bucket
from wattahead.storage.tables import encode_table, read_parquet

SCRIPT = (
    "import sys\nfrom tests.journeys.world import whole_hour\nfrom wattahead.storage.objects import open_bucket\n"
    "whole_hour(open_bucket(sys.argv[1]))\n"
)


def written(store: DictStore, folder: Path) -> Path:
    bucket = open_bucket(str(folder))
    for key, body in store.objects.items():
        bucket.create(key, body)
    return folder


@pytest.mark.parametrize(
    "setting",
    [
        {"TZ": "America/Los_Angeles"},
        {"LC_ALL": "C", "PYTHONHASHSEED": "7"},
        {"TZ": "Asia/Kathmandu", "OMP_NUM_THREADS": "2"},
    ],
)
def test_another_process_in_another_time_zone_and_locale_writes_the_same_bytes(
    world: DictStore, tmp_path: Path, setting: dict[str, str]
) -> None:
    written(world, tmp_path)

    subprocess.run([sys.executable, "-c", SCRIPT, str(tmp_path)], check=True, env={**os.environ, **setting})
    whole_hour(bucket_of(world))

    bucket = open_bucket(str(tmp_path))
    assert {key: bucket.read(key, bytes) for key in bucket.keys("forecasts")} == rows(world.objects)


def test_a_year_later_as_a_backfill_the_values_are_the_same(world: DictStore) -> None:
    whole_hour(bucket_of(world))
    live = table(world.objects, "wind-0000")

    whole_hour(bucket_of(world), HourEvent(ISSUE, "backfill", "again"), now=NOW + 365 * DAY)

    (key,) = [key for key in rows(world.objects, "backfills/forecasts") if key.endswith("wind-0000.parquet")]
    again = read_parquet(world.objects[key], where=key)
    same = [name for name in live.column_names if name != "run_id"]  # the run's plan is another object
    assert again.select(same).equals(live.select(same))


@pytest.mark.parametrize("seed", range(5))
def test_whatever_becomes_known_after_the_issue_time_moves_not_one_byte(world: DictStore, seed: int) -> None:
    other = rewritten(world, lambda body, key: changed(body, key, seed, ISSUE), "weather/")
    other = rewritten(other, lambda body, key: changed(body, key, seed, ISSUE), "actuals/")
    touched = len(set(other.objects) - set(world.objects))

    whole_hour(bucket_of(world))
    whole_hour(bucket_of(other))

    assert touched > 3
    assert rows(other.objects) == rows(world.objects)
    assert rows(other.objects, "features/") == rows(world.objects, "features/")


def test_what_was_known_before_does_move_the_rows(world: DictStore) -> None:
    """The counterpart without which the test above could not fail."""

    def doubled(body: bytes, key: str) -> bytes:
        held = read_parquet(body, where=key)
        place = held.column_names.index("wind_speed_10m")
        twice = pa.array((held["wind_speed_10m"].to_numpy() * 2).astype(np.float32))
        return encode_table(held.set_column(place, "wind_speed_10m", twice))

    other = rewritten(world, doubled, "weather/")

    whole_hour(bucket_of(world), EVENT, now=ISSUE + HOUR // 2)
    whole_hour(bucket_of(other), EVENT, now=ISSUE + HOUR // 2)

    assert rows(other.objects) != rows(world.objects)


def test_a_batch_alone_is_built_from_its_own_zones_and_comes_out_as_in_the_whole_hour(few_zones: DictStore) -> None:
    together, alone = (DictStore(dict(few_zones.objects)) for _ in range(2))
    for store in (together, alone):
        plan(bucket_of(store), EVENT, now=NOW)

    build_features(bucket_of(together), EVENT, now=NOW)
    for number in range(3):
        build_features(bucket_of(alone), replace(EVENT, batch=f"wind-{number:04d}"), now=NOW)

    assert rows(alone.objects, "features/") == rows(together.objects, "features/")
    assert len(rows(alone.objects, "features/")) == 3
