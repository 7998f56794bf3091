"""Who is compared with whom before a candidate may serve, and what happens where nobody can be."""

from dataclasses import replace

import numpy as np
import pytest

from tests.journeys.stores import DictStore, bucket_of
from tests.journeys.world import UNTIL
from tests.training.lessons import samples
from training import gate
from training.train import train
from wattahead.models.rows import Floats, Rows
from wattahead.storage.catalogs import latest_catalog

QUANTILES = ("p10", "p50", "p90")
HELD = samples(lambda rows, _: rows.column("wind").astype(np.float64), days=20)


class Off:
    """A model that is wrong by so much, and serves every series or none."""

    def __init__(self, by: float, *, serves: bool = True) -> None:
        self.by, self.serves = by, serves

    def usable(self, rows: Rows) -> np.ndarray:
        return np.full(len(rows.zones), self.serves)

    def predict(self, rows: Rows) -> Floats:
        assert len(rows.zones), "nobody asks for nothing"
        return np.stack([(rows.column("wind") + self.by) * rows.row_scale] * 3)


def test_a_champion_that_can_serve_none_of_the_days_is_no_rival_and_the_reason_says_so() -> None:
    models = {"candidate": Off(0.1), "seasonal_naive": Off(0.3), "champion": Off(0.0, serves=False)}

    found = gate.judged(HELD, models)
    told = gate.verdict(found, QUANTILES)

    assert set(found.values) == {"candidate", "seasonal_naive"}
    assert told.promoted
    assert told.reason.endswith("; the champion can serve none of these days")


@pytest.mark.parametrize("nobody", ["candidate", "seasonal_naive"])
def test_where_a_candidate_or_baseline_can_serve_no_day_nothing_is_promoted(nobody: str) -> None:
    models = {"candidate": Off(0.1), "seasonal_naive": Off(0.3), "champion": Off(0.2)}

    found = gate.judged(HELD, {**models, nobody: Off(0.0, serves=False)})
    told = gate.verdict(found, QUANTILES)

    assert not told.promoted
    assert "no out-of-time day" in told.reason
    assert gate.table(found, QUANTILES) == {}


def test_a_pool_whose_quantiles_were_changed_gets_a_champion_again(trained_world: DictStore) -> None:
    world = DictStore(dict(trained_world.objects))
    _, catalog = latest_catalog(bucket_of(world))
    wider = replace(catalog.pools["wind"], quantiles=("p05", "p10", "p50", "p90", "p95"))
    changed = replace(catalog, pools={**catalog.pools, "wind": wider})

    done = train(bucket_of(world), changed, "wind", until=UNTIL, seed=1, progress=lambda _: None)

    assert done.promoted
    assert "the champion does not say p05, p10, p50, p90, p95" in done.entry.reason
