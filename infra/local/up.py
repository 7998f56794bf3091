"""`python -m infra.local.up`: the local cloud. A clock ticks, and every hour runs through the deployed handlers."""

import argparse
import io
import os
import signal
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stdout
from dataclasses import dataclass, field
from functools import partial
from threading import Event
from typing import TYPE_CHECKING, Any

from infra.local.clock import Clock, ticks
from wattahead.domain.errors import Refused, WattaheadError
from wattahead.domain.hours import DAY, HOUR, duration, floor_hour, iso

if TYPE_CHECKING:
    from infra.local.feed import Feed
    from wattahead.storage.objects import Bucket

FAILED, USAGE = 1, 64
TIDY = HOUR  # into the day: once a day is enough for one machine, whose requests cost nothing
LOST = ("failed", "waiting")  # an hour that ended so is not whole


@dataclass
class Cloud:
    """Runs hours one after another on one bucket, and keeps count."""

    run_hour: Callable[[dict[str, Any]], dict[str, object]]
    feed: "Feed | None"  # of a bucket that was seeded here
    deadline: int  # [µs] past the hour by when no pool waits for its sources any longer
    real: bool
    compact: Callable[[dict[str, Any]], object] = lambda _: None
    outcomes: Counter[str] = field(default_factory=Counter)
    rows: int = 0

    def tick(self, at: int) -> bool:
        """Run the hour `at` [µs] and tell it in a line; return whether it is whole. The clock goes on."""
        began = time.perf_counter()
        try:
            if self.feed:
                self.feed.deliver(at)
            self._set_clock(at)
            with redirect_stdout(io.StringIO()):  # metrics, as Lambda collects them; a person wants a line
                answer = self.run_hour({"scheduled_time": iso(at)})
        except Exception as error:  # noqa: BLE001 - an hour may fail in any way, and the next one must still come
            answer = {"outcome": "failed", "score": "failed", "rows": 0, "errors": [f"{type(error).__name__}: {error}"]}
        outcome = "failed" if answer["outcome"] == "failed" and answer["score"] not in LOST else str(answer["score"])
        self.outcomes[outcome] += 1
        self.rows += int(str(answer["rows"]))
        say(f"{iso(at)}  {outcome:<9} {answer['rows']:>6} rows  {time.perf_counter() - began:6.2f} s")
        for sentence in list(answer.get("errors") or ())[:3]:  # type: ignore[call-overload]
            say(f"    {sentence}")
        if at % DAY == TIDY:
            self._tidy(at)
        return outcome not in LOST

    def _tidy(self, at: int) -> None:
        """Compact the days that are over; what fails is told, and no hour waits for it."""
        try:
            self.compact({"scheduled_time": iso(at)})
        except Exception as error:  # noqa: BLE001 - it changes nothing that an hour reads
            say(f"    compaction: {type(error).__name__}: {error}")

    def _set_clock(self, at: int) -> None:
        """Stop the handlers' clock past the deadline of the hour; it never runs back behind what was delivered."""
        from wattahead.jobs.settings import settings  # noqa: PLC0415 - with the handlers, after the signals are set

        if not self.real:
            os.environ["WATTAHEAD_CLOCK"] = iso(max(at, self.feed.until if self.feed else 0) + self.deadline)
            settings.cache_clear()


