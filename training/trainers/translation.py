"""Trees of XGBoost as a model text of LightGBM, so that scoring needs one library for both.

XGBoost goes left where `x < t`, LightGBM where `x <= t`: features and thresholds are float32, so `x < t` is
`x <= the next float32 below t`. A missing value takes the side that XGBoost learnt. Leaves hold XGBoost's learning rate
already; its base score is added to those of the first tree. LightGBM sums in float64, XGBoost in float32: sums differ
by that rounding only. A feature closer to zero than 1e-35 is zero to LightGBM. Sources: XGBoost's JSON schema of
models, LightGBM's `src/io/tree.cpp`.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

MISSING_IS_NAN: Final = 8  # of LightGBM's decision type
DEFAULT_LEFT: Final = 2


def lightgbm_text(model: bytes, features: Sequence[str]) -> str:
    """Return the model text of a gbtree `model`, as `Booster.save_raw("json")` gives it, over `features` in order.

    One target, no categories.
    """
    learner = json.loads(model)["learner"]
    trees = learner["gradient_booster"]["model"]["trees"]
    base = np.ravel(json.loads(learner["learner_model_param"]["base_score"]))
    if len(base) != 1 or any(any(tree["split_type"]) for tree in trees):
        raise ValueError("several targets or categories, which are not translated")
    parts = [
        f"Tree={number}\n{_tree(tree, float(base[0]) if number == 0 else 0.0)}\n\n" for number, tree in enumerate(trees)
    ]
    head = {
        "version": "v4",
        "num_class": 1,
        "num_tree_per_iteration": 1,
        "label_index": 0,
        "max_feature_idx": len(features) - 1,
        "objective": "regression",
        "feature_names": " ".join(features),
        "feature_infos": " ".join("[-inf:inf]" for _ in features),
        "tree_sizes": " ".join(str(len(part)) for part in parts),
    }
    tail = "end of trees\n\nfeature_importances:\n\nparameters:\nend of parameters\n\npandas_categorical:null\n"
    return f"tree\n{_lines(head)}\n\n{''.join(parts)}{tail}"


def _tree(tree: Mapping[str, Any], base: float) -> str:
    """Return one tree. LightGBM numbers inner nodes and leaves apart; a leaf's number is written as its complement."""
    left, right = (np.array(tree[f"{side}_children"], dtype=np.int64) for side in ("left", "right"))
    condition = np.array(tree["split_conditions"], dtype=np.float32)
    inner = left >= 0
    alive = _reached(left, right)  # nodes that pruning took away stay in the arrays
    inner, leaf = inner & alive, ~inner & alive
    number = np.where(inner, np.cumsum(inner) - 1, ~(np.cumsum(leaf) - 1))
    below = np.nextafter(condition[inner], np.float32(-np.inf))
    kind = MISSING_IS_NAN + DEFAULT_LEFT * np.array(tree["default_left"], dtype=np.int64)[inner]
    size = np.array(tree["sum_hessian"], dtype=np.float64)
    told = {
        "num_leaves": int(leaf.sum()),
        "num_cat": 0,
        "split_feature": _row(np.array(tree["split_indices"], dtype=np.int64)[inner]),
        "split_gain": _row(np.array(tree["loss_changes"], dtype=np.float64)[inner]),
        "threshold": _row(below.astype(np.float64)),
        "decision_type": _row(kind),
        "left_child": _row(number[left[inner]]),
        "right_child": _row(number[right[inner]]),
        "leaf_value": _row(condition[leaf].astype(np.float64) + base),
        "leaf_count": _row(size[leaf].astype(np.int64)),
        "internal_count": _row(size[inner].astype(np.int64)),
        "is_linear": 0,
        "shrinkage": 1,
    }
    return _lines(told)


def _reached(left: NDArray[np.int64], right: NDArray[np.int64]) -> NDArray[np.bool_]:
    found, waiting = np.zeros(len(left), dtype=bool), [0]
    while waiting:
        node = waiting.pop()
        found[node] = True
        waiting += [int(child[node]) for child in (left, right) if child[node] >= 0]
    return found


def _row(values: NDArray[Any]) -> str:
    return " ".join(map(repr, values.tolist()))


def _lines(told: Mapping[str, object]) -> str:
    return "\n".join(f"{name}={value}" for name, value in told.items())
