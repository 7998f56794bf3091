"""The ladder: who serves whom when something is wrong."""

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import pytest

from wattahead.domain.bundle import Rung
from wattahead.domain.errors import Refused, Transient
from wattahead.models.rows import Floats, Model, Rows
from wattahead.workloads.ladder import climb

CHAMPION, PREVIOUS, NAIVE, CLIMATE = (
    Rung(role, role[0] * 64, role, ()) for role in ("champion", "previous", "seasonal_naive", "climatology")
)
STEPS, QUANTILES = 2, 3
ROWS = Rows(("AA", "BB", "CC"), STEPS, ("x",), np.arange(6, dtype=np.float32)[None], np.ones(3))


@dataclass
class Fake:
    """Predicts a constant plus the feature, so that rows can be told apart."""

    constant: float
    refuses: tuple[str, ...] = ()
    wrong: dict[str, float] = field(default_factory=dict)  # zone -> what its last value is instead
    asked: list[tuple[str, ...]] = field(default_factory=list)

    def usable(self, rows: Rows) -> npt.NDArray[np.bool_]:
        return np.array([zone not in self.refuses for zone in rows.zones], dtype=bool)

    def predict(self, rows: Rows) -> Floats:
        self.asked.append(rows.zones)
        values = np.tile(self.constant + rows.column("x").astype(np.float64), (QUANTILES, 1))
        for zone, value in self.wrong.items():
            if zone in rows.zones:
                values[-1, (rows.zones.index(zone) + 1) * STEPS - 1] = value
        return values


def _opener(**models: Model | Exception) -> Callable[[Rung], Model]:
    def open_model(rung: Rung) -> Model:
        found = models[rung.role]
        if isinstance(found, Exception):
            raise found
        return found

    return open_model


def test_a_healthy_champion_serves_everybody() -> None:
    climbed = climb(ROWS, (CHAMPION, NAIVE), _opener(champion=Fake(100)), quantiles=QUANTILES)

    assert climbed.served_by == (CHAMPION,) * 3
    assert climbed.level.tolist() == [0, 0, 0]
    np.testing.assert_array_equal(climbed.values, [[100, 101, 102, 103, 104, 105]] * QUANTILES)


def test_each_series_is_served_by_the_first_rung_that_can() -> None:
    rungs = _opener(
        champion=Fake(100, refuses=("AA", "BB")),
        previous=Fake(200, refuses=("BB",)),
        seasonal_naive=Fake(300),
        climatology=Fake(400),
    )

    climbed = climb(ROWS, (CHAMPION, PREVIOUS, NAIVE, CLIMATE), rungs, quantiles=QUANTILES)

    assert climbed.served_by == (PREVIOUS, NAIVE, CHAMPION)
    assert climbed.level.tolist() == [1, 2, 0]
    assert climbed.values[0].tolist() == [200, 201, 302, 303, 104, 105]


def test_a_rung_is_asked_only_for_series_that_still_wait() -> None:
    naive = Fake(300)

    climb(
        ROWS, (CHAMPION, NAIVE), _opener(champion=Fake(100, refuses=("BB",)), seasonal_naive=naive), quantiles=QUANTILES
    )

    assert naive.asked == [("BB",)]


def test_a_rung_that_can_serve_nobody_is_passed_over() -> None:
    climbed = climb(
        ROWS,
        (CHAMPION, NAIVE),
        _opener(champion=Fake(100, refuses=ROWS.zones), seasonal_naive=Fake(300)),
        quantiles=QUANTILES,
    )

    assert climbed.served_by == (NAIVE,) * 3
    assert climbed.errors == {}


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_a_series_with_one_value_that_is_not_finite_goes_to_the_next_rung_alone(value: float) -> None:
    climbed = climb(
        ROWS,
        (CHAMPION, NAIVE),
        _opener(champion=Fake(100, wrong={"BB": value}), seasonal_naive=Fake(300)),
        quantiles=QUANTILES,
    )

    assert climbed.served_by == (CHAMPION, NAIVE, CHAMPION)
    assert climbed.values[-1].tolist() == [100, 101, 302, 303, 104, 105]


def test_a_refused_rung_is_named_and_the_next_serves() -> None:
    broken = Refused("E_BUNDLE_HASH", "p50.txt does not match", fix="publish it again")

    climbed = climb(ROWS, (CHAMPION, NAIVE), _opener(champion=broken, seasonal_naive=Fake(300)), quantiles=QUANTILES)

    assert climbed.level.tolist() == [2, 2, 2]
    assert climbed.errors == {"champion": str(broken)}


def test_a_transient_fault_is_raised_and_never_falls_back() -> None:
    passing = Transient("E_STORAGE", "503", fix="retry")

    with pytest.raises(Transient):
        climb(ROWS, (CHAMPION, NAIVE), _opener(champion=passing, seasonal_naive=Fake(300)), quantiles=QUANTILES)


def test_too_little_memory_is_raised_and_never_falls_back() -> None:
    class Large(Fake):
        def predict(self, rows: Rows) -> Floats:
            raise MemoryError

    with pytest.raises(MemoryError):
        climb(ROWS, (CHAMPION, NAIVE), _opener(champion=Large(1), seasonal_naive=Fake(300)), quantiles=QUANTILES)


@pytest.mark.parametrize("rungs", [(), (CHAMPION,)])
def test_a_series_that_nobody_serves_is_null_below_the_last_rung(rungs: tuple[Rung, ...]) -> None:
    climbed = climb(ROWS, rungs, _opener(champion=Fake(100, refuses=ROWS.zones)), quantiles=QUANTILES)

    assert climbed.served_by == (None,) * 3
    assert climbed.level.tolist() == [4, 4, 4]
    assert np.isnan(climbed.values).all()


def test_rungs_behind_the_one_that_served_everybody_are_not_opened() -> None:
    climbed = climb(
        ROWS,
        (CHAMPION, NAIVE),
        _opener(champion=Fake(100), seasonal_naive=AssertionError("opened")),
        quantiles=QUANTILES,
    )

    assert climbed.level.tolist() == [0, 0, 0]
