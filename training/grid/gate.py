"""The promotion gate of screens: candidate, champion and the linear answer on episodes that nobody has learnt from."""

from collections.abc import Mapping
from typing import Final

from wattahead.jobs.promote import Verdict

CHAMPION: Final = "champion"
CANDIDATE: Final = "candidate"
LINEAR: Final = "linear flows"
ERROR: Final = "rmse_failures"  # a failure that is not foreseen counts too
REGRET: Final = "regret_5"
SLACK: Final = 0.002  # of the loading: less regret than this is chance


def verdict(table: Mapping[str, Mapping[str, float]]) -> Verdict:
    """Promote the candidate only if it errs less than the linear answer and the champion, without more regret.

    `table`: model -> measures of the same test states.
    """
    rivals = [name for name in (LINEAR, CHAMPION) if name in table]
    names = [name for name in (CANDIDATE, *rivals) if name in table]
    told = ", ".join(f"{name} {table[name][ERROR]:.4f} and {table[name][REGRET]:.4f}" for name in names)
    told = f"RMSE, failures counted, and regret after 5 verified: {told}"
    ours = table[CANDIDATE]
    lost = [
        name
        for name in rivals
        if not (ours[ERROR] < table[name][ERROR] and ours[REGRET] <= table[name][REGRET] + SLACK)  # NaN never wins
    ]
    if lost:
        return Verdict(promoted=False, reason=f"not better than {' and '.join(lost)}: {told}")
    return Verdict(promoted=True, reason=f"better than {' and '.join(rivals)}: {told}")
