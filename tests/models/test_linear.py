"""Lines: a plain product, the same bits for any batch, and no damaged file that loads."""

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.models.blends import NAMES, ZONES, files, line, manifest, parts, rows
from wattahead.domain.errors import Refused
from wattahead.models.linear import FURTHEST, Linear, from_json, group, lead_block, to_json
from wattahead.models.loading import load
from wattahead.models.rows import Floats, Rows

MANY = ("FR", "DE", "SE", "NO", "FR", "IT") * 4


def product(model: Linear, asked: Rows) -> Floats:
    """Return what the model says, row by row, as a scalar product."""
    found = []
    for row in range(asked.block.shape[1]):
        zone, hour, lead = asked.zones[row // asked.steps], asked.column("hour")[row], asked.column("lead")[row]
        blocks = -(-24 // model.lead_hours)
        own = model.coefficients.get(zone, model.coefficients[""])
        chosen = own[int(hour) * blocks + min(int(lead) // model.lead_hours, blocks - 1)]
        values = [float(asked.column(name)[row]) for name in model.features]
        away = (np.array(values) - model.center) / model.width
        away = np.where(np.isnan(away), 0, np.minimum(np.maximum(away, -FURTHEST), FURTHEST))
        raised = asked.column(model.envelope)[row] if model.envelope else 1.0
        found.append((away @ chosen[:-1] + chosen[-1]) * raised)
    return np.array(found)


@pytest.mark.parametrize("lead_hours", [1, 5, 6, 24])
@pytest.mark.parametrize("envelope", ["", "same_time_1"])
@pytest.mark.parametrize("steps", [1, 24, 48])
def test_a_line_is_the_product_of_its_features_and_coefficients(lead_hours: int, envelope: str, steps: int) -> None:
    model, asked = line(1, lead_hours=lead_hours, envelope=envelope), rows(MANY[:6], steps=steps)

    np.testing.assert_allclose(model.predict(asked), product(model, asked), rtol=1e-9, atol=1e-9)


def test_the_order_of_the_features_in_the_rows_does_not_matter() -> None:
    model, asked = line(1), rows(MANY)
    turned = replace(asked, names=asked.names[::-1], block=asked.block[::-1])

    assert model.predict(turned).tobytes() == model.predict(asked).tobytes()


@given(st.permutations(range(len(MANY))), st.sampled_from([1, 2, 24]))
def test_any_series_in_any_order_give_the_bits_they_have_together(order: list[int], count: int) -> None:
    model, asked = line(1, envelope="same_time_1"), rows(MANY)
    series = np.array(order[:count])

    assert model.predict(asked.take(series)).tobytes() == parts(model.predict(asked), series).tobytes()


def test_what_is_missing_or_infinite_stands_at_the_centre_and_nothing_stands_further_than_allowed() -> None:
    model, asked = line(1), rows(("FR",), holes=0)

    def with_wind(value: float) -> Floats:
        block = asked.block.copy()
        block[3] = value
        return model.predict(replace(asked, block=block))

    centre = with_wind(model.center[3])  # float32 rounds it
    for value in (np.nan, np.inf, -np.inf):
        np.testing.assert_allclose(with_wind(value), centre, atol=1e-7)
    edge = with_wind(model.center[3] + FURTHEST * model.width[3])
    np.testing.assert_allclose(with_wind(1e30), edge, atol=1e-6)
    assert not np.allclose(edge, centre)


def test_a_zone_without_coefficients_of_its_own_takes_the_pooled_ones() -> None:
    model = line(1)
    asked = rows(("SE", "FR"))
    pooled = replace(model, coefficients={"": model.coefficients[""]})

    assert np.array_equal(model.predict(asked)[:24], pooled.predict(asked)[:24])
    assert not np.array_equal(model.predict(asked)[24:], pooled.predict(asked)[24:])


@pytest.mark.parametrize("value", [0.0, np.nan])
def test_where_the_envelope_is_zero_or_unknown_so_is_the_line(value: float) -> None:
    model, asked = line(1, envelope="same_time_1"), rows(ZONES)
    asked.block[2, 30:40] = value

    assert np.array_equal(model.predict(asked)[30:40], np.full(10, value), equal_nan=True)


def test_leads_of_the_second_day_belong_to_the_last_block() -> None:
    asked = rows(("FR",), steps=72)

    assert lead_block(asked, 6).tolist() == [0] * 6 + [1] * 6 + [2] * 6 + [3] * 54
    assert set(group(asked, 6).tolist()) <= set(range(24 * 4))


def test_a_line_read_back_predicts_the_same_to_eight_digits_and_is_the_same_file() -> None:
    model, asked = line(1, envelope="same_time_1"), rows(MANY)

    found = from_json(to_json(model))

    np.testing.assert_allclose(found.predict(asked), model.predict(asked), rtol=1e-6, atol=1e-7)
    assert to_json(found) == to_json(model)
    assert found.predict(asked).tobytes() == from_json(to_json(found)).predict(asked).tobytes()


def spoilt(key: str, value: object) -> Callable[[dict[str, object]], None]:
    return lambda plain: plain.update({key: value})


def table_with(value: object) -> Callable[[dict[str, object]], None]:
    def change(plain: dict[str, object]) -> None:
        plain["coefficients"]["FR"][3][1] = value  # type: ignore[index]  # plain JSON

    return change


def without(key: str) -> Callable[[dict[str, Any]], Any]:
    return lambda plain: plain.pop(key)


DAMAGE: dict[str, Callable[[dict[str, Any]], Any]] = {
    **{f"no {key}": without(key) for key in json.loads(to_json(line(1)))},
    **{f"lead_hours {value!r}": spoilt("lead_hours", value) for value in (0, -6, 25, 6.5, "6", None, 10**30)},
    **{f"features {value!r}": spoilt("features", value) for value in ([], ["hour"], "hours", None, [1, 2, 3, 4])},
    **{
        f"center {value!r}": spoilt("center", value) for value in ([1, 2], [[1, 2, 3, 4]], [1, 2, 3, float("nan")], "x")
    },
    **{f"width {value!r}": spoilt("width", value) for value in ([1, 1, 1, 0], [1, 1, -1, 1], [1, 1, 1, float("inf")])},
    **{f"coefficient {value!r}": table_with(value) for value in (float("nan"), float("inf"), None, "x", [1], 10**400)},
    "envelope 3": spoilt("envelope", 3),
    "no pooled table": lambda plain: plain["coefficients"].pop(""),
    "a row less": lambda plain: plain["coefficients"]["FR"].pop(),
    "no tables": spoilt("coefficients", {}),
    "tables in a list": spoilt("coefficients", [[1.0]]),
}


@pytest.mark.parametrize("damage", DAMAGE)
def test_a_damaged_line_is_refused(damage: str) -> None:
    whole = files()
    plain = json.loads(whole["linear.json"])
    DAMAGE[damage](plain)

    with pytest.raises(Refused, match="E_BUNDLE_FILES: bundle of pool solar does not load"):
        load(manifest(), whole | {"linear.json": json.dumps(plain).encode()})


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"null", b"3", b"\xff", b"[" * 100_000])
def test_what_is_no_line_is_refused(body: bytes) -> None:
    with pytest.raises(Refused, match="E_BUNDLE_FILES"):
        load(manifest(), files() | {"linear.json": body})


@pytest.mark.parametrize("change", [{"envelope": "same_time_9"}, {"features": [*NAMES[:3], "weather_rain"]}])
def test_a_line_over_features_that_its_bundle_does_not_list_is_refused(change: dict[str, object]) -> None:
    plain = json.loads(to_json(line(3))) | change

    with pytest.raises(Refused, match="E_BUNDLE_FEATURES: a member reads "):
        load(manifest(), files() | {"linear.json": json.dumps(plain).encode()})
