"""The figures of a simulated set, as people read them. Imports nothing heavy: a set that is read says them at once."""

from collections.abc import Mapping
from typing import Final

SHARES: Final = (0.05, 0.5, 0.95)  # quantiles of the loadings
SHARE, COUNT, LOADING, CHANCE = "{:.1%}", "{:,.0f}", "{:.2f}", "{:.3f}"
SUMMARY: Final = {  # of a set: what each figure is, and how it is written
    "states": ("states", COUNT),
    "episodes": ("episodes", COUNT),
    "actions": ("candidate actions", COUNT),
    "failed": ("actions that the grid does not survive", SHARE),
    "failed_nothing": ("… of doing nothing", SHARE),
    "failed_open": ("… of lines opened", SHARE),
    "failed_configure": ("… of configurations", SHARE),
    "overloaded": ("states with an overload", SHARE),
    "overloaded_that_an_action_relieves": ("… that one action relieves", SHARE),
    "overloaded_after_actions": ("actions that end in an overload", SHARE),
    **{
        f"{name}_p{round(100 * share):02d}": (f"{said}, p{round(100 * share):02d}", LOADING)
        for name, said in (("rho_max_nothing", "highest loading, doing nothing"), ("rho_max", "… after an action"))
        for share in SHARES
    },
}


def written(values: Mapping[str, float], known: Mapping[str, tuple[str, str]]) -> dict[str, str]:
    """Return name in words -> figure, in the order of `known`; a name that is not known stands as it is, behind."""
    ordered = sorted(values, key=lambda name: list(known).index(name) if name in known else len(known))
    told = {name: known.get(name, (name, "{:.4g}")) for name in ordered}
    return {words: form.format(values[name]).replace("%", " %") for name, (words, form) in told.items()}
