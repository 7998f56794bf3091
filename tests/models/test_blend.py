"""A blend: weights choose and mix, bands ascend, neighbours do not matter, and damage is refused or does no harm."""

import json
import math
import random
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.models.blends import ZONES, bundle, distances, files, line, manifest, packed, parts, rows, weights
from wattahead.domain.errors import Refused
from wattahead.jobs.prove import prove
from wattahead.models.bands import Bands
from wattahead.models.blend import Blend, Weights
from wattahead.models.loading import load
from wattahead.models.rows import Floats, Member, Rows
from wattahead.models.trees import load_trees

MANY = ("FR", "DE", "NO", "SE") * 6
MUTANTS = 200


class Says:
    """A member that says one thing of every row."""

    def __init__(self, value: float) -> None:
        self.value = value

    def predict(self, asked: Rows) -> Floats:
        return np.full(asked.block.shape[1], self.value)


def of(*members: Member, table: Floats, lead_hours: int = 24) -> Blend:
    zero = {"": np.zeros(1)}
    return Blend(manifest(), members, Weights(lead_hours, {"": table}), Bands(Says(0.1), zero))


@pytest.mark.parametrize("which", [0, 1, 2])
def test_a_weight_of_one_selects_a_member_to_the_last_bit(which: int) -> None:
    members = (line(1), load_trees(*packed()), line(2))
    asked = rows(ZONES)

    found = of(*members, table=np.eye(3)[which : which + 1]).predict(asked)

    assert np.array_equal(found[0], members[which].predict(asked) * asked.row_scale)


def test_weights_mix_members_by_block_of_leads_and_in_units_of_the_scale() -> None:
    asked = rows(("FR",), steps=48)
    table = np.array([[1.0, 0.0], [0.25, 0.75]])

    found = of(Says(1.0), Says(3.0), table=table, lead_hours=12).predict(asked)

    assert found[0] == pytest.approx(asked.scale[0] * np.array([1.0] * 12 + [2.5] * 36))


def test_a_zone_without_weights_of_its_own_takes_the_pooled_ones() -> None:
    held = Weights(24, {"": np.array([[1.0, 0.0]]), "FR": np.array([[0.0, 1.0]])})
    asked = rows(("SE", "FR"))

    assert held.apply(np.repeat([[1.0], [2.0]], 48, axis=1), asked).tolist() == [1.0] * 24 + [2.0] * 24


def test_a_member_that_never_saw_a_zone_leaves_it_to_the_others() -> None:
    asked = rows(("SE", "FR"))
    members = np.repeat([[1.0], [4.0], [7.0]], 48, axis=1)
    members[2, :24] = np.nan
    shares = np.array([[0.1, 0.3, 0.6]])

    found = Weights(24, {"": shares}).apply(members, asked)
    alone = Weights(24, {"": np.array([[0.0, 0.0, 1.0]])}).apply(members, asked)
    nobody = Weights(24, {"": shares}).apply(np.full((3, 48), np.nan), asked)

    assert found == pytest.approx([(0.1 + 1.2) / 0.4] * 24 + [0.1 + 1.2 + 4.2] * 24)
    assert alone == pytest.approx([2.5] * 24 + [7.0] * 24)
    assert np.isnan(nobody).all()


@given(st.permutations(range(len(MANY))), st.sampled_from([1, 2, 24]))
def test_any_series_in_any_order_give_the_bits_they_have_together(order: list[int], count: int) -> None:
    asked, series = rows(MANY), np.array(order[:count])

    few = WHOLE.predict(asked.take(series))

    assert few.tobytes() == parts(WHOLE.predict(asked), series).tobytes()
    assert np.array_equal(WHOLE.usable(asked.take(series)), WHOLE.usable(asked)[series])
    assert np.isfinite(few).all()
    assert (np.diff(few, axis=0) >= 0).all()


WHOLE = load(manifest(), files(lead_hours=6))


def test_a_series_without_a_scale_or_with_too_much_missing_is_not_usable() -> None:
    asked = rows(MANY[:5], holes=0)
    asked.scale[1] = np.nan
    block = asked.block.reshape(4, 5, 24)
    block[2, 2, :19] = np.nan  # 19 of 96, just below a fifth
    block[2, 3, :20] = np.nan
    block[3, 4] = np.nan

    assert WHOLE.usable(asked).tolist() == [True, False, True, False, False]


# Files


def test_a_blend_read_back_predicts_what_its_parts_say() -> None:
    asked, shares = rows(MANY[:4]), weights(3)
    expected = Blend(
        manifest(),
        (line(3), load_trees(*packed()), load_trees(*packed(zones=ZONES, seed=5))),
        Weights(24, shares),
        Bands(WHOLE.bands.spread, distances(2)),  # type: ignore[attr-defined]  # a blend
    )

    np.testing.assert_allclose(
        load(manifest(), files(shares)).predict(asked), expected.predict(asked), rtol=1e-4, atol=1e-2
    )


