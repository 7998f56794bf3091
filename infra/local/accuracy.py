"""`python -m infra.local.accuracy`: the README's accuracy table, from the files to the figures, as typed commands."""

import argparse
import sys
import time
from pathlib import Path

from rich.console import Console

from infra.local.telling import Step, Teller

POOLS = "solar,wind,hydro,nuclear,gas,coal,carbon"  # those that others read first
RUN = "day-ahead"


def main() -> int:
    """Train on what is known, score every day of the first half of 2021, and print the table for each delay."""
    parser = argparse.ArgumentParser(prog="python -m infra.local.accuracy", description="The README's accuracy table.")
    parser.add_argument("--data", type=Path, required=True, help="the folder of the zones_production set")
    parser.add_argument("--to", type=Path, default=Path("accuracy"))
    parser.add_argument("--delays", default="PT0H,PT1H", help="publication delays of the actuals")
    parser.add_argument("--pools", default=POOLS)
    parser.add_argument("--retrain-every", default="never", help="never, P28D, P1M, ...; never: once before 2021")
    asked = parser.parse_args()
    held = asked.data / "zones_production" if (asked.data / "zones_production").is_dir() else asked.data
    console, began = Console(highlight=False), time.monotonic()
    for delay in asked.delays.split(","):
        folder = asked.to / delay
        folder.mkdir(parents=True, exist_ok=True)
        tell = Teller(console, folder, began)
        for step in steps(held, delay, asked.pools.split(","), asked.retrain_every):
            tell.run(step)
    return 0


def steps(data: Path, delay: str, pools: list[str], retrain_every: str) -> list[Step]:
    """Return the commands for one publication delay."""
    days = ("--from", "2021-01-02T00:00Z", "--to", "2021-06-30T00:00Z", "--issue-every", "PT24H")
    origin = f"zones_production, day-ahead at 00 UTC, actuals known {delay} after their hour"
    return [
        Step("Signals, zones and features", ("catalog", "zones_production", "--publication-delay", delay)),
        Step(
            f"Actuals are known {delay} after their hour",
            ("ingest", "--mapping", "zones_production", "--publication-delay", delay, str(data)),
        ),
        *(
            Step(f"{pool}: train on what was known, score every day", ("backtest", pool, *days, *_how(retrain_every)))
            for pool in pools
        ),
        Step(
            "The table",
            ("evaluate", "--kind", "backtest", "--run", RUN, "--external", "operator", "--origin", origin, "--report"),
        ),
    ]


def _how(retrain_every: str) -> tuple[str, ...]:
    return ("--retrain-every", retrain_every, "--run", RUN)


if __name__ == "__main__":
    sys.exit(main())
