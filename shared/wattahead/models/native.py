"""LightGBM's own library, called without the Python package around it.

The package imports scipy and narwhals before it predicts a row, which is a third of a cold start. Its library has a
stable C interface (LightGBM's C API reference), and scoring needs four of its functions. The results are the same bits.
"""

import ctypes
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from wattahead.domain.errors import Refused

_FLOAT32, _ROW_MAJOR, _NORMAL, _FIRST, _ALL = 0, 1, 0, 0, -1  # the C interface's constants
_PARAMETERS: Final = b"num_threads=1 verbosity=-1"  # more threads wait for each other on one CPU


class NativeBooster:
    """A booster read from its text. Hand it verified text only: on a damaged one the library ends the process."""

    def __init__(self, text: str) -> None:
        self._handle = ctypes.c_void_p()
        if _line(text, "num_tree_per_iteration") != "1":  # several values a row would be written behind the array
            raise Refused(
                "E_BUNDLE_FILES", "a booster gives other than one value a row", fix="train it as a regression"
            )
        iterations = ctypes.c_int()
        _call("BoosterLoadModelFromString", text.encode(), ctypes.byref(iterations), ctypes.byref(self._handle))
        self.features = tuple(_line(text, "feature_names").split(" "))

    def predict(self, matrix: NDArray[np.float32]) -> NDArray[np.float64]:
        """Return one value per row of a matrix of shape (R, F), features in the order of training."""
        rows, columns = matrix.shape
        matrix = np.ascontiguousarray(matrix, dtype=np.float32)
        values = np.empty(rows)
        written = ctypes.c_int64()
        shape = (ctypes.c_int32(rows), ctypes.c_int32(columns))
        how = (_ROW_MAJOR, _NORMAL, _FIRST, _ALL, _PARAMETERS)
        out = (ctypes.byref(written), _pointer(values))
        _call("BoosterPredictForMat", self._handle, _pointer(matrix), _FLOAT32, *shape, *how, *out)
        return values

    def __del__(self) -> None:
        if self._handle:
            _library().LGBM_BoosterFree(self._handle)


def _call(name: str, *arguments: object) -> None:
    """Call a function of the library; what it says of an error is raised as `E_BUNDLE_FILES`."""
    library = _library()
    if getattr(library, f"LGBM_{name}")(*arguments):
        said = library.LGBM_GetLastError().decode(errors="replace")
        raise Refused("E_BUNDLE_FILES", f"LightGBM: {said}", fix="train and publish it again")


@cache
def _library() -> ctypes.CDLL:
    """Load the library that the installed package brings; finding it imports nothing of the package."""
    spec = find_spec("lightgbm")
    folders = spec.submodule_search_locations if spec else None
    found = [path for folder in folders or () for path in Path(folder).glob("*/lib_lightgbm.*")]
    if not found:
        raise Refused("E_BUNDLE_VERSION", "LightGBM's library is not installed", fix="install lightgbm")
    library = ctypes.CDLL(str(found[0]))
    library.LGBM_GetLastError.restype = ctypes.c_char_p
    return library


def _pointer(array: NDArray[Any]) -> ctypes.c_void_p:
    return ctypes.c_void_p(array.ctypes.data)


def _line(text: str, name: str) -> str:
    """Return the value of the line `name=…` of a model's head."""
    return text.partition(f"\n{name}=")[2].partition("\n")[0]
