"""Catalogs: from a TOML file into an append-only log."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from tests.grid.worlds import FIVE, pool
from tests.storage.faults import Around, Call, Do
from wattahead.domain.catalog import Catalog, Zone
from wattahead.domain.errors import LostRace, Refused
from wattahead.storage.catalogs import latest_catalog, publish_catalog, read_catalog
from wattahead.storage.documents import encode
from wattahead.storage.objects import Bucket

TEXT = """
[zones.FR]
latitude = 46.5
longitude = 2.5

[zones.DE]
latitude = 51.0
longitude = 10.0

[signals.solar]
key = "production"
subkey = "solar"
unit = "MW"
sign = "generation_positive"
night_zero = true
capacity = { FR = 19000 }

[feature_sets]
plain = ["hour", "same_time_1"]

[pools.solar]
signal = "solar"
zones = "all"
feature_set = "plain"
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "catalog.toml"
    path.write_text(TEXT, encoding="utf-8")
    return path


def moved(catalog: Catalog, latitude: float) -> Catalog:
    """Return the catalog with France elsewhere."""
    return replace(catalog, zones={**catalog.zones, "FR": Zone(latitude, 2.5)})


def test_a_file_becomes_a_catalog(file: Path) -> None:
    catalog = read_catalog(file)

    assert catalog.zones["FR"] == Zone(46.5, 2.5)
    assert catalog.signals["solar"].capacity == {"FR": 19000.0}
    assert catalog.feature_sets == {"plain": ("hour", "same_time_1")}


def test_all_stands_for_every_zone_of_the_file(file: Path) -> None:
    assert read_catalog(file).pools["solar"].zones == ("DE", "FR")


def test_a_published_catalog_is_the_latest(any_bucket: Bucket, file: Path) -> None:
    catalog = read_catalog(file)

    assert publish_catalog(any_bucket, catalog) == 1
    assert latest_catalog(any_bucket) == (1, catalog)


def test_the_same_catalog_again_is_not_a_new_entry(bucket: Bucket, file: Path) -> None:
    assert [publish_catalog(bucket, read_catalog(file)) for _ in range(3)] == [1, 1, 1]
    assert len(bucket.keys("catalog")) == 1


def test_the_order_of_a_files_lines_is_not_a_change(bucket: Bucket, file: Path) -> None:
    publish_catalog(bucket, read_catalog(file))
    france, germany = TEXT.index("[zones.FR]"), TEXT.index("[zones.DE]")
    file.write_text(TEXT[germany : TEXT.index("[signals")] + TEXT[france:germany] + TEXT[TEXT.index("[signals") :])

    assert publish_catalog(bucket, read_catalog(file)) == 1


def test_a_changed_catalog_is_the_next_entry_and_so_is_the_way_back(bucket: Bucket, file: Path) -> None:
    catalog = read_catalog(file)

    assert [publish_catalog(bucket, one) for one in (catalog, moved(catalog, 47), catalog)] == [1, 2, 3]
    assert latest_catalog(bucket) == (3, catalog)


def test_racing_publishers_get_a_number_each(bucket: Bucket, file: Path) -> None:
    catalog = read_catalog(file)

    with ThreadPoolExecutor(4) as pool:
        numbers = list(pool.map(lambda latitude: publish_catalog(bucket, moved(catalog, latitude)), range(4)))

    assert sorted(numbers) == [1, 2, 3, 4]


def test_a_publisher_that_always_loses_gives_up(bucket: Bucket, file: Path) -> None:
    catalog = read_catalog(file)

    def outrun(call: Call, do: Do) -> object:
        if call.verb == "create":
            publish_catalog(bucket, moved(catalog, call.nth))
        return do()

    with pytest.raises(LostRace, match="E_RACE: the catalog is being published by many at once"):
        publish_catalog(Bucket(Around(bucket.store, outrun)), catalog)


def test_a_bucket_without_a_catalog_says_so(any_bucket: Bucket) -> None:
    with pytest.raises(Refused, match="E_CATALOG_EMPTY"):
        latest_catalog(any_bucket)


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("[zones.FR]", "[zones.FR", "E_CONFIG: catalog.toml: Expected"),
        ("[zones.DE]", "[zones.FR]", "E_CONFIG: catalog.toml: Cannot declare"),
        ('unit = "MW"\n', "", "E_CONFIG: catalog.toml: signals.solar.unit: Field required"),
        ("night_zero", "nightzero", "E_CONFIG: catalog.toml: signals.solar.nightzero: Unexpected"),
        ("46.5", '"north"', "E_CONFIG: catalog.toml: zones.FR.latitude: Input should be a valid number"),
        ("46.5", "146.5", "E_GRID_LOCATION"),
        ("19000", "0", "E_CAPACITY"),
        ("[zones.FR]", "[zones.Fr]", "E_NAME: zone 'Fr'"),
        ('signal = "solar"', 'signal = "sola"', "E_CONFIG: pool solar: signal 'sola' is not in the catalog.*solar"),
        ('"all"', '["FR", "FR"]', "E_CONFIG: zones of a pool"),
        ('"all"', '"some"', "E_CONFIG: catalog.toml: pools.solar.zones"),
        (TEXT, "", "E_CONFIG: catalog.toml: zones: Field required"),
        (TEXT, "pools = 3", "E_CONFIG: catalog.toml: "),
        (TEXT, "zones = 3\n[pools.a]\nzones = 'all'", "E_CONFIG: catalog.toml: "),
        (TEXT, "[pools]\na = 3", "E_CONFIG: catalog.toml: "),
    ],
)
def test_a_wrong_line_of_a_catalog_is_named(file: Path, old: str, new: str, told: str) -> None:
    file.write_text(TEXT.replace(old, new, 1))

    with pytest.raises(Refused, match=told):
        read_catalog(file)


