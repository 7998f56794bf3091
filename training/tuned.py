"""What a search came to: the best parameters, how sure that is, and the line for the catalog."""

from collections.abc import Callable, Iterator, Mapping

import numpy as np

from training.candidate import Material
from training.gate import Judged
from training.tuning import Study, TimeIsOver, Trial, with_parameters
from training.validation import by_day, validated
from wattahead.evaluation.bootstrap import drawn, intervals

Days = Mapping[int, tuple[float, int]]  # as a trial tells of them


def lines(study: Study, progress: Callable[[str], None]) -> Iterator[str]:
    """Say what the best trial is, how sure that is, and what days say of it that the search never saw.

    Those days take two trainings: where `progress` raises `TimeIsOver`, they are left out.
    """
    if not study.trials:
        yield "nothing has been tried yet, not even the catalog's own parameters"
        return
    own, best = study.trials[0], study.best()
    yield f"the catalog's own parameters: loss {own.loss:.5f} of the scale on {len(own.days)} held-back days"
    if len(study.trials) == 1:
        yield "no other trial is over yet"
        return
    if best.number == 0:
        yield f"none of {len(study.trials) - 1} trials was better: leave the catalog as it is"
        return
    gain = compared(own.days, best.days)
    yield f"the best of {len(study.trials) - 1} trials, number {best.number}: loss {best.loss:.5f}, {gain}"
    yield "it was chosen on these days, so part of this is luck"
    try:
        yield f"on {unseen(study, best, progress)}"
    except TimeIsOver:
        yield "the time is over: not compared on the later days that no trial has seen; the same command does that"
    yield catalog_line(study.told, best)


def compared(own: Days, other: Days) -> str:
    """Say by how much `other` loses less than `own`, with a 95 % interval over the days that both have."""
    both = sorted(set(own) & set(other))
    sums = np.array([[own[day][0] - other[day][0], own[day][0]] for day in both]).reshape(-1, 2)
    low, high = (
        intervals(sums[:, :1], sums[:, 1:], drawn(max(len(both), 1)), np.asarray) if both else ([np.nan], [np.nan])
    )
    gain = sums[:, 0].sum() / sums[:, 1].sum() if both else np.nan
    sure = "" if np.isfinite(low[0]) and low[0] > 0 else ": no more than noise"
    return f"{100 * gain:+.1f} % less loss (95 % interval {100 * low[0]:+.1f} to {100 * high[0]:+.1f} %){sure}"


def unseen(study: Study, best: Trial, progress: Callable[[str], None]) -> str:
    """Say what the catalog's parameters and the best ones come to on the later days, which no trial has seen."""
    told = study.told
    pool, found = told.source.pool, []
    for parameters in ({}, best.parameters):
        judged = _later(with_parameters(told, parameters), study.asked.seed, progress)
        found.append(by_day(judged, pool))
    return f"the {len(found[0])} later days that no trial has seen: {compared(*found)}"


def _later(told: Material, seed: int, progress: Callable[[str], None]) -> Judged:
    return validated(told, "out_of_time", told.samples, until=told.until, seed=seed, progress=progress)


def catalog_line(told: Material, best: Trial) -> str:
    """Return the trainer and its parameters as lines of the catalog's TOML."""
    pool = with_parameters(told, best.parameters).source.pool
    values = ", ".join(f"{name} = {number(value)}" for name, value in sorted(pool.parameters.items()))
    return f'[pools.{told.name}]\ntrainer = "{pool.trainer}"\nparameters = {{ {values} }}'


def number(value: float) -> str:
    """Write a parameter as TOML does."""
    return str(int(value)) if value == int(value) else repr(value)
