"""What a training of screens measures, as people read it. Loadings are shares of a line's limit."""

from typing import Final

from training.grid.evaluate import CAP, TRIED
from training.grid.simulation.sampling import LOADS, OUTAGES, SHIFTS
from training.grid.simulation.words import CHANCE, SHARE

MEASURES: Final = {
    "rmse": ("RMSE", "{:.4f}"),
    "r2": ("R2", CHANCE),
    "rmse_failures": ("RMSE with failures", "{:.4f}"),
    "r2_failures": ("R2 with failures", CHANCE),
    "overload_auc": ("overload AUC", CHANCE),
    "failure_auc": ("failure AUC", CHANCE),
    "coverage": ("band covers", SHARE),
    "top_1": ("best is first", SHARE),
    **{f"top_{count}": (f"best in first {count}", SHARE) for count in TRIED},
    "regret": ("regret unverified", "{:.4f}"),
    **{f"regret_{count}": (f"regret, {count} verified", "{:.4f}") for count in TRIED},
}
SETS: Final = {
    "test": "whole episodes that nothing was learnt from",
    **{name: SHIFTS[name] for name in (OUTAGES, LOADS)},
}
MEANINGS: Final = {
    "loading": "The current in a line over its limit. An action is judged by the highest loading that it leaves.",
    "fails": "The power flow has no solution after the action, or the simulator ends the game: part of it goes dark.",
    "RMSE, R2": (
        f"Of the highest loading after actions that the grid survives, up to {CAP:g}: further up a state is lost, "
        f"whatever the number. With failures, one counts as {CAP:g}, also one that is predicted."
    ),
    "AUC": "Chance that an action that ends in an overload (or fails) has the higher score than one that does not.",
    "band covers": "Share of the true loadings that lie between the outermost quantiles; p10 to p90 states 80 %.",
    "best in first 5": "Share of the states whose best action, or one as good, is among the first five as predicted.",
    "regret": (
        "How much more loading is left than by the best action, if the first ones are verified by exact solution and "
        "the best of them is taken; doing nothing is always among them. Unverified, the first is taken unseen, and "
        "one that fails counts as doing nothing."
    ),
    "linear flows": "The linear power flow, by which an action that cuts something off fails.",
    "mean of the action": "What the action did on average in the states learnt from; it knows no state.",
    "doing nothing": "The present loading for every action; it knows no action.",
}