def test_a_whole_blend_is_proved_in_a_child_process() -> None:
    made = bundle()

    prove(made.manifest, made.files)
    with pytest.raises(Refused, match="E_BUNDLE_PROOF: .* away from its golden rows"):
        changed = json.loads(made.files["blend.json"])
        changed["distances"][""][2] += 0.5
        other = made.with_files(blend_json=json.dumps(changed).encode())
        prove(other.manifest, other.files)


BAD_WEIGHTS = {
    "negative": [[-0.1, 0.6, 0.5]],
    "a sum of two": [[1.0, 0.5, 0.5]],
    "nothing": [[0.0, 0.0, 0.0]],
    "NaN": [[math.nan, 0.5, 0.5]],
    "infinite": [[math.inf, 0.0, 0.0]],
    "one too few": [[0.5, 0.5]],
    "a block too many": [[1.0, 0.0, 0.0]] * 2,
    "text": [["a", "b", "c"]],
}


@pytest.mark.parametrize("name", BAD_WEIGHTS)
@pytest.mark.parametrize("zone", ["", "FR"])
def test_weights_that_are_none_are_refused(name: str, zone: str) -> None:
    assert refusal("weights", zone, BAD_WEIGHTS[name]) == "E_BUNDLE_FILES"


@pytest.mark.parametrize(
    "table",
    [[0.0] * 2, [0.0, 1.0, 0.5], [math.nan] * 3, [[0.0]] * 3, [], None, "abc"],
    ids=str,
)
@pytest.mark.parametrize("zone", ["", "FR"])
def test_distances_that_are_none_are_refused(table: object, zone: str) -> None:
    assert refusal("distances", zone, table) == "E_BUNDLE_FILES"


def refusal(key: str, zone: str, table: object) -> str:
    plain = json.loads(files()["blend.json"])
    plain[key][zone] = table
    with pytest.raises(Refused) as refused:
        load(manifest(), files() | {"blend.json": json.dumps(plain).encode()})
    return refused.value.code


@pytest.mark.parametrize("name", sorted(files()))
def test_a_blend_without_one_of_its_files_is_refused(name: str) -> None:
    with pytest.raises(Refused, match="E_BUNDLE_FILES"):
        load(manifest(), {path: body for path, body in files().items() if path != name})


@pytest.mark.parametrize("key", sorted(json.loads(files()["blend.json"])))
@pytest.mark.parametrize("value", [..., None, [], {}, 0, "x", [[1]], 10**400], ids=lambda value: str(value)[:9])
def test_a_blend_that_lacks_a_key_or_says_something_else_is_refused(key: str, value: object) -> None:
    plain = json.loads(files()["blend.json"])
    plain.pop(key)
    if value is not ...:
        plain[key] = value

    with pytest.raises(Refused, match="E_BUNDLE_FILES"):
        load(manifest(), files() | {"blend.json": json.dumps(plain).encode()})


def test_a_blend_with_a_number_changed_is_refused_or_predicts_ascending_numbers() -> None:
    """Whole by hash, made to do harm: what is read before the library must not lead it out of its texts."""
    draw, whole = random.Random(20260301), files()
    asked, refused = rows(MANY[:4]), 0
    for _ in range(MUTANTS):
        plain = json.loads(whole["blend.json"])
        place, key = draw.choice(list(numbers(plain)))
        place[key] = draw.choice([
            -1, 0, 1, 2.5, 10**6, 10**400, math.nan, math.inf, -math.inf, None, "1", [], True,
            place[key] + 1, -place[key],
        ])  # fmt: skip
        try:
            values = load(manifest(), whole | {"blend.json": json.dumps(plain).encode()}).predict(asked)
        except Refused as error:
            assert error.code in {"E_BUNDLE_FILES", "E_BUNDLE_FEATURES"}
            refused += 1
        else:
            assert np.isfinite(values).all()
            assert (np.diff(values, axis=0) >= 0).all()
    assert MUTANTS / 2 < refused < MUTANTS


def numbers(plain: Any) -> Iterator[tuple[Any, Any]]:
    """Give the place of every number of a JSON document, and its key or index there."""
    for key, value in plain.items() if isinstance(plain, dict) else enumerate(plain):
        if isinstance(value, dict | list):
            yield from numbers(value)
        elif isinstance(value, int | float):
            yield plain, key


def test_a_member_of_another_form_is_refused() -> None:
    plain = json.loads(files()["blend.json"])
    plain["members"][0]["form"] = "oracle"

    with pytest.raises(Refused, match="there is no member of form 'oracle'"):
        load(manifest(), files() | {"blend.json": json.dumps(plain).encode()})


def test_members_over_features_that_the_bundle_does_not_list_are_refused() -> None:
    with pytest.raises(Refused, match="E_BUNDLE_FEATURES: a member reads weather_wind"):
        load(replace(manifest(), features=("hour", "lead", "same_time_1")), files())
