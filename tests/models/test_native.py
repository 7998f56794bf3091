"""The library itself predicts what the Python package around it predicts, bit by bit."""

import subprocess
import sys

import lightgbm
import numpy as np
import pytest

from tests.models.conftest import QUANTILES, Bundle
from wattahead.domain.errors import Refused
from wattahead.models.native import NativeBooster


@pytest.mark.parametrize("quantile", QUANTILES)
def test_the_library_gives_the_packages_bits(bundle: Bundle, quantile: str) -> None:
    text = bundle.files[f"{quantile}.txt"].decode()
    draw = np.random.default_rng(3)
    matrix = np.column_stack([draw.integers(0, 24, 500), draw.random(500), draw.integers(0, 2, 500)]).astype(np.float32)
    matrix[draw.random(matrix.shape) < 0.1] = np.nan
    package = lightgbm.Booster(model_str=text)

    native = NativeBooster(text)

    assert np.array_equal(native.predict(matrix), package.predict(matrix, num_threads=1))
    assert list(native.features) == package.feature_name()
    assert np.array_equal(native.predict(matrix[::-1]), native.predict(matrix)[::-1])  # rows in another memory order


def test_a_matrix_of_another_width_is_refused_in_the_librarys_words(bundle: Bundle) -> None:
    native = NativeBooster(bundle.files["p50.txt"].decode())

    with pytest.raises(Refused, match="E_BUNDLE_FILES: LightGBM: The number of features in data"):
        native.predict(np.zeros((2, 7), dtype=np.float32))


def test_text_that_is_no_model_is_refused() -> None:
    with pytest.raises(Refused, match="E_BUNDLE_FILES"):
        NativeBooster("tree\nthis is not one\n")


def test_predicting_imports_nothing_of_the_package(bundle: Bundle) -> None:
    text = bundle.files["p50.txt"].decode()
    child = (
        "import sys, numpy\nfrom wattahead.models.native import NativeBooster\n"
        "NativeBooster(sys.stdin.read()).predict(numpy.zeros((1, 3), dtype=numpy.float32))\n"
        "print(sorted({'lightgbm', 'scipy', 'narwhals', 'pandas'} & set(sys.modules)))\n"
    )

    done = subprocess.run([sys.executable, "-c", child], input=text, check=True, capture_output=True, text=True)

    assert done.stdout.strip() == "[]"
