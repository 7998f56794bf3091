"""Boosters in one file: each row has one, its value is LightGBM's own, and no wrong cut reaches the library."""

from typing import Any

import lightgbm
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.models.blends import BLOCKS, NAMES, ZONES, grown, packed, parts, rows
from wattahead.domain.errors import Refused
from wattahead.models import trees
from wattahead.models.rows import Floats, Rows
from wattahead.models.trees import Tree, Trees, load_trees, pack

MANY = ("FR", "DE", "NO", "SE") * 6


def lightgbm_says(about: dict[str, Any], body: bytes, asked: Rows) -> Floats:
    """Return what the package of LightGBM predicts, row by row of the booster that serves it."""
    zone = np.repeat([ZONES.index(name) if name in ZONES else np.nan for name in asked.zones], asked.steps)
    matrix = np.column_stack([asked.columns(NAMES).T, zone])
    named = {part["zone"] for part in about["trees"]}
    found = np.full(len(matrix), np.nan)
    for part in about["trees"]:
        booster = lightgbm.Booster(model_str=body[part["start"] : part["end"]].decode())
        for row, name in enumerate(np.repeat(asked.zones, asked.steps)):
            last = np.inf if part["last"] is None else part["last"]
            if part["zone"] == (name if name in named else "") and part["first"] <= asked.column("lead")[row] < last:
                assert np.isnan(found[row])
                found[row] = booster.predict(matrix[row : row + 1], num_threads=1)[0]
    return found


@pytest.mark.parametrize("zones", [("",), ZONES, ("", "FR")], ids=str)
@pytest.mark.parametrize("steps", [1, 24, 30])
def test_every_row_has_the_value_of_its_one_booster_bit_for_bit(zones: tuple[str, ...], steps: int) -> None:
    about, body = packed(zones=zones)
    asked = rows(MANY[:4], steps=steps)

    found = load_trees(about, body).predict(asked)

    assert found.tobytes() == lightgbm_says(about, body, asked).tobytes()
    assert np.isnan(found).any() == ("" not in zones)  # SE has no booster


@given(st.permutations(range(len(MANY))), st.sampled_from([1, 2, 24]))
def test_any_series_in_any_order_give_the_bits_they_have_together(order: list[int], count: int) -> None:
    asked, series = rows(MANY), np.array(order[:count])

    for model in (POOLED, OWN):
        assert model.predict(asked.take(series)).tobytes() == parts(model.predict(asked), series).tobytes()


POOLED, OWN = load_trees(*packed()), load_trees(*packed(zones=ZONES))


class Asked:
    """A booster that counts the rows it is asked for."""

    features = (*NAMES, "zone")

    def __init__(self) -> None:
        self.rows = 0

    def predict(self, matrix: np.ndarray) -> Floats:
        self.rows += len(matrix)
        return np.ones(len(matrix))


def test_no_row_is_asked_of_two_boosters() -> None:
    held = [Tree(Asked(), zone, first, np.inf if last is None else last) for zone in ZONES for first, last in BLOCKS]  # type: ignore[arg-type]  # a booster to it

    found = Trees(NAMES, {}, tuple(held)).predict(rows(ZONES * 5))

    assert (found == 1).all()
    assert [one.booster.rows for one in held] == [60] * 6  # type: ignore[attr-defined]


@pytest.mark.parametrize("dark", [0.0, np.nan])
def test_rows_whose_envelope_is_nothing_or_unknown_are_too_and_no_booster_is_asked_for_them(dark: float) -> None:
    about, body = packed()
    asked = rows(ZONES, holes=0)
    night = np.arange(len(asked.zones) * asked.steps) % 24 < 9
    asked.block[NAMES.index("same_time_1"), night] = dark
    plain, raised = load_trees(about, body), load_trees({**about, "envelope": "same_time_1"}, body)

    found = raised.predict(asked)
    counted = [Tree(Asked(), "", *block) for block in ((0.0, 12.0), (12.0, np.inf))]  # type: ignore[arg-type]  # a booster to it
    Trees(NAMES, {}, tuple(counted), "same_time_1").predict(asked)

    assert np.array_equal(found[night], np.full(night.sum(), dark), equal_nan=True)
    assert np.array_equal(found[~night], (plain.predict(asked) * asked.column("same_time_1").astype(float))[~night])
    assert sum(one.booster.rows for one in counted) == (~night).sum()  # type: ignore[attr-defined]


