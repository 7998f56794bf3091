"""`wattahead synthetic`: a folder of generated zones, ready to ingest with the mapping `synthetic`."""

import argparse
import sys
import time
from importlib import resources
from pathlib import Path

from wattahead.domain.hours import DAY, floor_hour, instant, iso
from wattahead.sources.synthetic import Synthetic, generate, write


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what `synthetic` takes."""
    parser.add_argument("folder", type=Path)
    parser.add_argument("--zones", type=int, default=2)
    parser.add_argument("--days", type=int, default=400)
    parser.add_argument(
        "--until", default="", metavar="TIME", help="end of the data (default: the hour that began last)"
    )
    parser.add_argument("--seed", type=int, default=0)


def run(arguments: argparse.Namespace) -> int:
    """Write production.parquet, weather.parquet and the catalog.toml that forecasts them."""
    end = instant(arguments.until) if arguments.until else floor_hour(time.time_ns() // 1000)
    made = generate(arguments.zones, end - arguments.days * DAY, end, seed=arguments.seed)
    arguments.folder.mkdir(parents=True, exist_ok=True)
    write(made, arguments.folder)
    (arguments.folder / "catalog.toml").write_text(catalog(made), encoding="utf-8")
    sys.stdout.write(
        f"{arguments.zones} synthetic zones, {arguments.days} days until {iso(end)}, in {arguments.folder}\n"
    )
    return 0


def catalog(made: Synthetic) -> str:
    """Return the catalog of generated zones as TOML."""
    zones = "".join(
        f"{zone} = {{ latitude = {latitude:.2f}, longitude = {longitude:.2f} }}\n"
        for zone, (latitude, longitude) in made.zones.items()
    )
    pools = resources.files("wattahead.sources.synthetic").joinpath("pools.toml").read_text(encoding="utf-8")
    return f"[zones]\n{zones}\n{pools}"
