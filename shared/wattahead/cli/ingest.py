"""`wattahead ingest`: files of a mapped source into the bucket."""

import argparse
import sys
import time
from pathlib import Path

from wattahead.domain.hours import instant
from wattahead.jobs.ingest import ingest
from wattahead.sources.mapping_files import find_mapping
from wattahead.storage.objects import open_bucket

DEGRADED = 2


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what `ingest` takes."""
    parser.add_argument("path", type=Path, help="a file or folder")
    parser.add_argument(
        "--mapping", required=True, help="a TOML file, or a shipped mapping: zones_production, dacf, synthetic"
    )
    parser.add_argument("--to", dest="bucket", metavar="URL", help="the bucket (the same as --bucket)")
    parser.add_argument(
        "--publication-delay", default="", metavar="PT1H", help="replaces the mapping's delay of all actuals"
    )
    parser.add_argument(
        "--live", action="store_true", help="store only what is new, known from now on: for files that keep coming"
    )
    parser.add_argument("--now", default="", metavar="TIME", help="the clock, for replays (default: now)")


def run(arguments: argparse.Namespace) -> int:
    """Ingest and say what was stored, what was refused and why; 2 when a series was refused."""
    now = instant(arguments.now) if arguments.now else time.time_ns() // 1000
    report = ingest(
        open_bucket(arguments.bucket),
        find_mapping(arguments.mapping),
        arguments.path,
        now=now,
        publication_delay=arguments.publication_delay,
        live=arguments.live,
    )
    for prefix, rows in report.rows.items():
        sys.stdout.write(f"{rows:>9} rows  {prefix}\n")
    sys.stdout.write(f"{len(report.objects):>9} new objects\n")
    for line in report.warnings:
        sys.stdout.write(f"{line}\n")
    for refusal in report.refused:
        sys.stderr.write(f"{refusal.sentence}\n")
    return DEGRADED if report.refused else 0