def test_a_zone_without_boosters_stays_unknown_where_its_envelope_is_nothing() -> None:
    about, body = packed(zones=ZONES)
    asked = rows(("SE", "FR"), holes=0)
    asked.block[NAMES.index("same_time_1")] = 0.0

    found = load_trees({**about, "envelope": "same_time_1"}, body).predict(asked)

    assert np.isnan(found[:24]).all()
    assert (found[24:] == 0).all()


@pytest.fixture
def reached(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Give the texts that reached the library; it is not called."""
    texts: list[str] = []

    def spy(text: str) -> Asked:
        texts.append(text)
        return Asked()

    monkeypatch.setattr(trees, "NativeBooster", spy)
    return texts


def test_a_whole_file_reaches_the_library_booster_by_booster(reached: list[str]) -> None:
    load_trees(*packed(zones=ZONES))

    assert reached == [grown(1 + number) for number in range(6)]


@pytest.mark.parametrize("side", ["start", "end"])
@pytest.mark.parametrize("by", [-1000, -1, 1, 7, 1000, 10**9, 0.5, "1"])
@pytest.mark.parametrize("part", [0, 1])
def test_a_cut_elsewhere_is_refused_before_the_library_sees_it(
    reached: list[str], side: str, by: float | str, part: int
) -> None:
    about, body = packed()
    about["trees"][part][side] = about["trees"][part][side] + by if isinstance(by, int | float) else by  # type: ignore[index]  # plain JSON

    with pytest.raises((ValueError, TypeError)):
        load_trees(about, body)

    assert reached == []


@pytest.mark.parametrize("cut", [slice(0, -1), slice(1, None), slice(0, 500), slice(0, 0)])
def test_a_file_that_is_cut_is_refused_before_the_library_sees_it(reached: list[str], cut: slice) -> None:
    about, body = packed()

    with pytest.raises(ValueError, match="models do not stand one after the other"):
        load_trees(about, body[cut])

    assert reached == []


def test_a_model_that_was_cut_before_it_was_packed_is_refused(reached: list[str]) -> None:
    with pytest.raises(Refused, match="E_BUNDLE_FILES: the model of all zones is cut off"):
        load_trees(*pack(NAMES, ZONES, [("", 0.0, None, grown(1)[:-900])]))
    with pytest.raises(ValueError, match="does not begin"):
        load_trees(*pack(NAMES, ZONES, [("", 0.0, None, grown(1)[1:])]))

    assert reached == []


@pytest.mark.parametrize(
    "blocks",
    [
        [(0.0, 12.0)], [(12.0, None)], [(0.0, 12.0), (13.0, None)], [(0.0, 13.0), (12.0, None)],
        [(0.0, None), (0.0, None)], [(0.0, float("nan")), (float("nan"), None)], [(-1.0, None)],
        [(0.0, 12.0), (12.0, 24.0)],
    ],
)  # fmt: skip
def test_boosters_that_leave_a_lead_out_or_serve_it_twice_are_refused(
    reached: list[str], blocks: list[tuple[float, float | None]]
) -> None:
    with pytest.raises(ValueError, match="do not serve every lead once"):
        load_trees(*pack(NAMES, ZONES, [("", *block, grown(1)) for block in blocks]))

    assert reached == []


def test_a_booster_over_other_features_is_refused() -> None:
    about, body = packed()

    with pytest.raises(Refused, match="E_BUNDLE_FEATURES"):
        load_trees({**about, "features": [*NAMES[::-1]]}, body)
