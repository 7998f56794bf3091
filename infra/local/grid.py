"""`python -m infra.local.grid`: grid actions from nothing, as the commands a person would type."""

import argparse
import sys
import time
from pathlib import Path

from rich.console import Console

from infra.local.telling import Step, Teller
from wattahead.domain.hours import HOUR, floor_hour, iso

ENVIRONMENT = "rte_case14_realistic"
GRID_COMMAND = ("python", "-m", "training", "grid")
STATES = 600  # enough to see it work in a minute; the README's figures are of 3,000

BEST = """select lead_time_minutes // 60 as lead, rank, action, round(rho_max, 3) rho, round(p90, 3) p90,
round(rho_max_verified, 3) exact from latest_actions
where lead_time_minutes in (0, 720) and (rank <= 3 or action_id = 'nothing') order by lead, rank"""
GAIN = """select count(distinct valid_time) as hours, count(*) as verified_rows,
avg(rho_max_verified) filter (action_id = 'nothing') as doing_nothing,
(select avg(best) from (select min(rho_max_verified) as best from latest_actions group by valid_time)) as best_action,
avg(abs(rho_max - rho_max_verified)) as mean_error from latest_actions where verified"""


def main() -> int:
    """Run the story; stop at the first command that fails."""
    parser = argparse.ArgumentParser(prog="python -m infra.local.grid", description="Grid actions from nothing.")
    parser.add_argument("--to", type=Path, default=Path("demo-grid"))
    parser.add_argument("--environment", default=ENVIRONMENT, help="one that the simulator ships")
    parser.add_argument("--states", type=int, default=STATES)
    asked = parser.parse_args()
    asked.to.mkdir(parents=True, exist_ok=True)
    tell = Teller(Console(highlight=False), asked.to)
    for step in steps(asked.to, asked.environment, asked.states, floor_hour(time.time_ns() // 1000)):
        tell.run(step)
    tell.end(
        f"The states are simulated: {asked.environment}, which comes with grid2op.",
        (
            f"export WATTAHEAD_BUCKET={asked.to}/bucket; . .venv-grid/bin/activate",
            'wattahead query "select * from latest_actions where verified limit 5"',
            "python -m training grid train --states 3000   # the README's figures",
        ),
    )
    return 0


def steps(folder: Path, environment: str, states: int, now: int) -> list[Step]:
    """Return the commands of the story; `now` is the hour that is screened [µs]."""

    def grid(why: str, *words: str) -> Step:
        return Step(why, words, program=GRID_COMMAND)

    simulate = ("simulate", "--environment", environment, "--states", str(states), "--processes", "2")
    return [
        grid("The network, its candidate actions, and a catalog with one grid of it", "describe", "--environment",
             environment, "--grids", "grid_one", "--to", str(folder)),
        Step("Publish the catalog: the linear power flow serves until something better is trained",
             ("catalog", str(folder / "catalog.toml"))),
        grid("States under stress, and what every action would do in each, solved exactly", *simulate),
        grid("The same again is read from the bucket", *simulate),
        grid("Train on three quarters of the episodes, judge by the rest, promote", "train", "--states", str(states),
             "--until", iso(now)),
        grid("Two days of states, as if they had been measured", "observe", "--from", iso(now - 48 * HOUR), "--to",
             iso(now)),
        Step("The hour, by the handlers that run in AWS", ("hour", "--issue-time", iso(now)), (0, 2)),
        grid("Solve what was screened exactly", "verify", "--issue-time", iso(now)),
        Step("Ask DuckDB for the best actions now and in twelve hours", ("query", " ".join(BEST.split()))),
        Step("What is gained", ("query", " ".join(GAIN.split()))),
        grid("How loading responds to actions", "show", "--environment", environment, "--states", str(states),
             "--to", str(folder / "actions.png")),
    ]  # fmt: skip


if __name__ == "__main__":
    sys.exit(main())
