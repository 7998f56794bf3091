"""Which features must be there for a model to be asked."""

import numpy as np

from wattahead.models.blend import enough
from wattahead.models.rows import Rows, needed


def rows(names: tuple[str, ...], missing: tuple[str, ...]) -> Rows:
    block = np.array([[np.nan if name in missing else 1.0] * 2 for name in names], dtype=np.float32)
    return Rows(("FR",), 2, names, block, np.ones(1))


def test_somebody_elses_forecast_is_not_needed_however_many_features_are_made_of_it() -> None:
    others = tuple(f"external_operator_error_{day}" for day in range(1, 9))
    names = ("lead", "newest", "weather_wind_10m", "external_operator", *others)

    assert enough(rows(names, ("external_operator", *others)), names, 0.2).all()
    assert not enough(rows(names, ("newest",)), names, 0.2).any()


def test_a_model_of_nothing_but_somebody_elses_forecast_needs_it() -> None:
    assert needed(("external_operator",)) == ("external_operator",)
    assert not enough(rows(("external_operator",), ("external_operator",)), ("external_operator",), 0.2).any()
