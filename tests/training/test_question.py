"""The command line of training: which pools it chooses, whom it takes along, and by whom they are trained."""

import io
import time
from dataclasses import replace
from uuid import uuid4

import pytest
from rich.console import Console

from tests.journeys.stores import DictStore, bucket_of
from tests.journeys.world import UNTIL
from training import __main__ as program
from training import trainers
from training.attempts import run_id
from training.parsing import known_by
from training.question import Question, chosen, find_trainer, question, taught_by
from training.stopping import Stop
from wattahead.domain.catalog import Catalog
from wattahead.domain.errors import Refused
from wattahead.domain.hours import DAY, HOUR, MINUTE, instant, iso
from wattahead.storage.bundles import fetch
from wattahead.storage.catalogs import latest_catalog
from wattahead.storage.ledger import entries
from wattahead.storage.objects import open_bucket


@pytest.fixture(scope="module")
def catalog(untrained_world: DictStore) -> Catalog:
    """Give pools demand, solar and wind; zone SY-0002 has no solar."""
    _, found = latest_catalog(bucket_of(untrained_world))
    return replace(found, pools={**found.pools, "solar": replace(found.pools["solar"], zones=("SY-0001",))})


@pytest.fixture(scope="module")
def url(catalog: Catalog) -> str:
    """Give a bucket that holds this catalog."""
    from wattahead.storage.catalogs import publish_catalog

    address = f"memory://{uuid4().hex}"
    publish_catalog(open_bucket(address), catalog)
    return address


@pytest.fixture
def my_trainer(monkeypatch: pytest.MonkeyPatch) -> str:
    """Give the name of a second trainer, which is the first under another name."""
    monkeypatch.setitem(trainers.TRAINERS, "my_super_trainer", trainers.TRAINERS["ensemble"])
    return "my_super_trainer"


