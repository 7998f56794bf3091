"""What each feature gave to a bundle: the gain of its splits in trees, the size of what it adds in lines."""

import json
import re
from collections import defaultdict
from collections.abc import Mapping
from typing import Any, Final

import numpy as np

from wattahead.models import blend, linear
from wattahead.models.linear import Linear, by_zone, group, standard
from wattahead.models.rows import Rows, envelope_of

_NAMES: Final = re.compile(r"^feature_names=(.*)$", re.MULTILINE)
_SPLITS: Final = re.compile(r"^split_feature=(.*)$", re.MULTILINE)
_GAINS: Final = re.compile(r"^split_gain=(.*)$", re.MULTILINE)
_TREES: Final = re.compile(r"^tree$", re.MULTILINE)  # how the text of a booster begins


def gains(files: Mapping[str, bytes], rows: Rows) -> dict[str, float]:
    """Return feature -> its share of what all gave, as a sum of one; empty where the bundle has no such members.

    Members of a blend count by their mean weight, boosters of other bundles all together. `rows` are those on which
    lines are asked what each feature adds.
    """
    if blend.FILE not in files:
        return _shares(_of_trees(b"".join(body for body in files.values() if body.startswith(b"tree\n"))))
    held: dict[str, Any] = json.loads(files[blend.FILE])
    weights = np.mean(held["weights"][blend.POOLED], axis=0)
    total: defaultdict[str, float] = defaultdict(float)
    for about, weight in zip(held["members"], weights.tolist(), strict=True):
        body = files[about["file"]]
        found = _of_lines(linear.from_json(body), rows) if about["form"] == "linear" else _of_trees(body)
        for name, share in _shares(found).items():
            total[name] += weight * share
    return _shares(total)


def _shares(found: Mapping[str, float]) -> dict[str, float]:
    whole = sum(found.values())
    return {name: value / whole for name, value in found.items()} if whole else {}


def _of_trees(body: bytes) -> Mapping[str, float]:
    """Return the gain of every feature, summed over all boosters that stand in a file one after the other."""
    found: defaultdict[str, float] = defaultdict(float)
    for text in _TREES.split(body.decode())[1:]:
        named = _NAMES.search(text)
        names = np.array(named[1].split() if named else [])
        for split, gain in zip(_SPLITS.findall(text), _GAINS.findall(text), strict=True):
            for number, value in zip(split.split(), gain.split(), strict=True):
                found[str(names[int(number)])] += max(float(value), 0.0)
    return found


def _of_lines(line: Linear, rows: Rows) -> Mapping[str, float]:
    """Return the mean absolute value that every standardised feature adds to the line."""
    tables, which = by_zone(line.coefficients, rows.zones)
    place = np.repeat(which * tables.shape[1], rows.steps) + group(rows, line.lead_hours)
    slopes, raised = tables.reshape(-1, tables.shape[2]), envelope_of(rows, line.envelope)
    found = {}
    for number, (name, column) in enumerate(zip(line.features, rows.columns(line.features), strict=True)):
        away = standard(column[None], line.center[number : number + 1], line.width[number : number + 1])[0]
        found[name] = float(np.nanmean(np.abs(away * slopes[place, number] * raised)))
    return found