def main() -> int:
    """Run until the last hour, or until Ctrl-C; 0 when every hour is whole or the run was stopped."""
    stop = Event()
    signal.signal(signal.SIGINT, lambda *_: _stop(stop))
    signal.signal(signal.SIGTERM, lambda *_: _stop(stop))
    asked = parser().parse_args()
    os.environ.setdefault("POWERTOOLS_LOG_LEVEL", "ERROR")
    now = floor_hour(time.time_ns() // 1000)
    try:
        clock = Clock.of(asked.speed or ("max" if asked.days else "real"), stop)
        hours = ticks(now, days=asked.days, until=asked.until, real=clock.real)
        with _bucket(asked) as url:
            return _run(url, hours, clock)
    except WattaheadError as error:
        sys.stderr.write(f"{error}\n")
        return USAGE


def _run(url: str, hours: Iterator[int], clock: Clock) -> int:
    """Run the hours on the bucket at `url`, and say at the end what is where."""
    from functions.compact import app  # noqa: PLC0415 - Powertools reads its level when it is imported
    from infra.local.hours import call, run_hour  # noqa: PLC0415
    from wattahead.storage.catalogs import latest_catalog  # noqa: PLC0415
    from wattahead.storage.objects import open_bucket  # noqa: PLC0415

    bucket, first = open_bucket(url), next(hours)
    feed = _feed(bucket, first)
    pools = latest_catalog(bucket)[1].pools.values()
    deadline = max(duration(pool.input_deadline) for pool in pools)
    cloud = Cloud(run_hour, feed, deadline, clock.real, partial(call, "compact", app.handler))
    began = time.monotonic()
    stopped = not _turn(cloud, first, hours, clock)
    told = ", ".join(f"{count} {outcome}" for outcome, count in sorted(cloud.outcomes.items())) or "none"
    say(
        f"{'stopped; ' if stopped else ''}{cloud.outcomes.total()} hours: {told}; {cloud.rows} rows;"
        f" {cloud.outcomes['duplicate']} were there already; {time.monotonic() - began:.0f} s"
    )
    return FAILED if not stopped and any(cloud.outcomes[outcome] for outcome in LOST) else 0


def _turn(cloud: Cloud, first: int, hours: Iterator[int], clock: Clock) -> bool:
    """Tick through the hours; return False when stopped. By the real clock an hour that waits is tried once more."""
    at: int | None = first
    while at is not None:
        if not clock.reached(at):
            return False
        whole = cloud.tick(at)
        if not whole and clock.real:
            if not clock.reached(at + cloud.deadline):
                return False
            cloud.tick(at)
        at = next(hours, None)
    return True


def _feed(bucket: "Bucket", first: int) -> "Feed | None":
    """Return the feed of the bucket; an empty bucket is filled first."""
    from infra.local.feed import HISTORY, ZONES, feed_of, ready, seed  # noqa: PLC0415 - polars takes its time

    if ready(bucket):
        held = feed_of(bucket, first)
        if held is None:
            say("the bucket has a catalog of its own; files that keep coming go to inbox/<mapping>/date=<day>/")
        return held
    began = time.monotonic()
    seeded = seed(bucket, first - HOUR)
    said = f"{ZONES} generated zones, {HISTORY // (24 * HOUR)} days of history, a seasonal naive in every pool"
    say(f"an empty bucket was filled in {time.monotonic() - began:.0f} s: {said}")
    return seeded


@contextmanager
def _bucket(asked: argparse.Namespace) -> Iterator[str]:
    """Give the bucket's address to the handlers, with a server for it where one is asked for; say how to ask it."""
    from infra.local.server import s3_server  # noqa: PLC0415 - moto only where it is asked for

    if asked.s3:
        with s3_server() as variables:
            os.environ.update(variables)
            _say_where(variables)
            yield variables["WATTAHEAD_BUCKET"]
            say("the bucket was in this process, and is gone")
        return
    if asked.bucket.startswith("s3://") and not os.environ.get("AWS_ENDPOINT_URL"):
        # Generated zones and hours of an accelerated clock would stay there: live rows are final.
        raise Refused("E_CONFIG", f"{asked.bucket} is not on this machine", fix="use --to FOLDER, or --s3")
    os.environ["WATTAHEAD_BUCKET"] = asked.bucket
    _say_where({"WATTAHEAD_BUCKET": asked.bucket})
    yield asked.bucket
    say(f"the bucket is {asked.bucket}; ask it:")
    say('  wattahead query "select zone, subkey, valid_time, p10, p50, p90 from latest order by all limit 5"')
    say("  wattahead runs")


def _say_where(variables: dict[str, str]) -> None:
    say("in another terminal: wattahead query …, wattahead runs, after")
    for name, value in variables.items():
        say(f"  export {name}={value}")


def _stop(stop: Event) -> None:
    """End after the hour that is running; a second Ctrl-C ends at once, which costs nothing but that hour's work."""
    stop.set()
    signal.signal(signal.SIGINT, signal.default_int_handler)


def say(line: str) -> None:
    """Print a line at once: whoever watches a pipe waits for it."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def parser() -> argparse.ArgumentParser:
    """Return the command line."""
    made = argparse.ArgumentParser(prog="python -m infra.local.up", description="The local cloud, until Ctrl-C.")
    made.add_argument("--bucket", default=os.environ.get("WATTAHEAD_BUCKET", "bucket"), help="a folder or s3://bucket")
    made.add_argument("--s3", action="store_true", help="an S3 server in this process instead")
    made.add_argument("--days", type=int, default=0, help="replay the last N days, then end")
    made.add_argument("--speed", default="", help="max, real, or so many hours an hour")
    made.add_argument("--until", default="", help="last hour")
    return made


if __name__ == "__main__":
    sys.exit(main())
