"""Print how good OpenSTEF 4's forecasts are, and ours: `python -m tests.perf.peers DATA FORECASTS` (see README.md)."""

import argparse
import json
import sys
from pathlib import Path

import pandas as pd

from tests.perf.peers.ours import Ours, forecasts
from tests.perf.peers.table import lines
from wattahead.domain.hours import instant


def main() -> None:
    """Make our forecasts, read theirs, print the table of what all of them have issued."""
    told = _arguments()
    ours = forecasts(told.data, instant(told.first), instant(told.end), told.every)
    theirs = {path.stem: pd.read_parquet(path) for path in sorted(told.forecasts.glob("*.parquet"))}
    table = lines({**ours.tables, **theirs}, _load(told.data))
    sys.stdout.write("\n".join([*table, *_seconds(ours, told.forecasts), ""]))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path, help="the folder that holds load_weather.parquet")
    parser.add_argument("forecasts", type=Path, help="what openstef4.py has written")
    parser.add_argument("--from", dest="first", default="2020-12-01T00:00Z")
    parser.add_argument("--to", dest="end", default="2021-01-01T00:00Z")
    parser.add_argument("--every", type=int, default=1, help="hours from issue time to issue time")
    return parser.parse_args()


def _load(data: Path) -> pd.DataFrame:
    held = pd.read_parquet(data / "load_weather.parquet", columns=["pid", "ts", "load"])
    named = held.assign(zone="NL-" + held["pid"].astype(str))
    return named.rename(columns={"ts": "valid_time"})[["zone", "valid_time", "load"]]


def _seconds(ours: Ours, folder: Path) -> list[str]:
    found = [f"CPU seconds, all series: wattahead fit {ours.fit:.0f}, predict {ours.predict:.1f}"]
    for path in sorted(folder.glob("*.json")):
        spent = json.loads(path.read_text()).values()
        fit, predict = (sum(one[part] for one in spent) for part in ("fit", "predict"))
        found.append(f"  {path.stem} fit {fit:.0f}, predict {predict:.0f}")
    return found


if __name__ == "__main__":
    main()