@pytest.mark.parametrize("body", [b"\xff\xfe", b"\x00", b'name = "\xe9"'])
def test_a_file_that_is_not_text_in_utf8_is_refused(file: Path, body: bytes) -> None:
    file.write_bytes(body)

    with pytest.raises(Refused, match="E_CONFIG: catalog.toml: "):
        read_catalog(file)


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Refused, match="E_CONFIG: none.toml: "):
        read_catalog(tmp_path / "none.toml")


def test_a_catalog_of_grids_names_its_network_by_a_file_and_may_leave_forecasts_out(tmp_path: Path) -> None:
    (tmp_path / "five.json").write_bytes(encode(FIVE))
    file = tmp_path / "catalog.toml"
    file.write_text('[networks]\nfive = "five.json"\n[grid_pools.screen]\nnetwork = "five"\ngrids = ["one"]\n')

    found = read_catalog(file)

    assert found.networks == {"five": FIVE}
    assert found.grid_pools["screen"].grids == ("one",)
    assert found.pools == {}


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('[networks]\nfive = "six.json"\n[grid_pools.screen]\nnetwork = "five"\ngrids = ["one"]\n', "six.json"),
        ('[networks]\nfive = "bad.json"\n[grid_pools.screen]\nnetwork = "five"\ngrids = ["one"]\n', "Expecting"),
        ('[networks]\nfive = "five.json"\n[grid_pools.screen]\nnetwork = "six"\ngrids = ["one"]\n', "five"),
        ('[networks]\nfive = "five.json"\n[grid_pools.screen]\nnetwork = "five"\ngrids = []\n', "name each grid once"),
        ('[networks]\nfive = "five.json"\n[grid_pools.screen]\nnetwork = "five"\ngrids = ["One"]\n', "E_NAME"),
        ('[networks]\nfive = "five.json"\n[grid_pools.screen]\nnetwork = "five"\ngrids = ["one"]\ntop = 0\n', "top 0"),
    ],
)
def test_a_wrong_line_about_grids_is_named(tmp_path: Path, text: str, told: str) -> None:
    (tmp_path / "five.json").write_bytes(encode(FIVE))
    (tmp_path / "bad.json").write_text("{")
    (tmp_path / "catalog.toml").write_text(text)

    with pytest.raises(Refused, match=told):
        read_catalog(tmp_path / "catalog.toml")


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"grid_pools": {"a": pool(FIVE, ("one",)), "b": pool(FIVE, ("two", "one"))}}, "grid one stands in two pools"),
        ({"networks": {"six": FIVE}, "grid_pools": {"a": replace(pool(FIVE, ("one",)), network="six")}}, "six calls"),
    ],
)
def test_grids_that_could_not_be_told_apart_are_refused(file: Path, changed: dict[str, object], told: str) -> None:
    with pytest.raises(Refused, match=told):
        replace(read_catalog(file), **{"networks": {"five": FIVE}, **changed})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda: replace(FIVE, lines=(*FIVE.lines, FIVE.lines[0])), "has line AB twice"),
        (lambda: replace(FIVE.lines[0], limit=float("nan")), "line AB has"),
        (lambda: replace(FIVE.lines[0], reactance=float("inf")), "line AB has"),
        (lambda: replace(FIVE.lines[0], extremity=0), "line AB has"),
        (lambda: replace(FIVE, configurations={0: (0, 2, 2)}), "stand twice"),
        (lambda: replace(FIVE, configurations={0: (-1,)}), "elements it has not"),
        (lambda: replace(FIVE, configurations={0: (1 << 12,)}), "elements it has not"),
        (lambda: replace(FIVE, configurations={9: (0,)}), "substations that it does not have"),
        (lambda: pool(FIVE, ("one",), quantiles=("p10", "p90")), "lack p50"),
        (lambda: pool(FIVE, ("one",), quantiles=("p90", "p50", "p10")), "not ascending"),
        (lambda: pool(FIVE, ("one",), quantiles=("fail", "p50")), "lack p50 or"),
        (lambda: pool(FIVE, ("one",), horizon="P9D"), "horizon P9D"),
    ],
)
def test_a_network_or_pool_that_does_not_hold_is_refused(change: Callable[[], object], told: str) -> None:
    with pytest.raises(Refused, match=told):
        change()


def test_a_pool_cannot_be_of_forecasts_and_of_grids(file: Path) -> None:
    catalog = read_catalog(file)

    with pytest.raises(Refused, match="solar is a pool and a grid pool"):
        replace(catalog, networks={"five": FIVE}, grid_pools={"solar": pool(FIVE, ("one",))})
