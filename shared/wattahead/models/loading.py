"""From a verified bundle to a model. One line per kind."""

from collections.abc import Callable, Mapping
from typing import Final

from wattahead.domain.bundle import Manifest
from wattahead.domain.errors import Refused
from wattahead.models.baseline import SeasonalNaive, load_climatology
from wattahead.models.blend import load_blend
from wattahead.models.booster import load_boosters
from wattahead.models.rows import Model
from wattahead.models.screen import LinearFlows, load_screen
from wattahead.models.screen_ridge import load_ridge

LOADERS: Final[dict[str, Callable[[Manifest, Mapping[str, bytes]], Model]]] = {
    "blend": load_blend,
    "lightgbm": load_boosters,
    "seasonal_naive": lambda manifest, _: SeasonalNaive(manifest.output.quantiles),
    "climatology": lambda manifest, files: load_climatology(manifest.output.quantiles, files),
    "screen": load_screen,
    "screen_ridge": load_ridge,
    "linear_flows": lambda manifest, _: LinearFlows(manifest.output.quantiles),
}
NATIVE: Final = frozenset({"blend", "lightgbm", "screen"})  # kinds that run code which can abort the process


def load(manifest: Manifest, files: Mapping[str, bytes]) -> Model:
    """Return the model of a bundle whose bytes have been verified."""
    if manifest.kind not in LOADERS:
        raise Refused(
            "E_BUNDLE_VERSION",
            f"no loader for bundle kind {manifest.kind!r}, known: {', '.join(LOADERS)}",
            fix="upgrade wattahead",
        )
    try:
        return LOADERS[manifest.kind](manifest, files)
    except (
        LookupError,
        TypeError,
        ValueError,
        AttributeError,
        ArithmeticError,
        RecursionError,
    ) as error:  # files that are missing or say something else than their kind should
        raise Refused(
            "E_BUNDLE_FILES",
            f"bundle of pool {manifest.pool} does not load ({type(error).__name__}: {error})",
            fix="train and publish it again",
        ) from error
