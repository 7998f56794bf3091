"""`python -m infra.local.accuracy`: the README's accuracy table, from the files to the figures, as typed commands."""

import argparse
import sys
import time
from pathlib import Path

from rich.console import Console

from infra.local.demo import Step, Teller

POOLS = "solar_ciso,solar_pjm,solar_erco,wind,carbon,gas,coal,hydro,nuclear"
RUN = "day-ahead"


def main() -> int:
    """Train on what is before 2021, score every day of the half-year after, and print the table for each delay."""
    parser = argparse.ArgumentParser(prog="python -m infra.local.accuracy", description="The README's accuracy table.")
    parser.add_argument("--data", type=Path, required=True, help="the folder of the zones_production set")
    parser.add_argument("--to", type=Path, default=Path("accuracy"))
    parser.add_argument("--delays", default="PT0H,PT1H", help="publication delays of the actuals")
    parser.add_argument("--pools", default=POOLS)
    asked = parser.parse_args()
    held = asked.data / "zones_production" if (asked.data / "zones_production").is_dir() else asked.data
    console, began = Console(highlight=False), time.monotonic()
    for delay in asked.delays.split(","):
        folder = asked.to / delay
        folder.mkdir(parents=True, exist_ok=True)
        tell = Teller(console, folder, began)
        for step in steps(held, delay, asked.pools):
            tell.run(step)
    return 0


def steps(data: Path, delay: str, pools: str) -> list[Step]:
    """Return the commands for one publication delay."""
    hours = ("backfill", "--from", "2021-01-02T00:00Z", "--to", "2021-06-30T00:00Z", "--every", "PT24H", "--run", RUN)
    origin = f"zones_production, day-ahead at 00 UTC, actuals known {delay} after their hour"
    return [
        Step("Signals, zones and features", ("catalog", "zones_production", "--publication-delay", delay)),
        Step(
            f"Actuals are known {delay} after their hour",
            ("ingest", "--mapping", "zones_production", "--publication-delay", delay, str(data)),
        ),
        Step("Train on what was known before 2021", ("train", "--until", "2021-01-01T00:00Z", "--pools", pools)),
        Step("Score every day through the handlers", hours, (0, 2)),
        Step("The table", ("evaluate", "--run", RUN, "--external", "operator", "--origin", origin)),
    ]


if __name__ == "__main__":
    sys.exit(main())