@pytest.mark.parametrize(
    ("words", "pools"),
    [
        ("", ["demand", "solar", "wind"]),
        ("--zone_keys SY-0001,SY-0002", ["demand", "solar", "wind"]),
        ("--zone_keys SY-0002", ["demand", "wind"]),
        ("--zone-keys SY-0002", ["demand", "wind"]),
        ("--zones SY-0002", ["demand", "wind"]),
        ("--zone_keys SY-0001 --forecast_keys production", ["solar", "wind"]),
        ("--zone-keys SY-0002 --forecast-keys production,consumption --forecast-subkeys solar,wind", ["wind"]),
        ("--keys consumption", ["demand"]),
        ("--pools wind,demand,wind --zones SY-0001", ["demand", "wind"]),
        ("--pools wind,solar --subkeys solar", ["solar"]),
    ],
)
def test_zones_keys_and_subkeys_choose_pools(words: str, pools: list[str], url: str) -> None:
    assert question(["--bucket", url, *words.split()]).pools == tuple(pools)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("--zone_keys SY-0001,SY-0009", "there is no zone 'SY-0009'. Fix: use SY-0001, SY-0002."),
        ("--forecast_keys prod", "there is no key 'prod'. Fix: use consumption, production."),
        ("--forecast_subkeys gas", "there is no subkey 'gas'. Fix: use demand, solar, wind."),
        ("--trainer_interface MySuperTrainer3000", "no trainer 'MySuperTrainer3000'. Fix: use one of climatology"),
        ("--zone_keys SY-0002 --forecast_subkeys solar", "no pool holds a series of SY-0002; solar."),
    ],
)
def test_what_is_unknown_is_answered_with_what_is_known(
    words: str, said: str, url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert program.main(["--bucket", url, *words.split()]) == 64
    assert said in capsys.readouterr().err
    assert entries(open_bucket(url)) == []


def test_a_pool_is_trained_whole_and_the_zones_that_come_along_are_named(url: str) -> None:
    asked = question(["--bucket", url, "--zone_keys", "SY-0001"])

    assert asked.catalog.pools["wind"].zones == ("SY-0001", "SY-0002")
    assert [note.split(" trained")[0] for note in asked.notes] == ["demand: SY-0002", "wind: SY-0002"]


def test_a_zone_that_no_chosen_pool_holds_is_named(url: str) -> None:
    asked = question(["--bucket", url, "--zone_keys", "SY-0001,SY-0002", "--forecast_subkeys", "solar"])

    assert asked.pools == ("solar",)
    assert asked.notes == ("SY-0002: in none of the pools that are trained",)


def test_all_zones_of_the_catalog_bring_nobody_along(url: str) -> None:
    assert question(["--bucket", url, "--zone_keys", "SY-0001,SY-0002"]).notes == ()


@pytest.mark.parametrize("name", ["lightgbm", "LightGBM", "LIGHTGBM", "light-gbm"])
def test_a_trainer_is_found_in_any_case(name: str) -> None:
    assert find_trainer(name) == "lightgbm"


@pytest.mark.parametrize("name", ["my_super_trainer", "MySuperTrainer", "my-super-trainer"])
def test_a_class_name_means_the_module_of_that_name(name: str, my_trainer: str) -> None:
    assert find_trainer(name) == my_trainer


def test_another_trainer_takes_over_without_the_parameters_of_the_first(catalog: Catalog, my_trainer: str) -> None:
    same, other = taught_by(catalog, "ensemble"), taught_by(catalog, my_trainer)

    assert same == catalog == taught_by(catalog, "")
    assert catalog.pools["wind"].parameters
    assert {(pool.trainer, len(pool.parameters)) for pool in other.pools.values()} == {(my_trainer, 0)}


def test_a_training_by_another_trainer_is_another_run_and_its_manifest_names_it(
    untrained_world: DictStore, my_trainer: str
) -> None:
    store = DictStore(dict(untrained_world.objects))
    _, plain = latest_catalog(bucket_of(store))
    few = {"rounds": 10, "leaves": 4, "folds": 2}
    taught = taught_by(plain, my_trainer)
    taught = replace(taught, pools={"wind": replace(taught.pools["wind"], parameters=few)})

    asked = Question(bucket_of(store), taught, ("wind",), UNTIL, seed=1, trainer=my_trainer)
    assert program.train_all(asked, Console(file=io.StringIO()), Stop()) == 0

    (entry,) = entries(bucket_of(store))
    assert entry.run_id == run_id("wind", UNTIL, 1, my_trainer) != run_id("wind", UNTIL, 1)
    (manifest,) = {
        key.split("/")[3] for key in store.objects if key.startswith("models/bundles/wind/") and "txt" in key
    }
    assert fetch(bucket_of(store), "wind", manifest)[0].training["trainer"] == my_trainer


def test_an_unknown_pool_is_answered_with_the_known_ones(catalog: Catalog) -> None:
    with pytest.raises(Refused, match="there is no pool 'wnd'. Fix: use demand, solar, wind"):
        chosen(catalog, "wnd")


@pytest.mark.parametrize("words", ["", "--validate k_fold"])
def test_a_training_until_a_time_to_come_is_refused_before_the_registry_hears_of_it(
    words: str, url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    tomorrow = iso(time.time_ns() // 1000 + DAY)

    assert program.main(["--bucket", url, "--pools", "wind", "--until", tomorrow, *words.split()]) == 64

    said = " ".join(capsys.readouterr().err.split())
    assert f"E_CONFIG: --until {tomorrow} is ahead of the clock" in said
    assert "Fix: name a time that is over, or leave --until out." in said
    assert entries(open_bucket(url)) == []
    assert not open_bucket(url).keys("models")


def test_a_time_that_is_over_is_taken_and_a_clock_may_be_five_minutes_slow() -> None:
    now = instant("2026-03-01T00:00Z")

    assert known_by(iso(now), now) == now
    assert known_by(iso(now - HOUR), now) == now - HOUR
    assert known_by(iso(now + 5 * MINUTE), now) == now + 5 * MINUTE
    with pytest.raises(Refused, match="E_CONFIG"):
        known_by(iso(now + 6 * MINUTE), now)
