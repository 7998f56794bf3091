"""`python -m infra.local`: run hours through the handlers in this process; the bucket is $WATTAHEAD_BUCKET."""

import argparse
import io
import os
import sys
import time
from contextlib import redirect_stdout

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from wattahead.domain.errors import WattaheadError
from wattahead.domain.hours import duration, floor_hour, instant

FAILED, USAGE = 1, 64


def main() -> int:
    """Run the hours; return 0 when every hour is whole."""
    asked = parser().parse_args()
    os.environ.setdefault("POWERTOOLS_LOG_LEVEL", "ERROR")
    from infra.local.hours import hours, run_hour  # noqa: PLC0415 - Powertools reads its level when it is imported

    now = floor_hour(time.time_ns() // 1000)
    try:
        first = instant(asked.first) if asked.first else now
        last = instant(asked.last) if asked.last else now
        events = list(hours(first, last, duration(asked.every), asked.run))
    except WattaheadError as error:
        sys.stderr.write(f"{error}\n")
        return USAGE
    outcomes: dict[str, int] = {}
    rows = unfinished = 0
    columns = (
        TextColumn("{task.description}"),
        BarColumn(bar_width=24),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=Console(stderr=True)) as progress:
        task = progress.add_task("hours", total=len(events))
        for event in events:
            try:
                with redirect_stdout(io.StringIO()):  # metrics, as Lambda collects them; a person wants the bar
                    answer = run_hour(event)
            except WattaheadError as error:
                progress.console.print(f"{event['issue_time']}: {error}", highlight=False, markup=False)
                answer = {"outcome": "failed", "score": "failed", "rows": 0, "errors": []}
            for sentence in answer["errors"] if isinstance(answer["errors"], list) else ():
                progress.console.print(sentence, highlight=False, markup=False)
            outcomes[str(answer["score"])] = outcomes.get(str(answer["score"]), 0) + 1
            rows += int(str(answer["rows"]))
            unfinished += answer["outcome"] == "failed"
            progress.advance(task)
    told = ", ".join(f"{count} {outcome}" for outcome, count in sorted(outcomes.items()))
    sys.stdout.write(f"{len(events)} hours: {told}; {rows} rows\n")
    return FAILED if outcomes.get("failed") or unfinished else 0


def parser() -> argparse.ArgumentParser:
    """Return the command line."""
    made = argparse.ArgumentParser(
        prog="python -m infra.local", description="Run hours through the handlers in this process."
    )
    made.add_argument("--from", dest="first", default="", help="first issue time (default: the hour that began last)")
    made.add_argument("--to", dest="last", default="", help="last issue time, included")
    made.add_argument("--every", default="PT1H")
    made.add_argument("--run", default="", help="name of a backfill; live without it")
    return made


if __name__ == "__main__":
    sys.exit(main())
