"""The digest of samples names everything that a model could learn from, and nothing else."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from tests.training.lessons import samples
from training.samples import Samples
from wattahead.domain.hours import HOUR, MINUTE
from wattahead.domain.quality import Quality


def plain(**rows: Any) -> Samples:
    """Return some samples with parts of their rows replaced."""
    held = samples(lambda asked, _zones: asked.column("wind").astype(float), days=3)
    return replace(held, rows=replace(held.rows, **rows))


def touched(values: NDArray[Any]) -> NDArray[Any]:
    changed = values.copy()
    changed.reshape(-1)[-1] += 1
    return changed


def flagged() -> Samples:
    held = plain()
    return replace(held, flags=held.flags | np.int32(Quality.WEATHER_MISSING))


CHANGED: dict[str, Callable[[], Samples]] = {
    "features": lambda: plain(block=touched(plain().rows.block)),
    "scale": lambda: plain(scale=touched(plain().rows.scale)),
    "zones": lambda: plain(zones=("AT", *plain().rows.zones[1:])),
    "order of zones": lambda: plain(zones=plain().rows.zones[::-1]),
    "names": lambda: plain(names=("hour", "lead", "sun", "same_time_1")),
    "where a name ends": lambda: plain(names=("hourl", "ead", "wind", "same_time_1")),
    "order of names": lambda: plain(names=plain().rows.names[::-1]),
    "steps": lambda: plain(steps=12),
    "truth": lambda: replace(plain(), truth=touched(plain().truth)),
    "issue times": lambda: replace(plain(), issue_times=plain().issue_times + HOUR),
    "flags": flagged,
    "step": lambda: replace(plain(), step=30 * MINUTE),
}


@pytest.mark.parametrize("part", CHANGED)
def test_samples_that_differ_in_any_part_have_another_digest(part: str) -> None:
    assert CHANGED[part]().digest != plain().digest


def test_the_same_samples_have_the_same_digest_however_they_lie_in_memory() -> None:
    held = plain()
    turned = replace(held, rows=replace(held.rows, block=np.asfortranarray(held.rows.block)))

    assert turned.digest == plain().digest == held.take(np.ones(len(held), dtype=bool)).digest


def test_a_part_of_samples_reaches_as_far_as_all_of_them() -> None:
    held = samples(lambda asked, _zones: asked.column("wind").astype(float), days=3, minutes=15)

    assert held.take(held.issue_times == held.issue_times.min()).horizon == held.horizon == 24 * HOUR
